package wire

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
	"testing"
)

var refusedTargets = []struct {
	name, raw string
	reason    Reason
}{
	{"empty", "", ErrTargetForm},
	{"absolute-form", "http://a.example/", ErrTargetForm},
	{"authority-form", "a.example:443", ErrTargetForm},
	{"asterisk-form", "*", ErrTargetForm},
	{"query alone", "?a=b", ErrTargetForm},
	{"encoded slash", "/a%2fb", ErrTargetEncodedSlash},
	{"encoded slash in upper case", "/a%2Fb", ErrTargetEncodedSlash},
	{"encoded slash after dots", "/a/..%2fb", ErrTargetEncodedSlash},
	{"backslash", `/a\b`, ErrTargetBackslash},
	{"encoded backslash", "/a%5Cb", ErrTargetBackslash},
	{"encoded NUL", "/a%00", ErrTargetEncodedControl},
	{"encoded CR LF", "/a%0d%0aX:y", ErrTargetEncodedControl},
	{"encoded DEL", "/a%7f", ErrTargetEncodedControl},
	{"path parameter", "/a;b=c/d", ErrTargetParameter},
	{"path parameter behind dots", "/a/..;/b", ErrTargetParameter},
	{"encoded semicolon", "/a%3bb", ErrTargetParameter},
	{"escape cut to nothing", "/a%", ErrTargetEscape},
	{"escape cut to one digit", "/a%2", ErrTargetEscape},
	{"escape not hexadecimal", "/a%zz", ErrTargetEscape},
	{"escape with one hexadecimal digit", "/a%2g", ErrTargetEscape},
	{"escape of IIS", "/a%u002f", ErrTargetEscape},
	{"doubly encoded slash", "/a%252fb", ErrTargetDoubleEncoding},
	{"doubly encoded dot", "/a/%252e%252e/b", ErrTargetDoubleEncoding},
	{"doubly encoded, digits encoded", "/a%25%32%46b", ErrTargetDoubleEncoding},
	{"doubly encoded, one digit encoded", "/a%252%46b", ErrTargetDoubleEncoding},
	{"triply encoded", "/a%25252f", ErrTargetDoubleEncoding},
	{"overlong dot", "/%c0%ae%c0%ae/a", ErrTargetUTF8},
	{"overlong slash in three bytes", "/%e0%80%af", ErrTargetUTF8},
	{"lone continuation byte", "/%80", ErrTargetUTF8},
	{"sequence cut by the end", "/%e1%ba", ErrTargetUTF8},
	{"sequence cut by a letter", "/%e1%baa", ErrTargetUTF8},
	{"sequence cut by an encoded letter", "/%e1%ba%61", ErrTargetUTF8},
	{"surrogate", "/%ed%a0%80", ErrTargetUTF8},
	{"beyond Unicode", "/%f4%90%80%80", ErrTargetUTF8},
	{"Latin-1", "/%e9t%e9", ErrTargetUTF8},
	{"above root", "/..", ErrTargetAboveRoot},
	{"above root later", "/a/../../b", ErrTargetAboveRoot},
	{"above root encoded", "/%2e%2E/a", ErrTargetAboveRoot},
	{"fragment", "/a#b", ErrTargetByte},
	{"space", "/a b", ErrTargetByte},
	{"quote", `/a"b`, ErrTargetByte},
	{"angle bracket", "/<a", ErrTargetByte},
	{"circumflex", "/a^", ErrTargetByte},
	{"grave accent", "/a`", ErrTargetByte},
	{"brace", "/{a}", ErrTargetByte},
	{"bar", "/a|b", ErrTargetByte},
	{"square bracket", "/a[0]", ErrTargetByte},
	{"above ASCII", "/\xc3\xa9", ErrTargetByte},
	{"control byte", "/a\x01", ErrTargetByte},
	{"fragment behind the query", "/a?b#c", ErrTargetQueryByte},
	{"space in the query", "/a?b c", ErrTargetQueryByte},
	{"control byte in the query", "/a?b\x00", ErrTargetQueryByte},
	{"DEL in the query", "/a?b\x7f", ErrTargetQueryByte},
}

func TestAmbiguousTargetsAreRefused(t *testing.T) {
	t.Parallel()
	for _, tc := range refusedTargets {
		_, _, err := ParseTarget(nil, []byte(tc.raw))
		var e *Error
		if !errors.As(err, &e) || e.Reason != tc.reason || e.Status != 400 {
			t.Errorf("%s: %q gives %v, want %v", tc.name, tc.raw, err, tc.reason)
		}
	}
}

func TestTargetsAreNormalised(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ raw, path, query string }{
		{"/", "/", "-"},
		{"/a/b.html", "/a/b.html", "-"},
		{"/a/b?", "/a/b", ""},
		{"/a?b=c&d=/../%2f%zz?;\\\xff", "/a", `b=c&d=/../%2f%zz?;\` + "\xff"},
		{"/!$&'()*+,=:@-._~", "/!$&'()*+,=:@-._~", "-"},
		{"/%41%7a%30%2d%2e%5f%7E", "/Az0-._~", "-"},
		{"/tra-c%e1%bb%a9u", "/tra-c%E1%BB%A9u", "-"},
		{"/%f0%9f%87%bb", "/%F0%9F%87%BB", "-"},
		{"/%ef%bf%bd", "/%EF%BF%BD", "-"},
		{"/a%20b%3f%23%22%25", "/a%20b%3F%23%22%25", "-"},
		{"/100%25", "/100%25", "-"},
		{"/100%25x%25g%25%20", "/100%25x%25g%25%20", "-"},
		{"//", "/", "-"},
		{"//a///b//", "/a/b/", "-"},
		{"//evil.example/a", "/evil.example/a", "-"},
		{"/.", "/", "-"},
		{"/./", "/", "-"},
		{"/a/.", "/a/", "-"},
		{"/a/./b/./", "/a/b/", "-"},
		{"/a/..", "/", "-"},
		{"/a/../", "/", "-"},
		{"/a/b/c/./../../g", "/a/g", "-"},
		{"/a/%2e%2e/b", "/b", "-"},
		{"/a/%2e/b", "/a/b", "-"},
		{"/a/.%2E/b", "/b", "-"},
		{"/a//../b", "/a/b", "-"},
		{"//..", "/", "-"},
		{"/...", "/...", "-"},
		{"/.a/..b/c./d..", "/.a/..b/c./d..", "-"},
		{"/a./b", "/a./b", "-"},
		{"/a/../..a", "/..a", "-"},
		{"/mid/content=5/../6", "/mid/6", "-"},
	} {
		buf := make([]byte, 0, len(tc.raw))
		got, _, err := ParseTarget(buf, []byte(tc.raw))
		if err != nil {
			t.Errorf("%q: %v", tc.raw, err)
			continue
		}
		query := "-"
		if got.HasQuery {
			query = string(got.Query)
		}
		if string(got.Path) != tc.path || query != tc.query {
			t.Errorf("%q gives path %q, query %q, want %q, %q", tc.raw, got.Path, query, tc.path, tc.query)
		}
	}
}

func TestPlainPathAliasesItsInput(t *testing.T) {
	t.Parallel()
	raw := []byte("/api/ho-so/v1.2/list?x=%20")
	got, _, err := ParseTarget(nil, raw)
	if err != nil {
		t.Fatal(err)
	}
	if &got.Path[0] != &raw[0] || &got.Query[0] != &raw[len("/api/ho-so/v1.2/list?")] {
		t.Fatal("a plain path was copied")
	}
	raw = []byte("/a/%41")
	before := bytes.Clone(raw)
	if _, _, err := ParseTarget(make([]byte, 0, 16), raw); err != nil || !bytes.Equal(raw, before) {
		t.Fatalf("the input was modified: %q, %v", raw, err)
	}
}

func TestTargetBufferIsReturnedForReuse(t *testing.T) {
	t.Parallel()
	_, buf, err := ParseTarget(nil, []byte("/aaaaaaaaaaaaaaaaaaaaaaaaaa/%41"))
	if err != nil || cap(buf) == 0 {
		t.Fatalf("capacity %d, %v", cap(buf), err)
	}
	first := &buf[:1][0]
	got, buf, err := ParseTarget(buf, []byte("/%42"))
	if err != nil || &buf[:1][0] != first || &got.Path[0] != first {
		t.Fatalf("the buffer was not used again: %q, %v", got.Path, err)
	}
}

func FuzzParseTarget(f *testing.F) {
	for _, tc := range refusedTargets {
		f.Add([]byte(tc.raw))
	}
	for _, s := range []string{"/", "/a/../b/./c//d%41%c3%a9?x=y", "//../%2e", "/%25%35%63", "/a/%25/../%32%66"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		got, buf, err := ParseTarget(nil, raw)
		if !bytes.Equal(raw, before) {
			t.Fatalf("%q was modified", before)
		}
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Status != 400 {
				t.Fatalf("%q: error %v", raw, err)
			}
			return
		}
		path := string(got.Path)
		if !strings.HasPrefix(path, "/") || strings.Contains(path, "//") || strings.Contains(path+"/", "/./") ||
			strings.Contains(path+"/", "/../") || strings.ContainsAny(path, ";\\?#\x00\x7f") {
			t.Fatalf("%q gives %q", raw, path)
		}
		if len(path) > len(raw) || cap(buf) > 0 && len(buf) > len(raw) {
			t.Fatalf("%q grew to %q", raw, path)
		}
		again, _, err := ParseTarget(nil, got.Path)
		if err != nil || again.HasQuery || string(again.Path) != path {
			t.Fatalf("%q gives %q, that gives %q, %v", raw, path, again.Path, err)
		}
		if &again.Path[0] != &got.Path[0] && !strings.Contains(path, "%") && !strings.Contains(path, "/.") {
			t.Fatalf("the plain %q was copied", path)
		}
		decoded, err := url.PathUnescape(path)
		if err != nil || strings.Count(decoded, "/") != strings.Count(path, "/") || strings.ContainsAny(decoded, ";\\\x00") {
			t.Fatalf("%q decodes to %q, %v", path, decoded, err)
		}
		for segment := range strings.SplitSeq(decoded, "/") {
			if segment == "." || segment == ".." {
				t.Fatalf("%q decodes to %q", path, decoded)
			}
		}
		// A second decoding must not make structure either.
		if twice, err := url.PathUnescape(decoded); err == nil && strings.Count(twice, "/") != strings.Count(path, "/") {
			t.Fatalf("%q decodes twice to %q", path, twice)
		}
		u, err := url.ParseRequestURI(path)
		if err != nil || u.Path != decoded {
			t.Fatalf("net/url reads %q as %v, %v", path, u, err)
		}
	})
}
