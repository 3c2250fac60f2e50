package main

import (
	"slices"
	"strings"
	"testing"
)

// TestRecordedCommandHasNoSecret types a secret in every place where one may stand.
func TestRecordedCommandHasNoSecret(t *testing.T) {
	for _, c := range []struct{ typed, recorded []string }{
		{[]string{"-H", "Authorization: Bearer s3cret"}, []string{"-H", "Authorization: …"}},
		{[]string{"-HAuthorization: Bearer s3cret"}, []string{"-HAuthorization: …"}},
		{[]string{"-qH", "Authorization: Bearer s3cret"}, []string{"-qH", "Authorization: …"}},
		{[]string{"-qHCookie:s3cret"}, []string{"-qHCookie: …"}},
		{[]string{"--header", "Cookie: s3cret"}, []string{"--header", "Cookie: …"}},
		{[]string{"--header=Cookie: s3cret"}, []string{"--header=Cookie: …"}},
		{[]string{"--header", "s3cret"}, []string{"--header", "…"}},
		{[]string{"--expect-header=Set-Cookie: s3cret"}, []string{"--expect-header=Set-Cookie: …"}},
		{[]string{"--body", "token=s3cret"}, []string{"--body", "…"}},
		{[]string{"--body=--header"}, []string{"--body=…"}},
		{[]string{"--body", "--header", "http://h/"}, []string{"--body", "…", "http://h/"}},
		{[]string{"--expect-body", "s3cret"}, []string{"--expect-body", "…"}},
		{[]string{"http://h/path?token=s3cret"}, []string{"http://h/path?…"}},
		{[]string{"--", "http://h/path?token=s3cret"}, []string{"--", "http://h/path?…"}},
		{[]string{"-Zs3cret"}, []string{"-…"}},
		// What is no secret stays, and so does what looks like the flag of one.
		{[]string{"-XHEAD", "-d10s", "-q", "--header-file", "H.txt", "--rate=5"}, []string{"-XHEAD", "-d10s", "-q", "--header-file", "H.txt", "--rate=5"}},
		{[]string{"-X", "-H", "http://h/"}, []string{"-X", "-H", "http://h/"}},
		{[]string{"--json", "-", "http://h/"}, []string{"--json", "-", "http://h/"}},
	} {
		cmd, _, err := rootCommand().Find([]string{"attack"})
		if err != nil {
			t.Fatal(err)
		}
		cmd.InitDefaultHelpFlag()
		got := commandLine(cmd, c.typed)
		if want := append([]string{"vneid-bench"}, c.recorded...); !slices.Equal(got, want) {
			t.Errorf("%q is recorded as %q, want %q", c.typed, got, want)
		}
		if strings.Contains(strings.Join(got, " "), "s3cret") {
			t.Errorf("%q is recorded with its secret: %q", c.typed, got)
		}
	}
}
