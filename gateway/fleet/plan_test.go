package fleet

import (
	"testing"
	"time"
)

func TestWhatIsComparedFollowsFromWhatCanHaveBeenLost(t *testing.T) {
	t.Parallel()
	at := func(seq uint64) mark { return mark{streamID{seq, 0}, seq} }
	one, two := generation{1}, generation{2}
	here := position{epoch: "e", life: one, at: at(10)}
	for _, c := range []struct {
		name string
		p    position
		f    found
		want plan
	}{
		{"no position", position{}, found{epoch: "e", life: one, end: at(10), first: true}, plan{true, true, CauseNew}},
		{"nothing changed", here, found{epoch: "e", life: one, end: at(10)}, plan{}},
		{"more came", here, found{epoch: "e", life: one, end: at(12), first: true}, plan{}},
		{"data lost", here, found{epoch: "f", life: two, end: at(1)}, plan{true, true, CauseEpoch}},
		{"data removed by command", here, found{epoch: "f", life: one, end: at(1)}, plan{true, true, CauseEpoch}},
		{"stream shorter", here, found{epoch: "e", life: one, end: at(9)}, plan{true, true, CauseLost}},
		{"restarted, all there", here, found{epoch: "e", life: two, end: at(10), anchored: true}, plan{}},
		{"restarted, tail lost", here, found{epoch: "e", life: two, end: at(11)}, plan{true, true, CauseLost}},
		{"both restarted", here, found{epoch: "e", life: two, end: at(10), anchored: true, first: true}, plan{false, true, CauseRestart}},
		{"both restarted, tail lost", here, found{epoch: "e", life: two, end: at(10), first: true}, plan{true, true, CauseLost}},
	} {
		if got := decide(c.p, c.f); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestNamesAreDistinct(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	check := func(name string) {
		if name == "" || name == "none" || seen[name] {
			t.Errorf("name %q", name)
		}
		seen[name] = true
	}
	for _, r := range Reasons() {
		check(r.String())
	}
	if len(seen) != int(NumReasons)-1 || Reason(-1).String() != "none" || NumReasons.String() != "none" {
		t.Error("reasons")
	}
	seen = make(map[string]bool)
	for _, c := range Causes() {
		check(c.String())
	}
	if len(seen) != int(NumCauses)-1 || Cause(-1).String() != "none" || NumCauses.String() != "none" {
		t.Error("causes")
	}
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	good := func() Config { return newNode(t, "127.0.0.1:1", nil).cfg }
	for name, change := range map[string]func(*Config){
		"no address":         func(c *Config) { c.Redis.Addresses = nil },
		"address and socket": func(c *Config) { c.Redis.Socket = "/s" },
		"no port":            func(c *Config) { c.Redis.Addresses = []string{"redis"} },
		"two addresses":      func(c *Config) { c.Redis.Addresses = []string{"a:1", "b:1"} },
		"sentinel socket":    func(c *Config) { c.Redis.Addresses, c.Redis.Socket, c.Redis.Master = nil, "/s", "m" },
		"database":           func(c *Config) { c.Redis.Database = -1 },
		"timeout low":        func(c *Config) { c.Redis.Timeout = MinTimeout - 1 },
		"timeout high":       func(c *Config) { c.Redis.Timeout = MaxTimeout + 1 },
		"connections":        func(c *Config) { c.Redis.Connections = MaxConnections + 1 },
		"key alone":          func(c *Config) { c.Redis.TLS, c.Redis.KeyFile = true, "k" },
		"files without TLS":  func(c *Config) { c.Redis.CAFile = "ca" },
		"no directory":       func(c *Config) { c.Dir = "" },
		"no apply":           func(c *Config) { c.Apply = nil },
		"no records":         func(c *Config) { c.Records = nil },
		"no secret":          func(c *Config) { c.SecretID = [8]byte{} },
		"prefix":             func(c *Config) { c.Prefix = string(make([]byte, MaxPrefixBytes+1)) },
		"when away":          func(c *Config) { c.WhenAway = 2 },
		"outbox low":         func(c *Config) { c.OutboxBytes = MinOutboxBytes - 1 },
		"outbox high":        func(c *Config) { c.OutboxBytes = MaxOutboxBytes + 1 },
		"stream low":         func(c *Config) { c.StreamEntries = MinStreamEntries - 1 },
		"stream high":        func(c *Config) { c.StreamEntries = MaxStreamEntries + 1 },
		"age":                func(c *Config) { c.StreamAge = time.Second },
		"settle":             func(c *Config) { c.Settle = MaxSettle + 1 },
		"rate":               func(c *Config) { c.CompareRate = 1 },
	} {
		c := good()
		change(&c)
		if f, err := New(c); err == nil {
			f.Close()
			t.Errorf("%s: accepted", name)
		} else {
			wantError(t, err, ErrConfig)
		}
	}
	f, err := New(good())
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	f.Close()
	wantError(t, f.Append(t.Context(), testRecords), ErrClosed)
	wantError(t, f.Run(t.Context()), ErrClosed)
}
