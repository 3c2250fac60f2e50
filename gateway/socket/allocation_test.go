//go:build !race

package socket_test

import "testing"

func TestReadAndWriteAllocateNothing(t *testing.T) {
	short, plain := pair(t, "tcp")
	p := make([]byte, 100)
	if n := testing.AllocsPerRun(1000, func() {
		if _, err := plain.Write(p); err != nil {
			t.Fatal(err)
		}
		if n, err := short.Read(p); n != len(p) {
			t.Fatal(n, err)
		}
		if _, err := short.Write(p); err != nil {
			t.Fatal(err)
		}
		if n, err := plain.Read(p); n != len(p) {
			t.Fatal(n, err)
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
