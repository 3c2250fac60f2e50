package listen

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// These two of fasthttp's end some seconds after their server, or never.
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.(*workerPool).Start.func2"),
		goleak.IgnoreAnyFunction("github.com/valyala/fasthttp.updateServerDate.func1"))
}
