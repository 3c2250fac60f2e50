package admin

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

//go:embed keys.html
var keysPage string

const (
	styleBegin = "<style>"
	styleEnd   = "</style>"
)

// keyView answers GET /keys.
type keyView struct {
	keys   KeyAdmin
	page   *template.Template
	policy string
}

func newKeyView(keys KeyAdmin) *keyView {
	_, rest, _ := strings.Cut(keysPage, styleBegin)
	style, _, _ := strings.Cut(rest, styleEnd)
	// CSP Level 3 section 8.4: the hash covers every byte between the tags.
	sum := sha256.Sum256([]byte(style))
	return &keyView{
		keys: keys,
		page: template.Must(template.New("keys").Funcs(template.FuncMap{
			"when":    when,
			"age":     time.Duration.String,
			"percent": percent,
			"path":    keyPath,
			"odd":     odd,
		}).Parse(keysPage)),
		policy: "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
			"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
	}
}

// ServeHTTP shows a table to who asks for one, JSON to everybody else.
func (v *keyView) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Vary", "Accept")
	h.Set("X-Content-Type-Options", "nosniff")
	issuers := presentable(v.keys.Issuers())
	if !wantsPage(r.Header.Values("Accept")) {
		writeJSON(w, http.StatusOK, struct {
			Issuers []IssuerKeys `json:"issuers"`
		}{issuers})
		return
	}
	var page bytes.Buffer
	if err := v.page.Execute(&page, issuers); err != nil {
		writeJSON(w, http.StatusInternalServerError, problem{Error: "the page cannot be written"})
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", v.policy)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(page.Bytes())
}

// wantsPage reports whether HTML is named and JSON is not named as highly:
// wildcards alone, as programs send them, ask for no page (RFC 9110 section
// 12.5.1).
func wantsPage(fields []string) bool {
	var html, json float64
	for _, field := range fields {
		for named := range strings.SplitSeq(field, ",") {
			media, params, err := mime.ParseMediaType(named)
			if err != nil {
				continue
			}
			quality := 1.0
			if q, ok := params["q"]; ok {
				// Only 0 to 1 is a quality; a comparison with NaN is false.
				if quality, err = strconv.ParseFloat(q, 64); err != nil || !(quality >= 0 && quality <= 1) {
					continue
				}
			}
			switch media {
			case "text/html":
				html = max(html, quality)
			case "application/json":
				json = max(json, quality)
			}
		}
	}
	return html > json
}

func when(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.Format("2006-01-02 15:04:05 UTC")
}

func percent(share float64) string { return fmt.Sprintf("%.2f\u00a0%%", 100*share) }

// odd reports whether kid must be encoded in a path.
func odd(kid string) bool { return url.PathEscape(kid) != kid }
