package kubernetes_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/gateway/config"
)

const (
	deployment    = "gateway/deployment.yaml"
	configuration = "gateway/gateway.yaml"
)

// offered matches the # of a setting that the configuration only shows.
var offered = regexp.MustCompile(`(?m)^( *)#( {2,}\S|[^ #\n])`)

// parsed reads the configuration as the Pod would: with the secret beside it, and
// with the environment of the container.
func parsed(t *testing.T, text []byte) *config.Config {
	t.Helper()
	dir := t.TempDir()
	certificate, key := pair(t)
	if err := os.Mkdir(filepath.Join(dir, "secret"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"admin-token": strings.Repeat("5d", 32), "revocation-secret": strings.Repeat("5d", 32), "redis-password": "password",
		"tls.crt": certificate, "tls.key": key,
	} {
		if err := os.WriteFile(filepath.Join(dir, "secret", name), []byte(content+"\n"), 0o440); err != nil {
			t.Fatal(err)
		}
	}
	c, err := config.Parse(configuration, text, dir, config.WithEnvironment(environment(t, container(source(t, deployment, "Deployment")))))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range c.Warnings() {
		// Which gateway/network.yaml does.
		if !strings.Contains(fmt.Sprint(w), "restrict it by a network policy") {
			t.Error(w)
		}
	}
	return c
}

// environment returns the variables of a container, as NAME=value.
func environment(t *testing.T, of map[string]any) (all []string) {
	t.Helper()
	for _, v := range of["env"].([]any) {
		value, ok := at(v, "value").(string)
		if !ok {
			t.Fatalf("%v has no value", v)
		}
		all = append(all, at(v, "name").(string)+"="+value)
	}
	return all
}

func pair(t *testing.T) (certificate, key string) {
	t.Helper()
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	private, err := x509.MarshalPKCS8PrivateKey(server.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))
}

func TestConfigurationIsTakenWithTheEnvironmentOfTheContainer(t *testing.T) {
	t.Parallel()
	c := parsed(t, readFile(t, configuration))
	if c.StateDir == "" || c.Admin.TokenFile == "" {
		t.Errorf("state_dir %q, admin.token_file %q", c.StateDir, c.Admin.TokenFile)
	}
	all := parsed(t, offered.ReplaceAll(readFile(t, configuration), []byte("$1$2")))
	if !all.Revocation.Fleet.Enabled() || all.Revocation.Directory == "" || !all.Listen[0].TLS.Enabled() || len(all.Listen[0].TrustedProxies) == 0 {
		t.Errorf("not all that is shown: %+v %+v", all.Revocation, all.Listen)
	}
}

func TestPortsAreThoseOfTheConfiguration(t *testing.T) {
	t.Parallel()
	c := parsed(t, readFile(t, configuration))
	ports := map[string]string{}
	for _, p := range container(source(t, deployment, "Deployment"))["ports"].([]any) {
		ports[at(p, "name").(string)] = fmt.Sprintf(":%v", at(p, "containerPort"))
	}
	if len(ports) != 2 || ports["http"] != c.Listen[0].Address || ports["admin"] != c.Admin.Address {
		t.Errorf("ports %v, the gateway listens on %s and %s", ports, c.Listen[0].Address, c.Admin.Address)
	}
	if target := at(source(t, "gateway/service.yaml", "Service"), "spec", "ports", "targetPort"); target != "http" {
		t.Errorf("the service is for port %v", target)
	}
	monitor := at(source(t, "monitoring/podmonitor.yaml", "PodMonitor"), "spec", "podMetricsEndpoints")
	if at(monitor, "port") != "admin" || at(monitor, "path") != "/metrics" {
		t.Errorf("metrics are taken from %v", monitor)
	}
	rules := at(source(t, "gateway/network.yaml", "NetworkPolicy"), "spec", "ingress").([]any)
	for _, rule := range rules {
		if at(rule, "ports", "port") == "admin" && at(rule, "from", "namespaceSelector") == nil {
			t.Errorf("everybody reaches the admin listener: %v", rule)
		}
	}
	if len(rules) != 2 {
		t.Errorf("%d rules", len(rules))
	}
}

func TestReplicaIsNotRestartedForNotBeingReady(t *testing.T) {
	t.Parallel()
	c := container(source(t, deployment, "Deployment"))
	for probe, path := range map[string]string{"readinessProbe": "/readyz", "livenessProbe": "/livez", "startupProbe": "/livez"} {
		if got := at(c[probe], "httpGet", "path"); got != path || at(c[probe], "httpGet", "port") != "admin" {
			t.Errorf("%s asks %v", probe, c[probe])
		}
	}
}

func TestDrainEndsBeforeTheKubeletKills(t *testing.T) {
	t.Parallel()
	c := parsed(t, readFile(t, configuration))
	pod := podSpec(source(t, deployment, "Deployment"))
	drain := *c.Shutdown.Delay + *c.Shutdown.Deadline
	grace := time.Duration(pod["terminationGracePeriodSeconds"].(float64)) * time.Second
	if grace < drain+10*time.Second {
		t.Errorf("killed after %s, a drain takes up to %s", grace, drain)
	}
	// A hook's time is taken from the same grace; the delay is the gateway's own.
	if hook := container(source(t, deployment, "Deployment"))["lifecycle"]; hook != nil {
		t.Errorf("a hook: %v", hook)
	}
	probe := container(source(t, deployment, "Deployment"))["readinessProbe"]
	if seen := time.Duration(at(probe, "periodSeconds").(float64)*at(probe, "failureThreshold").(float64)) * time.Second; seen >= *c.Shutdown.Delay {
		t.Errorf("not ready is seen after %s, the listeners close after %s", seen, *c.Shutdown.Delay)
	}
}

func TestContainerRunsWhatTheImageRuns(t *testing.T) {
	t.Parallel()
	image := string(readFile(t, "../Dockerfile"))
	pod := podSpec(source(t, deployment, "Deployment"))
	c := container(source(t, deployment, "Deployment"))
	user := fmt.Sprintf("USER %v:%v\n", at(pod, "securityContext", "runAsUser"), at(pod, "securityContext", "runAsGroup"))
	if !strings.Contains(image, user) {
		t.Errorf("the image has another user than %s", user)
	}
	var args []string
	for _, a := range c["args"].([]any) {
		args = append(args, strconv.Quote(a.(string)))
	}
	if cmd := "CMD [" + strings.Join(args, ", ") + "]"; c["command"] != nil || !strings.Contains(image, cmd) {
		t.Errorf("the image runs another command than %s", cmd)
	}
	mounted := false
	for _, m := range c["volumeMounts"].([]any) {
		mounted = mounted || at(m, "mountPath") == at(c, "args").([]any)[2]
	}
	if !mounted {
		t.Errorf("no volume is mounted where the configuration is: %v", c["volumeMounts"])
	}
}

// Every Pod must be taken by a namespace that enforces the restricted standard.
func TestPodsAskForNoPrivilege(t *testing.T) {
	t.Parallel()
	pods := 0
	for name, objects := range sources(t) {
		for _, o := range objects {
			if o["kind"] != "Deployment" && o["kind"] != "Job" {
				continue
			}
			pods++
			pod := podSpec(o)
			if at(pod, "securityContext", "runAsNonRoot") != true || at(pod, "securityContext", "seccompProfile", "type") != "RuntimeDefault" {
				t.Errorf("%s: %s: %v", name, o, pod["securityContext"])
			}
			if pod["automountServiceAccountToken"] != false || pod["enableServiceLinks"] != false {
				t.Errorf("%s: %s has a token of the cluster, or variables of services", name, o)
			}
			for _, c := range pod["containers"].([]any) {
				drop, _ := at(c, "securityContext", "capabilities", "drop").([]any)
				if at(c, "securityContext", "allowPrivilegeEscalation") != false || len(drop) != 1 || drop[0] != "ALL" {
					t.Errorf("%s: %s: %v", name, o, at(c, "securityContext"))
				}
				if at(c, "resources", "limits", "memory") == nil || at(c, "resources", "limits", "memory") != at(c, "resources", "requests", "memory") {
					t.Errorf("%s: %s: memory %v", name, o, at(c, "resources"))
				}
			}
		}
	}
	if pods != 5 {
		t.Errorf("%d kinds of Pods", pods)
	}
}

func TestSelectorsFindTheReplicas(t *testing.T) {
	t.Parallel()
	labels := at(source(t, deployment, "Deployment"), "spec", "template", "metadata", "labels").(map[string]any)
	want := fmt.Sprint(labels)
	for where, selector := range map[string]any{
		"deployment": at(source(t, deployment, "Deployment"), "spec", "selector", "matchLabels"),
		"service":    at(source(t, "gateway/service.yaml", "Service"), "spec", "selector"),
		"budget":     at(source(t, "gateway/disruption.yaml", "PodDisruptionBudget"), "spec", "selector", "matchLabels"),
		"policy":     at(source(t, "gateway/network.yaml", "NetworkPolicy"), "spec", "podSelector", "matchLabels"),
		"monitor":    at(source(t, "monitoring/podmonitor.yaml", "PodMonitor"), "spec", "selector", "matchLabels"),
	} {
		if got := fmt.Sprint(selector); got != want {
			t.Errorf("%s selects %s, want %s", where, got, want)
		}
	}
	for _, c := range podSpec(source(t, deployment, "Deployment"))["topologySpreadConstraints"].([]any) {
		if got := fmt.Sprint(at(c, "labelSelector", "matchLabels")); got != want {
			t.Errorf("spread over %s", got)
		}
	}
	// The alerts ask for a job of this name.
	monitor := source(t, "monitoring/podmonitor.yaml", "PodMonitor")
	job := labels[at(monitor, "spec", "jobLabel").(string)]
	if !bytes.Contains(readFile(t, "../prometheus/alerts.yaml"), []byte(fmt.Sprintf("up{job=%q}", job))) {
		t.Errorf("no alert is about job %q", job)
	}
}

// The two images are built alike: by one Go, of one tree, for one user.
func TestImageOfTheBenchIsBuiltAsTheGatewaysIs(t *testing.T) {
	t.Parallel()
	stages := func(name string) (lines []string) {
		for line := range strings.Lines(string(readFile(t, name))) {
			verb, _, _ := strings.Cut(line, " ")
			switch verb {
			case "FROM", "ENV", "WORKDIR", "COPY", "RUN", "USER":
				lines = append(lines, strings.ReplaceAll(line, "vneid-gateway", "vneid-bench"))
			}
		}
		return lines
	}
	if got, want := stages("bench/Dockerfile"), stages("../Dockerfile"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
