package loopback

import (
	"context"
	"errors"
	"net"
	"time"
)

// reopenAgain is how long after a failure the port is opened anew, where refusing was to end by itself.
const reopenAgain = 50 * time.Millisecond

// Refuse cuts every connection and lets the system refuse new ones, as it does for a process that is gone, until
// [Server.Accept], or for lasting where that is more than 0. The port stays this server's. Refusing anew replaces the
// time that is left. A closed server refuses already.
func (s *Server) Refuse(lasting time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	var err error
	if s.serving != nil {
		err = s.cut()
		var held error
		s.release, held = hold(s.address)
		err = errors.Join(err, held)
	}
	s.stopTimer()
	if lasting > 0 {
		s.acceptAfter(lasting)
	}
	return err
}

// Accept ends what [Server.Refuse] began. The error is net.ErrClosed for a closed server, or what net.Listen says.
func (s *Server) Accept() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.accept()
}

func (s *Server) accept() error {
	if s.closed {
		return net.ErrClosed
	}
	if s.serving != nil {
		return nil
	}
	// Listening succeeds beside the socket that holds the port, so that no one else gets it in between.
	listener, err := Listen(context.Background(), s.address)
	if err != nil {
		return err
	}
	s.free()
	s.serve(listener)
	return nil
}

// acceptAfter is called with the lock held.
func (s *Server) acceptAfter(wait time.Duration) {
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.reopen != timer {
			return // Refused anew, accepted or closed meanwhile.
		}
		if err := s.accept(); err != nil {
			s.acceptAfter(reopenAgain)
		}
	})
	s.reopen = timer
}

func (s *Server) stopTimer() {
	if s.reopen != nil {
		s.reopen.Stop()
		s.reopen = nil
	}
}

// free ends the holding of the port, and the wait for its end.
func (s *Server) free() {
	s.stopTimer()
	if s.release != nil {
		s.release()
		s.release = nil
	}
}
