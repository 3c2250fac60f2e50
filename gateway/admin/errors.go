package admin

import "errors"

// ErrKeyNotFound means that a KeyAdmin knows no such issuer, or that the issuer
// has no such key to purge or to allow.
var ErrKeyNotFound = errors.New("admin: no such issuer or key")
