package population

import (
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// Format is the value of [Manifest.Format]. A change that old readers would
// misread gets another.
const Format = "vneid-bench-corpus/1"

// The files of a corpus.
const (
	ManifestFile = "corpus.json"    // A [Manifest].
	RequestsFile = "requests.jsonl" // A [Line] for each request; secret as tokens are.
	IssuerFile   = "issuer.json"    // What [ServeIssuers] serves: private keys.
	GatewayFile  = "gateway.yaml"   // A configuration of vneid-gateway.
	RevokedFile  = "revoked.txt"    // The jti of what is to be revoked, one a line.
	AdminToken   = "admin-token"    // The operator's token of GatewayFile.
	ClientSecret = "gateway.secret" // With which the gateway introspects.
)

// Manifest says what a corpus holds.
type Manifest struct {
	Format    string    `json:"format"`
	Seed      uint32    `json:"seed"`
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is when the first token that must pass no longer does.
	ExpiresAt time.Time `json:"expires_at"`
	Issuers   []Issuer  `json:"issuers"`
	Sites     []Site    `json:"sites"`
	Reuse     Reuse     `json:"reuse"`
	Pools     Pools     `json:"pools"`
	// Classes has a row for each class that the corpus has requests of.
	Classes    []ClassCount `json:"classes"`
	Algorithms []NamedCount `json:"algorithms"`
	Sizes      []SizeCount  `json:"sizes"`
	// RequestsBytes is the length of [RequestsFile].
	RequestsBytes int64 `json:"requests_bytes"`
}

// Issuer is one that tokens of a corpus name.
type Issuer struct {
	// Name is how the gateway's configuration calls it.
	Name string `json:"name"`
	// URL is the "iss" of its tokens, exactly.
	URL string `json:"issuer"`
	// Audiences are the values of "aud" that the gateway is to accept.
	Audiences []string `json:"audiences"`
	// JWKS is its key set, public members only (RFC 7517 section 5); of an issuer
	// of opaque tokens it has none.
	JWKS KeySet `json:"jwks"`
	// IntrospectionURL is where it is asked about opaque tokens, else "".
	IntrospectionURL string `json:"introspection_url,omitzero"`
}

// KeySet is a key set of RFC 7517 section 5.
type KeySet struct {
	Keys []corpus.JWK `json:"keys"`
}

// Site is a system behind the gateway.
type Site struct {
	// Name is how the gateway's configuration calls it.
	Name string `json:"name"`
	// Host is what requests for it name.
	Host string `json:"host"`
	// Paths are asked for by GET in turn; a valid credential is enough for them.
	Paths []string `json:"paths"`
	// Audience is the "aud" of its users' tokens.
	Audience string `json:"audience"`
	// Share is its part of the requests, in the measure of the other sites'.
	Share float64 `json:"share"`
	// Upstreams are the URLs of its systems.
	Upstreams []string `json:"upstreams"`
}

// Reuse says which request is the n-th; see [Picker].
type Reuse struct {
	// ZipfExponent is s of a warm request's weight, rank^-s; 0 weighs all alike.
	ZipfExponent float64 `json:"zipf_exponent"`
	// ColdShare is the part of the requests, 0 to 1 in steps of a millionth, that
	// carry a token that was not sent before.
	ColdShare float64 `json:"cold_share"`
}

// Pools is how many requests each pool has.
type Pools struct {
	Warm int64 `json:"warm"`
	Cold int64 `json:"cold"`
}

// ClassCount counts the requests of a class.
type ClassCount struct {
	Class Class `json:"class"`
	Warm  int64 `json:"warm"`
	Cold  int64 `json:"cold"`
	// RequestShare is the part of the requests of a long load that are of this
	// class, 0 to 1: popular ones count for more.
	RequestShare float64 `json:"request_share"`
}

// NamedCount counts tokens.
type NamedCount struct {
	Name   string `json:"name"`
	Tokens int64  `json:"tokens"`
}

// SizeCount counts tokens of a size.
type SizeCount struct {
	Bytes  int   `json:"bytes"`
	Tokens int64 `json:"tokens"`
}
