// Command vneid-bench measures what load an HTTP gateway carries.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// Exit statuses besides 0, which is that all went as it should.
const (
	exitFailed    = 1  // nothing was measured
	exitNoResult  = 98 // the generator was the bottleneck
	exitThreshold = 99 // it was measured, and is not as it should be
)

// exitError is an error with an exit status of its own.
type exitError struct {
	status int
	error
}

func main() { os.Exit(run()) }

func run() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go obey(signals, cancel)
	err := rootCommand().ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, err)
	if exit, ok := errors.AsType[exitError](err); ok {
		return exit.status
	}
	return exitFailed
}

// obey ends the load at the first signal and the process at the second.
func obey(signals <-chan os.Signal, stop func()) {
	<-signals
	stop()
	<-signals
	fmt.Fprintln(os.Stderr, "ended at once by a second signal: there is no summary")
	os.Exit(exitFailed)
}
