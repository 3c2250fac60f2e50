package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// account is what a server says of one request.
type account struct {
	Run    string `json:"run"`
	Method string `json:"method"`
	Target string `json:"target"`
	Body   []byte `json:"body"`
	// status is what the server answered, 0 where it does not say so.
	status int
}

// server is an upstream that nobody here wrote, in a process of its own.
type server struct {
	url string
	// stop ends it in order. It returns the requests in its own log and those
	// of which it read the body to its end, in order.
	stop func(t *testing.T) (logged, whole []account)
}

// program finds a program, or skips the test; in continuous integration, where
// everything is installed, it fails.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		for _, folder := range []string{"/usr/sbin", "/usr/local/sbin"} {
			if p, err := exec.LookPath(filepath.Join(folder, name)); err == nil {
				return p
			}
		}
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	return path
}

// proxied starts a server as a reverse proxy in front of a recorder: its log
// tells which requests it read, the recorder which bodies. identity is the line
// of its configuration that says as whom root runs it.
func proxied(t *testing.T, name, config string, args func(file string) []string, end os.Signal, identity string, parse func(line string) account) server {
	t.Helper()
	path := program(t, name)
	recorder := recordFraming(t)
	dir, err := os.MkdirTemp("", "framing-"+name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	address := reserve(t)
	template, err := os.ReadFile(filepath.Join("testdata", "framing", config))
	if err != nil {
		t.Fatal(err)
	}
	if os.Getuid() != 0 {
		identity = "" // Only root can take another.
	}
	text := strings.NewReplacer("DIR", dir, "LISTEN", address, "BEHIND", recorder.Address(), "USER", identity, "MODULES", "/usr/lib/apache2/modules").Replace(string(template))
	file := filepath.Join(dir, config)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, exec.Command(path, args(file)...))
	t.Cleanup(func() {
		// Killed at once, it would leave its workers behind.
		_ = p.signal(syscall.SIGTERM)
		<-p.ended
		if t.Failed() {
			text, _ := os.ReadFile(filepath.Join(dir, "error.log"))
			t.Logf("error log of %s:\n%.4000s", path, text)
		}
	})
	awaitListener(t, p, address)
	return server{url: "http://" + address, stop: func(t *testing.T) (logged, whole []account) {
		t.Helper()
		if err := p.signal(end); err != nil {
			t.Fatal(err)
		}
		if err := p.wait(t); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, request := range rested(t, recorder) {
			if request.Err != nil {
				continue
			}
			line := strings.Fields(request.Lines()[0])
			whole = append(whole, account{
				Run: strings.Join(request.Values("X-Request-Id"), ","), Method: line[0], Target: line[1], Body: request.Content,
			})
		}
		text, err := os.ReadFile(filepath.Join(dir, "access.log"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			logged = append(logged, parse(strings.TrimSuffix(line, "\n")))
		}
		return logged, whole
	}}
}

func startNginx(t *testing.T) server {
	t.Helper()
	self, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	return proxied(t, "nginx", "nginx.conf", func(file string) []string {
		return []string{"-c", file, "-p", filepath.Dir(file), "-e", "stderr"}
	}, syscall.SIGQUIT, "user "+self.Username+";", func(line string) account {
		parts := strings.SplitN(line+"   ", " ", 4)
		return account{Run: parts[0], status: number(parts[1]), Method: parts[2], Target: strings.TrimRight(parts[3], " ")}
	})
}

func startApache(t *testing.T) server {
	t.Helper()
	// It refuses to serve as root. Nothing that it opens as another depends on
	// rights.
	return proxied(t, "apache2", "apache.conf", func(file string) []string {
		return []string{"-D", "FOREGROUND", "-f", file}
	}, syscall.SIGWINCH, "User #65534\nGroup #65534", func(line string) account {
		parts := strings.SplitN(line+"  ", " ", 3)
		request := strings.Split(strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(parts[2])+"  ", " ")
		return account{Run: parts[0], status: number(parts[1]), Method: request[0], Target: request[1]}
	})
}

func startNode(t *testing.T) server {
	t.Helper()
	cmd := exec.Command(program(t, "node"), filepath.Join("testdata", "framing", "node.js"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	var hello struct{ Port int }
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &hello) != nil || hello.Port == 0 {
		t.Fatalf("it said %q", lines.Text())
	}
	done := make(chan []account, 1)
	go func() {
		var all []account
		for lines.Scan() {
			var a account
			if json.Unmarshal(lines.Bytes(), &a) != nil || a.Method == "" {
				a.Method = lines.Text()
			}
			all = append(all, a)
		}
		done <- all
	}()
	return server{url: fmt.Sprintf("http://127.0.0.1:%d", hello.Port), stop: func(t *testing.T) (logged, whole []account) {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		all := <-done
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
		return all, all
	}}
}

// awaitListener returns when somebody accepts connections.
func awaitListener(t *testing.T, p *process, address string) {
	t.Helper()
	limit := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-p.ended:
			t.Fatalf("it ended: %v\n%s", p.err, p.output())
		case <-limit:
			t.Fatal("it does not listen")
		}
	}
}

// number reads a status, -1 if it is none.
func number(text string) int {
	var n int
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil {
		return -1
	}
	return n
}
