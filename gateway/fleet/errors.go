package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"
)

var (
	// ErrConfig means that a Config is out of range or contradicts itself.
	ErrConfig = errors.New("fleet: configuration invalid")
	// ErrLocked means that another process uses the directory.
	ErrLocked = errors.New("fleet: directory is in use by another process")
	// ErrAway means that the records are not on the fleet's stream: Redis is not reached, does not answer in time, or
	// refuses. They may be there all the same. Nothing is acknowledged; offering them again does no harm.
	ErrAway = errors.New("fleet: Redis is away")
	// ErrSecret means that this node's digests are made with another secret than the fleet's: neither side understands
	// the other. Either the node has the wrong secret, or the key prefix is another fleet's.
	ErrSecret = errors.New("fleet: node has another secret than the fleet")
	// ErrVersion means that the fleet's keys or an entry have a format that this version does not know.
	ErrVersion = errors.New("fleet: format of another version")
	// ErrEvicts means that Redis is configured to drop keys without expiry when its memory is full
	// (maxmemory-policy allkeys-*), which would forget revocations.
	ErrEvicts = errors.New("fleet: Redis evicts keys")
	// ErrReplica means that the server is a replica: nothing can be appended there.
	ErrReplica = errors.New("fleet: Redis is a replica")
	// ErrDamaged means that something on the stream or in the state is not as any node wrote it.
	ErrDamaged = errors.New("fleet: damaged entry")
	// ErrOutboxFull means that the outbox has reached its limit. Nothing is acknowledged.
	ErrOutboxFull = errors.New("fleet: outbox is full")
	// ErrOutbox means that the outbox could not be written. It wraps the cause. Nothing is acknowledged.
	ErrOutbox = errors.New("fleet: outbox cannot be written")
	// ErrApply means that records from the stream could not be put in force here. It wraps the cause.
	ErrApply = errors.New("fleet: records not applied")
	// ErrPosition means that the position could not be written. It wraps the cause.
	ErrPosition = errors.New("fleet: position not written")
	// ErrClosed means that the Fleet was closed.
	ErrClosed = errors.New("fleet: closed")

	// errEpoch means that Redis has lost data, or was told to have them offered again, while a session was under way.
	errEpoch = errors.New("fleet: Redis has begun a new epoch")
	// errGap means that entries after the position are gone from the stream.
	errGap = errors.New("fleet: entries are missing on the stream")
	// errAnswer means that Redis answered what no Redis answers.
	errAnswer = errors.New("fleet: answer not understood")
	// errServer means an error that Redis told. Of its text only the code is kept: the rest may repeat arguments,
	// the password among them ("unknown command 'HELLO', with args beginning with: …").
	errServer = errors.New("fleet: Redis refused")
	// errCredentials means that a file with a password, certificate or key could not be used.
	errCredentials = errors.New("fleet: credentials cannot be read")
)

// Reason is why something failed, from a closed set: fit for metric labels.
type Reason int

// The reasons.
const (
	// ReasonNone is no failure.
	ReasonNone Reason = iota
	// ReasonConnect is a connection that was not made, or broke.
	ReasonConnect
	// ReasonTimeout is an answer that did not come in time.
	ReasonTimeout
	// ReasonTLS is a certificate that was not accepted, or none where one is due.
	ReasonTLS
	// ReasonAuth is a password or permission that Redis refused, or a file of credentials that cannot be read.
	ReasonAuth
	// ReasonMemory is a Redis that has no memory left.
	ReasonMemory
	// ReasonServer is any other error that Redis told, such as while it loads.
	ReasonServer
	// ReasonReplica is ErrReplica.
	ReasonReplica
	// ReasonEvicts is ErrEvicts.
	ReasonEvicts
	// ReasonSecret is ErrSecret.
	ReasonSecret
	// ReasonVersion is ErrVersion.
	ReasonVersion
	// ReasonEpoch is a session that ended because Redis had lost data under it.
	ReasonEpoch
	// ReasonDamaged is ErrDamaged.
	ReasonDamaged
	// ReasonApply is ErrApply.
	ReasonApply
	// ReasonPosition is ErrPosition.
	ReasonPosition
	// ReasonOutbox is ErrOutbox or ErrOutboxFull.
	ReasonOutbox

	// NumReasons is the number of reasons.
	NumReasons
)

var reasonNames = [NumReasons]string{
	"none", "connect", "timeout", "tls", "auth", "memory", "server", "replica", "evicts", "secret", "version", "epoch",
	"damaged", "apply", "position", "outbox",
}

// String returns the reason's name.
func (r Reason) String() string {
	if r < 0 || r >= NumReasons {
		return reasonNames[ReasonNone]
	}
	return reasonNames[r]
}

// Reasons returns all reasons but ReasonNone, in their order.
func Reasons() []Reason {
	all := make([]Reason, 0, NumReasons-1)
	for r := ReasonConnect; r < NumReasons; r++ {
		all = append(all, r)
	}
	return all
}

var reasonOf = []struct {
	err    error
	reason Reason
}{
	{ErrReplica, ReasonReplica},
	{ErrEvicts, ReasonEvicts},
	{ErrSecret, ReasonSecret},
	{ErrVersion, ReasonVersion},
	{errEpoch, ReasonEpoch},
	{errGap, ReasonDamaged},
	{ErrDamaged, ReasonDamaged},
	{ErrApply, ReasonApply},
	{ErrPosition, ReasonPosition},
	{ErrOutbox, ReasonOutbox},
	{ErrOutboxFull, ReasonOutbox},
	{errCredentials, ReasonAuth},
	{errAnswer, ReasonServer},
}

// fault is an error with its reason.
type fault struct {
	reason Reason
	err    error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }

// reason returns why err happened.
func reason(err error) Reason {
	if err == nil {
		return ReasonNone
	}
	if f, ok := errors.AsType[*fault](err); ok {
		return f.reason
	}
	for _, known := range reasonOf {
		if errors.Is(err, known.err) {
			return known.reason
		}
	}
	return ReasonConnect
}

// serverCodes are the codes of Redis's errors that have a reason of their own.
var serverCodes = map[string]Reason{
	"NOAUTH": ReasonAuth, "WRONGPASS": ReasonAuth, "NOPERM": ReasonAuth, "OOM": ReasonMemory, "READONLY": ReasonReplica,
}

// classify gives an error of the client its reason and a text that holds nothing of what was sent.
func classify(err error) error {
	var told redis.Error
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	var alert *net.OpError
	var authority x509.UnknownAuthorityError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &told):
		code := serverCode(told.Error())
		r, ok := serverCodes[code]
		if !ok {
			r = ReasonServer
		}
		return &fault{r, fmt.Errorf("%w: %s", errServer, code)}
	case errors.Is(err, errCredentials):
		return err
	case errors.As(err, &certificate), errors.As(err, &authority),
		errors.As(err, &alert) && (alert.Op == "remote error" || alert.Op == "local error"): // As crypto/tls names alerts.
		return &fault{ReasonTLS, err}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &fault{ReasonTimeout, err}
	}
	return &fault{ReasonConnect, err}
}

// serverCode returns the code that begins the text of an error of Redis, ERR where it has none.
func serverCode(text string) string {
	code, _, _ := strings.Cut(text, " ")
	if len(code) == 0 || len(code) > 24 || strings.Trim(code, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return "ERR"
	}
	return code
}
