//go:build !race

package token

import (
	"bytes"
	"errors"
	"runtime"
	"testing"
	"time"
	"unsafe"
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

func TestATokenWithoutStatusCostsNoAllocationForIt(t *testing.T) {
	claims, p := []member{{[]byte("iss"), []byte(`"i"`)}, {[]byte("Status"), []byte(`{}`)}}, goodProfile()
	if n := testing.AllocsPerRun(100, func() {
		if s, err := readStatus(claims, &p); err != nil || s.reference().Present() {
			t.Fatal(s, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Tokens that share a list share its name, for as long as one of them lives.
func TestStatusReferencesShareTheNameOfTheList(t *testing.T) {
	first := NewStatusReference("https://example.com/"+t.Name(), 1)
	runtime.GC()
	second := NewStatusReference("https://example.com/"+t.Name(), 2)
	if unsafe.StringData(first.URI()) != unsafe.StringData(second.URI()) {
		t.Error("two copies of one name")
	}
	if size := unsafe.Sizeof(first); size != 16 {
		t.Errorf("a reference takes %d bytes", size)
	}
	if n := testing.AllocsPerRun(100, func() {
		if !first.Present() || first.URI() == "" || first.Index() != 1 {
			t.Fatal("lost")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
