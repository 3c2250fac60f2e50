package reject

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // for the page
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/valyala/fasthttp"
)

//go:embed page.html
var pageSource string

// typePrefix begins the problem type of every code (RFC 9457 section 3.1.1): a
// name, not an address to fetch.
const typePrefix = "urn:vneid-gateway:error:"

// builder renders answers ahead of time.
type builder struct {
	page   *template.Template
	policy string // Content-Security-Policy
}

func newBuilder() (*builder, error) {
	page, err := template.New("page").Parse(pageSource)
	if err != nil {
		return nil, fmt.Errorf("reject: page: %w", err)
	}
	return &builder{page: page}, nil
}

// document prepares one code's answer with the given detail. The level is the
// one that an account level refusal asks for.
func (b *builder) document(c Code, detail text, level int) (document, error) {
	problem, err := problemText(c, detail, level)
	if err != nil {
		return document{}, fmt.Errorf("reject: %v: problem: %w", c, err)
	}
	page, err := b.pageText(c, detail)
	if err != nil {
		return document{}, fmt.Errorf("reject: %v: page: %w", c, err)
	}
	return document{
		challenge: parseAnswer(challengeText(c, detail)),
		problem:   form{commonFields(c, "application/problem+json"), parseAnswer(problem)},
		page:      form{b.pageFields(c), parseAnswer(page)},
	}, nil
}

// commonFields returns the fields of every answer to a code.
func commonFields(c Code, contentType string) *fasthttp.ResponseHeader {
	h := &fasthttp.ResponseHeader{}
	h.SetStatusCode(c.Status())
	h.SetContentType(contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept")
	h.Set("Content-Language", "vi, en")
	h.Set("X-Content-Type-Options", "nosniff")
	return h
}

// pageFields returns those of a page. pageText must have been called.
func (b *builder) pageFields(c Code) *fasthttp.ResponseHeader {
	h := commonFields(c, "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", b.policy)
	h.Set("Referrer-Policy", "no-referrer")
	return h
}

// challengeText returns what follows the realm. RFC 6750 section 3.1: a
// request without credential learns no error.
func challengeText(c Code, detail text) []byte {
	if c.BearerError() == "" {
		return nil
	}
	b := append([]byte(`, error="`), c.BearerError()...)
	b = append(b, `", error_description="`...)
	b = appendPlain(b, detail.EN)
	b = append(b, '"')
	if c == AuthenticationInsufficient {
		b = append(b, paramStepUpChallenge.mark()...)
	}
	return b
}

// problemText returns the problem document (RFC 9457 section 3).
func problemText(c Code, detail text, level int) ([]byte, error) {
	e := c.entry()
	b := []byte("{")
	var err error
	member := func(name, value string) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(b, `"`+name+`":`...)
		if err == nil {
			b, err = jsontext.AppendQuote(b, value)
		}
	}
	member("type", typePrefix+e.name)
	member("title", e.heading.VI)
	member("title_en", e.heading.EN)
	b = append(b, `,"status":`+strconv.Itoa(e.status)...)
	member("detail", detail.VI)
	member("detail_en", detail.EN)
	member("code", e.name)
	member("request_id", paramRequestID.mark())
	switch c {
	case AccountLevelInsufficient:
		b = append(b, `,"required_account_level":`+strconv.Itoa(level)...)
	case AuthenticationInsufficient:
		b = append(b, paramStepUpJSON.mark()...)
	}
	if e.inPerson {
		member("alternative", wordingInPerson.VI)
		member("alternative_en", wordingInPerson.EN)
	}
	if e.login {
		member("support", wordingSupport.VI)
		member("support_en", wordingSupport.EN)
		member("hotline", hotlineNumber)
	}
	if c.Challenges() {
		b = append(b, paramLoginJSON.mark()...)
	}
	return append(b, '}', '\n'), err
}

// pageText returns the page and fixes the policy under which its style loads.
func (b *builder) pageText(c Code, detail text) ([]byte, error) {
	e := c.entry()
	data := struct {
		Heading, Detail, InPerson text
		SupportVI, SupportEN      template.HTML
		LoginVI, LoginEN          template.HTML
		Code, RequestID           string
	}{Heading: text(*e.heading), Detail: detail, Code: e.name, RequestID: paramRequestID.mark()}
	if e.inPerson {
		data.InPerson = wordingInPerson
	}
	if e.login {
		data.SupportVI, data.SupportEN = linkHotline(wordingSupport.VI), linkHotline(wordingSupport.EN)
	}
	if c.Challenges() {
		data.LoginVI, data.LoginEN = template.HTML(paramLoginVI.mark()), template.HTML(paramLoginEN.mark())
	}
	var out bytes.Buffer
	if err := b.page.Execute(&out, data); err != nil {
		return nil, err
	}
	_, rest, found := bytes.Cut(out.Bytes(), []byte("<style>"))
	style, _, ended := bytes.Cut(rest, []byte("</style>"))
	if !found || !ended {
		return nil, errors.New("no style element")
	}
	// CSP Level 3 section 8.4: the hash covers every byte between the tags.
	sum := sha256.Sum256(style)
	b.policy = "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
	return out.Bytes(), nil
}

// linkHotline makes the number in a fixed sentence one that can be called.
func linkHotline(sentence string) template.HTML {
	const link = `<a href="tel:` + hotlineTel + `">` + hotlineNumber + `</a>`
	return template.HTML(strings.Replace(template.HTMLEscapeString(sentence), hotlineNumber, link, 1))
}
