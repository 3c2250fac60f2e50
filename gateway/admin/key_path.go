package admin

import (
	"net/url"
	"strings"
)

// keyPrefix is where the changes of keys are.
const keyPrefix = "/keys/"

// maxNameBytes bounds an issuer's name and a key id in a path.
const maxNameBytes = 1024

// keyPath returns the path of a key, with everything in the names encoded that
// needs to be.
func keyPath(issuer, kid string) string {
	return keyPrefix + url.PathEscape(issuer) + "/" + url.PathEscape(kid)
}

// splitKeyPath reads /keys/{issuer}/{kid} from a path that is still encoded.
// All after the issuer's slash is the key id, slashes and dots included; it is
// "" for keys without an id.
func splitKeyPath(escaped string) (issuer, kid string, ok bool) {
	rest, ok := strings.CutPrefix(escaped, keyPrefix)
	if !ok {
		return "", "", false
	}
	first, second, ok := strings.Cut(rest, "/")
	if !ok || first == "" {
		return "", "", false
	}
	issuer, err := url.PathUnescape(first)
	if err != nil || len(issuer) > maxNameBytes {
		return "", "", false
	}
	kid, err = url.PathUnescape(second)
	if err != nil || len(kid) > maxNameBytes {
		return "", "", false
	}
	return issuer, kid, true
}
