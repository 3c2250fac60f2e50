package peers

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode/utf8"
)

// told is a result with all that a table can have.
func told() *Result {
	s := func(values ...float64) Spread { return spread(values) }
	f := func(proxy, algorithm, load string, busy float64, cpu ...float64) Figure {
		return Figure{Proxy: proxy, Algorithm: algorithm, Load: load, CPU: s(cpu...), Answered: s(40_000), BusyShare: s(busy), Requests: 60_000}
	}
	v := func(proxy, token, want string, status int, reached, passed bool) Verdict {
		return Verdict{Proxy: proxy, Algorithm: "ES256", Token: token, Want: want, Status: status, Reached: reached, Passed: passed}
	}
	return &Result{
		Rounds: 3, Requests: 20_000, LongestSeconds: 2, WarmTokens: 1000, Connections: 64, TokenBytes: 911, BodyBytes: 1024,
		ProxyProcessor: 1, MintSeconds: 21, ElapsedSeconds: 240, Algorithms: []string{"ES256", "EdDSA"},
		Proxies: []Proxy{
			{Name: "haproxy", Title: "HAProxy jwt_verify", Versions: []string{"haproxy 2.6"}, Unsupported: map[string]string{"EdDSA": "jwt_verify does not know it"}},
			{Name: "apache", Title: "Apache + mod_auth_openidc", Versions: []string{"apache2 2.4", "module 2.4"}, Unfit: map[string][]string{
				"ES256": {"alg none", "expired", "claims altered", "no token", "for another audience", "of another issuer"}, "EdDSA": {"valid"},
			}},
			{Name: gatewayName, Title: "VNeID Gateway", Versions: []string{"vneid-gateway v1"}},
		},
		Verdicts: []Verdict{
			v("haproxy", "valid", "accepted", 200, true, true), v("haproxy", "no expiry", "", 200, true, true), v("haproxy", "alg none", "refused", 401, false, true),
			v("apache", "valid", "accepted", 200, true, true), v("apache", "no expiry", "", 500, false, true), v("apache", "alg none", "refused", 200, true, false),
			v(gatewayName, "valid", "accepted", 200, true, true), v(gatewayName, "no expiry", "", 403, false, true), v(gatewayName, "alg none", "refused", 401, false, true),
		},
		Figures: []Figure{
			f("haproxy", "", Open, 0.7, 14.1, 13.9, 14.0), f("haproxy", "ES256", Warm, 1, 108, 107, 109), f("haproxy", "ES256", Cold, 1, 108, 108, 108),
			f("apache", "", Open, 0.9, 61, 60, 62),
			f(gatewayName, "", Open, 0.7, 15, 15.5, 14.5), f(gatewayName, "ES256", Warm, 0.8, 16, 17, 15), f(gatewayName, "ES256", Cold, 1, 116, 115, 119),
			f(gatewayName, "EdDSA", Warm, 0.8, 16, 17, 15), f(gatewayName, "EdDSA", Cold, 1, 84, 83, 85),
		},
	}
}

func TestTablesTellCostsVerdictsAndWhoWasNotMeasured(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func(io.Writer) error{"result.txt": told().WriteText, "result.md": told().WriteMarkdown} {
		var out bytes.Buffer
		if err := write(&out); err != nil {
			t.Fatal(err)
		}
		golden(t, name, out.String())
	}
}

func TestTextFitsATerminalOf100Columns(t *testing.T) {
	t.Parallel()
	r := told()
	r.Figures[0].CPU = spread([]float64{1234.5, 1111.1, 1321.9})
	r.Figures[2].CPU = spread([]float64{234.5, 211.1, 321.9})
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		// What is no table may be folded.
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 && strings.Contains(line, "%") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestPlotNamesLoadsAndWhoWasMeasured(t *testing.T) {
	t.Parallel()
	count := func(r *Result) (fills map[string]int, texts string) {
		var out bytes.Buffer
		if err := r.WriteSVG(&out); err != nil {
			t.Fatal(err)
		}
		fills = map[string]int{}
		for d := xml.NewDecoder(&out); ; {
			token, err := d.Token()
			if errors.Is(err, io.EOF) {
				return fills, texts
			}
			if err != nil {
				t.Fatal(err)
			}
			switch token := token.(type) {
			case xml.StartElement:
				for _, a := range token.Attr {
					if colour, ok := strings.CutPrefix(a.Value, "fill:#"); ok && a.Name.Local == "style" {
						fills[colour]++
					}
				}
			case xml.CharData:
				texts += string(token) + "\n"
			}
		}
	}
	r := told()
	before, texts := count(r)
	for _, want := range []string{"HAProxy jwt_verify", "VNeID Gateway", "ES256", "EdDSA", "warm", "cold", "µs a request"} {
		if !strings.Contains(texts, want) {
			t.Errorf("no %q in it", want)
		}
	}
	// A proxy that was never measured has no place in it.
	r.Figures = r.Figures[:3]
	after, texts := count(r)
	if strings.Contains(texts, "VNeID Gateway") || !strings.Contains(texts, "HAProxy jwt_verify") {
		t.Errorf("the names are %q", texts)
	}
	if len(after) >= len(before) {
		t.Errorf("fills %v, and with one proxy only %v", before, after)
	}
}

func TestSpreadIsMedianLeastAndMost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		values              []float64
		median, least, most float64
	}{
		{[]float64{3}, 3, 3, 3},
		{[]float64{9, 1, 5}, 5, 1, 9},
		{[]float64{4, 1, 2, 9}, 3, 1, 9},
	} {
		if s := spread(c.values); s.Median != c.median || s.Least != c.least || s.Most != c.most || len(s.Rounds) != len(c.values) {
			t.Errorf("%v: %+v", c.values, s)
		}
	}
}
