package report

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// TestPageNeedsNothingElse looks at every element: no script, no address but that of a part of
// the page, no style that its own Content-Security-Policy would refuse.
func TestPageNeedsNothingElse(t *testing.T) {
	t.Parallel()
	_, root := read(t, sample(t))
	policy, style := "", ""
	ids := map[string]int{}
	eachElement(root, func(n *html.Node) {
		for _, a := range n.Attr {
			switch {
			case a.Key == "id":
				ids[a.Val]++
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("<%s %s>", n.Data, a.Key)
			case slices.Contains([]string{"src", "href", "xlink:href", "srcset", "action", "data"}, a.Key) && !strings.HasPrefix(a.Val, "#"):
				t.Errorf("<%s %s=%q>", n.Data, a.Key, a.Val)
			}
		}
		switch {
		case slices.Contains([]string{"script", "link", "iframe", "object", "embed", "base", "form", "img"}, n.Data):
			t.Errorf("<%s>", n.Data)
		case n.Data == "meta" && attr(n, "http-equiv") == "Content-Security-Policy":
			policy = attr(n, "content")
		case n.Data == "style":
			style += contents(n)
		}
	})
	hash := sha256.Sum256([]byte(style))
	if want := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(hash[:]) + "'"; !strings.HasPrefix(policy, want) {
		t.Errorf("policy %q, want %q: the browser would refuse the style", policy, want)
	}
	if strings.Contains(style, "url(") || strings.Contains(style, "@import") {
		t.Error("the style loads something")
	}
	for id, n := range ids {
		if n > 1 {
			t.Errorf("%d elements have id %q", n, id)
		}
	}
	eachElement(root, func(n *html.Node) {
		if to := attr(n, "href"); to != "" && ids[strings.TrimPrefix(to, "#")] == 0 {
			t.Errorf("%s leads nowhere", to)
		}
	})
}

// TestEveryPlotIsSaidInWordsToo finds title, description, legend and table of values with each.
func TestEveryPlotIsSaidInWordsToo(t *testing.T) {
	t.Parallel()
	_, root := read(t, sample(t))
	var titles []string
	eachElement(root, func(n *html.Node) {
		if n.Data != "figure" {
			return
		}
		has := map[string]string{}
		eachElement(n, func(d *html.Node) {
			has[d.Data] += contents(d)
			if d.Data == "svg" && attr(d, "role") != "img" && attr(d, "aria-hidden") == "" {
				t.Error("an svg without a role")
			}
		})
		titles = append(titles, has["figcaption"])
		for _, part := range []string{"figcaption", "title", "desc", "text"} {
			if strings.TrimSpace(has[part]) == "" {
				t.Errorf("%q has no <%s>", has["figcaption"], part)
			}
		}
		if !strings.Contains(has["figcaption"], "run by run") && strings.Count(has["details"], "") < 40 {
			t.Errorf("%q has no table of its values", has["figcaption"])
		}
	})
	for _, want := range []string{
		"Latency by percentile", "Latency over time", "Requests a second, asked and answered", "Failed requests a second", "Failed requests by reason",
		"The target's processors over time", "The target's memory over time", "How busy the generator was", "Scaling: the target's processors by rate",
		"Scaling: p99 of latency by rate", "Cores that each load takes", "What each fleet carries", "Processor time a request, RS256", "Latency by percentile, run by run",
	} {
		if !slices.Contains(titles, want) {
			t.Errorf("there is no plot %q", want)
		}
	}
}

// TestStyleKnowsEveryColourOfAPlot guards the dark screen: a colour that the style does not find
// stays as it is on paper.
func TestStyleKnowsEveryColourOfAPlot(t *testing.T) {
	t.Parallel()
	_, root := read(t, sample(t))
	seen := 0
	eachElement(root, func(n *html.Node) {
		for _, name := range []string{"fill", "stroke"} {
			if v := attr(n, name); v != "" && v != "none" {
				seen++
				if !strings.Contains(pageStyle, `svg [`+name+`="`+v+`"]`) {
					t.Errorf("%s %s of <%s> is not in the style", name, v, n.Data)
				}
			}
		}
	})
	if seen < 100 {
		t.Errorf("only %d colours seen", seen)
	}
}
