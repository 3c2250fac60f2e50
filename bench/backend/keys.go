package backend

import (
	"fmt"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// keySet is what is published and what signs; the two differ only after SetKeySetJSON and PublishKey.
type keySet struct {
	signing   []*corpus.Key
	others    []corpus.JWK // published for whoever has their private halves
	published []byte
}

// SetKeys replaces the key set. Tokens are signed by the first key.
func (b *Backend) SetKeys(keys ...*corpus.Key) {
	_ = b.change(func(set *keySet) error {
		set.signing, set.others = slices.Clone(keys), nil
		return nil
	})
}

// PublishKey publishes the public half of a key that another has, who signs with it: the backend does not. The error is
// [ErrKey] where it has no kid or type, or its kid is taken.
func (b *Backend) PublishKey(key corpus.JWK) error {
	return b.change(func(set *keySet) error {
		switch {
		case key.ID == "" || key.KeyType == "":
			return fmt.Errorf("%w: a key without a kid or kty", ErrKey)
		case indexOf(set.signing, key.ID) >= 0 || otherOf(set.others, key.ID) >= 0:
			return fmt.Errorf("%w: %q is published already", ErrKey, key.ID)
		}
		set.others = append(slices.Clone(set.others), key)
		return nil
	})
}

// SetKeySetJSON replaces what is published as the key set by raw, whatever it is; the signing keys stay. The next
// change of keys undoes it.
func (b *Backend) SetKeySetJSON(raw []byte) {
	b.rotating.Lock()
	defer b.rotating.Unlock()
	old := b.keys.Load()
	b.keys.Store(&keySet{signing: old.signing, others: old.others, published: slices.Clone(raw)})
}

// AddKey publishes one more key, which signs nothing yet: the first step of a rotation. The error is [ErrKey] where its
// kid is taken.
func (b *Backend) AddKey(key *corpus.Key) error {
	return b.change(func(set *keySet) error {
		if indexOf(set.signing, key.ID()) >= 0 || otherOf(set.others, key.ID()) >= 0 {
			return fmt.Errorf("%w: %q is published already", ErrKey, key.ID())
		}
		set.signing = append(set.signing, key)
		return nil
	})
}

// SignWith lets the published key kid sign tokens from now on, for its algorithm and where none is asked for: the second
// step of a rotation. The error is [ErrKey].
func (b *Backend) SignWith(kid string) error {
	return b.change(func(set *keySet) error {
		i := indexOf(set.signing, kid)
		if i < 0 {
			return fmt.Errorf("%w: %q is not published, or not the backend's", ErrKey, kid)
		}
		key := set.signing[i]
		set.signing = slices.Insert(slices.Delete(set.signing, i, i+1), 0, key)
		return nil
	})
}

// RemoveKey withdraws the key kid, which signs nothing any more: the last step of a rotation. The error is [ErrKey].
func (b *Backend) RemoveKey(kid string) error {
	return b.change(func(set *keySet) error {
		if i := otherOf(set.others, kid); i >= 0 {
			set.others = slices.Delete(slices.Clone(set.others), i, i+1)
			return nil
		}
		i := indexOf(set.signing, kid)
		if i < 0 {
			return fmt.Errorf("%w: %q is not published", ErrKey, kid)
		}
		set.signing = slices.Delete(set.signing, i, i+1)
		return nil
	})
}

// change replaces the keys by what a step makes of a copy of them.
func (b *Backend) change(step func(*keySet) error) error {
	b.rotating.Lock()
	defer b.rotating.Unlock()
	set := &keySet{}
	if old := b.keys.Load(); old != nil {
		set.signing, set.others = slices.Clone(old.signing), old.others
	}
	if err := step(set); err != nil {
		return err
	}
	set.published = corpus.PublicKeySetJSON(set.others, set.signing...)
	b.keys.Store(set)
	return nil
}

func otherOf(keys []corpus.JWK, kid string) int {
	return slices.IndexFunc(keys, func(k corpus.JWK) bool { return k.ID == kid })
}

func indexOf(keys []*corpus.Key, kid string) int {
	return slices.IndexFunc(keys, func(k *corpus.Key) bool { return k.ID() == kid })
}

// SetCacheControl replaces that header's value on the key set; empty means no such header.
func (b *Backend) SetCacheControl(value string) { b.cacheControl.Store(&value) }

// Keys returns the published keys that are the backend's, the one that signs first. The slice is the caller's.
func (b *Backend) Keys() []*corpus.Key { return slices.Clone(b.keys.Load().signing) }
