package backend

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
)

// HugeSize is the usual size of [Huge] and [Bomb], in bytes.
const HugeSize = 100 << 20

// HTML answers with a page and status 200, as a proxy's error page or a login wall does.
func HTML() Fault {
	return Body("text/html; charset=utf-8",
		[]byte("<!doctype html><title>Maintenance</title><p>Please come back later.</p>\n"))
}

// Body answers with status 200 and body, whatever it is.
func Body(contentType string, body []byte) Fault {
	body = slices.Clone(body)
	return func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", contentType)
		_, _ = w.Write(body)
	}
}

// Huge answers with a JSON document of size bytes, but at least 24, without announcing its length.
func Huge(size int64) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		_ = writePadded(r.Context(), w, size)
	}
}

// Bomb answers with the document of [Huge], compressed to about a thousandth by gzip, whether the client accepts that or
// not.
func Bomb(size int64) Fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Encoding", "gzip")
		packed := gzip.NewWriter(w)
		if writePadded(r.Context(), packed, size) == nil {
			_ = packed.Close()
		}
	}
}

// writePadded writes a JSON document of size bytes, but at least 24, until writing fails or the client is gone: a
// compressor would not notice that for megabytes.
func writePadded(ctx context.Context, w io.Writer, size int64) error {
	const head, tail = `{"keys":[],"padding":"`, `"}`
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	piece := bytes.Repeat([]byte("x"), 32<<10)
	for left := size - int64(len(head)+len(tail)); left > 0; left -= int64(len(piece)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		piece = piece[:min(left, int64(len(piece)))]
		if _, err := w.Write(piece); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, tail)
	return err
}

// DuplicateKids publishes, after the keys of the set, for each of them another one with the same kid and algorithm.
// Other documents are answered rightly.
func (b *Backend) DuplicateKids() Fault {
	for _, key := range b.keys.Load().signing {
		// An RSA key takes its time: made here, it does not slow the first answer. An error comes back there.
		_, _ = key.Twin()
	}
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		if r.URL.Path != KeySetPath {
			next.ServeHTTP(w, r)
			return
		}
		keys := b.keys.Load().signing
		doubled := slices.Clone(keys)
		for _, key := range keys {
			twin, err := key.Twin()
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			doubled = append(doubled, twin)
		}
		Body("application/json", corpus.KeySetJSON(doubled...))(w, r, next)
	}
}

// anotherIssuer is an issuer that no backend is.
const anotherIssuer = "https://another-issuer.example"

// WrongIssuer lets the discovery document and an introspection answer name another issuer. The key set is answered
// rightly.
func WrongIssuer() Fault {
	return func(w http.ResponseWriter, r *http.Request, next http.Handler) {
		right, members := capture(r, next), map[string]any{}
		name := map[string]string{DiscoveryPath: "issuer", IntrospectPath: "iss"}[r.URL.Path]
		decoder := json.NewDecoder(bytes.NewReader(right.body.Bytes()))
		decoder.UseNumber()
		if decoder.Decode(&members) == nil && members[name] != nil {
			members[name] = anotherIssuer
			right.body.Reset()
			writeJSON(right, right.status, members)
		}
		right.writeHead(w)
		_, _ = w.Write(right.body.Bytes())
	}
}
