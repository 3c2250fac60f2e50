package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

const (
	// streamed is the size of a body of TestAGibibyteStreams….
	streamed = 1 << 30
	// residentCeiling bounds the gateway's memory while it passes four of them.
	residentCeiling = 96 << 20
)

func TestAGibibyteStreamsBothWaysInBoundedMemory(t *testing.T) {
	t.Parallel()
	g, token := readyGateway(t, "ES256", "shutdown: { delay: 0s, deadline: 5s }")
	t.Run("transfers", func(t *testing.T) {
		for _, framing := range []string{"Content-Length", "chunked"} {
			t.Run("upload by "+framing, func(t *testing.T) {
				t.Parallel()
				length := int64(streamed)
				if framing == "chunked" {
					length = -1
				}
				body, _ := transfer(t, g, token, http.MethodPost, "/upload", io.LimitReader(zeros{}, streamed), length)
				got, err := io.ReadAll(body)
				if err != nil || strings.TrimSpace(string(got)) != fmt.Sprintf(`{"bytes":%d}`, streamed) {
					t.Errorf("%s, %v", got, err)
				}
			})
			t.Run("download by "+framing, func(t *testing.T) {
				t.Parallel()
				path, length := fmt.Sprintf("/bytes?n=%d", streamed), int64(streamed)
				if framing == "chunked" {
					path, length = path+"&chunked=1", -1
				}
				body, announced := transfer(t, g, token, http.MethodGet, path, http.NoBody, 0)
				if announced != length {
					t.Errorf("announced as %d bytes, want %d", announced, length)
				}
				if n, err := io.Copy(io.Discard, body); n != streamed || err != nil {
					t.Errorf("%d bytes, %v", n, err)
				}
			})
		}
	})
	peak := residentPeak(t, g.pid)
	t.Logf("peak resident set: %d MiB", peak>>20)
	if peak > residentCeiling {
		t.Errorf("the gateway held up to %d MiB", peak>>20)
	}
	g.stop(t)
}

// transfer sends a request and returns the response's body and its announced
// length.
func transfer(t *testing.T, g *process, token, method, path string, body io.Reader, length int64) (io.Reader, int64) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.data+path, body)
	if err != nil {
		t.Fatal(err)
	}
	req.Host, req.ContentLength = testHost, length
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := (&http.Transport{DisableKeepAlives: true, WriteBufferSize: 256 << 10, ReadBufferSize: 256 << 10}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("status %d", resp.StatusCode)
	}
	return resp.Body, resp.ContentLength
}

// zeros is an endless stream.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// residentPeak returns the most memory that the process ever held, in bytes.
func residentPeak(t testing.TB, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Skip("the peak is known from /proc only:", err)
	}
	for line := range strings.Lines(string(status)) {
		var kib int64
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Fatal("no VmHWM")
	return 0
}
