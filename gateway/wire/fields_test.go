package wire

import (
	"bufio"
	"bytes"
	"net/textproto"
	"testing"
)

func TestFieldsStopAtWhatTheCheckerWouldRefuse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		raw  string
		want int
	}{
		{"", 0},
		{"\r\n", 0},
		{"A: b\r\n", 1},
		{"A: b\r\nC:\r\n\r\nD: e\r\n", 2},
		{"A: b\nC: d\r\n", 0},
		{"A: b\r\nC: d", 1},
		{"A: b\r\nCd\r\nE: f\r\n", 1},
		{"A: b\r\n: d\r\nE: f\r\n", 1},
		{"\n", 0},
	} {
		n := 0
		for f := NewFields([]byte(tc.raw)); f.Next(); {
			n++
		}
		if n != tc.want {
			t.Errorf("%q: %d fields, want %d", tc.raw, n, tc.want)
		}
	}
}

// FuzzFieldsAreThoseOfTheStandardLibrary walks the head of every request that
// the checker passes.
func FuzzFieldsAreThoseOfTheStandardLibrary(f *testing.F) {
	for _, raw := range passingRequests {
		f.Add([]byte(raw))
	}
	f.Add([]byte(get + host + "A:\t b c \t\r\nA:b\r\nX_y: \xff,\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(ends(data, Limits{}.withDefaults())) == 0 {
			return
		}
		data = bytes.TrimPrefix(data, []byte("\r\n"))
		raw := data[bytes.IndexByte(data, '\n')+1:]
		want, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(raw))).ReadMIMEHeader()
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		got := textproto.MIMEHeader{}
		for fields := NewFields(raw); fields.Next(); {
			got.Add(string(fields.Name), string(fields.Value))
		}
		if len(got) != len(want) {
			t.Fatalf("%q: %v, want %v", raw, got, want)
		}
		for name, values := range want {
			if len(values) != len(got[name]) {
				t.Fatalf("%q: %v, want %v", raw, got, want)
			}
			for i, v := range values {
				if got[name][i] != v {
					t.Fatalf("%q: %s is %q, want %q", raw, name, got[name][i], v)
				}
			}
		}
	})
}
