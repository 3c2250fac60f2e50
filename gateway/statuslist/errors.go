package statuslist

import (
	"errors"

	"github.com/vneid-gateway/vneid-gateway/gateway/identity"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

var (
	// ErrConfig means that a Config cannot be used: a fault of configuration.
	ErrConfig = errors.New("statuslist: configuration")
	// ErrSubject means a list about another address than the one it was fetched from.
	ErrSubject = errors.New("statuslist: list of another address")
	// ErrFormat means a list whose bits, lst or ttl is not what the specification has.
	ErrFormat = errors.New("statuslist: malformed list")
	// ErrUnpackedSize means a list that is larger, unpacked, than the configuration allows.
	ErrUnpackedSize = errors.New("statuslist: unpacked list too large")
	// ErrOlder means a list that was issued before the one that is held.
	ErrOlder = errors.New("statuslist: older than the list that is held")
	// ErrMemory means that all lists together would take more memory than the configuration allows.
	ErrMemory = errors.New("statuslist: no memory left for the list")
	// ErrPanic means a fault of the gateway's own while it fetched or read a list.
	ErrPanic = errors.New("statuslist: panic")
)

// The outcomes of a fetch that is good.
const (
	outcomeChanged   = "changed"
	outcomeUnchanged = "unchanged"
)

// outcomes gives each error its stable code. Of several that an error wraps, the first counts.
var outcomes = [...]struct {
	err  error
	code string
}{
	{identity.ErrBreakerOpen, "breaker_open"},
	{identity.ErrTimeout, "timeout"},
	{identity.ErrUnreachable, "unreachable"},
	{identity.ErrUntrusted, "untrusted"},
	{identity.ErrStatus, "status"},
	{identity.ErrTooLarge, "too_large"},
	{identity.ErrRedirect, "redirect"},
	{identity.ErrMalformed, "not_a_list"},
	{token.ErrTooLarge, "too_large"},
	{token.ErrMalformed, "not_a_list"},
	{token.ErrCritical, "not_a_list"},
	{token.ErrAlgorithm, "algorithm"},
	{token.ErrType, "wrong_type"},
	{token.ErrIssuer, "wrong_issuer"},
	{token.ErrKeyUnknown, "key_unknown"},
	{token.ErrKeyWithdrawn, "key_unknown"},
	{token.ErrSignature, "signature"},
	{token.ErrExpired, "expired"},
	{token.ErrNotYetValid, "in_future"},
	{token.ErrIssuedInFuture, "in_future"},
	{token.ErrClaimMissing, "claims"},
	{token.ErrClaimInvalid, "claims"},
	{ErrSubject, "wrong_subject"},
	{ErrFormat, "format"},
	{ErrUnpackedSize, "unpacked_too_large"},
	{ErrOlder, "older"},
	{ErrMemory, "memory"},
	{ErrPanic, "panic"},
}

const outcomeOther = "other"

// Outcomes lists what may become of a fetch, for metrics: changed and unchanged are good, all others are failures.
func Outcomes() []string {
	all := []string{outcomeChanged, outcomeUnchanged}
	seen := make(map[string]bool)
	for _, o := range outcomes {
		if !seen[o.code] {
			seen[o.code] = true
			all = append(all, o.code)
		}
	}
	return append(all, outcomeOther)
}

// outcomeOf returns the code of a fetch that failed.
func outcomeOf(err error) string {
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.code
		}
	}
	return outcomeOther
}
