package config

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

func TestWhatARunningGatewayCannotChangeIsNamed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(c *Config)
		want   []string
	}{
		{"nothing", func(*Config) {}, nil},
		{"a rule", func(c *Config) { c.Sites[0].Rules = append(c.Sites[0].Rules, Rule{Paths: []string{"/x"}}) }, nil},
		{"a limit of tokens", func(c *Config) { c.Limits.TokenBytes *= 2 }, nil},
		{"a listener", func(c *Config) { c.Listen[0].Address = ":1" }, []string{"listen"}},
		{"a certificate", func(c *Config) { c.Listen[0].TLS.Certificates = []Certificate{{CertFile: "a"}} }, []string{"listen"}},
		{"limits", func(c *Config) { c.Limits.Connections, c.Limits.HeaderTimeout = 7, time.Minute }, []string{
			"limits.header_timeout", "limits.connections",
		}},
		{"memory and place", func(c *Config) { c.Verdicts.MaxBytes++; c.StateDir = "elsewhere"; c.Admin.Pprof = true }, []string{
			"admin", "verdicts", "state_dir",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			was, err := parseMinimal(t)
			if err != nil {
				t.Fatal(err)
			}
			is, err := parseMinimal(t)
			if err != nil {
				t.Fatal(err)
			}
			test.change(is)
			if got := was.NeedsRestart(is); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestEveryFieldThatNamesAFileIsRelativeToTheFile(t *testing.T) {
	t.Parallel()
	c := new(Config)
	c.Listen = []Listener{{TLS: TLS{Certificates: make([]Certificate, 1)}}}
	c.Issuers, c.Sites = make([]Issuer, 1), make([]Site, 1)
	found := make(map[*string]bool)
	for _, p := range c.fileFields() {
		found[p] = true
	}
	var visit func(v reflect.Value, at string)
	visit = func(v reflect.Value, at string) {
		for _, f := range fieldsOf(v.Type()) {
			fv := v.FieldByIndex(f.index)
			switch {
			case isSection(f.typ):
				visit(fv, at+"."+f.key)
			case f.typ.Kind() == reflect.Slice && isSection(f.typ.Elem()) && fv.Len() > 0:
				visit(fv.Index(0), at+"."+f.key)
			case f.key == "file" || len(f.key) > 5 && f.key[len(f.key)-5:] == "_file":
				if !found[fv.Addr().Interface().(*string)] {
					t.Errorf("%s.%s is not among the files", at, f.key)
				}
			}
		}
	}
	visit(reflect.ValueOf(c).Elem(), "")
	if len(found) < 10 {
		t.Errorf("%d files found", len(found))
	}
}
