package gateway

import (
	"slices"
	"testing"
	"time"
)

func TestASourceIsStaleWhenItHasBeenSilentForTheHardLimit(t *testing.T) {
	t.Parallel()
	begun := time.Unix(1_750_000_000, 0)
	var heard time.Time
	why := ""
	sources := []revocationSource{{
		name: "the fleet", label: "fleet", begun: begun,
		heard: func() time.Time { return heard }, behind: func() string { return why },
	}}
	s := staleness{soft: time.Minute, hard: 10 * time.Minute}
	for _, c := range []struct {
		name    string
		heard   time.Duration // after begun; 0: never
		now     time.Duration
		behind  string
		stale   bool
		missing []string
	}{
		{"never heard of, just begun", 0, 10*time.Minute - 1, "", false, nil},
		{"never heard of", 0, 10 * time.Minute, "", true, []string{"revocations from the fleet: silent for longer than hard_stale"}},
		{"heard of", time.Hour, time.Hour + 10*time.Minute - 1, "", false, nil},
		{"silent", time.Hour, time.Hour + 10*time.Minute, "", true, []string{"revocations from the fleet: silent for longer than hard_stale"}},
		{"a clock that was set back", time.Hour, time.Minute, "", false, nil},
		{"not caught up with", time.Hour, time.Hour, "not caught up with yet", false, []string{"revocations from the fleet: not caught up with yet"}},
	} {
		heard, why = time.Time{}, c.behind
		if c.heard > 0 {
			heard = begun.Add(c.heard)
		}
		now := begun.Add(c.now)
		if past, _ := s.look(sources, now); past != c.stale || s.stale() != c.stale {
			t.Errorf("%s: past %t, stale %t", c.name, past, s.stale())
		}
		if got := s.missing(sources, now); !slices.Equal(got, c.missing) {
			t.Errorf("%s: missing %q", c.name, got)
		}
	}
	heard, why = begun, ""
	if _, changed := s.look(sources, begun); changed {
		t.Error("a change from not stale to not stale")
	}
	if past, changed := s.look(sources, begun.Add(time.Hour)); !past || !changed {
		t.Errorf("past %t, changed %t", past, changed)
	}
	if past, changed := s.look(nil, begun); past || !changed {
		t.Errorf("without sources: past %t, changed %t", past, changed)
	}
}

func TestAPushedStreamWithAHeartbeatIsAWatchedSource(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for heartbeat, want := range map[string]int{"true": 1, "false": 0} {
		r := newRig(t, setup{
			top:    "revocation: { directory: " + dir + "/" + heartbeat + ", receiver: { address: \"127.0.0.1:0\" } }",
			issuer: "revocation: { events: { audience: [gateway], push: true, push_heartbeat: " + heartbeat + " } }",
		})
		if list := r.state.Load().sources; len(list) != want || want == 1 && list[0].label != "push_vneid" {
			t.Errorf("heartbeat %s: %d sources", heartbeat, len(list))
		}
	}
}
