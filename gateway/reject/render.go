package reject

import (
	"cmp"
	"strconv"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// Refusal is one request's refusal. Write keeps no reference to any of it.
type Refusal struct {
	// Code says why.
	Code Code
	// Site gives realm and login link; nil where the request belongs to none.
	Site *Site
	// RequestID is quoted for support: 1 to 64 of A-Z a-z 0-9 . _ -. Anything
	// else is replaced by "-". It must not lie in the response, which Write
	// empties first.
	RequestID []byte
	// Decision gives the details of a policy refusal. Zero for other codes.
	Decision policy.Decision
	// RetryAfter is when it is worth trying again, in seconds. 0 is what the
	// code says.
	RetryAfter int
	// Page asks for a page in place of a problem document: see [PrefersPage].
	Page bool
}

// document is one code's answer in every form.
type document struct {
	challenge answer // what follows the realm
	problem   form
	page      form
}

// form is an answer as a program or a person gets it.
type form struct {
	fields *fasthttp.ResponseHeader // those that are the same each time, and the status
	body   answer
}

// Renderer holds every answer, prepared. Immutable and safe for concurrent use.
type Renderer struct {
	codes   [codeCount]document
	level1  document
	cutover [token.KindOfficer + 1]document
	nowhere *Site
}

// New prepares the answers of all codes. An error is a fault of the build: a
// text that cannot be rendered.
func New() (*Renderer, error) {
	b, err := newBuilder()
	if err != nil {
		return nil, err
	}
	r := &Renderer{}
	if r.nowhere, err = NewSite(defaultRealm, ""); err != nil {
		return nil, err
	}
	prepare := func(d *document, c Code, t text, level int) {
		if err == nil {
			*d, err = b.document(c, t, level)
		}
	}
	for _, c := range Codes() {
		prepare(&r.codes[c], c, c.entry().text(), 2)
	}
	prepare(&r.level1, AccountLevelInsufficient, wordingLevel1, 1)
	for k := range r.cutover {
		prepare(&r.cutover[k], VNeIDAccountRequired, wordingCutoverFor(token.Kind(k)), 0)
	}
	return r, err
}

// document returns the prepared answer that fits the refusal best.
func (r *Renderer) document(ref *Refusal) *document {
	d := &ref.Decision
	switch {
	case ref.Code == AccountLevelInsufficient && d.RequiredLevel == 1:
		return &r.level1
	case ref.Code == VNeIDAccountRequired && d.CutoverSince > 0 && int(d.Kind) < len(r.cutover):
		return &r.cutover[d.Kind]
	}
	return &r.codes[ref.Code]
}

// Canonical as fasthttp writes them: it need not normalise these.
var (
	headerChallenge  = []byte("Www-Authenticate")
	headerRequestID  = []byte("X-Request-Id")
	headerRetryAfter = []byte("Retry-After")

	noRequestID = []byte("-")
)

// Write replaces whatever the response holds by the refusal. Of the request it
// reads the method only, so it serves as well where the request could not be
// read, as in a server's ErrorHandler. It allocates nothing once the response's
// buffers have grown.
//
// Where the code closes the connection, so does the response; a response that
// was to close it already still does. An unread request body is the caller's
// business.
func (r *Renderer) Write(ctx *fasthttp.RequestCtx, ref Refusal) {
	if ref.Code >= codeCount {
		ref.Code = InternalError
	}
	if ref.Site == nil {
		ref.Site = r.nowhere
	}
	if !validRequestID(ref.RequestID) {
		ref.RequestID = noRequestID
	}
	doc := r.document(&ref)

	what := &doc.problem
	if ref.Page {
		what = &doc.page
	}
	resp := &ctx.Response
	closes := resp.ConnectionClose() || ref.Code.Closes()
	resp.Reset()
	h := &resp.Header
	what.fields.CopyTo(h)
	if closes {
		resp.SetConnectionClose()
	}
	var scratch [512]byte
	if ref.Code.Challenges() {
		// RFC 6750 section 3.
		h.SetCanonical(headerChallenge, doc.challenge.append(append(scratch[:0], ref.Site.challenge...), &ref))
	}
	if seconds := cmp.Or(ref.RetryAfter, ref.Code.RetryAfter()); seconds > 0 {
		h.SetCanonical(headerRetryAfter, strconv.AppendInt(scratch[:0], int64(seconds), 10))
	}
	h.SetCanonical(headerRequestID, ref.RequestID)
	// The response's own buffer is taken out, filled and put back.
	resp.SwapBody(what.body.append(resp.SwapBody(nil)[:0], &ref))
	// RFC 9110 section 9.3.2: the length is that of the GET, the content is not sent.
	resp.SkipBody = ctx.Request.Header.IsHead()
}

const maxRequestIDBytes = 64

// validRequestID: only characters that need no escape in a field, JSON or HTML.
func validRequestID(id []byte) bool {
	if len(id) == 0 || len(id) > maxRequestIDBytes {
		return false
	}
	for _, c := range id {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}
