// Package population mints tokens for a whole population, and sends them.
//
// # A corpus
//
// A corpus is a directory that [Mint] writes: requests with credentials, and with
// each what its answer must be. [Corpus.Source] makes them the requests of an
// attack. The files:
//
//	requests.jsonl  a [Line] for each request: warm ones, most popular first, then cold ones
//	corpus.json     the [Manifest]: counts, shares, sites, key sets, until when it is valid
//	issuer.json     private keys and opaque tokens, for [ServeIssuers]; mode 0600
//	gateway.yaml    a configuration of vneid-gateway with which every class gets what its lines expect
//	revoked.txt     the jti of each token of class revoked, one a line, for vneid-gateway revoke --jti - --from-file
//	admin-token     the bearer token of that gateway's admin listener; mode 0600
//	gateway.secret  with which it introspects, where there are opaque tokens; mode 0600
//
// The manifest is written last: a directory without one is no corpus.
//
// # Classes
//
// A [Class] says what is the matter with a credential. Its share counts requests of
// a load, and not lines: popular lines count for as often as they come, so that 1%
// of expired tokens is 1% of the requests whatever the popularity. Answers are
// checked against what the line expects; see [Check] and [Source.Judge] for what
// is a wrong verdict and what is not.
//
// Revoked tokens are as good as any until somebody revokes them: a load with the
// class revoked needs revoked.txt to be revoked at the gateway before.
//
// # Reuse
//
// Warm requests come again and again, by Zipf's law. Cold ones come once: which
// request is the n-th is a pure function of the seed and n ([Picker]), the same here
// and in k6's JavaScript, so that machines that divide a load among them send each
// cold token once. A load that needs more cold tokens than there are is refused
// before it begins where its length is known ([Source.Enough]), and else ended.
//
// # Memory
//
// Minting holds a few batches of requests for each processor, and the opaque tokens,
// which are bounded by [MaxOpaque]. A source holds every request as it goes over the
// wire, in large pieces without pointers, 72 bytes beside it, and 8 more for each
// warm one: 1.2 KiB for a token of 1 KiB. [SourceConfig].MaxBytes bounds it.
package population
