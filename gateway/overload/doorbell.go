package overload

import (
	"os"
)

// doorbell is rung by many and answered by one, who hears it behind everything
// that was ready to run when it was rung: it goes by way of the network poller,
// which the scheduler asks when it has nothing else to do, and which hands over
// the requests that have arrived by then together with the bell. A channel
// would not do: who is woken by one runs next, before anything that arrived.
type doorbell struct {
	hear *os.File
	ring *os.File
}

func newDoorbell() (*doorbell, error) {
	hear, ring, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &doorbell{hear, ring}, nil
}

// Ring lets one Wait return. It does not block: callers see to it that no more
// than one ring is unheard.
func (d *doorbell) Ring() {
	// It fails only once it is closed, when nobody waits any more.
	_, _ = d.ring.Write([]byte{0})
}

// Wait returns when the bell was rung, false when it was closed.
func (d *doorbell) Wait() bool {
	var b [8]byte
	_, err := d.hear.Read(b[:])
	return err == nil
}

// Close ends Wait.
func (d *doorbell) Close() {
	_ = d.ring.Close()
	_ = d.hear.Close()
}
