package revocation

import (
	"sync/atomic"

	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// An issuer has a handful of keys, and they sign millions of tokens: that a key is not in the store is worth
// remembering until the next entry for a key arrives.
const memos = 16

type keyMemo struct {
	key     *token.Key
	scope   *scope
	version uint64
}

type keyMemos struct {
	// version counts the changes to entries for kids and thumbprints. It is raised after the change.
	version atomic.Uint64
	memo    [memos]atomic.Pointer[keyMemo]
}

func (m *keyMemos) at(k *token.Key) *atomic.Pointer[keyMemo] {
	tp := k.Thumbprint()
	return &m.memo[tp[0]%memos]
}

// absent reports whether the key was looked for since the last change and not found. Where it was not, version is what
// remember wants.
func (m *keyMemos) absent(sc *scope, k *token.Key) (known bool, version uint64) {
	version = m.version.Load()
	p := m.at(k).Load()
	return p != nil && p.key == k && p.scope == sc && p.version == version, version
}

// remember takes note that a key was not found in a search that began at version. A key never takes a place from
// another that is still good, so a gateway with many keys does not allocate on and on.
func (m *keyMemos) remember(sc *scope, k *token.Key, version uint64) {
	at := m.at(k)
	old := at.Load()
	if old == nil || old.version != m.version.Load() || old.key.Withdrawn() {
		at.CompareAndSwap(old, &keyMemo{key: k, scope: sc, version: version})
	}
}
