package reject_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
	jwt "github.com/vneid-gateway/vneid-gateway/gateway/token"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	acceptPage = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
	requestID  = "01J9ZC8G4T-e2e.7_x"
)

func renderer(t testing.TB) *reject.Renderer {
	t.Helper()
	r, err := reject.New()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func hanoi(t testing.TB) *reject.Site {
	t.Helper()
	s, err := reject.NewSite("hanoi", "https://login.example.vn/authorize?client_id=hanoi&scope=openid")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// write renders a refusal of a GET request with the given Accept field.
func write(t testing.TB, ref reject.Refusal, accept string) *fasthttp.RequestCtx {
	t.Helper()
	ctx := &fasthttp.RequestCtx{}
	if accept != "" {
		ctx.Request.Header.Set("Accept", accept)
	}
	ref.Page = reject.PrefersPage(&ctx.Request.Header)
	renderer(t).Write(ctx, ref)
	return ctx
}

// people read: status, fields in order, content.
func readable(ctx *fasthttp.RequestCtx) []byte {
	var b bytes.Buffer
	resp := &ctx.Response
	fmt.Fprintf(&b, "%d %s\n", resp.StatusCode(), fasthttp.StatusMessage(resp.StatusCode()))
	var fields []string
	for k, v := range resp.Header.All() {
		if string(k) != "Content-Length" {
			fields = append(fields, fmt.Sprintf("%s: %s\n", k, v))
		}
	}
	slices.Sort(fields)
	for _, f := range fields {
		b.WriteString(f)
	}
	b.WriteByte('\n')
	b.Write(resp.Body())
	return b.Bytes()
}

// decisions gives each policy refusal the details that it would have.
func decision(c reject.Code) policy.Decision {
	switch c {
	case reject.AccountLevelInsufficient:
		return policy.Decision{Kind: jwt.KindCitizen, RequiredLevel: 2}
	case reject.VNeIDAccountRequired:
		return policy.Decision{Kind: jwt.KindCitizen, CutoverSince: unix("2024-07-01T00:00:00+07:00")}
	case reject.AuthenticationInsufficient:
		return policy.Decision{ACRValues: "loa2 loa3", MaxAuthAge: 15 * time.Minute}
	}
	return policy.Decision{}
}

func unix(text string) int64 {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return at.Unix()
}

func TestAnswersAreTheGoldenOnes(t *testing.T) {
	t.Parallel()
	site := hanoi(t)
	type golden struct {
		name string
		ref  reject.Refusal
	}
	var all []golden
	for _, c := range reject.Codes() {
		all = append(all, golden{c.String(), reject.Refusal{Code: c, Site: site, RequestID: []byte(requestID), Decision: decision(c)}})
	}
	variant := func(name string, c reject.Code, s *reject.Site, d policy.Decision) {
		all = append(all, golden{c.String() + "." + name, reject.Refusal{Code: c, Site: s, RequestID: []byte(requestID), Decision: d}})
	}
	variant("level_1", reject.AccountLevelInsufficient, site, policy.Decision{RequiredLevel: 1})
	variant("no_details", reject.VNeIDAccountRequired, site, policy.Decision{Kind: jwt.KindCitizen})
	variant("no_details", reject.AuthenticationInsufficient, site, policy.Decision{})
	variant("no_site", reject.CredentialMissing, nil, policy.Decision{})
	for k := jwt.KindOrganisation; k <= jwt.KindOfficer; k++ {
		variant(k.String(), reject.VNeIDAccountRequired, site, policy.Decision{Kind: k, CutoverSince: unix("2025-07-01T00:00:00+07:00")})
	}
	for _, g := range all {
		for form, accept := range map[string]string{"problem": "application/json", "page": acceptPage} {
			file := filepath.Join("testdata", "golden", g.name+"."+form+".txt")
			got := readable(write(t, g.ref, accept))
			if *update {
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				continue
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs (go test -update writes it anew):\n%s", file, got)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*"))
	if err != nil || len(files) != 2*len(all) {
		t.Errorf("%d golden files for %d answers in two forms: remove the stale ones (%v)", len(files), len(all), err)
	}
}
