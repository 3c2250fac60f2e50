package upstream

import (
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// A stop is seen at once by a read that waits, and by one that is about to: its
// deadline may have been set behind the stop.
func TestAStopIsSeenByAReadThatWaitsAndByOneToCome(t *testing.T) {
	t.Parallel()
	for name, waits := range map[string]bool{"waits": true, "to come": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				here, there := net.Pipe()
				defer there.Close()
				defer here.Close()
				c := newConn(link{Conn: here, socket: here}, 0)
				s := &Streaming{Tunnels: NewTunnels(0)}
				e := s.events(there, c, nil)
				began, ended := time.Now(), make(chan error, 1)
				read := func() {
					_ = c.extendRead(time.Now(), time.Hour)
					_, err := c.br.Peek(1)
					ended <- err
				}
				if waits {
					go read()
					synctest.Wait()
				}
				if n := s.Tunnels.CloseWhere(func(Observer) bool { return true }); n != 1 {
					t.Errorf("%d stopped", n)
				}
				if !waits {
					go read()
				}
				if err := <-ended; !errors.Is(err, ErrTunnelClosed) || time.Since(began) > 0 {
					t.Errorf("%v after %v", err, time.Since(began))
				}
				if !e.leave() {
					t.Error("not known to be stopped")
				}
			})
		})
	}
}
