package revocation

import (
	"strings"
	"sync"
	"sync/atomic"
)

// maxScopes is the number of issuers whose keys are held ready. Those of a gateway's configuration are few; names that
// only revocations mention must not push them out for long, so at the limit the list starts anew.
const maxScopes = 64

// scopes holds the derived keys of the issuers seen. Readers take no lock.
type scopes struct {
	secret Secret
	list   atomic.Pointer[[]*scope]
	mu     sync.Mutex
}

// of returns the issuer's scope. Only the first sight of an issuer allocates and derives. The list is read from its
// start: equal strings are mostly the same string, which Go sees without comparing their bytes.
func (s *scopes) of(issuer string) *scope {
	if list := s.list.Load(); list != nil {
		for _, sc := range *list {
			if sc.issuer == issuer {
				return sc
			}
		}
	}
	return s.add(issuer)
}

func (s *scopes) add(issuer string) *scope {
	sc := newScope(&s.secret, strings.Clone(issuer))
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*scope
	if old := s.list.Load(); old != nil && len(*old) < maxScopes {
		for _, other := range *old {
			if other.issuer == issuer {
				return other
			}
		}
		list = append(list, *old...)
	}
	list = append(list, sc)
	s.list.Store(&list)
	return sc
}
