package reject

import (
	"bytes"

	"github.com/valyala/fasthttp"
)

// maxAcceptRanges bounds the media ranges looked at in one request. Browsers
// send about eight; what follows counts as not sent.
const maxAcceptRanges = 32

// PrefersPage reports whether the client wants HTML more than JSON. A browser
// that navigates does; "*/*", nothing at all and a tie do not.
func PrefersPage(h *fasthttp.RequestHeader) bool {
	var p preference
	left := maxAcceptRanges
	// RFC 9110 section 5.3: several fields are one list.
	for _, field := range h.PeekAll(fasthttp.HeaderAccept) {
		left = p.read(field, left)
	}
	return p.page()
}

// AcceptPrefersPage is PrefersPage for a request whose only Accept field has that
// value. It keeps no reference to it.
func AcceptPrefersPage(field []byte) bool {
	var p preference
	p.read(field, maxAcceptRanges)
	return p.page()
}

// preference holds, for each type we can send, the weight of the most specific
// range that matches it. Weights are in thousandths.
type preference struct {
	html, json, problem weight
}

type weight struct {
	q           int
	specificity int // 0 none, 1 */*, 2 type/*, 3 type/subtype
}

// set: RFC 9110 section 12.5.1: the most specific range decides. Between two
// of the same specificity, which differ in parameters that we do not have, the
// greater weight does.
func (w *weight) set(specificity, q int) {
	switch {
	case specificity > w.specificity:
		*w = weight{q, specificity}
	case specificity == w.specificity:
		w.q = max(w.q, q)
	}
}

func (p *preference) page() bool {
	return p.html.q > p.json.q && p.html.q > p.problem.q
}

// read takes in one field's list, at most left ranges of it, and returns how
// many are left. A range that is not well-formed counts for nothing.
func (p *preference) read(field []byte, left int) int {
	for len(field) > 0 && left > 0 {
		var item []byte
		item, field = cutUnquoted(field, ',')
		left--
		mediaRange, parameters := cutUnquoted(item, ';')
		q, ok := quality(parameters)
		if !ok {
			continue
		}
		major, minor, ok := bytes.Cut(trimOWS(mediaRange), []byte("/"))
		if !ok {
			continue
		}
		p.apply(major, minor, q)
	}
	return left
}

func (p *preference) apply(major, minor []byte, q int) {
	star := len(minor) == 1 && minor[0] == '*'
	switch {
	case star && len(major) == 1 && major[0] == '*':
		p.html.set(1, q)
		p.json.set(1, q)
		p.problem.set(1, q)
	case equalFold(major, "text"):
		switch {
		case star:
			p.html.set(2, q)
		case equalFold(minor, "html"):
			p.html.set(3, q)
		}
	case equalFold(major, "application"):
		switch {
		case star:
			p.json.set(2, q)
			p.problem.set(2, q)
		case equalFold(minor, "json"):
			p.json.set(3, q)
		case equalFold(minor, "problem+json"):
			p.problem.set(3, q)
		}
	}
}

// quality returns the weight among a range's parameters, 1000 where there is
// none, and false where it is not a weight.
func quality(parameters []byte) (int, bool) {
	for len(parameters) > 0 {
		var parameter []byte
		parameter, parameters = cutUnquoted(parameters, ';')
		name, value, _ := bytes.Cut(trimOWS(parameter), []byte("="))
		if equalFold(name, "q") {
			return thousandths(value)
		}
	}
	return 1000, true
}

// thousandths reads a qvalue (RFC 9110 section 12.4.2): 0 or 1 with at most
// three decimals, and no more than 1.
func thousandths(value []byte) (int, bool) {
	if len(value) == 0 || len(value) > 5 || value[0] != '0' && value[0] != '1' || len(value) > 1 && value[1] != '.' {
		return 0, false
	}
	q := int(value[0]-'0') * 1000
	scale := 100
	for _, c := range value[min(2, len(value)):] {
		if c < '0' || c > '9' {
			return 0, false
		}
		q += int(c-'0') * scale
		scale /= 10
	}
	return q, q <= 1000
}

// cutUnquoted cuts at the first separator outside a quoted string (RFC 9110
// section 5.6.4). An unended string runs to the end.
func cutUnquoted(s []byte, separator byte) (before, after []byte) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, nil
}

func trimOWS(s []byte) []byte { return bytes.Trim(s, " \t") }

// equalFold compares with a name in small ASCII letters; other bytes, of
// Unicode letters that fold to ASCII say, are never equal.
func equalFold(s []byte, name string) bool {
	if len(s) != len(name) {
		return false
	}
	for i, c := range s {
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != name[i] {
			return false
		}
	}
	return true
}
