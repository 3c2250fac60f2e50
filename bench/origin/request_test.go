package origin

import (
	"bufio"
	"bytes"
	"testing"
)

// FuzzRequestReader: whatever comes, what is kept is what came, in order, without loss between sound requests.
func FuzzRequestReader(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\n\n",
		"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n1;a\r\nx\r\n0\r\nT: r\r\n\r\n",
		"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
		"\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		reader := requestReader{in: bufio.NewReader(bytes.NewReader(raw)), proceed: func() {}}
		var kept []byte
		for {
			request, began := reader.next()
			kept = append(append(kept, request.Head...), request.Body...)
			if !bytes.HasPrefix(raw, kept) {
				t.Fatalf("kept %q of %q", kept, raw)
			}
			if len(request.Content) > len(request.Body) {
				t.Fatalf("content %q of body %q", request.Content, request.Body)
			}
			if !began {
				if len(kept) != len(raw) {
					t.Fatalf("stopped before %q", raw[len(kept):])
				}
				return
			}
			if request.Err != nil {
				return
			}
		}
	})
}
