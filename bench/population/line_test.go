package population_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

const goodLine = `{"class":"expired","pool":"warm","method":"GET","host":"a.example.vn","path":"/api/x?y=1","authorization":"Bearer abc","expect":{"status":[401],"code":"token_expired"}}`

func TestLineIsReadAsItIsWritten(t *testing.T) {
	t.Parallel()
	l, err := population.ParseLine([]byte(goodLine))
	want := population.Line{
		Class: population.Expired, Pool: population.Warm, Method: "GET", Host: "a.example.vn", Path: "/api/x?y=1", Authorization: "Bearer abc",
		Expect: population.Expectation{Status: []int{401}, Code: "token_expired"},
	}
	if err != nil || !reflect.DeepEqual(l, want) {
		t.Fatalf("%+v %v", l, err)
	}
	written, err := population.AppendLine(nil, &l)
	if err != nil || string(written) != goodLine+"\n" {
		t.Errorf("%s %v", written, err)
	}
}

func TestLineThatCouldNotBeSentIsRefused(t *testing.T) {
	t.Parallel()
	with := func(old, replacement string) string {
		changed := strings.Replace(goodLine, old, replacement, 1)
		if changed == goodLine {
			t.Fatalf("%q is not in the line", old)
		}
		return changed
	}
	for name, line := range map[string]string{
		"empty":                      "",
		"not JSON":                   "Bearer secret",
		"something behind it":        goodLine + "{}",
		"a list":                     "[" + goodLine + "]",
		"an unknown member":          with(`"pool"`, `"pond":"deep","pool"`),
		"a member twice":             with(`"pool"`, `"class":"valid","pool"`),
		"a member in another case":   with(`"pool"`, `"Pool"`),
		"an unknown class":           with("expired", "stale"),
		"an unknown pool":            with("warm", "hot"),
		"a method of two words":      with(`"GET"`, `"GET /"`),
		"an unknown method":          with(`"GET"`, `"CONNECT"`),
		"no host":                    with("a.example.vn", ""),
		"a host with a line's end":   with("a.example.vn", `a\r\nb`),
		"a path without a slash":     with("/api/x", "api/x"),
		"a path with a space":        with("/api/x", "/api x"),
		"a path with a line's end":   with("/api/x", `/\r\nX: y`),
		"a path with a fragment":     with("/api/x", "/api#x"),
		"a path that is not ASCII":   with("/api/x", "/hồ-sơ"),
		"a long path":                with("/api/x", "/"+strings.Repeat("x", population.MaxPathBytes)),
		"a token with a line's end":  with("Bearer abc", `Bearer abc\r\nX: y`),
		"a long token":               with("abc", strings.Repeat("x", population.MaxAuthorizationBytes)),
		"no status":                  with("[401]", "[]"),
		"a status that is not final": with("[401]", "[101]"),
		"a status that is text":      with("[401]", `["401"]`),
		"17 statuses":                with("[401]", "["+strings.TrimSuffix(strings.Repeat("401,", 17), ",")+"]"),
		"a code with capitals":       with("token_expired", "Token"),
		"a long code":                with("token_expired", strings.Repeat("x", population.MaxCodeBytes+1)),
		"no expectation":             with(`,"expect":{"status":[401],"code":"token_expired"}`, ""),
		"a long line":                with("Bearer abc", strings.Repeat(" ", population.MaxLineBytes)),
	} {
		_, err := population.ParseLine([]byte(line))
		if !errors.Is(err, population.ErrCorpus) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(err.Error(), "abc") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error repeats the line: %v", name, err)
		}
	}
}

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(goodLine))
	f.Add([]byte(`{"class":"public","pool":"cold","method":"POST","host":"[::1]:80","path":"/","expect":{"status":[200,204],"code":""}}`))
	f.Add([]byte(`{"class":"valid","expect":{"status":[]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l, err := population.ParseLine(raw)
		if err != nil {
			return
		}
		if !json.Valid(raw) || strings.ContainsAny(l.Host+l.Path+l.Authorization, "\r\n\x00") || strings.ContainsAny(l.Path+l.Method, " ") {
			t.Fatalf("%q was taken", raw)
		}
		written, err := population.AppendLine(nil, &l)
		if err != nil {
			t.Fatal(err)
		}
		again, err := population.ParseLine(written[:len(written)-1])
		if err != nil || !reflect.DeepEqual(again, l) {
			t.Fatalf("%q: %+v, then %+v %v", raw, l, again, err)
		}
	})
}
