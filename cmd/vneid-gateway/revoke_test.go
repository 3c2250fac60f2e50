package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
	"github.com/vneid-gateway/vneid-gateway/gateway/admin"
)

const adminScriptToken = "operators-token-0123"

// scriptIntake writes what was put in force into a file, one entry a line. It has
// no room for the identifier "full".
type scriptIntake struct {
	mu   sync.Mutex
	file string
}

func (s *scriptIntake) Accept(_ context.Context, entries ...revocation.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := os.OpenFile(s.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, e := range entries {
		if e.ID == "full" {
			return errors.New("no room")
		}
		before := "-"
		if !e.Before.IsZero() {
			before = e.Before.UTC().Format(time.RFC3339)
		}
		if _, err := fmt.Fprintln(f, e.Kind, e.Issuer, e.ID, before, e.Until.UTC().Format(time.RFC3339)); err != nil {
			return err
		}
	}
	return nil
}

// adminOf returns what an admin listener needs to take revocations at noon of 1
// July 2025, and to write its log into a folder.
func adminOf(dir string) (admin.Config, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return admin.Config{}, err
	}
	return admin.Config{
		Ready:   func() []string { return nil },
		Metrics: http.NotFoundHandler(),
		Token:   []byte(adminScriptToken),
		Log:     slog.New(slog.NewTextHandler(log, nil)),
		Revocations: &admin.Revocations{
			Intake: &scriptIntake{file: filepath.Join(dir, "accepted")},
			Issuer: func(text string) (string, string, bool) {
				return "vneid", "https://sso.example.vn", text == "vneid" || text == "https://sso.example.vn"
			},
			Lifetime: func(string) time.Duration { return time.Hour },
			Digest:   func(revocation.Entry) string { return "00" },
			Code:     func(error) string { return "revocation_store_full" },
			Status:   func() any { return nil },
			Now:      func() time.Time { return time.Date(2025, 7, 1, 12, 0, 0, 0, time.UTC) },
		},
	}, nil
}

// serveAdmin has an admin listener until the script ends, and returns its address.
func serveAdmin(env *testscript.Env, cfg admin.Config) (string, error) {
	s, err := admin.New(cfg)
	if err != nil {
		return "", err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	var serving sync.WaitGroup
	serving.Go(func() { _ = s.Serve(ln) })
	env.Defer(func() {
		_ = s.Shutdown(context.Background())
		serving.Wait()
	})
	return ln.Addr().String(), nil
}

// TestRevoke runs the scripts of testdata/revoke against package admin, with what
// puts in force replaced. $ADMIN is plain, $SECURE asks for TLS; accepted and log
// are what they have done.
func TestRevoke(t *testing.T) {
	t.Parallel()
	servers, operators := newAuthority(t), newAuthority(t)
	server := servers.sign(t, x509.ExtKeyUsageServerAuth, net.IPv4(127, 0, 0, 1))
	operator, stranger := operators.sign(t, x509.ExtKeyUsageClientAuth), servers.sign(t, x509.ExtKeyUsageClientAuth)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/revoke",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			cfg, err := adminOf(env.WorkDir)
			if err != nil {
				return err
			}
			plain, err := serveAdmin(env, cfg)
			if err != nil {
				return err
			}
			cfg.TLS = admin.TLS{CertFile: server.certFile, KeyFile: server.keyFile, ClientCAFile: operators.file}
			secure, err := serveAdmin(env, cfg)
			if err != nil {
				return err
			}
			for name, value := range map[string]string{
				"ADMIN": "http://" + plain, "ADDRESS": plain, "SECURE": "https://" + secure, "SECURED": secure,
				"CA": servers.file, "CERT": operator.certFile, "KEY": operator.keyFile,
				"STRANGER_CERT": stranger.certFile, "STRANGER_KEY": stranger.keyFile,
				"SERVER_CERT": server.certFile, "SERVER_KEY": server.keyFile, "OPERATORS": operators.file,
			} {
				env.Setenv(name, value)
			}
			return os.WriteFile(filepath.Join(env.WorkDir, "token"), []byte(adminScriptToken+"\n"), 0o600)
		},
	})
}
