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
		// URLs have secrets wherever they stand.
		{[]string{"--metrics", "http://bob:s3cret@h:9/m?token=s3cret"}, []string{"--metrics", "http://…@h:9/m?…"}},
		{[]string{"--metrics=https://s3cret@h/m#s3cret"}, []string{"--metrics=https://…@h/m#…"}},
		{[]string{"--metrics", "http://h:9/m", "--metrics", "http://h:8/m?s3cret"}, []string{"--metrics", "http://h:9/m", "--metrics", "http://h:8/m?…"}},
		{[]string{"--metrics", "http://h/#s3cret?s3cret"}, []string{"--metrics", "http://h/#…"}},
		{[]string{"--json", "a=http://h/,b=http://bob:s3c@s3cret@h/m"}, []string{"--json", "a=http://h/,b=http://…@h/m"}},
		{[]string{"-Xhttp://s3cret@h"}, []string{"-Xhttp://…@h"}},
		{[]string{"http://bob:s3cret@h/path"}, []string{"http://…@h/path"}},
		{[]string{"--", "https://bob:s3cret@h/path?token=s3cret"}, []string{"--", "https://…@h/path?…"}},
		// What is no secret stays, and so does what looks like the flag of one.
		{[]string{"-XHEAD", "-d10s", "-q", "--header-file", "H.txt", "--rate=5"}, []string{"-XHEAD", "-d10s", "-q", "--header-file", "H.txt", "--rate=5"}},
		{[]string{"-X", "-H", "http://h/"}, []string{"-X", "-H", "http://h/"}},
		{[]string{"--json", "-", "http://h/"}, []string{"--json", "-", "http://h/"}},
		{[]string{"--expect-status", "200", "--json", "what?.json", "http://h/a@b"}, []string{"--expect-status", "200", "--json", "what?.json", "http://h/a@b"}},
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
