package backend

import (
	"fmt"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// keySet is what is published and what signs; the two differ only after SetKeySetJSON.
type keySet struct {
	signing   []*corpus.Key
	published []byte
}

// SetKeys replaces the key set. Tokens are signed by the first key.
func (b *Backend) SetKeys(keys ...*corpus.Key) {
	_ = b.rotate(func([]*corpus.Key) ([]*corpus.Key, error) { return slices.Clone(keys), nil })
}

// SetKeySetJSON replaces what is published as the key set by raw, whatever it is; the signing keys stay. The next
// change of keys undoes it.
func (b *Backend) SetKeySetJSON(raw []byte) {
	b.rotating.Lock()
	defer b.rotating.Unlock()
	b.keys.Store(&keySet{signing: b.keys.Load().signing, published: slices.Clone(raw)})
}

// AddKey publishes one more key, which signs nothing yet: the first step of a rotation. The error is [ErrKey] where its
// kid is taken.
func (b *Backend) AddKey(key *corpus.Key) error {
	return b.rotate(func(keys []*corpus.Key) ([]*corpus.Key, error) {
		if indexOf(keys, key.ID()) >= 0 {
			return nil, fmt.Errorf("%w: %q is published already", ErrKey, key.ID())
		}
		return append(keys, key), nil
	})
}

// SignWith lets the published key kid sign tokens from now on, for its algorithm and where none is asked for: the second
// step of a rotation. The error is [ErrKey].
func (b *Backend) SignWith(kid string) error {
	return b.rotate(func(keys []*corpus.Key) ([]*corpus.Key, error) {
		i := indexOf(keys, kid)
		if i < 0 {
			return nil, fmt.Errorf("%w: %q is not published", ErrKey, kid)
		}
		key := keys[i]
		return slices.Insert(slices.Delete(keys, i, i+1), 0, key), nil
	})
}

// RemoveKey withdraws the key kid, which signs nothing any more: the last step of a rotation. The error is [ErrKey].
func (b *Backend) RemoveKey(kid string) error {
	return b.rotate(func(keys []*corpus.Key) ([]*corpus.Key, error) {
		i := indexOf(keys, kid)
		if i < 0 {
			return nil, fmt.Errorf("%w: %q is not published", ErrKey, kid)
		}
		return slices.Delete(keys, i, i+1), nil
	})
}

// rotate replaces the keys by what change makes of a copy of them.
func (b *Backend) rotate(change func([]*corpus.Key) ([]*corpus.Key, error)) error {
	b.rotating.Lock()
	defer b.rotating.Unlock()
	var keys []*corpus.Key
	if old := b.keys.Load(); old != nil {
		keys = slices.Clone(old.signing)
	}
	keys, err := change(keys)
	if err != nil {
		return err
	}
	b.keys.Store(&keySet{signing: keys, published: corpus.KeySetJSON(keys...)})
	return nil
}

func indexOf(keys []*corpus.Key, kid string) int {
	return slices.IndexFunc(keys, func(k *corpus.Key) bool { return k.ID() == kid })
}

// SetCacheControl replaces that header's value on the key set; empty means no such header.
func (b *Backend) SetCacheControl(value string) { b.cacheControl.Store(&value) }

// Keys returns the published keys, the one that signs first. The slice is the caller's.
func (b *Backend) Keys() []*corpus.Key { return slices.Clone(b.keys.Load().signing) }
