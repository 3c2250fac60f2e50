package plan

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

func TestFaultsOfAFileNameFieldValueAndRange(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, want string }{
		{"range", "population:\n  peak_hour_share: 1.5\n", "p.yaml:2:20: population.peak_hour_share: 1.5 is not allowed; must be 0.041666666666666664 to 1"},
		{"list", "population:\n  surges:\n    - {name: a, accounts: 5, hours: 0}\n", "p.yaml:3:37: population.surges[0].hours: 0 is not allowed; must be 0.016666666666666666 to 720"},
		{"accounts", "population:\n  activated_accounts: 100\n", "population.surges[0].accounts: 26800000 is not allowed; must be 1 to 100"},
		{"sum", "population:\n  algorithms: {RS256: 0.5, ES256: 0.4}\n", "population.algorithms: a sum of 0.9 is not allowed; must be shares that sum to 1"},
		{"choice", "deployment:\n  routing: anywhere\n", `p.yaml:2:12: deployment.routing: "anywhere" is not allowed; must be spread, connection or sticky`},
		{"connections", "deployment: {routing: connection}\n", "deployment.routing: connection is not allowed; must be spread or sticky where"},
		{"no connections", "population: {front_ends: 0}\n", "population.connections_per_user: 0 is not allowed; must be more than 0"},
		{"cache", "deployment: {verdict_bytes: 5}\n", "deployment.verdict_bytes: 5 is not allowed; must be 0, or 1048576 to"},
		{"not a number", "deployment:\n  headroom: .nan\n", "deployment.headroom: NaN is not allowed; must be 0 to 100"},
		{"twice", "population:\n  surges: [{name: a, accounts: 1, hours: 1}, {name: a, accounts: 1, hours: 1}]\n", `population.surges[1].name: "a" is not allowed`},
		{"unknown", "population:\n  loginsperday: 5\n", `p.yaml:2:3: unknown field "loginsperday"`},
		{"repeated", "population:\n  sites: 5\n  sites: 6\n", "p.yaml:3:3:"},
		{"type", "population:\n  sites: many\n", "p.yaml:2:10:"},
		{"syntax", "population: [\n", "p.yaml:"},
		{"empty", "", "the file is empty"},
		{"second document", "population: {sites: 5}\n---\npopulation: {sites: 6}\n", "a second document"},
		{"size", strings.Repeat("#\n", MaxFileBytes), "at most 1048576 are allowed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeInput("p.yaml", []byte(c.file))
			if !errors.Is(err, ErrInput) {
				t.Fatalf("error %v", err)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q, want %q in it", err, c.want)
			}
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error of more than a line: %q", err)
			}
		})
	}
}

func TestAFileOverlaysTheDefaults(t *testing.T) {
	t.Parallel()
	in, err := DecodeInput("p.yaml", []byte("population:\n  logins_per_day: 1_000\n  algorithms: {ES256: 1}\ndeployment: {zones: 2}\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultInput()
	if in.Population.LoginsPerDay != 1000 || in.Deployment.Zones != 2 || in.Population.VerificationsPerLogin != want.Population.VerificationsPerLogin {
		t.Errorf("%+v", in)
	}
	if len(in.Population.Algorithms) != 1 || in.Population.Algorithms["ES256"] != 1 || len(in.Population.Surges) != len(want.Population.Surges) {
		t.Errorf("maps and lists: %+v", in.Population)
	}
}

func TestFaultsOfACostNameTheFigure(t *testing.T) {
	t.Parallel()
	text := string(DefaultCostFile())
	for _, c := range []struct{ name, from, to, want string }{
		{"range", "value: 44.5", "value: -1", "c.yaml:8:10: cpu_microseconds_per_warm_request.value: -1 is not allowed; must be 0.01 to 60000000"},
		{"cold below warm", "value: 119.2", "value: 40", "cpu_microseconds_per_cold_request.RS256.value: 40 is not allowed; must be 44.5 to"},
		{"kind", "kind: measured", "kind: guessed", `"guessed" is not allowed; must be measured, derived or assumed`},
		{"unknown", "background_cores:", "background:", "unknown field"},
		{"busy", "value: 22528", "value: 10", "must be no less than bytes_per_idle_connection, 7168"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := DecodeCost("c.yaml", []byte(strings.Replace(text, c.from, c.to, 1)))
			if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q in it", err, c.want)
			}
		})
	}
}

func FuzzDecodeInput(f *testing.F) {
	f.Add([]byte(defaultPopulation))
	f.Add([]byte("population:\n  surges:\n    - {name: a, accounts: 5, hours: 0}\n"))
	f.Add([]byte("deployment: {zones: 99999999999999999999}"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("population:\n  surges: [{name: \"é\\nreplicaCount: 9\", accounts: 5, hours: 1}]\n"))
	f.Add([]byte("population:\n  surges: [{name: \"đợt chi trả: #1\", accounts: 5, hours: 1}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := DecodeInput("p.yaml", data)
		if err != nil {
			if !errors.Is(err, ErrInput) {
				t.Fatalf("error %v", err)
			}
			return
		}
		// What is accepted can be planned for, or says why not.
		tier, err := busyHour(in, DefaultCost())
		if err != nil {
			if !errors.Is(err, ErrTooMany) && !errors.Is(err, ErrInput) {
				t.Fatalf("accepted, but: %v", err)
			}
			return
		}
		// A name is a name in what is written, whatever it is.
		r := &Result{Input: in, Cost: DefaultCost(), Tiers: []Tier{tier}}
		for _, s := range in.Population.Surges {
			r.Tiers[0].Name = s.Name
			var b bytes.Buffer
			if err := r.WriteValues(&b, &r.Tiers[0]); err != nil {
				t.Fatal(err)
			}
			var v Values
			if err := yaml.UnmarshalWithOptions(b.Bytes(), &v, yaml.Strict()); err != nil || v.Plan.Tier != s.Name {
				t.Fatalf("%q became %q: %v\n%s", s.Name, v.Plan.Tier, err, b.Bytes())
			}
			if err := r.WriteFormulas(&b); err != nil || !utf8.Valid(b.Bytes()) {
				t.Fatalf("formulas of %q: %v", s.Name, err)
			}
		}
	})
}

func FuzzDecodeCost(f *testing.F) {
	f.Add([]byte(defaultCost))
	f.Add([]byte("cpu_microseconds_per_cold_request: {RS256: {value: .inf, kind: measured}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cost, err := DecodeCost("c.yaml", data)
		if err != nil {
			if !errors.Is(err, ErrInput) {
				t.Fatalf("error %v", err)
			}
			return
		}
		if _, err := busyHour(DefaultInput(), cost); err != nil && !errors.Is(err, ErrTooMany) && !errors.Is(err, ErrInput) {
			t.Fatalf("accepted, but: %v", err)
		}
	})
}
