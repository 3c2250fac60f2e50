//go:build !race

package token

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// CVE-2025-30204: a token of many dots was split at each of them.
func TestManyDotsCostNoAllocation(t *testing.T) {
	dots := bytes.Repeat([]byte{'.'}, MaxTokenBytes)
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := split(dots); !errors.Is(err, ErrMalformed) {
			t.Fatal(err)
		}
	})
	if allocations > 2 { // The error.
		t.Errorf("%v allocations", allocations)
	}
}

func TestRecheckOfClaimsAllocatesNothing(t *testing.T) {
	c := &Claims{ExpiresAt: epoch + 60, NotBefore: epoch - 60}
	if n := testing.AllocsPerRun(100, func() {
		if c.ValidAt(testNow, time.Second) != nil {
			t.Fatal("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestCountingAUseAllocatesNothing(t *testing.T) {
	k, c, now := new(Key), &Claims{ExpiresAt: epoch}, int64(epoch)
	if n := testing.AllocsPerRun(100, func() {
		now++
		c.ExpiresAt++
		k.Use(c, byte(now), now)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if k.Usage().Tokens != 101 {
		t.Errorf("%+v", k.Usage())
	}
}
