package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// parseMinimal parses testdata/working_minimal.yaml with options.
func parseMinimal(t *testing.T, opts ...Option) (*Config, error) {
	t.Helper()
	data, err := os.ReadFile("testdata/working_minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return Parse("gateway.yaml", data, "testdata", opts...)
}

func TestAnEnvironmentVariableOverridesTheFile(t *testing.T) {
	t.Parallel()
	c, err := parseMinimal(t, WithEnvironment([]string{
		"HOME=/root",
		"VNEID_GATEWAY_CONFIG=/etc/gateway.yaml",
		"VNEID_GATEWAY_ADMIN_ADDRESS=127.0.0.1:1234",
		"VNEID_GATEWAY_ADMIN_PPROF=true",
		"VNEID_GATEWAY_LIMITS_TOKEN_BYTES=4KiB",
		"VNEID_GATEWAY_LISTEN_0_ADDRESS=:8443",
		"VNEID_GATEWAY_SITES_0_HOSTS_0=A.example.vn",
		"VNEID_GATEWAY_SITES_0_TIMEOUTS_FIRST_BYTE=7s",
		"VNEID_GATEWAY_ISSUERS_0_LEEWAY=0s",
		"VNEID_GATEWAY_ISSUERS_0_CLAIMS_PERSONAL_NUMBER=0",
		"VNEID_GATEWAY_LOG_ACCESS_REFUSED_PER_SECOND=0",
	}))
	if err != nil {
		t.Fatal(err)
	}
	got := []any{
		c.Admin.Address, c.Admin.Pprof, c.Limits.TokenBytes, c.Listen[0].Address, c.Sites[0].Hosts[0],
		c.Sites[0].Timeouts.FirstByte, *c.Issuers[0].Leeway, c.Issuers[0].Claims.PersonalNumber, *c.Log.Access.RefusedPerSecond,
	}
	want := []any{"127.0.0.1:1234", true, 4 * kib, ":8443", "a.example.vn", 7 * time.Second, time.Duration(0), "0", 0}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAFlagBeatsTheEnvironment(t *testing.T) {
	t.Parallel()
	c, err := parseMinimal(t,
		WithOverrides(Override{"--admin-address", "admin.address", "127.0.0.1:2"}, Override{"--listen", "listen[0].address", ":3"}),
		WithEnvironment([]string{"VNEID_GATEWAY_ADMIN_ADDRESS=127.0.0.1:1"}),
	)
	if err != nil {
		t.Fatal(err)
	}
	if c.Admin.Address != "127.0.0.1:2" || c.Listen[0].Address != ":3" {
		t.Errorf("got %s and %s", c.Admin.Address, c.Listen[0].Address)
	}
}

func TestAFaultOfAnOverrideNamesItsSource(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		opt  Option
		want string
	}{
		{
			"unknown variable", WithEnvironment([]string{"VNEID_GATEWAY_ADMIN_ADRESS=:1"}),
			"VNEID_GATEWAY_ADMIN_ADRESS: names no single-valued field of this configuration; did you mean VNEID_GATEWAY_ADMIN_ADDRESS?",
		},
		{
			"element that does not exist", WithEnvironment([]string{"VNEID_GATEWAY_LISTEN_1_ADDRESS=:1"}),
			"VNEID_GATEWAY_LISTEN_1_ADDRESS: names no single-valued field of this configuration; did you mean VNEID_GATEWAY_LISTEN_0_ADDRESS?",
		},
		{
			"a list", WithEnvironment([]string{"VNEID_GATEWAY_SITES=x"}),
			"VNEID_GATEWAY_SITES: names no single-valued field of this configuration",
		},
		{
			"wrong type", WithEnvironment([]string{"VNEID_GATEWAY_VERDICTS_MAX_AGE=5"}),
			"VNEID_GATEWAY_VERDICTS_MAX_AGE: verdicts.max_age: a bare number has no unit; write a duration such as 30s, 5m or 1h30m",
		},
		{
			"out of range", WithEnvironment([]string{"VNEID_GATEWAY_VERDICTS_MAX_AGE=25h"}),
			"VNEID_GATEWAY_VERDICTS_MAX_AGE: verdicts.max_age: 25h is out of range; allowed: 1s to 24h",
		},
		{
			"wrong meaning", WithEnvironment([]string{"VNEID_GATEWAY_SITES_0_UPSTREAMS_0=u:80"}),
			"VNEID_GATEWAY_SITES_0_UPSTREAMS_0: sites[0].upstreams[0]: must begin with http://, https:// or unix:/; write http://host:port, https://host:port or unix:/path",
		},
		{
			"wrong boolean", WithEnvironment([]string{"VNEID_GATEWAY_ADMIN_PPROF=1"}),
			`VNEID_GATEWAY_ADMIN_PPROF: admin.pprof: "1" is not allowed; allowed: true, false`,
		},
		{
			"unknown flag field", WithOverrides(Override{"--admin", "admin.adress", ":1"}),
			`--admin: "admin.adress" is no single-valued field of this configuration; did you mean admin.address?`,
		},
		{
			"wrong flag value", WithOverrides(Override{"--log-level", "log.level", "trace"}),
			`--log-level: log.level: "trace" is not allowed; allowed: debug, info, warn, error`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := parseMinimal(t, test.opt)
			if c != nil || err == nil || err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", err, test.want)
			}
		})
	}
}

func TestVariablesOfKubernetesServicesAreNotMistakes(t *testing.T) {
	t.Parallel()
	_, err := parseMinimal(t, WithEnvironment([]string{
		"VNEID_GATEWAY_SERVICE_HOST=10.96.0.10",
		"VNEID_GATEWAY_SERVICE_PORT=8080",
		"VNEID_GATEWAY_SERVICE_PORT_HTTP=8080",
		"VNEID_GATEWAY_PORT=tcp://10.96.0.10:8080",
		"VNEID_GATEWAY_PORT_8080_TCP=tcp://10.96.0.10:8080",
		"VNEID_GATEWAY_PORT_8080_TCP_PROTO=tcp",
		"VNEID_GATEWAY_PORT_8080_TCP_PORT=8080",
		"VNEID_GATEWAY_PORT_8080_TCP_ADDR=fd00::10",
		"VNEID_GATEWAY_ADMIN_SERVICE_HOST=10.96.0.11",
		"VNEID_GATEWAY_ADMIN_PORT=tcp://10.96.0.11:9080",
	}))
	if err != nil {
		t.Error(err)
	}
	if _, err := parseMinimal(t, WithEnvironment([]string{"VNEID_GATEWAY_ADMIN_PORTS=9080"})); err == nil {
		t.Error("a mistyped variable was ignored")
	}
}

func TestAFaultOfTheFileIsReportedBeforeThoseOfOverrides(t *testing.T) {
	t.Parallel()
	_, err := Parse("gateway.yaml", []byte("listen: 5\n"), ".",
		WithEnvironment([]string{"VNEID_GATEWAY_ADMIN_ADDRESS=x"}))
	lines := strings.Split(err.Error(), "\n")
	if !strings.HasPrefix(lines[0], "gateway.yaml:1:1: ") || !strings.HasPrefix(lines[len(lines)-1], "VNEID_GATEWAY_ADMIN_ADDRESS: ") {
		t.Errorf("got %q", lines)
	}
}

func TestNoTwoFieldsShareAVariable(t *testing.T) {
	t.Parallel()
	c, err := Load("testdata/working_full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]string)
	for _, s := range settings(reflect.ValueOf(c).Elem(), nil, "") {
		if other := seen[s.env]; other != "" {
			t.Errorf("%s names %s and %s", s.env, other, s.at)
		}
		seen[s.env] = s.at.String()
	}
}
