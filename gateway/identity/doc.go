// Package identity is the client of the identity backend: it brings the key
// sets of the issuers into memory and keeps them fresh there, and asks issuers
// about tokens that only they can judge. A request waits for it where nothing in
// memory can answer, for a bounded time, and never otherwise.
package identity
