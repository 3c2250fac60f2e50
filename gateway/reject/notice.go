package reject

import (
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/vneid-gateway/vneid-gateway/gateway/policy"
)

// Notice tells the caller of an allowed request when it will be refused, if
// the decision says so: Deprecation (RFC 9745) since when notice is given,
// Sunset (RFC 8594) the moment of the switch. Other decisions leave the
// response as it is.
func Notice(h *fasthttp.ResponseHeader, d policy.Decision) {
	if d.Outcome != policy.Allow || d.NoticeUntil == 0 {
		return
	}
	var scratch [64]byte
	// RFC 9745 section 2.1: an RFC 9651 date.
	h.SetCanonical(headerDeprecation, strconv.AppendInt(append(scratch[:0], '@'), d.NoticeSince, 10))
	h.SetCanonical(headerSunset, time.Unix(d.NoticeUntil, 0).UTC().AppendFormat(scratch[:0], http.TimeFormat))
}

var (
	headerDeprecation = []byte("Deprecation")
	headerSunset      = []byte("Sunset")
)
