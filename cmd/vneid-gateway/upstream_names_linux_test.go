package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

// putHosts is what a shell does in a mount namespace of its own before it
// becomes the gateway: file $0 stands where the machine's hosts did.
const putHosts = `mount --bind "$0" /etc/hosts`

// serveWithHosts starts the gateway with another /etc/hosts.
func serveWithHosts(t *testing.T, hosts, config string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "gateway.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, exec.Command("unshare", "-rm", "/bin/sh", "-c", putHosts+` && exec "$1" serve --config "$2"`, hosts, path, file))
	p.file = file
	p.data = "http://" + p.await(t, "serving").Address
	p.admin = "http://" + p.await(t, "admin").Address
	return p
}

// TestANameIsFollowedToItsAddresses lets a name have two addresses, and then one
// of them only, while requests go on.
func TestANameIsFollowedToItsAddresses(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 6 s: the hosts file is read again no sooner")
	}
	t.Parallel()
	const name = "noi-bo.example"
	hosts := filepath.Join(t.TempDir(), "hosts")
	has := func(addresses ...string) {
		t.Helper()
		var b strings.Builder
		for _, a := range addresses {
			fmt.Fprintf(&b, "%s %s\n", a, name)
		}
		// In place: what is mounted is the file, not its name.
		if err := os.WriteFile(hosts, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	has("127.0.0.2", "127.0.0.3")
	if said, err := exec.CommandContext(t.Context(), "unshare", "-rm", "/bin/sh", "-c", putHosts, hosts).CombinedOutput(); err != nil {
		t.Skipf("no mount namespace is to be had: %v: %s", err, said)
	}
	var served [2]atomic.Int64
	serveAt := func(i int, address string) (port string) {
		t.Helper()
		ln, err := loopback.Listen(t.Context(), address)
		if err != nil {
			t.Skip("no two servers with one port are to be had:", err)
		}
		s := loopback.Serve(ln, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served[i].Add(1) }))
		t.Cleanup(func() { _ = s.Close() })
		_, port, _ = net.SplitHostPort(s.Address())
		return port
	}
	port := serveAt(0, "127.0.0.2:0")
	serveAt(1, "127.0.0.3:"+port)

	g := faultGatewayBy(t, func(config string) *process { return serveWithHosts(t, hosts, config) }, publicRules, "",
		[]faultSite{{"s", "http://" + name + ":" + port, "resolve: 1s\nbalance: round_robin"}})
	requests := 0
	ask := func() {
		t.Helper()
		requests++
		if a := g.from(t, "s", request{path: "/"}); a.status != http.StatusOK {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
	g.awaitTotal(t, 2, "upstream_addresses", "upstream", name+":"+port)
	for range 10 {
		ask()
	}
	both := [2]int64{served[0].Load(), served[1].Load()}
	if both != [2]int64{5, 5} {
		t.Errorf("of two addresses each got %v", both)
	}
	has("127.0.0.3")
	g.awaitThat(t, "the name has one address", func() bool {
		ask()
		return g.total(t, "upstream_addresses", "upstream", name+":"+port) == 1
	})
	gone := served[0].Load()
	for range 10 {
		ask()
	}
	t.Logf("%d requests: %d to the first address, %d to the second; %v look-ups", requests, served[0].Load(), served[1].Load(),
		g.total(t, "upstream_lookups_total", "result", "good"))
	if served[0].Load() != gone || served[0].Load()+served[1].Load() != int64(requests) {
		t.Error("an address that the name no longer has gets requests")
	}
	g.leavesNoTrace(t)
	g.stop(t)
}
