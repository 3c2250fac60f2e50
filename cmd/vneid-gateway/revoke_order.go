package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxOrderEntries and maxOrderBytes are what POST /revocations takes at
	// once; the latter leaves room for the reason.
	maxOrderEntries = 10_000
	maxOrderBytes   = 1<<20 - 4<<10

	// maxIdentifier is the longest identifier of any token.
	maxIdentifier = 256
)

// statedRevocation is what one entry of a call says.
type statedRevocation struct {
	Issuer string `json:"issuer"`
	Before string `json:"before,omitzero"`
	Until  string `json:"until,omitzero"`
	All    bool   `json:"all,omitzero"`

	// ID is the identifier, under the name in member.
	ID     map[string]string `json:",embed"`
	member string
}

// revocationOrder is a call of POST /revocations.
type revocationOrder struct {
	Reason      string           `json:"reason"`
	Revocations []jsontext.Value `json:"revocations"`

	stated statedRevocation
	size   int // of Revocations, in bytes
}

// send has identifiers revoked in one call, and returns how many that were.
func (o *revocationOrder) send(ctx context.Context, client *adminClient, ids []string) (int, error) {
	for _, id := range ids {
		if err := o.add(id); err != nil {
			return 0, err
		}
	}
	return o.flush(ctx, client)
}

// sendLines has the identifiers that r holds, one a line, revoked in as few calls
// as may be, and returns how many were, with an error too.
func (o *revocationOrder) sendLines(ctx context.Context, client *adminClient, name string, r io.Reader) (n int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 4<<10)
	number := 0
	for lines.Scan() {
		number++
		line := bytes.TrimSuffix(lines.Bytes(), []byte("\r"))
		switch {
		case len(line) == 0:
			continue
		case len(bytes.TrimSpace(line)) != len(line):
			return n, fmt.Errorf("%s:%d: begins or ends with a space: identifiers are compared byte for byte", name, number)
		case len(line) > maxIdentifier, !utf8.Valid(line):
			return n, fmt.Errorf("%s:%d: not an identifier: 1 to %d bytes of UTF-8", name, number, maxIdentifier)
		}
		if err := o.add(string(line)); err != nil {
			return n, fmt.Errorf("%s:%d: %w", name, number, err)
		}
		if len(o.Revocations) == maxOrderEntries || o.size > maxOrderBytes-o.most() {
			sent, err := o.flush(ctx, client)
			if n += sent; err != nil {
				return n, err
			}
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return n, fmt.Errorf("%s:%d: not an identifier: 1 to %d bytes of UTF-8", name, number+1, maxIdentifier)
	case err != nil:
		return n, fmt.Errorf("%s: %w", name, err)
	case number == 0 || n == 0 && len(o.Revocations) == 0:
		return 0, fmt.Errorf("%s: holds no identifier", name)
	case len(o.Revocations) == 0:
		return n, nil
	}
	sent, err := o.flush(ctx, client)
	return n + sent, err
}

// most is how long an entry can be: JSON writes a byte in six at most.
func (o *revocationOrder) most() int {
	return 6*(maxIdentifier+len(o.stated.Issuer)+len(o.stated.Before)+len(o.stated.Until)) + 128
}

func (o *revocationOrder) add(id string) error {
	stated := o.stated
	stated.ID = map[string]string{stated.member: id}
	entry, err := json.Marshal(stated)
	if err != nil {
		// Its text would repeat the identifier.
		return errors.New("an identifier or the issuer is not UTF-8")
	}
	o.Revocations = append(o.Revocations, entry)
	o.size += len(entry) + 1
	return nil
}

// flush sends what was added, and returns how much that was.
func (o *revocationOrder) flush(ctx context.Context, client *adminClient) (int, error) {
	body, err := json.Marshal(o)
	if err != nil {
		return 0, errors.New("--reason is not UTF-8")
	}
	n := len(o.Revocations)
	o.Revocations, o.size = o.Revocations[:0], 0
	if err := client.revoke(ctx, body, n); err != nil {
		return 0, err
	}
	return n, nil
}
