package identity

import "runtime/debug"

// recovered makes a call for which requests wait, in a goroutine that nobody
// else guards: its panic would end the process. It becomes ErrPanic, of which
// onPanic, where there is one, is told.
func recovered(onPanic func(stack []byte), call func() error) (err error) {
	defer func() {
		if recover() == nil {
			return
		}
		err = ErrPanic
		if onPanic != nil {
			// The value may hold anything of a token: only its place is told.
			onPanic(debug.Stack())
		}
	}()
	return call()
}
