package reject_test

import (
	"crypto/sha256"
	"encoding/base64"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/gateway/reject"
)

func TestPageLoadsNothingAndStandsAlone(t *testing.T) {
	t.Parallel()
	for _, c := range reject.Codes() {
		ctx := write(t, reject.Refusal{Code: c, Site: hanoi(t), RequestID: []byte(requestID), Decision: decision(c)}, acceptPage)
		page := string(ctx.Response.Body())
		for part, n := range map[string]int{
			"<h1>": 1, "<main>": 1, "<footer>": 1, `<html lang="vi">`: 1, `<section lang="en">`: 1, "<style>": 1, "@@": 0,
			"<script": 0, "<img": 0, "<link": 0, "<form": 0, "@import": 0, "url(": 0, "style=": 0, "onclick": 0,
			">" + c.String() + "<": 1, ">" + requestID + "<": 1,
		} {
			if got := strings.Count(page, part); got != n {
				t.Errorf("%v: %q %d times, want %d", c, part, got, n)
			}
		}
		if got := strings.Contains(page, `<a href="tel:19000368">`); got != c.LoginRelated() {
			t.Errorf("%v: hotline link: %v", c, got)
		}
		_, rest, _ := strings.Cut(page, "<style>")
		style, _, _ := strings.Cut(rest, "</style>")
		sum := sha256.Sum256([]byte(style))
		policy := string(ctx.Response.Header.Peek("Content-Security-Policy"))
		want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; "
		if !strings.HasPrefix(policy, want) || strings.Contains(policy, "unsafe") {
			t.Errorf("%v: policy %q, want %q", c, policy, want)
		}
	}
}

func TestPageColoursHaveEnoughContrast(t *testing.T) {
	t.Parallel()
	page := string(write(t, reject.Refusal{}, acceptPage).Response.Body())
	blocks := regexp.MustCompile(`:root \{([^}]*)\}`).FindAllStringSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d colour schemes, want light and dark", len(blocks))
	}
	for _, b := range blocks {
		colours := make(map[string]float64)
		for _, v := range regexp.MustCompile(`--([a-z]+): #([0-9a-f]{6})`).FindAllStringSubmatch(b[1], -1) {
			colours[v[1]] = luminance(t, v[2])
		}
		for _, text := range []string{"ink", "soft", "link"} {
			hi, lo := max(colours[text], colours["paper"]), min(colours[text], colours["paper"])
			if ratio := (hi + 0.05) / (lo + 0.05); ratio < 4.5 {
				t.Errorf("%s on paper: contrast %.2f in %s", text, ratio, b[1])
			}
		}
	}
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
