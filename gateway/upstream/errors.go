package upstream

import (
	"errors"
	"fmt"
)

var (
	// ErrUnreachable means that no upstream of the site took the connection,
	// or not in time: nothing of the request was sent.
	ErrUnreachable = errors.New("upstream: unreachable")
	// ErrSaturated means that every upstream of the site that could be reached
	// has its bound of connections in use: nothing of the request was sent.
	ErrSaturated = errors.New("upstream: all connections in use")
	// ErrUnavailable means that no upstream of the site is to be asked now:
	// each has its breaker open or fails its health checks. Nothing of the
	// request was sent, and nothing was waited for; Group.RetryAfter tells when
	// it is worth trying again.
	ErrUnavailable = errors.New("upstream: none available")
	// ErrTimeout means that an upstream let a time limit pass. The request
	// may have been acted on.
	ErrTimeout = errors.New("upstream: timed out")
	// ErrClosed means that the connection broke before a whole response head
	// came. The request may have been acted on.
	ErrClosed = errors.New("upstream: connection closed before a response")
	// ErrResponse means that the response could not be read in one way only,
	// or that its short body broke off. The request may have been acted on.
	ErrResponse = errors.New("upstream: malformed response")
	// ErrNominations means that the client's Connection fields nominate more
	// than 16 fields. Nothing of the request was sent.
	ErrNominations = errors.New("upstream: too many fields nominated in Connection")
	// ErrRequestBody means that the client's body broke off, came too slowly
	// or was malformed: the upstream's connection was closed so that it cannot
	// take the part for the whole.
	ErrRequestBody = errors.New("upstream: request body broke off")
	// ErrBodyTooLarge means that the client's body outgrew the site's bound.
	// The upstream's connection was closed as for ErrRequestBody.
	ErrBodyTooLarge = errors.New("upstream: request body too large")
	// ErrBodySlow means that the client's body came more slowly than
	// [Streaming.RequestRate] allows. It is an ErrRequestBody, too, and the
	// upstream's connection was closed as for it.
	ErrBodySlow = fmt.Errorf("%w: too slow", ErrRequestBody)
	// ErrReaderSlow ends a response that the client took more slowly than
	// [Streaming.ResponseRate] allows.
	ErrReaderSlow = errors.New("upstream: response taken too slowly")
	// ErrClientGone means that the client closed its connection, or ended its
	// side of it, before it had its response. The upstream's connection was
	// closed, so that it can stop; the request may have been acted on. Close
	// the client's, too: requests that it sent ahead are for nobody.
	ErrClientGone = errors.New("upstream: client gone")
	// ErrTunnels means that the bound of open tunnels is reached, or that they
	// are being closed for good: nothing of the request was sent.
	ErrTunnels = errors.New("upstream: all tunnels in use")
	// ErrUpgradeEarly means that the client sent more before it was told that
	// the protocol had changed. Close its connection behind the answer.
	ErrUpgradeEarly = errors.New("upstream: client went on before the upgrade")

	// ErrTunnelIdle ends a tunnel that carried nothing for too long.
	ErrTunnelIdle = errors.New("upstream: tunnel idle")
	// ErrExpired ends a tunnel, or a stream of events, at [Request.Until].
	ErrExpired = errors.New("upstream: time allowed has passed")
	// ErrTunnelClosed ends a tunnel, or a stream of events, that was closed by
	// [Tunnels.CloseAll] or [Tunnels.CloseWhere].
	ErrTunnelClosed = errors.New("upstream: tunnel closed")

	// errLocal is an ErrUnreachable that is no fault of the upstream.
	errLocal = fmt.Errorf("%w for want of local resources", ErrUnreachable)
	// errAnswered means that the upstream refused the request before it was
	// sent as a whole.
	errAnswered = errors.New("upstream: answered before the end of the request")
	// errAbandoned means that a response was never written to its client.
	errAbandoned = errors.New("upstream: response not taken")
)
