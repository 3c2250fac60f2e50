package peers

import (
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"time"
)

const gatewayName = "gateway"

// proxy is one that is measured, and how it is set up.
type proxy struct {
	name, title string
	// packages are Debian's, and files what of them must be there, as patterns.
	packages, files []string
	// program is where the program is; that of the gateway is given.
	program string
	// templates are those of its configuration, the first of them what args are for.
	templates []string
	args      func(dir, config string) []string
	// version is the argument with which the program says which it is.
	version string
	// unsupported says why an algorithm is not.
	unsupported map[string]string
}

// proxies are all that are known, in the order of the tables.
func proxies() []proxy {
	return []proxy{
		{
			name: "haproxy", title: "HAProxy jwt_verify",
			packages: []string{"haproxy"},
			program:  "/usr/sbin/haproxy", version: "-v",
			templates: []string{"haproxy.cfg"},
			args:      func(_, config string) []string { return []string{"-db", "-f", config} },
			unsupported: map[string]string{
				"EdDSA": "jwt_verify knows the HS, RS, PS and ES algorithms only",
			},
		},
		{
			name: "nginx", title: "nginx + Lua",
			packages: []string{"nginx", "libnginx-mod-http-lua", "lua-resty-core", "lua-resty-lrucache", "lua-cjson"},
			files: []string{
				"/usr/lib/nginx/modules/ndk_http_module.so", "/usr/lib/nginx/modules/ngx_http_lua_module.so",
				"/usr/share/lua/5.1/resty/core.lua", "/usr/share/lua/5.1/resty/lrucache.lua", "/usr/lib/*/lua/5.1/cjson.so",
			},
			program: "/usr/sbin/nginx", version: "-v",
			templates: []string{"nginx.conf", "verify.lua"},
			args:      func(dir, config string) []string { return []string{"-c", config, "-p", dir, "-e", "stderr"} },
		},
		{
			name: "apache", title: "Apache + mod_auth_openidc",
			packages: []string{"apache2", "libapache2-mod-auth-openidc"},
			files:    []string{"/usr/lib/apache2/modules/mod_auth_openidc.so"},
			program:  "/usr/sbin/apache2", version: "-v",
			templates: []string{"apache.conf"},
			args:      func(_, config string) []string { return []string{"-D", "FOREGROUND", "-f", config} },
			unsupported: map[string]string{
				"EdDSA": "its library, cjose, has no key of type OKP",
			},
		},
		{
			name: gatewayName, title: "VNeID Gateway",
			version:   "version",
			templates: []string{"gateway.yaml"},
			args:      func(_, config string) []string { return []string{"serve", "--config", config} },
		},
	}
}

// Names are the names of the proxies that can be measured, in the order of the tables.
func Names() (names []string) {
	for _, p := range proxies() {
		names = append(names, p.name)
	}
	return names
}

// Missing returns the Debian packages that some proxies lack on this machine, sorted.
func Missing(names []string) (packages []string) {
	for _, p := range proxies() {
		if slices.Contains(names, p.name) && !p.installed() {
			packages = append(packages, p.packages...)
		}
	}
	slices.Sort(packages)
	return packages
}

// installed says whether all is there. Of the gateway it always says so: the program is given.
func (p *proxy) installed() bool {
	needs := slices.Clone(p.files)
	if p.name != gatewayName {
		needs = append(needs, p.program)
	}
	for _, pattern := range needs {
		if found, err := filepath.Glob(pattern); err != nil || len(found) == 0 {
			return false
		}
	}
	return true
}

// versions asks the program, and dpkg for the packages' own. What does not answer in time is not told.
func (p *proxy) versions(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ask := func(program string, args ...string) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.WaitDelay = time.Second // for whoever still has its output
		return cmd
	}
	var all []string
	if p.name != gatewayName {
		args := append([]string{"-W", "-f", "${Package} ${Version}\n"}, p.packages...)
		if told, err := ask("dpkg-query", args...).Output(); err == nil {
			all = strings.Split(strings.TrimSpace(string(told)), "\n")
		}
	}
	if len(all) == 0 {
		// nginx tells it to standard error.
		told, _ := ask(p.program, p.version).CombinedOutput()
		if line, _, _ := strings.Cut(string(told), "\n"); line != "" {
			all = append(all, strings.TrimSpace(line))
		}
	}
	return all
}

//go:embed templates
var embedded embed.FS

// setting is what the templates say.
type setting struct {
	// Dir is the proxy's own folder, and Self who runs it.
	Dir, Self string
	// Root says that root runs it: who else cannot say as whom a worker is to run.
	Root bool
	// Listen, Admin and Origin are host and port: of the proxy, of the gateway's second listener, of the upstream.
	Listen, Admin, Origin string
	// Host is what the requests' Host says.
	Host string
	// Check says whether tokens are looked at; the rest is empty without it.
	Check                       bool
	Algorithm, Issuer, Audience string
	// KeyID is the kid of the key, which KeyFile has in PEM; the key set is at KeySetURL and in KeySetFile.
	KeyID, KeyFile, KeySetURL, KeySetFile string
	// Verdicts is how many verified tokens verify.lua keeps.
	Verdicts int
}

// plain is what may stand in a configuration, whatever its syntax.
var plain = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$|^/[A-Za-z0-9._/-]+$`)

// render returns a configuration. Values that could be read as more than a value are refused.
func (s *setting) render(name string) (string, error) {
	for _, value := range []string{
		s.Dir, s.Self, s.Listen, s.Admin, s.Origin, s.Host, s.Algorithm, s.Issuer, s.Audience, s.KeyID, s.KeyFile, s.KeySetURL, s.KeySetFile,
	} {
		if value != "" && !plain.MatchString(value) {
			return "", fmt.Errorf("%w: %q cannot stand in a configuration", ErrConfig, value)
		}
	}
	t, err := template.ParseFS(embedded, "templates/"+name)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := t.Execute(&out, s); err != nil {
		return "", err
	}
	return out.String(), nil
}

// configure writes a proxy's configuration into its folder, and returns the command that runs it, until [process.stop].
func (p *proxy) configure(s *setting) (*exec.Cmd, error) {
	for _, name := range p.templates {
		text, err := s.render(name)
		if err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(s.Dir, name), []byte(text), 0o600); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(p.program, p.args(s.Dir, filepath.Join(s.Dir, p.templates[0]))...)
	cmd.Dir = s.Dir
	return cmd, nil
}
