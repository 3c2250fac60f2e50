package origin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/vneid-gateway/vneid-gateway/bench/loopback"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestASiteEchoesTheRequestAsItCame(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	raw := "POST /a//b/../%2e%2f;x?q=%zz&q HTTP/1.1\r\nHost: hanoi.example\r\nx-two: 1\r\nX-TWO: 2\r\nA: b\r\n" +
		"Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 9\r\n\r\n"
	var echo origin.Echo
	if err := json.Unmarshal(exchange(t, site, raw), &echo); err != nil {
		t.Fatal(err)
	}
	want := origin.Echo{
		Site: "hanoi", Method: "POST", Target: "/a//b/../%2e%2f;x?q=%zz&q", Protocol: "HTTP/1.1", Host: "hanoi.example",
		Headers:    []origin.Header{{Name: "A", Value: "b"}, {Name: "Connection", Value: "close"}, {Name: "X-Two", Value: "1"}, {Name: "X-Two", Value: "2"}},
		Trailers:   []origin.Header{{Name: "X-Sum", Value: "9"}},
		BodyBytes:  3,
		BodySHA256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", // FIPS 180-2 appendix B.1.
	}
	if !reflect.DeepEqual(echo, want) {
		t.Errorf("got  %+v\nwant %+v", echo, want)
	}
	if got := echo.Values("X-Two"); !reflect.DeepEqual(got, []string{"1", "2"}) {
		t.Errorf("values %v", got)
	}
}

func TestBytesAreStreamedWithAndWithoutALength(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	const size = 3<<20 + 7
	for query, length := range map[string]int64{"n=3145735": size, "n=3145735&chunked=1": -1} {
		response := do(t, http.MethodGet, site.URL()+"/bytes?"+query, http.NoBody)
		body, err := io.ReadAll(response.Body)
		if err != nil || len(body) != size || bytes.Count(body, []byte("x")) != size || response.ContentLength != length {
			t.Errorf("%s: %d bytes, length %d, %v", query, len(body), response.ContentLength, err)
		}
	}
}

func TestAnUploadIsCounted(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	const size = 2<<20 + 3
	response := do(t, http.MethodPut, site.URL()+"/upload", io.LimitReader(neverEnding{}, size))
	body, err := io.ReadAll(response.Body)
	if err != nil || string(body) != "{\"bytes\":2097155}\n" {
		t.Errorf("%s, %v", body, err)
	}
}

func TestAStatusIsAnsweredAsOrdered(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	for path, want := range map[string]int{
		"/status/200": 200, "/status/204": 204, "/status/503": 503, "/status/599": 599,
		"/status/199": 400, "/status/600": 400, "/status/": 400, "/status/2e2": 400,
		"/bytes": 400, "/bytes?n=-1": 400, "/slow?ms=600001": 400, "/slow": 400,
	} {
		response := do(t, http.MethodGet, site.URL()+path, http.NoBody)
		body, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != want || (len(body) == 0) != (want == http.StatusNoContent) {
			t.Errorf("%s: %d %q %v", path, response.StatusCode, body, err)
		}
	}
}

func TestSlowWaitsAsLongAsAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "/slow?ms=90000", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		begin, got := time.Now(), &answer{header: http.Header{}}
		origin.Site("hanoi").ServeHTTP(got, request)
		if waited := time.Since(begin); waited != 90*time.Second {
			t.Errorf("waited %v", waited)
		}
		if !strings.Contains(got.String(), `"site":"hanoi"`) {
			t.Errorf("%s", got)
		}
	})
}

func TestABodyThatIsCutGetsNoAnswer(t *testing.T) {
	t.Parallel()
	site := startSite(t)
	for _, path := range []string{"/echo", "/upload"} {
		raw := "POST " + path + " HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX"
		conn := dial(t, site.Address())
		if _, err := io.WriteString(conn, raw); err != nil {
			t.Fatal(err)
		}
		if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(conn); len(got) != 0 {
			t.Errorf("%s: %s", path, got)
		}
	}
}

// answer is a http.ResponseWriter in memory.
type answer struct {
	bytes.Buffer
	header http.Header
}

func (a *answer) Header() http.Header { return a.header }
func (a *answer) WriteHeader(int)     {}

type neverEnding struct{}

func (neverEnding) Read(p []byte) (int, error) { return len(p), nil }

func startSite(t *testing.T) *loopback.Server {
	t.Helper()
	site, err := origin.Start(t.Context(), "", "hanoi")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	return site
}

func do(t *testing.T, method, url string, body io.Reader) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	return response
}

// exchange sends raw and returns the body of the answer.
func exchange(t *testing.T, site *loopback.Server, raw string) []byte {
	t.Helper()
	conn := dial(t, site.Address())
	if _, err := io.WriteString(conn, raw); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := bytes.Cut(got, []byte("\r\n\r\n"))
	return body
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}
