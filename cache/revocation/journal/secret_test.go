package journal

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

func openUnder(m *memory, secret revocation.Secret) (*Journal, Report, error) {
	cfg := testConfig()
	cfg.Secret = secret
	return open(cfg, m)
}

func (m *memory) contents() map[string]string {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]string)
	for name, f := range m.files {
		all[name] = string(f.data)
	}
	return all
}

func TestGivenSecretIsUsedAndNeverWrittenToTheDirectory(t *testing.T) {
	t.Parallel()
	m, secret := newMemory(), revocation.NewSecret()
	for round := range 3 {
		j, report, err := openUnder(m, secret)
		if err != nil || !report.Clean() {
			t.Fatalf("round %d: %v, %+v", round, err, report)
		}
		if n := missing(t, j, 10*round); n > 0 {
			t.Fatalf("round %d: %d missing", round, n)
		}
		add(t, j, 10*round, 10*round+10)
		snapshot(t, j)
	}
	if slices.Contains(m.names(), secretName) {
		t.Error("a secret was made")
	}
	for name, data := range m.contents() {
		if bytes.Contains([]byte(data), secret.Bytes()) {
			t.Errorf("the secret is in %s", name)
		}
	}
}

func TestNodesUnderOneGivenSecretExchangeRecords(t *testing.T) {
	t.Parallel()
	secret := revocation.NewSecret()
	one, _, err := openUnder(newMemory(), secret)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := openUnder(newMemory(), secret)
	if err != nil {
		t.Fatal(err)
	}
	add(t, one, 0, 5)
	if err := other.AddRecords(slices.Collect(one.Store().Records())); err != nil {
		t.Fatal(err)
	}
	if n := missing(t, other, 5); n > 0 {
		t.Errorf("%d missing", n)
	}
}

func TestDirectoryUnderAnotherSecretIsRefusedUntouchedAndToldWhatToDo(t *testing.T) {
	t.Parallel()
	given, zero := revocation.NewSecret(), revocation.Secret{}
	under := func(secret revocation.Secret) *memory {
		m := newMemory()
		j, _, err := openUnder(m, secret)
		if err != nil {
			t.Fatal(err)
		}
		add(t, j, 0, 5)
		if j, _, err = openUnder(m, secret); err != nil { // Two segments.
			t.Fatal(err)
		}
		add(t, j, 5, 10)
		return m
	}
	withSnapshot := under(given)
	j, _, err := openUnder(withSnapshot, given)
	if err != nil {
		t.Fatal(err)
	}
	snapshot(t, j)
	headless := under(given)
	headless.files[logName(1)].data[0] ^= 1
	for name, tt := range map[string]struct {
		m     *memory
		right revocation.Secret
		wrong revocation.Secret
		says  string
	}{
		"another was given":               {under(given), given, revocation.NewSecret(), "configure the secret"},
		"another was given, snapshot":     {withSnapshot, given, revocation.NewSecret(), "configure the secret"},
		"another, first header damaged":   {headless, given, revocation.NewSecret(), "configure the secret"},
		"its own, now one is given":       {under(zero), zero, given, "none, where it made its own"},
		"one was given, now none is":      {under(given), given, zero, "configure the one"},
		"one was given, then made itself": {withSecretFile(under(given)), given, zero, "was configured when"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := tt.m.contents()
			_, _, err := openUnder(tt.m, tt.wrong)
			wantError(t, err, ErrSecret)
			if !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%q does not say %q", err, tt.says)
			}
			cfg := testConfig()
			cfg.Secret, cfg.AcceptLoss = tt.wrong, true
			_, _, err = open(cfg, tt.m)
			wantError(t, err, ErrSecret)
			if !maps.Equal(before, tt.m.contents()) {
				t.Error("the directory was changed")
			}
			j, _, err := openUnder(tt.m, tt.right)
			if err != nil {
				t.Fatal(err)
			}
			if n := missing(t, j, 10); n > 0 {
				t.Errorf("%d missing under the right secret", n)
			}
		})
	}
}

func withSecretFile(m *memory) *memory {
	if _, err := makeSecret(m); err != nil {
		panic(err)
	}
	return m
}
