//go:build !race

package statuslist

import (
	"context"
	"testing"
	"time"
)

func TestAStatusInMemoryAllocatesNothing(t *testing.T) {
	s := newSigner(t, "k")
	p := &provider{answer: serves(t, s, nil, 0, 1)}
	cfg := goodConfig(t, p, ring(s))
	cfg.Wait = time.Minute
	l := open(t, cfg)
	if got := l.check(t, listURI, 0); got != Valid {
		t.Fatal(got)
	}
	ctx, now := context.Background(), time.Now()
	if n := testing.AllocsPerRun(1000, func() {
		now = now.Add(time.Second / 10)
		if l.Check(ctx, listURI, 0, now) != Valid || l.Peek(listURI, 1, now) != Invalid || !l.Allows(Valid) || l.Version() != 1 {
			t.Fatal("lost")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
