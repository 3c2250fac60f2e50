package stand

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"

	"github.com/vneid-gateway/vneid-gateway/bench/population"
)

// maxFile bounds a configuration file, in bytes.
const maxFile = 4 << 20

// layout is what the stand needs to know of a gateway's configuration: what there is to put its own addresses in.
type layout struct {
	Listen  []any `yaml:"listen"`
	Issuers []struct {
		Name   string `yaml:"name"`
		Issuer string `yaml:"issuer"`
	} `yaml:"issuers"`
	Cutover []struct {
		Accounts []string `yaml:"accounts"`
	} `yaml:"cutover"`
	Sites []struct {
		Name      string `yaml:"name"`
		Upstreams []any  `yaml:"upstreams"`
	} `yaml:"sites"`
}

func readLayout(file string) (*layout, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("%w: Corpus: %w", ErrConfig, err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%w: Corpus: %s has more than %d bytes", ErrConfig, file, maxFile)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: Corpus: %w", ErrConfig, err)
	}
	l := &layout{}
	if err := yaml.Unmarshal(raw, l); err != nil {
		return nil, fmt.Errorf("%w: Corpus: %s: %w", ErrConfig, file, err)
	}
	if len(l.Listen) != 1 || len(l.Sites) == 0 || len(l.Issuers) == 0 {
		return nil, fmt.Errorf("%w: Corpus: %s: a listener, an issuer and a site are needed", ErrConfig, file)
	}
	return l, nil
}

// arguments are those of a replica's command line.
func (s *Stand) arguments(r *replica) []string {
	args := []string{"serve", "--config", filepath.Join(s.config.Corpus, population.GatewayFile)}
	set := func(value, field string, indices ...any) {
		args = append(args, "--set", fmt.Sprintf(field, indices...)+"="+value)
	}
	set(s.address, "listen[0].address")
	set("true", "listen[0].reuse_port")
	set(r.listen, "admin.address")
	set(s.tokenFile, "admin.token_file")
	set(filepath.Join(r.directory, "revocations"), "revocation.directory")
	set(drainDelay.String(), "shutdown.delay")
	// It must have given up by itself before the stand does.
	set((s.config.Patience / 2).String(), "shutdown.deadline")
	set("false", "reload.watch")
	for i, site := range s.layout.Sites {
		for j := range site.Upstreams {
			set("http://"+s.upstreams[i].address, "sites[%d].upstreams[%d]", i, j)
		}
	}
	if !s.config.Cutover.IsZero() {
		for i, rule := range s.layout.Cutover {
			if slices.Contains(rule.Accounts, "citizen") {
				set(s.config.Cutover.Format(moment), "cutover[%d].from", i)
			}
		}
	}
	for _, assignment := range s.config.Set {
		args = append(args, "--set", assignment)
	}
	return args
}
