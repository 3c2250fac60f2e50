package reject

import (
	"bytes"
	"slices"
	"strconv"
	"time"
)

// param is a part of an answer that differs between requests or sites.
type param uint8

const (
	paramRequestID param = iota
	paramDateVI
	paramDateEN
	paramLoginJSON
	paramLoginVI
	paramLoginEN
	paramStepUpJSON
	paramStepUpChallenge

	paramCount
)

// mark returns the text that stands for the param until parseAnswer. It
// survives JSON and HTML escaping unchanged.
func (p param) mark() string { return "@@" + strconv.Itoa(int(p)) + "@@" }

// segment is a literal followed by a param; the last one of an answer has
// paramCount, which appends nothing.
type segment struct {
	literal []byte
	param   param
}

// answer is prepared text with places for params. Immutable.
type answer []segment

func parseAnswer(text []byte) answer {
	var t answer
	for {
		at, found := len(text), paramCount
		for p := range paramCount {
			if i := bytes.Index(text, []byte(p.mark())); i >= 0 && i < at {
				at, found = i, p
			}
		}
		t = append(t, segment{bytes.Clone(text[:at]), found})
		if found == paramCount {
			return t
		}
		text = text[at+len(found.mark()):]
	}
}

// append renders the answer to one refusal behind dst.
func (t answer) append(dst []byte, ref *Refusal) []byte {
	size := 0
	for i := range t {
		size += len(t[i].literal) + maxRequestIDBytes
	}
	// Growing once keeps the buffer small enough for fasthttp's pool to take back.
	dst = slices.Grow(dst, size)
	for i := range t {
		dst = append(dst, t[i].literal...)
		switch t[i].param {
		case paramRequestID:
			dst = append(dst, ref.RequestID...)
		case paramDateVI:
			dst = appendDateVI(dst, ref.Decision.CutoverSince)
		case paramDateEN:
			dst = vietnamTime(ref.Decision.CutoverSince).AppendFormat(dst, "2 January 2006")
		case paramLoginJSON:
			dst = append(dst, ref.Site.loginJSON...)
		case paramLoginVI:
			dst = append(dst, ref.Site.loginVI...)
		case paramLoginEN:
			dst = append(dst, ref.Site.loginEN...)
		case paramStepUpJSON:
			dst = appendStepUp(dst, ref, `,"acr_values":"`, `,"max_age":`, "")
		case paramStepUpChallenge:
			dst = appendStepUp(dst, ref, `, acr_values="`, `, max_age="`, `"`)
		}
	}
	return dst
}

// appendStepUp appends what RFC 9470 section 3 lets a challenge ask for.
func appendStepUp(dst []byte, ref *Refusal, acr, age, ageEnd string) []byte {
	if values := ref.Decision.ACRValues; values != "" {
		dst = append(dst, acr...)
		dst = appendPlain(dst, values)
		dst = append(dst, '"')
	}
	if seconds := int64(ref.Decision.MaxAuthAge / time.Second); seconds > 0 {
		dst = append(dst, age...)
		dst = strconv.AppendInt(dst, seconds, 10)
		dst = append(dst, ageEnd...)
	}
	return dst
}

// appendPlain appends the characters that RFC 6750 section 3 allows in an
// attribute, which need no escape in JSON either, and leaves out all others.
func appendPlain(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c >= ' ' && c <= '~' && c != '"' && c != '\\' {
			dst = append(dst, c)
		}
	}
	return dst
}

// vietnam is UTC+7 all year: the offset of every date in law and notices.
var vietnam = time.FixedZone("+07", 7*60*60)

func vietnamTime(unix int64) time.Time { return time.Unix(unix, 0).In(vietnam) }

// appendDateVI writes a date as administrative documents do: days below 10
// and the months 1 and 2 have a leading zero (Decree 30/2020, annex I).
func appendDateVI(dst []byte, unix int64) []byte {
	year, month, day := vietnamTime(unix).Date()
	if day < 10 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendInt(dst, int64(day), 10)
	dst = append(dst, '/')
	if month <= 2 {
		dst = append(dst, '0')
	}
	dst = strconv.AppendInt(dst, int64(month), 10)
	dst = append(dst, '/')
	return strconv.AppendInt(dst, int64(year), 10)
}
