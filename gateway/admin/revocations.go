package admin

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

const (
	// MaxRevocationBytes bounds the body of POST /revocations.
	MaxRevocationBytes = 1 << 20
	// MaxRevocations bounds the entries of one call.
	MaxRevocations = 10_000

	// maxRevocationCalls bounds the calls under way.
	maxRevocationCalls = 4
	// arrivalTimeout bounds the arrival of a body, acceptTimeout the time that
	// it takes to put its entries in force.
	arrivalTimeout = 10 * time.Second
	acceptTimeout  = 30 * time.Second
	// retryAfter is in seconds.
	retryAfter = 5
)

// The codes of answers. Revocations.Code has those of its own.
const (
	codeInvalid  = "invalid_revocation"
	codeNoStore  = "no_revocation_store"
	codeTooLarge = "too_large"
	codeMedia    = "unsupported_media_type"
	codeBusy     = "too_many_at_once"
)

// Intake puts revocations in force. It is called from several goroutines at once.
type Intake interface {
	// Accept returns nil when all entries are in force and durable.
	// revocation.ErrEntry: one is malformed and none is in force. Any other
	// error: nothing is acknowledged. It keeps no reference to entries.
	Accept(ctx context.Context, entries ...revocation.Entry) error
}

// Revocations is what POST and GET /revocations need of the gateway. All of it is
// required but Now, and is called from several goroutines at once.
type Revocations struct {
	// Intake takes what operators revoke.
	Intake Intake
	// Issuer finds a configured issuer by its name, or by iss as its tokens
	// have it, and returns both.
	Issuer func(text string) (name, iss string, ok bool)
	// Lifetime tells for how long after its issue a token of iss may be good,
	// clock leeway included.
	Lifetime func(iss string) time.Duration
	// Digest returns what an entry's identifier is kept as, in hexadecimal, for
	// the audit log. Entries are well-formed.
	Digest func(e revocation.Entry) string
	// Code names an error of Intake in the answer and in the audit log: one of
	// a closed set, such as revocation_store_full, revocation_not_durable or
	// fleet_unavailable.
	Code func(err error) string
	// Status is what GET /revocations answers, any value that JSON can hold:
	// counts and times, no identifiers.
	Status func() any
	// Now is the clock. Optional. Defaults to time.Now.
	Now func() time.Time
}

// revocations answers /revocations.
type revocations struct {
	*gate

	cfg   *Revocations // nil where there is no store
	now   func() time.Time
	calls chan struct{} // holds one for each call under way
}

func newRevocations(g *gate, cfg *Revocations) *revocations {
	v := &revocations{gate: g, cfg: cfg, now: time.Now, calls: make(chan struct{}, maxRevocationCalls)}
	if cfg != nil && cfg.Now != nil {
		v.now = cfg.Now
	}
	return v
}

const noStore = "there is no revocation store: set revocation.directory"

// show answers GET.
func (v *revocations) show(w http.ResponseWriter, _ *http.Request) {
	if v.cfg == nil {
		writeJSON(w, http.StatusNotFound, problem{Error: noStore, Code: codeNoStore})
		return
	}
	writeJSON(w, http.StatusOK, v.cfg.Status())
}

// revoke answers POST.
func (v *revocations) revoke(w http.ResponseWriter, r *http.Request) {
	line := audit{action: "revoke", remote: r.RemoteAddr}
	if !v.admit(w, r, &line, MaxRevocationBytes) {
		return
	}
	refused := func(status int, code, reason string) {
		v.audit(line, "refused", 0, slog.String("code", code), slog.String("reason", reason))
		refuse(w, status, problem{Error: reason, Code: code})
	}
	if v.cfg == nil {
		refused(http.StatusConflict, codeNoStore, noStore)
		return
	}
	if !isJSON(r.Header) {
		refused(http.StatusUnsupportedMediaType, codeMedia, "Content-Type must be application/json, without a Content-Encoding")
		return
	}
	select {
	case v.calls <- struct{}{}:
		defer func() { <-v.calls }()
	default:
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		refused(http.StatusServiceUnavailable, codeBusy, "as many calls are under way as may be; send all of it again")
		return
	}
	body, err := readBody(w, r)
	if tooLong, ok := errors.AsType[*http.MaxBytesError](err); ok {
		refused(http.StatusRequestEntityTooLarge, codeTooLarge, tooLarge(tooLong.Limit))
		return
	}
	if err != nil {
		refused(http.StatusBadRequest, codeInvalid, "the body did not arrive whole within "+arrivalTimeout.String())
		return
	}
	change, err := v.parse(body, v.now())
	if err != nil {
		refused(http.StatusBadRequest, codeInvalid, err.Error())
		return
	}
	v.accept(w, r, line, change)
}

func (v *revocations) accept(w http.ResponseWriter, r *http.Request, line audit, c *revocationChange) {
	ctx, cancel := context.WithTimeout(r.Context(), acceptTimeout)
	defer cancel()
	err := v.cfg.Intake.Accept(ctx, c.entries...)
	switch {
	case err == nil:
		v.auditEntries(line, c, "done")
		writeJSON(w, http.StatusOK, struct {
			Revoked int `json:"revoked"`
		}{len(c.entries)})
	case errors.Is(err, revocation.ErrEntry):
		// The checks before agree with the store's; should they not, then none
		// of the entries is in force.
		v.auditEntries(line, c, "refused", slog.String("code", codeInvalid))
		writeJSON(w, http.StatusBadRequest, problem{Error: "an entry is malformed, and none is in force", Code: codeInvalid})
	default:
		code := v.cfg.Code(err)
		v.auditEntries(line, c, "failed", slog.String("code", code), slog.Any("error", err))
		w.Header().Set("Retry-After", strconv.Itoa(retryAfter))
		writeJSON(w, http.StatusServiceUnavailable, problem{
			Error: "not acknowledged: send all of it again; to revoke twice is to revoke once", Code: code,
		})
	}
}

// readBody reads all of it, within its bounds. The server itself takes the deadline
// back at the end of the body.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// A writer without deadlines has none to set.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(arrivalTimeout))
	return io.ReadAll(http.MaxBytesReader(w, r.Body, MaxRevocationBytes))
}

// isJSON reports whether the body is JSON in UTF-8, as it is (RFC 8259 section
// 8.1).
func isJSON(h http.Header) bool {
	fields := h.Values("Content-Type")
	if len(fields) != 1 || len(h.Values("Content-Encoding")) > 0 {
		return false
	}
	media, params, err := mime.ParseMediaType(fields[0])
	charset, told := params["charset"]
	return err == nil && media == "application/json" && (!told || strings.EqualFold(charset, "utf-8"))
}
