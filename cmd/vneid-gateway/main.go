// Command vneid-gateway verifies VNeID-issued tokens in front of TTHC systems.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go obey(signals, cancel)
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// obey asks for a drain at the first signal and ends the process at the second.
func obey(signals <-chan os.Signal, drain func()) {
	<-signals
	drain()
	<-signals
	fmt.Fprintln(os.Stderr, "ended at once by a second signal: requests in flight were cut off")
	os.Exit(1)
}
