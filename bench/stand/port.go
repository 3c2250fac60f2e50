package stand

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// The ports of [FreeAddress], and how many are tried. Systems give ports from 32768 on to outgoing connections.
const (
	lowestPort  = 20_000
	highestPort = 32_000
	portTries   = 100
)

// FreeAddress finds a loopback "IP:port" that nobody listens on, below the ports that systems give to outgoing
// connections: those of a load do not take it before somebody listens there.
func FreeAddress(ctx context.Context) (string, error) {
	var last error
	for range portTries {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(lowestPort+rand.IntN(highestPort-lowestPort))) //nolint:gosec // it is no secret
		listener, err := loopback.Listen(ctx, address)
		if err == nil {
			return address, listener.Close()
		}
		last = err
	}
	return "", fmt.Errorf("no port is free from %d to %d: %w", lowestPort, highestPort, last)
}
