package population

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// arenaBytes is how much of the messages lies together: a few large pieces
// without pointers, which no collector looks into.
const arenaBytes = 4 << 20

// builder makes requests of lines.
type builder struct {
	SourceConfig

	source  *Source
	arena   []byte
	expects map[string]attack.Expect
}

func (c *Corpus) builder(config SourceConfig) (*builder, error) {
	if config.Check == "" {
		config.Check = CheckCode
	}
	if config.Parts == 0 {
		config.Parts = 1
	}
	if config.MaxBytes == 0 {
		config.MaxBytes = DefaultMaxBytes
	}
	m := &c.Manifest
	reuse := m.Reuse
	if config.ColdShare != nil {
		reuse.ColdShare = *config.ColdShare
	}
	least := m.leastBytes()
	switch {
	case config.Check != CheckCode && config.Check != CheckStatus && config.Check != CheckOutcome:
		return nil, fmt.Errorf("%w: check %q (code, status, outcome)", ErrConfig, config.Check)
	case config.Host != "" && !validHost(config.Host):
		return nil, fmt.Errorf("%w: host %q", ErrConfig, config.Host)
	case config.First < 0 || config.Parts < 1 || config.Part < 0 || config.Part >= config.Parts:
		return nil, fmt.Errorf("%w: part %d of %d from request %d on (0 to one less than the parts, from 0 on)", ErrConfig, config.Part, config.Parts, config.First)
	case least > config.MaxBytes:
		return nil, tooLarge(least, config.MaxBytes)
	}
	picker, err := NewPicker(m.Seed, reuse, m.Pools)
	if err != nil {
		return nil, err
	}
	return &builder{
		SourceConfig: config, expects: map[string]attack.Expect{},
		source: &Source{
			requests: make([]attack.Request, 0, m.Pools.Warm+m.Pools.Cold), warm: m.Pools.Warm, picker: picker,
			classes: make([]attack.Class, len(traits)),
			first:   config.First + config.Part, parts: config.Parts, bytes: least, codes: config.Check == CheckCode,
		},
	}, nil
}

func tooLarge(bytes, limit int64) error {
	return fmt.Errorf("%w: %d MiB or more, and %d MiB are allowed: allow more (--corpus-memory), or mint less", ErrMemory, bytes>>20, limit>>20)
}

// add makes one more request.
func (b *builder) add(l *Line) error {
	message := b.message(l)
	if b.source.bytes > b.MaxBytes {
		return tooLarge(b.source.bytes, b.MaxBytes)
	}
	b.source.requests = append(b.source.requests, attack.Request{
		Message: message, NoBody: l.Method == http.MethodHead, Expect: b.expect(l), Class: b.class(l),
	})
	return nil
}

// message writes the request into the arena.
func (b *builder) message(l *Line) []byte {
	host := b.Host
	if host == "" {
		host = l.Host
	}
	const most = 128 // of what is neither of these
	if size := len(l.Path) + len(host) + len(l.Authorization) + most; cap(b.arena)-len(b.arena) < size {
		b.arena = make([]byte, 0, max(arenaBytes, size))
		b.source.bytes += int64(cap(b.arena))
	}
	from := len(b.arena)
	a := append(b.arena, l.Method...)
	a = append(append(a, ' '), l.Path...)
	a = append(append(a, " HTTP/1.1\r\nHost: "...), host...)
	if l.Authorization != "" {
		a = append(append(a, "\r\nAuthorization: "...), l.Authorization...)
	}
	switch l.Method {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		a = append(a, "\r\nContent-Length: 0"...)
	}
	b.arena = append(a, "\r\n\r\n"...)
	return b.arena[from:len(b.arena):len(b.arena)]
}

// wanted is what the answer must be as closely as is looked at.
func (b *builder) wanted(l *Line) Expectation {
	switch {
	case b.Check == CheckOutcome && !l.Expect.Passes():
		return Expectation{Status: refusals}
	case b.Check != CheckCode, l.Method == http.MethodHead: // whose answer has no document
		return Expectation{Status: l.Expect.Status}
	}
	return l.Expect
}

// expect makes what the answer must be, once for all lines that want the same.
func (b *builder) expect(l *Line) attack.Expect {
	wanted := b.wanted(l)
	key := wanted.String()
	e, known := b.expects[key]
	if !known {
		e = attack.Expect{Statuses: wanted.Status}
		if code := []byte(wanted.Code); len(code) > 0 {
			e.Accept = func(r *attack.Response) bool { return bytes.Equal(codeOf(r.Body), code) }
		}
		b.expects[key] = e
	}
	return e
}

// class is the number of a line's class, from 1.
func (b *builder) class(l *Line) uint8 {
	i := l.Class.index()
	wanted := b.wanted(l)
	switch c, says := &b.source.classes[i], wanted.String(); c.Expected {
	case "":
		*c = attack.Class{Name: string(l.Class), Expected: says}
	case says, differing:
	default:
		c.Expected = differing
	}
	return uint8(i + 1) // The classes are a short closed list.
}

// differing is what the answers must be to a class whose requests do not all want
// the same.
const differing = "as each says"
