package gateway

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/corpus"
	"github.com/vneid-gateway/vneid-gateway/bench/origin"
	"github.com/vneid-gateway/vneid-gateway/gateway/token"
)

// What must appear in nothing that the gateway writes but the request itself.
const (
	secretNumber  = "000123456789"
	secretName    = "Nguyen-Van-Secret"
	secretSubject = "subject-secret-7f3a"
	secretQuery   = "query-secret-91c2"
	secretCookie  = "cookie-secret-55aa"
	secretField   = "field-secret-c0de"
	secretBody    = "body-secret-e11e"
)

type panicky struct{}

func (panicky) Revoked(c *token.Claims, _ *token.Key) bool {
	panic("claims of " + c.Subject + " " + secretNumber)
}

// personal returns a token full of personal data.
func personal(r *rig) string {
	return r.token(func(t *corpus.Token) {
		t.PersonalNumber, t.Subject, t.ID, t.SessionID = secretNumber, secretSubject, secretSubject+"-jti", secretSubject+"-sid"
		t.Claims = map[string]any{"name": secretName, "HoVaTen": secretName}
	})
}

// matrix sends every kind of request with secrets in all its parts and returns
// what came back: all of it is the gateway's own words.
func matrix(r *rig) []string {
	tok := personal(r)
	forged := tok[:len(tok)-8] + "AAAAAAAA"
	var answers []string
	for _, path := range []string{
		"/private/" + secretNumber, "/private/000-123-456-789/x", "/private/" + tok[:100], "/private/a@" + secretName,
		"/private/%4eguyen%20" + secretName, "/api/cam/" + secretNumber, "/private/../" + secretNumber + "/../../..", "/private/%zz" + secretName,
		"/level2/" + secretNumber, "/private/;" + secretName,
	} {
		for _, credential := range []string{"X: " + secretField, bearer(tok), bearer(forged), bearer(tok) + " " + secretName, "Cookie: session=" + tok + "; x=" + secretCookie, bearer(strings.Repeat(secretName, 600))} {
			for _, accept := range []string{"*/*", "text/html"} {
				a := r.get(path+"?so_dinh_danh="+secretNumber+"&q="+secretQuery+"&token="+tok, credential, "Accept: "+accept, "Cookie: "+secretCookie+"=1",
					"X-Full-Name: "+secretName, "User-Agent: "+secretField, "Referer: http://x/?"+secretQuery)
				if a.status == 200 {
					continue
				}
				answers = append(answers, fmt.Sprint(a.header)+a.body)
			}
		}
	}
	for _, c := range smuggling {
		conn := r.dial().send(strings.Replace(c.raw, "\r\n", "\r\n"+bearer(tok)+"\r\nX: "+secretField+"\r\n", 1) + secretBody)
		if a, err := conn.tryAnswer("GET"); err == nil {
			answers = append(answers, fmt.Sprint(a.header)+a.body)
		}
		conn.Close()
	}
	for _, raw := range []string{
		"GET /" + secretNumber + " HTTP/1.1\r\nHost: " + strings.ToLower(secretName) + ".example\r\n\r\n",
		secretNumber + " /" + secretQuery + " HTTP/9.9\r\n\r\n",
		"POST /private HTTP/1.1\r\nHost: hanoi.example\r\n" + bearer(tok) + "\r\nTransfer-Encoding: chunked\r\n\r\n" + secretBody + "\r\n",
	} {
		conn := r.dial().send(raw)
		if a, err := conn.tryAnswer("GET"); err == nil {
			answers = append(answers, fmt.Sprint(a.header)+a.body)
		}
		conn.Close()
	}
	return append(answers, tok)
}

// wantNoSecrets looks for any of it in what the gateway wrote.
func wantNoSecrets(t *testing.T, r *rig, answers []string) {
	t.Helper()
	tok := answers[len(answers)-1]
	parts := strings.Split(tok, ".")
	r.idle()
	_, exposition := r.adminGet("/metrics")
	_, missing := r.adminGet("/readyz")
	written := map[string]string{"log": r.log.String(), "metrics": exposition, "readiness": missing, "answers": strings.Join(answers[:len(answers)-1], "\n")}
	for where, text := range written {
		for _, secret := range []string{
			secretNumber, secretNumber[3:], "000-123", secretName, strings.ToLower(secretName), secretSubject, secretQuery, secretCookie, secretField, secretBody,
			parts[1][:24], parts[2][:24], "so_dinh_danh", "HoVaTen", "preferred_username",
		} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s: %q appears: …%s…", where, secret, text[max(0, i-300):min(len(text), i+100)])
			}
		}
	}
	if len(written["log"]) < 10_000 || len(written["answers"]) < 10_000 || len(exposition) < 10_000 {
		t.Errorf("hardly anything was written: %d %d %d", len(written["log"]), len(written["answers"]), len(exposition))
	}
}

func TestInvariant9NobodysPersonalDataLeaks(t *testing.T) {
	t.Parallel()
	for name, s := range map[string]setup{
		"enforced":       {},
		"observed":       {site: observedSite},
		"no upstream":    {upstreams: "[http://" + closedPort(t) + "]"},
		"bad upstream":   {answer: origin.Always(origin.Answer{Raw: []byte("HTTP/1.1 200 " + secretNumber + "\nX: " + secretName + "\r\n\r\n"), End: origin.Close})},
		"mute upstream":  {answer: origin.Always(origin.Answer{End: origin.Reset})},
		"everyone's out": {revocations: allRevoked()},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.level = slog.LevelDebug
			r := newRig(t, s)
			wantNoSecrets(t, r, matrix(r))
			r.stop()
			if strings.Contains(r.log.String(), secretNumber) {
				t.Error("the drain tells")
			}
		})
	}
}

func allRevoked() Revocations {
	r := &revocations{}
	r.revoked.Store(true)
	return r
}

func TestInvariant9CrashOutputTellsThePlaceAndNoData(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{revocations: panicky{}, level: slog.LevelDebug})
	wantNoSecrets(t, r, matrix(r))
	if r.metric("panics_total") == 0 || !strings.Contains(r.log.String(), "invariant9_test.go") {
		t.Error("no panic was logged with its place")
	}
}

func TestPanicIsAnsweredCountedAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	r := newRig(t, setup{revocations: panicky{}})
	tok := r.token()
	conn := r.dial()
	for n := 1; n <= 5; n++ {
		a := conn.send(request("GET", "/private", bearer(tok), "X-Request-Id: panic-1")).answer("GET")
		if a.status != 500 || a.code != "internal_error" || a.header.Get("X-Request-Id") != "panic-1" {
			t.Errorf("%d %s %v", a.status, a.code, a.header)
		}
		if a.closes {
			conn.wantEnd()
			conn = r.dial()
		}
		r.wantMetric(float64(n), "panics_total")
		r.wantMetric(float64(n), "requests_total", "site=hanoi", "outcome=failed", "reason=internal_error")
	}
	r.wantMetric(0, "in_flight_requests")
	// The exchange that panicked is another request's next.
	if a := r.get("/open/x"); a.status != 200 || a.header.Get("X-Request-Id") == "panic-1" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if r.reached() != 1 {
		t.Errorf("%d requests reached the upstream", r.reached())
	}
	if lines := r.log.lines("panic in handler"); len(lines) != 5 || lines[0]["request_id"] != "panic-1" || lines[0]["level"] != "ERROR" {
		t.Errorf("%v", lines)
	}
	if lines := r.log.lines("request"); len(lines) != 6 || lines[0]["outcome"] != "failed" || lines[0]["status"] != 500.0 {
		t.Errorf("%v", lines)
	}
}

func TestUpstreamSeesNoCredentialUnlessConfigured(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, site string
		want       bool
	}{
		{"default", "", false},
		{"forwarded", "\n    forward_credential: true", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, setup{site: strings.Replace(defaultSite, "\n    cookie: session", "\n    cookie: session"+c.site, 1)})
			tok := personal(r)
			for _, fields := range [][]string{{bearer(tok)}, {"Cookie: a=b; session=" + tok + "; c=d"}} {
				for _, path := range []string{"/private", "/open/x"} {
					before := r.reached()
					if a := r.get(path, fields...); a.status != 200 {
						t.Fatal(a.status, a.code)
					}
					head := string(r.upstream.Requests()[before].Head)
					if got, want := strings.Contains(head, tok), c.want && path == "/private"; got != want {
						t.Errorf("%s %.20s: the credential was sent: %v", path, fields[0], got)
					}
					if strings.HasPrefix(fields[0], "Cookie") && !strings.Contains(head, "a=b; ") {
						t.Errorf("other cookies were lost: %s", head)
					}
				}
			}
		})
	}
}
