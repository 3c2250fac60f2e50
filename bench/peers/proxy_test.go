package peers

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (go test -update writes it anew):\n%s", file, got)
	}
}

// example is a setting with a value for everything.
func example() setting {
	return setting{
		Dir: "/tmp/example", Self: "bench", Root: true, Listen: "127.0.0.1:18080", Admin: "127.0.0.1:18081", Origin: "127.0.0.1:18082",
		Host: host, Check: true, Algorithm: "ES256", Issuer: issuer, Audience: audience, Verdicts: 10_000,
		KeyID: "peers-1", KeyFile: "/tmp/example/key.pem", KeySetURL: "https://127.0.0.1:18083/key.json", KeySetFile: "/tmp/example/key.json",
	}
}

func TestConfigurationsDoTheJobAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, p := range proxies() {
		for _, name := range p.templates {
			s := example()
			text, err := s.render(name)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".golden", text)
		}
		s := example()
		s.Algorithm = "RS256"
		if text, err := s.render(p.templates[0]); err != nil {
			t.Fatal(err)
		} else if p.name == "apache" {
			golden(t, p.templates[0]+".rsa.golden", text)
		}
		s.Check, s.Root = false, false
		text, err := s.render(p.templates[0])
		if err != nil {
			t.Fatal(err)
		}
		golden(t, p.templates[0]+".open.golden", text)
	}
}

func TestValuesThatCouldSayMoreInAConfigurationAreRefused(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"/tmp/a b", "/tmp/a;b", "/tmp/a\nuser root", `/tmp/"x`, "/tmp/{x}", "/tmp/a#b", "a'b", "$x", "-c", "[[x]]"} {
		s := example()
		s.Dir = value
		if _, err := s.render("nginx.conf"); !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v, want ErrConfig", value, err)
		}
	}
}
