package listen

import (
	"bufio"
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

const childVariable = "LISTEN_TEST_CHILD"

// TestInheritedSocketOutlivesItsProcess passes one socket to two processes, one
// after the other, as a service manager does. A connection made while none of
// them runs waits for the second.
func TestInheritedSocketOutlivesItsProcess(t *testing.T) {
	if os.Getenv(childVariable) != "" {
		inheritingChild(t)
		return
	}
	t.Parallel()
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	file, err := socket.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for range 2 {
		waits, err := net.Dial("tcp", socket.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		// LISTEN_PID must be the process's own: the shell becomes it.
		cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `LISTEN_PID=$$ exec "$0" "$@"`,
			os.Args[0], "-test.run", "^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), childVariable+"=1", "LISTEN_FDS=1", "LISTEN_FDNAMES=http")
		cmd.ExtraFiles = []*os.File{file}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		pid, err := bufio.NewReader(waits).ReadString('\n')
		if _, numeric := strconv.Atoi(strings.TrimSpace(pid)); err != nil || numeric != nil {
			t.Errorf("%q %v", pid, err)
		}
		_ = waits.Close()
	}
}

func inheritingChild(t *testing.T) {
	sockets := Inherit()
	if names := sockets.Names(); len(names) != 1 || names[0] != "http" || os.Getenv("LISTEN_FDS") != "" {
		t.Fatalf("%v", names)
	}
	r := NewRegistry(Config{MaxConnections: 1, Sockets: sockets})
	if _, err := r.Listen(t.Context(), ListenerConfig{Inherited: "https"}); !errors.Is(err, ErrNotInherited) {
		t.Errorf("another name: %v", err)
	}
	l, err := r.Listen(t.Context(), ListenerConfig{Inherited: "http"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Listen(t.Context(), ListenerConfig{Inherited: "http"}); !errors.Is(err, ErrNotInherited) {
		t.Errorf("taken twice: %v", err)
	}
	c, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte(strconv.Itoa(os.Getpid()) + "\n")); err != nil {
		t.Error(err)
	}
	_ = c.Close()
	// Its queue belongs to the next process: no SYN is dropped, nothing waited for.
	if err := l.Quiesce(t.Context()); err != nil {
		t.Error(err)
	}
}
