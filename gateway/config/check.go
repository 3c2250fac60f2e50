package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// check adds to r what is wrong with the decoded c beyond the tags.
func check(c *Config, r *report) {
	checkListeners(c, r)
	checkAdmin(c, r)
	checkDirectory(c.StateDir, (*path)(nil).key("state_dir"), r)
	checkIssuers(c, r)
	checkRevocation(c, r)
	checkCutover(c, r)
	checkSites(c, r)
	if o := &c.Overload; o.MostRequests < o.LeastRequests {
		r.at((*path)(nil).key("overload").key("most_requests"), "%d is less than least_requests, %d", o.MostRequests, o.LeastRequests)
	}
}

// checkTags holds every field below the struct v to its tags.
func checkTags(v reflect.Value, p *path, r *report) {
	for _, f := range fieldsOf(v.Type()) {
		fv, q := v.FieldByIndex(f.index), p.key(f.key)
		if f.required && fv.IsZero() && !isSection(f.typ) && !r.places.has(q) {
			r.at(q, "is required")
			continue
		}
		checkTag(f, fv, q, r)
	}
}

func checkTag(f field, v reflect.Value, p *path, r *report) {
	switch {
	case isSection(v.Type()):
		checkTags(v, p, r)
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			checkTag(f, v.Elem(), p, r)
		}
	case v.Kind() == reflect.Slice:
		if !v.IsNil() {
			checkItems(f, v.Len(), p, r)
		}
		checkElements(f, v, p, r)
	case v.Kind() == reflect.Map:
		if !v.IsNil() {
			checkItems(f, v.Len(), p, r)
		}
		for k, ev := range v.Seq2() {
			checkTag(f, ev, p.entry(k.String()), r) // the report is sorted later
		}
	case v.Kind() == reflect.String:
		s := v.String()
		absent := s == "" && f.typ.Kind() == reflect.String && !f.defaults
		switch {
		case f.required && s == "":
			r.at(p, "must not be empty")
		case f.set != "" && !absent && !slices.Contains(closedSet(f.set), s):
			r.at(p, "%s", outside(f.set, s))
		}
	case v.CanInt() && (f.least != "" || f.most != ""):
		if least, most := f.bounds(v.Type()); v.Int() < least || v.Int() > most {
			r.at(p, "%s is out of range; allowed: %s", number(v), f.interval())
		}
	}
}

// checkIdle refuses those of the keys below p that were stated although, as why
// says, nothing reads them.
func checkIdle(keys []string, why string, p *path, r *report) {
	for _, key := range keys {
		if r.places.has(p.key(key)) {
			r.at(p.key(key), "has no effect %s", why)
		}
	}
}

func checkItems(f field, n int, p *path, r *report) {
	switch {
	case n < f.items.least && f.required:
		r.at(p, "must not be empty")
	case n < f.items.least:
		r.at(p, "must not be empty: list something, or remove the key")
	case f.items.most >= 0 && n > f.items.most:
		r.at(p, "has %d elements; at most %d are allowed", n, f.items.most)
	}
}

// checkElements checks each element of the list v, and that no string is
// repeated.
func checkElements(f field, v reflect.Value, p *path, r *report) {
	seen := make(map[string]int)
	for i := range v.Len() {
		ev, q := v.Index(i), p.index(i)
		if ev.Kind() != reflect.String {
			checkTag(f, ev, q, r)
			continue
		}
		s := ev.String()
		first, again := seen[s]
		switch {
		case r.incomplete(q):
		case s == "" && !f.blank:
			r.at(q, "must not be empty")
		case f.set != "" && !slices.Contains(closedSet(f.set), s):
			r.at(q, "%s", outside(f.set, s))
		case again:
			r.at(q, "%s repeats %s", quote(s), r.places.line(p.index(first)))
		default:
			seen[s] = i
		}
	}
}

// bounds returns the inclusive interval of f's range tag for values of type t.
func (f field) bounds(t reflect.Type) (least, most int64) {
	parse := func(text string, absent int64) int64 {
		if text == "" {
			return absent
		}
		v := reflect.New(t).Elem()
		mustSet(v, text)
		return v.Int()
	}
	return parse(f.least, -1<<63), parse(f.most, 1<<63-1)
}

// interval words f's range tag.
func (f field) interval() string {
	switch {
	case f.most == "":
		return f.least + " or more"
	case f.least == "":
		return f.most + " or less"
	}
	return f.least + " to " + f.most
}

// number writes v as the file would.
func number(v reflect.Value) string {
	switch n := v.Interface().(type) {
	case time.Duration:
		return shortDuration(n)
	case Bytes:
		return n.String()
	}
	return strconv.FormatInt(v.Int(), 10)
}

// shortDuration writes d without units that are zero: 1h, not 1h0m0s.
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
