package reject

import (
	"errors"
	"fmt"
	"html"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrLoginURL means that a login URL is not one that a browser can be sent to:
// an absolute http or https URL, or a path that begins with a single slash, of
// at most 2048 bytes.
var ErrLoginURL = errors.New("reject: invalid login URL")

const (
	maxLoginURLBytes = 2048
	defaultRealm     = "vneid-gateway"
)

// Site is what the answers of one site have in common, prepared. Immutable and
// safe for concurrent use.
type Site struct {
	challenge []byte // Bearer realm="…"
	loginJSON []byte
	loginVI   []byte
	loginEN   []byte
}

// NewSite prepares the answers of a site. The name becomes the realm of
// challenges (RFC 9110 section 11.5). The login URL may be "": no link.
func NewSite(name, loginURL string) (*Site, error) {
	challenge := appendPlain([]byte(`Bearer realm="`), name)
	s := &Site{challenge: append(challenge, '"')}
	if loginURL == "" {
		return s, nil
	}
	u, err := url.Parse(loginURL)
	switch {
	case err != nil || len(loginURL) > maxLoginURLBytes:
		return nil, fmt.Errorf("%w: site %q", ErrLoginURL, name)
	case (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil:
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(loginURL, "/") && !strings.HasPrefix(loginURL, "//"):
	default:
		return nil, fmt.Errorf("%w: site %q", ErrLoginURL, name)
	}
	link := u.String()
	quoted, err := jsontext.AppendQuote(nil, link)
	if err != nil {
		return nil, fmt.Errorf("%w: site %q", ErrLoginURL, name)
	}
	href := html.EscapeString(link)
	s.loginJSON = append([]byte(`,"login_url":`), quoted...)
	s.loginVI = []byte(`<p><a class="button" href="` + href + `">Đăng nhập</a></p>`)
	s.loginEN = []byte(`<p><a href="` + href + `">Log in</a></p>`)
	return s, nil
}
