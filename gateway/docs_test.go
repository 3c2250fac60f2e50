package gateway_test

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
	"github.com/vneid-gateway/vneid-gateway/gateway/metrics"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

func readDoc(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestConfigurationReferenceIsTheTypes(t *testing.T) {
	t.Parallel()
	if !bytes.Equal(readDoc(t, "../deploy/CONFIGURATION.md"), config.Reference()) {
		t.Error("deploy/CONFIGURATION.md is stale: run make docs")
	}
}

func TestReadmeNamesEveryErrorCode(t *testing.T) {
	t.Parallel()
	text := string(readDoc(t, "../README.md"))
	for _, c := range reject.Codes() {
		if !strings.Contains(text, "`"+c.String()+"`") {
			t.Errorf("README does not name %s", c)
		}
	}
}

func TestReadmeNamesEveryMetric(t *testing.T) {
	t.Parallel()
	text := string(readDoc(t, "../README.md"))
	m := metrics.New([]string{"none"}, "test", func() metrics.Sample { return metrics.Sample{} })
	registry, ok := m.Gatherer().(prometheus.Collector)
	if !ok {
		t.Fatal("the registry does not describe itself")
	}
	descs := make(chan *prometheus.Desc, 1000)
	registry.Describe(descs)
	close(descs)
	exported := make(map[string]bool)
	name := regexp.MustCompile(`fqName: "(` + metrics.Namespace + `_[a-z_]+)"`)
	for d := range descs {
		if found := name.FindStringSubmatch(d.String()); found != nil {
			exported[found[1]] = true
			if !strings.Contains(text, "`"+found[1]+"`") {
				t.Errorf("README does not name %s", found[1])
			}
		}
	}
	if len(exported) < 20 {
		t.Errorf("only %d metrics were found", len(exported))
	}
	for _, documented := range regexp.MustCompile("`("+metrics.Namespace+"_[a-z_]+)`").FindAllStringSubmatch(text, -1) {
		if !exported[documented[1]] {
			t.Errorf("README names %s, which is not exported", documented[1])
		}
	}
}
