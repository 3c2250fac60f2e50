//go:build !unix

package stand

import (
	"context"
	"errors"
)

// holdPort fails: gateways cannot share a port here.
func holdPort(context.Context) (address string, release func(), err error) {
	return "", nil, errors.New("no port can be shared on this system")
}
