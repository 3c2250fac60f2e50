package gateway

import (
	"strings"
	"testing"
)

const (
	goodTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	nextTrace = "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-comes"
)

func TestTraceparentFollowsW3C(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		goodTrace:                  true,
		nextTrace:                  true,
		nextTrace[:55]:             true,
		nextTrace[:55] + "x":       false,
		goodTrace + "-more":        false, // version 00 has no more
		goodTrace[:54]:             false,
		"":                         false,
		"ff" + goodTrace[2:]:       false,
		strings.ToUpper(goodTrace): false,
		"00-00000000000000000000000000000000-b7ad6b7169203331-01": false,
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01": false,
		strings.Replace(goodTrace, "-b7", "_b7", 1):               false,
		nextTrace[:55] + "-" + strings.Repeat("a", 200):           false,
	} {
		if got := validTraceparent([]byte(value)); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	for range 100 {
		if made := appendTraceparent(nil); !validTraceparent(made) {
			t.Fatalf("made %q", made)
		}
	}
}

func TestRequestIDIsPlain(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]bool{
		"a": true, "A-b_c.9": true, strings.Repeat("x", 64): true,
		"": false, strings.Repeat("x", 65): false, "a b": false, "a\"b": false, "ả": false, "<script>": false, "a,b": false,
	} {
		if got := validRequestID([]byte(value)); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
}

func TestTraceAndRequestIDAreCarriedOrMade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		fields []string
		want   map[string]string // "" for made anew, "-" for absent
	}{
		{
			"carried",
			[]string{"X-Request-Id: abc-1", "traceparent: " + goodTrace, "tracestate: a=b"},
			map[string]string{"X-Request-Id": "abc-1", "traceparent": goodTrace, "tracestate": "a=b"},
		},
		{"made", nil, map[string]string{"X-Request-Id": "", "traceparent": "", "tracestate": "-"}},
		{
			"made where malformed",
			[]string{"X-Request-Id: a b", "traceparent: 00-zz", "tracestate: a=b"},
			map[string]string{"X-Request-Id": "", "traceparent": "", "tracestate": "-"},
		},
		{
			"no endless state",
			[]string{"traceparent: " + goodTrace, "tracestate: a=" + strings.Repeat("b", 600)},
			map[string]string{"traceparent": goodTrace, "tracestate": "-"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{})
			a := r.get("/open/x", c.fields...)
			sent := r.upstream.Requests()[0]
			for name, want := range c.want {
				got := sent.Values(name)
				switch {
				case want == "-":
					if len(got) != 0 {
						t.Errorf("%s: %q", name, got)
					}
				case len(got) != 1 || got[0] == "" || want != "" && got[0] != want:
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			if a.header.Get("X-Request-Id") != sent.Values("X-Request-Id")[0] {
				t.Error("the client is told another request id than the upstream")
			}
			if via := sent.Values("Via"); len(via) != 1 || via[0] != "1.1 vneid-gateway" {
				t.Errorf("Via: %q", via)
			}
		})
	}
}

// Some upstreams fold methods, or take them from a field: neither may pass by
// the rule that was found for the method of the request line.
func TestMethodIsTheOneThatWasMatched(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{})
	if a := r.do("get", "/open/x"); a.status != 501 || a.code != "method_not_supported" {
		t.Errorf("get: %d %s", a.status, a.code)
	}
	if n := r.reached(); n != 0 {
		t.Fatalf("reached %d times", n)
	}
	r.get("/open/x", "X-HTTP-Method-Override: DELETE", "x_http_method: DELETE", "X-Method-Override: DELETE")
	sent := r.upstream.Requests()[0]
	if strings.Contains(string(sent.Head), "DELETE") {
		t.Errorf("%s", sent.Head)
	}
}
