package config

import (
	"os"
	"path/filepath"
	"testing"
)

func TestASecretThatOthersCanReadIsAWarning(t *testing.T) {
	t.Parallel()
	name := written(t, "a secret of the test")
	c := Config{
		Admin:      Admin{Address: "127.0.0.1:9080", TokenFile: name, TLS: AdminTLS{CertFile: name, KeyFile: name}},
		Revocation: Revocation{SecretFile: name},
		Issuers: []Issuer{{
			Backend:       Backend{ClientCertFile: name, ClientKeyFile: name},
			Introspection: Introspection{ClientSecretFile: name, PrivateKeyFile: name},
		}},
	}
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o640: 0, 0o602: 0, 0o604: 6, 0o644: 6} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
		if w := c.Warnings(); len(w) != want {
			t.Errorf("mode %o: got %v, want %d", mode, w, want)
		}
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if w := c.Warnings(); len(w) != 0 {
		t.Errorf("absent: got %v", w)
	}
}

func TestAStateDirectoryThatOthersCanWriteIsAWarning(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "state")
	c := Config{Admin: Admin{Address: "127.0.0.1:9080"}, StateDir: dir, Revocation: Revocation{Directory: dir}}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]int{0o700: 0, 0o755: 0, 0o777: 2, 0o777 | os.ModeSticky: 2} {
		if err := os.Chmod(dir, mode); err != nil {
			t.Fatal(err)
		}
		if w := c.Warnings(); len(w) != want {
			t.Errorf("mode %o: got %v, want %d", mode, w, want)
		}
	}
}

func TestCheckingAStateDirectoryCreatesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "one", "two")
	r := newReport("x")
	checkDirectory(dir, (*path)(nil).key("state_dir"), r)
	if len(r.list) != 0 {
		t.Errorf("got %v", r.list)
	}
	if _, err := os.Stat(filepath.Dir(dir)); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if checkDirectory(dir, (*path)(nil).key("state_dir"), r); len(r.list) != 0 {
		t.Errorf("got %v", r.list)
	}
}
