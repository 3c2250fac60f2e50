package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The demo's ports are fixed: these tests run alone.

func TestDemoKeepsEveryPromiseThatItPrints(t *testing.T) { //nolint:paralleltest // fixed ports
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(path, "demo")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	demo := start(t, cmd)
	promises := readPromises(t, demo, stdout)
	if len(promises) < 10 {
		t.Fatalf("%d curl lines", len(promises))
	}
	for _, p := range promises {
		t.Run(p.title, func(t *testing.T) { p.verify(t) })
	}
	if a := get(t, "http://127.0.0.1:9080/readyz"); a.status != http.StatusOK {
		t.Errorf("/readyz: %d %s", a.status, a.body)
	}
	select {
	case <-demo.ended:
		t.Fatalf("it did not go on: %v", demo.err)
	default:
	}
	if err := demo.signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := demo.wait(t); err != nil {
		t.Errorf("after Ctrl-C: %v", err)
	}
	if said := demo.output(); said != "" {
		t.Errorf("on standard error:\n%s", said)
	}
}

func TestDemoTellsWhichPortIsTaken(t *testing.T) { //nolint:paralleltest // fixed ports
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{demoIssuer, demoHanoi, "127.0.0.1:9080", "127.0.0.1:8080"} {
		t.Run(address, func(t *testing.T) { //nolint:paralleltest // fixed ports
			taken, err := net.Listen("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer taken.Close()
			demo := start(t, exec.Command(path, "demo"))
			if code := exitCode(demo.wait(t)); code != 1 {
				t.Errorf("exit status %d", code)
			}
			said := strings.TrimSpace(demo.output())
			if strings.Contains(said, "\n") || !strings.Contains(said, address+": bind: address already in use") {
				t.Errorf("on standard error:\n%s", said)
			}
		})
	}
}

// promise is one curl line of the demo, with what it should return.
type promise struct{ title, expect, command string }

// readPromises reads what the demo prints, up to its last line.
func readPromises(t *testing.T, demo *process, stdout io.Reader) []promise {
	t.Helper()
	all := make(chan []promise, 1)
	go func() {
		var list []promise
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "#    -> ") && len(list) > 0:
				list[len(list)-1].expect = strings.TrimPrefix(line, "#    -> ")
			case strings.HasPrefix(line, "#    vneid-gateway "):
				// The same by command, for whoever has no curl.
			case strings.HasPrefix(line, "# "):
				list = append(list, promise{title: strings.TrimPrefix(line, "# ")})
			case strings.HasPrefix(line, "curl ") && len(list) > 0:
				list[len(list)-1].command = line
			case line == "Ctrl-C ends the demo.":
				all <- list
			}
		}
	}()
	select {
	case list := <-all:
		return list
	case <-demo.ended:
		t.Fatalf("the demo did not start; its ports must be free (%v):\n%s", demo.err, demo.output())
	case <-time.After(patience):
		t.Fatal("the demo did not get ready")
	}
	return nil
}

var (
	promisedStatus = regexp.MustCompile(`^[1-5]\d\d\b`)
	promisedCode   = regexp.MustCompile(`^\d{3} ([a-z]+(?:_[a-z]+)+)`)
	promisedField  = regexp.MustCompile(`(X-VNeID)?(-[A-Z][A-Za-z-]+)`)
)

func (p promise) verify(t *testing.T) {
	t.Helper()
	want, err := strconv.Atoi(promisedStatus.FindString(p.expect))
	if err != nil {
		t.Fatalf("no status is promised: %q", p.expect)
	}
	a := p.run(t)
	if a.status != want {
		t.Errorf("promised %s, got %d: %s", p.expect, a.status, a.body)
	}
	page := strings.Contains(p.expect, "as a page")
	if code := promisedCode.FindStringSubmatch(p.expect); code != nil && !page {
		a.refusedWith(t, want, code[1])
	}
	if page && (!strings.HasPrefix(a.header.Get("Content-Type"), "text/html") || !strings.Contains(a.body, "VNeID")) {
		t.Errorf("promised a page, got %s", a.header.Get("Content-Type"))
	}
	if strings.Contains(p.expect, "acr_values") && !strings.Contains(a.header.Get("WWW-Authenticate"), "acr_values=") {
		t.Errorf("challenge %q", a.header.Get("WWW-Authenticate"))
	}
	if _, fields, found := strings.Cut(p.expect, "the system sees "); found {
		saw := a.echo(t)
		for _, field := range promisedField.FindAllStringSubmatch(fields, -1) {
			name := http.CanonicalHeaderKey("X-VNeID" + field[2])
			if got := saw.Values(name); len(got) != 1 || got[0] == "" {
				t.Errorf("the system sees %s: %q", name, got)
			}
		}
	}
}

// run does what the line says: with curl, where there is one.
func (p promise) run(t *testing.T) answer {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		return p.send(t)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", p.command)
	cmd.Env = append(os.Environ(), "no_proxy=*")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, p.command)
	}
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(out)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}
}

var (
	curlMethod = regexp.MustCompile(` -X ([A-Z]+) `)
	curlURL    = regexp.MustCompile(` '(http://[^'/]+)(/[^']*)'`)
	curlHeader = regexp.MustCompile(` -H '([^':]+): ([^']*)'`)
	curlData   = regexp.MustCompile(` -d '([^']*)'`)
)

func (p promise) send(t *testing.T) answer {
	t.Helper()
	url := curlURL.FindStringSubmatch(p.command)
	if url == nil {
		t.Fatalf("no URL: %s", p.command)
	}
	if data := curlData.FindStringSubmatch(p.command); data != nil {
		return p.post(t, url[1]+url[2], data[1])
	}
	r := request{path: url[2], header: map[string]string{}}
	if method := curlMethod.FindStringSubmatch(p.command); method != nil {
		r.method = method[1]
	}
	for _, line := range curlHeader.FindAllStringSubmatch(p.command, -1) {
		if line[1] == "Host" {
			r.host = line[2]
			continue
		}
		r.header[line[1]] = line[2]
	}
	return send(t, url[1], r)
}

func (p promise) post(t *testing.T, url, data string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range curlHeader.FindAllStringSubmatch(p.command, -1) {
		req.Header.Set(line[1], line[2])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: resp.StatusCode, header: resp.Header, body: string(body)}
}
