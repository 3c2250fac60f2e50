package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// The clients and the upstream of a benchmark run in a process of their own:
// what the benchmark's process uses is then the gateway's alone. The test
// binary starts itself for it, with loadVariable set.
const (
	loadVariable = "VNEID_GATEWAY_TEST_LOAD"
	loadClients  = 16
)

// load is one order to the other process: so many of this request.
type load struct {
	Address string
	Request string
	Count   int
}

// loader is the other process, from this one's side.
type loader struct {
	upstream string // its upstream's address
	orders   *json.Encoder
	reports  *bufio.Reader
}

func startLoader(b *testing.B) *loader {
	b.Helper()
	cmd := exec.Command(os.Args[0]) //nolint:gosec // this very binary
	cmd.Env = append(os.Environ(), loadVariable+"=1", "GOMAXPROCS=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	l := &loader{orders: json.NewEncoder(in), reports: bufio.NewReader(out)}
	l.upstream = l.report(b)
	return l
}

func (l *loader) report(b *testing.B) string {
	b.Helper()
	line, err := l.reports.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return line[:len(line)-1]
}

// run has n requests made and waits for their answers.
func (l *loader) run(b *testing.B, address, request string, n int) {
	b.Helper()
	if err := l.orders.Encode(load{address, request, n}); err != nil {
		b.Fatal(err)
	}
	if report := l.report(b); report != "done" {
		b.Fatal(report)
	}
}

// bearLoad is the other process: an upstream, and clients on order, until in
// ends.
func bearLoad(in io.Reader, out io.Writer) error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go answerAll(conn)
		}
	}()
	if _, err := fmt.Fprintln(out, ln.Addr()); err != nil {
		return err
	}
	orders := json.NewDecoder(in)
	for {
		var order load
		if err := orders.Decode(&order); err != nil {
			return nil
		}
		report := "done"
		if err := order.bear(); err != nil {
			report = err.Error()
		}
		if _, err := fmt.Fprintln(out, report); err != nil {
			return err
		}
	}
}

// answerAll answers each read, which holds one head, with the same response.
func answerAll(conn net.Conn) {
	defer conn.Close()
	var buf [16 << 10]byte
	for {
		n, err := conn.Read(buf[:])
		if err != nil {
			return
		}
		if bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			_, _ = conn.Write([]byte(cannedResponse))
		}
	}
}

func (l load) bear() error {
	var (
		clients sync.WaitGroup
		mu      sync.Mutex
		failed  error
	)
	for range loadClients {
		clients.Go(func() {
			if err := l.client(max(l.Count/loadClients, 1)); err != nil {
				mu.Lock()
				failed = err
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	return failed
}

func (l load) client(n int) error {
	conn, err := net.Dial("tcp", l.Address)
	if err != nil {
		return err
	}
	defer conn.Close()
	var buf [4 << 10]byte
	for range n {
		if _, err := io.WriteString(conn, l.Request); err != nil {
			return err
		}
		for got := 0; !bytes.HasSuffix(buf[:got], []byte("good")); {
			m, err := conn.Read(buf[got:])
			if err != nil {
				return fmt.Errorf("%w after %q", err, buf[:got])
			}
			got += m
		}
	}
	return nil
}
