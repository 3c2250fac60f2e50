package loopback_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
)

func TestARefusingServerRefusesConnectionsUntilItAcceptsAgain(t *testing.T) {
	t.Parallel()
	addresses := []string{loopback.AnyPort}
	if listener, err := loopback.Listen(t.Context(), "[::1]:0"); err == nil {
		addresses = append(addresses, listener.Addr().String())
		_ = listener.Close()
	}
	for _, address := range addresses {
		server := serve(t, address)
		for range 3 {
			if err := ask(t, server); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := server.Refuse(0); err != nil {
					t.Fatal(err)
				}
			}
			if err := ask(t, server); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("refusing: %v", err)
			}
			for range 2 {
				if err := server.Accept(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := ask(t, server); err != nil {
			t.Error(err)
		}
	}
}

func TestRefusingEndsByItselfWhenATimeIsSet(t *testing.T) {
	t.Parallel()
	server := serve(t, "")
	if err := server.Refuse(time.Millisecond); err != nil {
		t.Fatal(err)
	}
	for ask(t, server) != nil { // For ever, if it never accepts again.
		runtime.Gosched()
	}
}

func TestAHandlerMayRefuse(t *testing.T) {
	t.Parallel()
	listener, err := loopback.Listen(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var server *loopback.Server
	known, refused := make(chan struct{}), make(chan error, 1)
	server = loopback.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		<-known
		w.WriteHeader(http.StatusNoContent)
		_ = http.NewResponseController(w).Flush()
		refused <- server.Refuse(0)
	}))
	close(known)
	t.Cleanup(func() { _ = server.Close() })
	if err := ask(t, server); err != nil {
		t.Error(err)
	}
	if err := <-refused; err != nil {
		t.Error(err)
	}
	if err := ask(t, server); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refusing: %v", err)
	}
}

func TestAClosedServerStaysClosed(t *testing.T) {
	t.Parallel()
	server := serve(t, "")
	if err := errors.Join(server.Refuse(time.Hour), server.Close(), server.Close(), server.Refuse(time.Nanosecond)); err != nil {
		t.Fatal(err)
	}
	if err := server.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accepting: %v", err)
	}
	if err := ask(t, server); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("closed: %v", err)
	}
}

func serve(t *testing.T, address string) *loopback.Server {
	t.Helper()
	listener, err := loopback.Listen(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	server := loopback.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "here")
	}))
	t.Cleanup(func() { _ = server.Close() })
	return server
}

func ask(t *testing.T, server *loopback.Server) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return err
}
