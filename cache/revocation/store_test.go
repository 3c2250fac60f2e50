package revocation

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

var later = testNow.Add(time.Hour)

func claimsOf(iat int64) *token.Claims {
	return &token.Claims{
		Issuer: issuer, TokenID: "jti-1", SessionID: "sid-1", Subject: "sub-1", ClientID: "client-1",
		IssuedAt: iat, ExpiresAt: epoch + 3600,
	}
}

func TestAnEntryCoversWhatItNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	key, other := newKey(t, "kid-1"), newKey(t, "kid-2")
	for _, tt := range []struct {
		name  string
		entry Entry
		want  Kind
	}{
		{"jti", Entry{Kind: KindToken, ID: "jti-1"}, KindToken},
		{"sid", Entry{Kind: KindSession, ID: "sid-1"}, KindSession},
		{"sub", Entry{Kind: KindSubject, ID: "sub-1", Before: testNow}, KindSubject},
		{"sub whatever its iat", Entry{Kind: KindSubject, ID: "sub-1"}, KindSubject},
		{"client", Entry{Kind: KindClient, ID: "client-1"}, KindClient},
		{"kid", Entry{Kind: KindKeyID, ID: "kid-1"}, KindKeyID},
		{"thumbprint", Entry{Kind: KindThumbprint, ID: thumbprintOf(key)}, KindThumbprint},

		{"another jti", Entry{Kind: KindToken, ID: "jti-2"}, KindNone},
		{"a sid that is our jti", Entry{Kind: KindSession, ID: "jti-1"}, KindNone},
		{"a jti that is our sub", Entry{Kind: KindToken, ID: "sub-1"}, KindNone},
		{"another issuer's jti", Entry{Kind: KindToken, ID: "jti-1", Issuer: legacy}, KindNone},
		{"another issuer's sub", Entry{Kind: KindSubject, ID: "sub-1", Issuer: legacy}, KindNone},
		{"another issuer's key", Entry{Kind: KindThumbprint, ID: thumbprintOf(key), Issuer: legacy}, KindNone},
		{"another kid", Entry{Kind: KindKeyID, ID: "kid-2"}, KindNone},
		{"another key", Entry{Kind: KindThumbprint, ID: thumbprintOf(other)}, KindNone},
		{"a kid that is our client", Entry{Kind: KindKeyID, ID: "client-1"}, KindNone},
		{"other case", Entry{Kind: KindToken, ID: "JTI-1"}, KindNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t, Config{})
			e := tt.entry
			e.Until = later
			if e.Issuer == "" {
				e.Issuer = issuer
			}
			add(t, s, e)
			for range 2 { // The second time, what is remembered about the key has its say.
				if got := s.Find(claimsOf(epoch), key); got != tt.want {
					t.Fatalf("found %v, want %v", got, tt.want)
				}
			}
			if s.Revoked(claimsOf(epoch), key) != (tt.want != KindNone) {
				t.Error("Revoked says something else than Find")
			}
			if got := s.Stats().Hits[tt.want]; tt.want != KindNone && got != 3 {
				t.Errorf("%d hits counted, want 3", got)
			}
		})
	}
}

// CAEP 1.0 section 3.1, OpenID Back-Channel Logout 1.0 section 2.6: see the package's documentation.
func TestSubjectEntryCoversTokensOfTheSameSecondAndEarlier(t *testing.T) {
	t.Parallel()
	for _, kind := range []Kind{KindSubject, KindClient} {
		for _, tt := range []struct {
			name   string
			before time.Time
			iat    int64
			want   bool
		}{
			{"a second earlier", testNow, epoch - 1, true},
			{"the same second", testNow, epoch, true},
			{"a second later", testNow, epoch + 1, false},
			{"moment within the second, token rounded up", testNow.Add(700 * time.Millisecond), epoch + 1, true},
			{"moment within the second, token after it", testNow.Add(700 * time.Millisecond), epoch + 2, false},
			{"no iat", testNow, 0, true},
			{"no moment", time.Time{}, math.MaxInt64, true},
			{"the epoch itself", time.Unix(0, 0), 1, false},
		} {
			t.Run(kind.String()+"/"+tt.name, func(t *testing.T) {
				t.Parallel()
				s := newStore(t, Config{})
				add(t, s, Entry{Kind: kind, Issuer: issuer, ID: kind.String() + "-1", Before: tt.before, Until: later})
				c := claimsOf(tt.iat)
				c.Subject = "subject-1"
				if got := s.Revoked(c, nil); got != tt.want {
					t.Errorf("revoked = %v", got)
				}
			})
		}
	}
}

func TestEntryIsInForceUntilItsTimeAndNoLonger(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{})
	add(t, s, Entry{Kind: KindToken, Issuer: issuer, ID: "jti-1", Until: testNow.Add(10*time.Second + time.Nanosecond)})
	for _, tt := range []struct {
		after time.Duration
		want  bool
	}{{0, true}, {10 * time.Second, true}, {11*time.Second - 1, true}, {11 * time.Second, false}, {10 * time.Second, true}} {
		if s.Advance(testNow.Add(tt.after)); s.Revoked(claimsOf(epoch), nil) != tt.want {
			t.Errorf("after %v: revoked = %v", tt.after, !tt.want)
		}
	}
}

func TestKeyThatWasOverIsRevokedAgainWhenTheClockGoesBack(t *testing.T) {
	t.Parallel()
	s, key := newStore(t, Config{}), newKey(t, "kid-1")
	add(t, s, Entry{Kind: KindKeyID, Issuer: issuer, ID: "kid-1", Until: later})
	for _, tt := range []struct {
		now  time.Time
		want bool
	}{{testNow, true}, {later, false}, {testNow, true}, {later, false}} {
		if s.Advance(tt.now); s.Revoked(claimsOf(epoch), key) != tt.want {
			t.Fatalf("revoked = %v", !tt.want)
		}
	}
}

func TestKeyRevokedAfterItWasFoundGoodIsRevokedAtOnce(t *testing.T) {
	t.Parallel()
	s, key := newStore(t, Config{}), newKey(t, "kid-1")
	add(t, s, Entry{Kind: KindKeyID, Issuer: issuer, ID: "another", Until: later})
	if s.Revoked(claimsOf(epoch), key) {
		t.Fatal("revoked")
	}
	add(t, s, Entry{Kind: KindThumbprint, Issuer: issuer, ID: thumbprintOf(key), Until: later})
	if !s.Revoked(claimsOf(epoch), key) {
		t.Error("what was remembered about the key outlived the change")
	}
	c := claimsOf(epoch)
	c.Issuer = legacy
	if s.Revoked(c, key) {
		t.Error("revoked for another issuer")
	}
	c.Issuer = issuer
	if !s.Revoked(c, key) {
		t.Error("what was remembered for one issuer was used for another")
	}
}

func TestRevokingAgainKeepsTheLaterOfBothTimes(t *testing.T) {
	t.Parallel()
	early, late := testNow.Add(time.Minute), testNow.Add(time.Hour)
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		s := newStore(t, Config{})
		entries := []Entry{
			{Kind: KindSubject, Issuer: issuer, ID: "sub-1", Before: testNow.Add(30 * time.Second), Until: early},
			{Kind: KindSubject, Issuer: issuer, ID: "sub-1", Before: testNow, Until: late},
		}
		add(t, s, entries[order[0]], entries[order[1]])
		if s.Len() != 1 {
			t.Fatalf("%d entries", s.Len())
		}
		s.Advance(early)
		if !s.Revoked(claimsOf(epoch+30), nil) {
			t.Error("the later moment or the later end was lost")
		}
	}
}

func TestWhatIsPastHasNoSayInARenewal(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{})
	add(t, s, Entry{Kind: KindSubject, Issuer: issuer, ID: "sub-1", Before: testNow.Add(30 * time.Minute), Until: testNow.Add(time.Minute)})
	s.Advance(testNow.Add(time.Minute))
	add(t, s, Entry{Kind: KindSubject, Issuer: issuer, ID: "sub-1", Before: testNow, Until: later})
	if s.Revoked(claimsOf(epoch+60), nil) {
		t.Error("a Before that was over came back to life")
	}
	if !s.Revoked(claimsOf(epoch), nil) {
		t.Error("the renewal is not in force")
	}
}

func TestFullStoreRefusesLoudlyAndForgetsNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{MaxEntries: 3})
	first := []Entry{
		{Kind: KindToken, Issuer: issuer, ID: "a", Until: testNow.Add(time.Second)},
		{Kind: KindToken, Issuer: issuer, ID: "jti-1", Until: later},
		{Kind: KindSession, Issuer: issuer, ID: "c", Until: later},
	}
	add(t, s, first...)
	fresh := Entry{Kind: KindToken, Issuer: issuer, ID: "fresh", Until: later}
	if err := s.Add(fresh); !errors.Is(err, ErrFull) {
		t.Fatalf("error = %v, want ErrFull", err)
	}
	if err := s.Add(first...); err != nil {
		t.Errorf("renewing needs no room: %v", err)
	}
	if !s.Revoked(claimsOf(epoch), nil) {
		t.Error("an entry made room for another")
	}
	if st := s.Stats(); st.Refused != 1 || st.Total() != 3 || st.Limit != 3 || st.Renewed != 3 || st.Inserted != 3 {
		t.Errorf("stats = %+v", st)
	}
	// One that is over makes room, although it is not a sixteenth of what is there.
	s.Sweep(testNow.Add(time.Second))
	if err := s.Add(fresh); err != nil {
		t.Errorf("after the sweep: %v", err)
	}
}

func TestEntryThatIsPastAlreadyChangesNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{MaxEntries: 1})
	add(t, s,
		Entry{Kind: KindToken, Issuer: issuer, ID: "jti-1", Until: testNow},
		Entry{Kind: KindToken, Issuer: issuer, ID: "jti-2", Until: time.Unix(-5, 0)})
	if st := s.Stats(); st.Total() != 0 || st.Past != 2 || s.Version() != 0 {
		t.Errorf("stats = %+v", st)
	}
}

func TestEntryWithoutEndStaysForGood(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{})
	add(t, s, Entry{Kind: KindToken, Issuer: issuer, ID: "jti-1", Until: time.Unix(math.MaxUint32, 0)})
	s.Sweep(time.Unix(math.MaxUint32+5, 0))
	if !s.Revoked(claimsOf(epoch), nil) {
		t.Error("forgotten")
	}
}

func TestMalformedEntryIsRefusedAndNoneOfItsCallIsInForce(t *testing.T) {
	t.Parallel()
	good := Entry{Kind: KindToken, Issuer: issuer, ID: "jti-1", Until: later}
	for name, spoil := range map[string]func(*Entry){
		"no kind":             func(e *Entry) { e.Kind = KindNone },
		"unknown kind":        func(e *Entry) { e.Kind = Kind(kinds) },
		"no issuer":           func(e *Entry) { e.Issuer = "" },
		"long issuer":         func(e *Entry) { e.Issuer = strings.Repeat("i", token.MaxStringBytes+1) },
		"no identifier":       func(e *Entry) { e.ID = "" },
		"long identifier":     func(e *Entry) { e.ID = strings.Repeat("i", token.MaxStringBytes+1) },
		"no until":            func(e *Entry) { e.Until = time.Time{} },
		"before on a token":   func(e *Entry) { e.Before = testNow },
		"before 1970":         func(e *Entry) { e.Kind, e.Before = KindSubject, time.Unix(-1, 0) },
		"not a thumbprint":    func(e *Entry) { e.Kind = KindThumbprint },
		"padded thumbprint":   func(e *Entry) { e.Kind, e.ID = KindThumbprint, strings.Repeat("A", 43)+"=" },
		"loose last bits":     func(e *Entry) { e.Kind, e.ID = KindThumbprint, strings.Repeat("A", 42)+"B" },
		"thumbprint too long": func(e *Entry) { e.Kind, e.ID = KindThumbprint, strings.Repeat("A", 44) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, bad := newStore(t, Config{}), good
			spoil(&bad)
			if err := s.Add(good, bad); !errors.Is(err, ErrEntry) || strings.Contains(err.Error(), good.ID) {
				t.Errorf("error = %v, want ErrEntry without the identifier", err)
			}
			if s.Len() != 0 {
				t.Error("half a call is in force")
			}
		})
	}
	s := newStore(t, Config{})
	for _, r := range []Record{{}, {Kind: Kind(kinds), Until: noEnd}, {Kind: KindToken, Before: 1, Until: noEnd}} {
		if err := s.AddRecords([]Record{r}); !errors.Is(err, ErrEntry) {
			t.Errorf("record %+v: %v", r, err)
		}
	}
}

func TestConfigOutOfRangeIsRefused(t *testing.T) {
	t.Parallel()
	for _, n := range []int{-1, MaxMaxEntries + 1} {
		if _, err := New(Config{MaxEntries: n}, NewSecret()); !errors.Is(err, ErrConfig) {
			t.Errorf("MaxEntries %d: %v", n, err)
		}
	}
	if _, err := New(Config{}, Secret{}); !errors.Is(err, ErrConfig) {
		t.Errorf("zero secret: %v", err)
	}
	if s, err := New(Config{MaxEntries: MaxMaxEntries}, NewSecret()); err != nil || s.Stats().Limit != MaxMaxEntries {
		t.Errorf("largest: %v", err)
	}
}

func TestKindNamesAreThoseThatParseKindReads(t *testing.T) {
	t.Parallel()
	for _, k := range Kinds() {
		if got, err := ParseKind(k.String()); got != k || err != nil {
			t.Errorf("%v: %v, %v", k, got, err)
		}
	}
	for _, name := range []string{"none", "", "TOKEN", "jti"} {
		if _, err := ParseKind(name); !errors.Is(err, ErrEntry) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if Kind(200).String() != "none" {
		t.Error("a kind out of range has a name")
	}
}

func TestVersionTellsOfChangesAndOnlyOfThem(t *testing.T) {
	t.Parallel()
	s := newStore(t, Config{})
	e := Entry{Kind: KindSession, Issuer: issuer, ID: "sid-1", Until: later}
	for i, step := range []struct {
		until time.Time
		want  uint64
	}{{later, 1}, {later, 1}, {testNow.Add(time.Minute), 1}, {later.Add(time.Minute), 2}} {
		e.Until = step.until
		if add(t, s, e); s.Version() != step.want {
			t.Errorf("step %d: version %d, want %d", i, s.Version(), step.want)
		}
	}
}
