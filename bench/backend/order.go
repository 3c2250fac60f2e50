package backend

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	// maxSize bounds the size that an order asks for, in bytes.
	maxSize = 1 << 30
	// maxTime bounds the times of an order.
	maxTime = 24 * time.Hour
)

// orderFault sets the fault that an order describes, at every path or at those it names.
func (b *Backend) orderFault(order url.Values) error {
	fault, err := b.parseFault(order.Get("kind"), order)
	if err != nil {
		return err
	}
	lasting, err := duration(order, "for", 0)
	if err != nil {
		return err
	}
	names := order["path"]
	if len(names) == 0 {
		names = []string{endpointNames[discovery], endpointNames[keySetEndpoint], endpointNames[introspection]}
	}
	paths := make([]string, len(names))
	for i, name := range names {
		endpoint := slices.Index(endpointNames[:], name)
		if endpoint < 0 || endpoint == tokenEndpoint {
			return fmt.Errorf("%w: path = discovery | jwks | introspection", ErrFault)
		}
		paths[i] = endpointPaths[endpoint]
	}
	for _, path := range paths {
		if err := b.SetFaultAt(path, fault, lasting); err != nil {
			return err
		}
	}
	return nil
}

// parseFault returns the fault of a kind, nil for none. The error is [ErrFault].
func (b *Backend) parseFault(kind string, order url.Values) (Fault, error) {
	switch kind {
	case "none":
		return nil, nil
	case "down":
		return Down(), nil
	case "slow":
		delay, err := duration(order, "delay", 10*time.Second)
		return Slow(delay), err
	case "trickle":
		interval, err := duration(order, "every", time.Second)
		return Trickle(interval), err
	case "status":
		code, err := number(order, "code", http.StatusInternalServerError, 200, 599)
		return Status(int(code)), err
	case "html":
		return HTML(), nil
	case "truncated":
		return Truncated(), nil
	case "huge":
		size, err := number(order, "bytes", HugeSize, 0, maxSize)
		return Huge(size), err
	case "bomb":
		size, err := number(order, "bytes", HugeSize, 0, maxSize)
		return Bomb(size), err
	case "body":
		contentType := "application/json"
		if order.Has("type") {
			contentType = order.Get("type")
		}
		return Body(contentType, []byte(order.Get("body"))), nil
	case "duplicate-kids":
		return b.DuplicateKids(), nil
	case "wrong-issuer":
		return WrongIssuer(), nil
	case "redirect":
		if order.Get("to") == "same" {
			return RedirectSameOrigin(), nil
		}
		return RedirectCrossOrigin(order.Get("to")), nil
	case "flapping":
		return b.parseFlapping(order)
	}
	return nil, fmt.Errorf("%w: %q", ErrFault, kind)
}

func (b *Backend) parseFlapping(order url.Values) (Fault, error) {
	up, err := duration(order, "up", time.Second)
	if err != nil {
		return nil, err
	}
	down, err := duration(order, "down", time.Second)
	if err != nil {
		return nil, err
	}
	with := order.Get("with")
	if with == "" {
		with = "down"
	}
	if with == "none" || with == "flapping" {
		return nil, fmt.Errorf("%w: flapping with %q", ErrFault, with)
	}
	fault, err := b.parseFault(with, order)
	return Flapping(up, down, fault), err
}

// duration returns a time of an order, within 0 and [maxTime].
func duration(order url.Values, name string, otherwise time.Duration) (time.Duration, error) {
	if !order.Has(name) {
		return otherwise, nil
	}
	value, err := time.ParseDuration(order.Get(name))
	if err != nil || value < 0 || value > maxTime {
		return 0, fmt.Errorf("%w: %s is no time from 0 to %v", ErrFault, name, maxTime)
	}
	return value, nil
}

func number(order url.Values, name string, otherwise, least, most int64) (int64, error) {
	if !order.Has(name) {
		return otherwise, nil
	}
	value, err := strconv.ParseInt(order.Get(name), 10, 64)
	if err != nil || value < least || value > most {
		return 0, fmt.Errorf("%w: %s is no number from %d to %d", ErrFault, name, least, most)
	}
	return value, nil
}
