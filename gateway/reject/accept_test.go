package reject

import (
	"bytes"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// wants reports whether the fields together prefer the page.
func wants(fields ...string) bool {
	var h fasthttp.RequestHeader
	for _, f := range fields {
		h.Add("Accept", f)
	}
	page := PrefersPage(&h)
	if len(fields) == 1 && AcceptPrefersPage([]byte(fields[0])) != page {
		panic("AcceptPrefersPage and PrefersPage disagree about " + fields[0])
	}
	return page
}

// RFC 9110 section 12.5.1.
func TestPageOnlyWhereHTMLIsPreferred(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"": false,
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8": true,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8":                                  true,
		"*/*":                                      false,
		"text/html":                                true,
		"TEXT/HTML":                                true,
		"text/*":                                   true,
		"text/html;charset=utf-8":                  true,
		"text/html, application/json":              false, // a tie
		"text/html, */*":                           false, // a tie
		"text/html, application/json;q=0.9":        true,
		"text/html;q=0.9, application/json":        false,
		"application/json":                         false,
		"application/problem+json":                 false,
		"application/*":                            false,
		"text/html;q=0":                            false,
		"text/html;q=0, */*":                       false,
		"*/*;q=0.1, application/*;q=0.05":          true,
		"*/*, text/html;q=0.5":                     false, // the most specific range decides
		"*/*, application/*;q=0.5":                 true,  // HTML keeps the weight of */*
		`application/json;q=0.5;x="\",text/html,"`: false, // an escaped quote ends nothing
		"text/html;level=1;q=0.9, text/html;q=0.1, */*;q=0.5":                     true, // the greater of two
		"application/json;q=0.1, text/html;q=0.5, application/problem+json;q=0.9": false,
		"text/html;q=0.001":                  true,
		"text/html;q=0.0001":                 false, // not a weight
		"text/html;q=1.001":                  false,
		"text/html;q=1.000":                  true,
		"text/html;q=1.":                     true,
		"text/html;q=":                       false,
		"text/html;q=-1":                     false,
		"text/html;q=x":                      false,
		"text/html;Q=0.5, */*;q=0.4":         true,
		"text/html ; q=0.5 , */* ; q=0.4":    true,
		"text/html;x=\"a,b;q=0\", */*;q=0.1": true,
		"text/html;x=\"a\\\",*/*\";q=0.3":    true,
		"text/html;x=\"unended, */*":         true,
		"image/png":                          false,
		"texthtml":                           false,
		"text/htmlx":                         false,
		"/":                                  false,
		",,;,":                               false,
		"\u017ftext/html":                    false,
		"*/html":                             false,
		"application/json, application/problem+json;q=0.2, text/html;q=0.9": false,
	} {
		if got := wants(accept); got != want {
			t.Errorf("Accept %q: page %v, want %v", accept, got, want)
		}
	}
}

func TestAcceptFieldsAreOneList(t *testing.T) {
	t.Parallel()
	if !wants("application/json;q=0.1", "text/html") || wants("text/html;q=0.1", "application/json") {
		t.Error("the second Accept field was not read")
	}
}

func TestAcceptRangesAreBounded(t *testing.T) {
	t.Parallel()
	padding := strings.Repeat("image/png,", maxAcceptRanges-1)
	if !wants(padding + "text/html") {
		t.Error("the last range within the bound was not read")
	}
	if wants(padding+"image/png,text/html") || wants(padding+"image/png", "text/html") {
		t.Error("a range beyond the bound was read")
	}
}

func FuzzAccept(f *testing.F) {
	for _, s := range []string{"", "*/*", "text/html;q=0.5,application/json", `text/html;x="a,\"b";q=0.1`, ";;,,//", "text/html;q=1.0000", "\x00\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, field []byte) {
		var p, upper, spaced preference
		left := p.read(field, maxAcceptRanges)
		if left < 0 || left > maxAcceptRanges {
			t.Errorf("%d ranges left", left)
		}
		for _, w := range []weight{p.html, p.json, p.problem} {
			if w.q < 0 || w.q > 1000 || w.specificity > 3 || w.specificity == 0 && w.q != 0 {
				t.Errorf("weight %+v", w)
			}
		}
		// RFC 9110 section 8.3.1: types are case-insensitive.
		if upper.read(asciiUpper(field), maxAcceptRanges); upper != p {
			t.Errorf("%q depends on case: %+v, %+v", field, p, upper)
		}
		if spaced.read(append([]byte(" \t"), field...), maxAcceptRanges); len(field) > 0 && spaced != p {
			t.Errorf("%q depends on leading space: %+v, %+v", field, p, spaced)
		}
	})
}

func asciiUpper(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'a' <= c && c <= 'z' {
			out[i] = c &^ 0x20
		}
	}
	return out
}
