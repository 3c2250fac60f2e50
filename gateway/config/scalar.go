package config

import (
	"reflect"
	"strconv"
	"time"
)

// form is how a scalar was written.
type form int

const (
	formString  form = iota // quoted, or plain and nothing else
	formInteger             // a plain integer, in any base
	formFloat               // any other plain number
	formBool                // plain true or false
	formUntyped             // not YAML: a variable, a flag, a default
)

// scalar is one scalar of the file or of an override.
type scalar struct {
	text string // unquoted
	form form
}

// setScalar stores s in v, a string, bool, int, Bytes, time.Duration,
// time.Time, or a pointer to one of them. It returns "" or what is wrong, and
// then v is unchanged.
func setScalar(v reflect.Value, s scalar) string {
	if v.Kind() == reflect.Pointer {
		fresh := reflect.New(v.Type().Elem())
		msg := setScalar(fresh.Elem(), s)
		if msg == "" {
			v.Set(fresh)
		}
		return msg
	}
	switch v.Type() {
	case reflect.TypeFor[time.Duration]():
		return setDuration(v, s)
	case reflect.TypeFor[Bytes]():
		return setBytes(v, s)
	case reflect.TypeFor[time.Time]():
		return setTime(v, s)
	}
	switch v.Kind() {
	case reflect.String:
		if s.form != formString && s.form != formUntyped {
			return "must be a string; write " + quote(s.text) + " with the quotes"
		}
		v.SetString(s.text)
	case reflect.Bool:
		if s.form != formBool && (s.form != formUntyped || s.text != "true" && s.text != "false") {
			return quote(s.text) + " is not allowed; allowed: true, false"
		}
		v.SetBool(s.text[0] == 't' || s.text[0] == 'T')
	case reflect.Int:
		return setInt(v, s)
	default:
		panic("BUG: no scalar: " + v.Type().String())
	}
	return ""
}

func setInt(v reflect.Value, s scalar) string {
	if s.form != formInteger && s.form != formUntyped {
		return quote(s.text) + " is not a whole number; write decimal digits without quotes"
	}
	n, err := strconv.ParseInt(s.text, 10, strconv.IntSize)
	if err != nil || strconv.FormatInt(n, 10) != s.text { // 017 is 15 to some and 17 to others
		return quote(s.text) + " is not a whole number in decimal digits without a leading zero, or it is too large"
	}
	v.SetInt(n)
	return ""
}

func setBytes(v reflect.Value, s scalar) string {
	b, err := ParseBytes(s.text)
	if err != nil || s.form == formBool {
		return quote(s.text) + ` is not a size; write bytes as decimal digits, or with a unit such as "8KiB" (KiB, MiB, GiB)`
	}
	v.SetInt(int64(b))
	return ""
}

func setDuration(v reflect.Value, s scalar) string {
	if s.form == formInteger || s.form == formFloat || isDigits(s.text) {
		return "a bare number has no unit; write a duration such as 30s, 5m or 1h30m"
	}
	d, err := time.ParseDuration(s.text)
	if err != nil {
		return quote(s.text) + " is not a duration; write one such as 100ms, 30s, 5m or 1h30m"
	}
	v.SetInt(int64(d))
	return ""
}

func setTime(v reflect.Value, s scalar) string {
	var t time.Time
	// RFC 3339 section 5.6: a date, a time and an offset, none optional.
	if err := t.UnmarshalText([]byte(s.text)); err != nil || t.IsZero() {
		return quote(s.text) + " is not a moment with an explicit offset (RFC 3339); write one such as 2024-07-01T00:00:00+07:00"
	}
	v.Set(reflect.ValueOf(t))
	return ""
}
