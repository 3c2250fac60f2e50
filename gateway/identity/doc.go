// Package identity is the client of the identity backend: it brings the key
// sets of the issuers into memory and keeps them fresh there. A request never
// waits for it.
package identity
