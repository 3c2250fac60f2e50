package listen

import (
	"fmt"
	"net"
	"os"
	"sync"

	"github.com/coreos/go-systemd/v22/activation"
)

// Sockets are those that the service manager passed to the process (sd_listen_fds(3)).
// Its methods are safe for concurrent use.
type Sockets struct {
	mu    sync.Mutex
	files []*os.File // nil once taken
}

// Inherit takes over the sockets that the environment announces (LISTEN_PID,
// LISTEN_FDS, LISTEN_FDNAMES), and clears those variables so that no child
// process takes them for its own. To be called once, before anything else is
// opened.
func Inherit() *Sockets { return &Sockets{files: activation.Files(true)} }

// Names returns the names of the sockets that are left, in their order.
func (s *Sockets) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for _, f := range s.files {
		if f != nil {
			names = append(names, f.Name())
		}
	}
	return names
}

// take returns the first socket of that name that is left.
func (s *Sockets) take(name string) (net.Listener, error) {
	if s == nil {
		return nil, fmt.Errorf("%w: %q", ErrNotInherited, name)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.files {
		if f == nil || f.Name() != name {
			continue
		}
		ln, err := net.FileListener(f) // of a copy of the descriptor
		if err != nil {
			return nil, fmt.Errorf("%w: %q: %w", ErrNotInherited, name, err)
		}
		s.files[i] = nil
		return ln, f.Close()
	}
	return nil, fmt.Errorf("%w: %q", ErrNotInherited, name)
}
