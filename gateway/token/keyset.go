package token

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of a key set.
const (
	// MaxKeySetBytes is the length of the longest key set document that is read.
	MaxKeySetBytes = 512 << 10
	// MaxKeys is the number of keys, usable or not, that a key set may have.
	MaxKeys = 64
)

// KeySetOptions is how a key set is read.
type KeySetOptions struct {
	// Algorithms are the names of the algorithms that the issuer may use, out of SupportedAlgorithms; a key serves no
	// other. Empty means all of them.
	Algorithms []string
	// AllowOtherExponents lets RSA keys have any odd public exponent from 3 to 2^31-1. Defaults to 65537 only.
	AllowOtherExponents bool
}

// SkippedKey is one key of a set that was left out, the others being kept.
type SkippedKey struct {
	// Index is the key's position in the set's "keys" array, from 0.
	Index int
	// KeyID is kid, "" where it is absent or unfit to be shown.
	KeyID string
	// Reason says why.
	Reason SkipReason
}

// ParseKeySet reads a JWK Set (RFC 7517 section 5). A fault in one key loses that key only: it is in skipped, in the
// order of the document, with its reason. An error wraps ErrKeySet and means that the document as a whole is
// unusable, which includes that it has not one usable key; skipped is filled in even then. The result holds no
// reference to data.
//
// A key without alg serves those of the allowed algorithms that its kty and crv fit. A key without kid is kept where
// it is the only one of its kty.
func ParseKeySet(data []byte, opts KeySetOptions) (keys []*Key, skipped []SkippedKey, err error) {
	allowed := opts.Algorithms
	if len(allowed) == 0 {
		allowed = SupportedAlgorithms()
	}
	texts, err := keyDocuments(data)
	if err != nil {
		return nil, nil, err
	}
	reasons := make([]SkipReason, len(texts))
	found := make([]*Key, len(texts))
	ids := make([]string, len(texts))
	for i, text := range texts {
		j, reason := readJWK(text)
		ids[i] = j.kid
		if reason == "" {
			found[i], reason = j.key(allowed, opts.AllowOtherExponents)
		}
		reasons[i] = reason
	}
	skipAmbiguous(found, reasons)
	for i, reason := range reasons {
		if reason != "" {
			skipped = append(skipped, SkippedKey{Index: i, KeyID: ids[i], Reason: reason})
			continue
		}
		keys = append(keys, found[i])
	}
	if len(keys) == 0 {
		return nil, skipped, fmt.Errorf("%w: no usable key among %d", ErrKeySet, len(texts))
	}
	return keys, skipped, nil
}

// skipAmbiguous gives a reason to each key that a token's kid and alg would not single out.
func skipAmbiguous(found []*Key, reasons []SkipReason) {
	given := slices.Clone(reasons) // Each pair is judged by the document, not by what was skipped a moment ago.
	skip := func(i int, reason SkipReason) {
		if reasons[i] == "" {
			reasons[i] = reason
		}
	}
	for i, a := range found {
		for j, b := range found[:i] {
			if given[i] != "" || given[j] != "" {
				continue
			}
			overlap := slices.ContainsFunc(a.algorithms, func(s *algorithm) bool { return slices.Contains(b.algorithms, s) })
			if a.id == b.id && a.thumbprint == b.thumbprint && slices.Equal(a.algorithms, b.algorithms) {
				skip(i, SkipDuplicate)
				continue
			}
			if a.kty == b.kty && a.id == "" {
				skip(i, SkipNoID)
			}
			if a.kty == b.kty && b.id == "" {
				skip(j, SkipNoID)
			}
			// RFC 7517 section 4.5: different keys should have different kids, save for keys of different kty.
			if a.id == b.id && overlap {
				skip(i, SkipDuplicate)
				skip(j, SkipDuplicate)
			}
		}
	}
}

// keyDocuments cuts a JWK Set into its keys. They are of valid syntax but may have duplicate members: RFC 7517 section 4
// has those refused key by key.
func keyDocuments(data []byte) ([]jsontext.Value, error) {
	fault := func(what string) ([]jsontext.Value, error) { return nil, fmt.Errorf("%w: %s", ErrKeySet, what) }
	if len(data) > MaxKeySetBytes {
		return fault("too many bytes")
	}
	dec := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))
	if dec.PeekKind() != jsontext.KindBeginObject {
		return fault("not a JSON object")
	}
	if _, err := dec.ReadToken(); err != nil {
		return fault("JSON syntax")
	}
	var list jsontext.Value
	for dec.PeekKind() != jsontext.KindEndObject {
		name, err := dec.ReadValue()
		if err != nil {
			return fault("JSON syntax")
		}
		isKeys := string(unquote(name)) == "keys"
		value, err := dec.ReadValue()
		if err != nil {
			return fault("JSON syntax")
		}
		if isKeys && list != nil {
			return fault("keys given twice")
		}
		if isKeys {
			list = value.Clone()
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return fault("JSON syntax")
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return fault("data after the JSON object")
	}
	// RFC 7517 section 5.1: "keys" must be there, an array. A set that says null must not wipe a good one.
	if list.Kind() != jsontext.KindBeginArray {
		return fault("no array of keys")
	}
	return values(list)
}

// values cuts a JSON array of valid syntax into at most MaxKeys values.
func values(array jsontext.Value) ([]jsontext.Value, error) {
	dec := jsontext.NewDecoder(bytes.NewBuffer(array), jsontext.AllowDuplicateNames(true))
	if _, err := dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("%w: JSON syntax", ErrKeySet)
	}
	var all []jsontext.Value
	for dec.PeekKind() != jsontext.KindEndArray {
		value, err := dec.ReadValue()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: JSON syntax", ErrKeySet)
		case len(all) == MaxKeys:
			return nil, fmt.Errorf("%w: more than %d keys", ErrKeySet, MaxKeys)
		}
		all = append(all, value.Clone())
	}
	return all, nil
}
