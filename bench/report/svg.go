package report

import (
	stdbytes "bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"html"
	"html/template"
	"io"
	"strings"

	"gonum.org/v1/plot"
)

// attributes are those that a plot's elements keep, in order.
var attributes = []string{"transform", "d", "x", "y", "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "font-size"} //nolint:gochecknoglobals // a constant, if Go had them

// inline turns the document that the plotting library wrote into an element of the page.
// Style attributes, which a strict Content-Security-Policy does not obey, become attributes of
// their own, which the page's style can also change: that is how a plot gets its dark colours.
// Only what is drawn is kept: what a record named its runs cannot become an element.
func inline(document []byte, title, description string) (template.HTML, error) {
	var out strings.Builder
	d := xml.NewDecoder(stdbytes.NewReader(document))
	text := false
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return template.HTML(out.String()), nil //nolint:gosec // every part of it is escaped here
		}
		if err != nil {
			return "", fmt.Errorf("plot: %w", err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			switch t.Name.Local {
			case "svg":
				fmt.Fprintf(&out, `<svg role="img" viewBox="%s"><title>%s</title><desc>%s</desc>`,
					html.EscapeString(attribute(t, "viewBox")), html.EscapeString(title), html.EscapeString(description))
			case "g", "path":
				out.WriteString("<" + t.Name.Local)
				keep(&out, t)
				out.WriteString(">")
			case "text":
				text = true
				out.WriteString("<text")
				keep(&out, t)
			}
		case xml.EndElement:
			switch t.Name.Local {
			case "svg", "g", "path":
				out.WriteString("</" + t.Name.Local + ">")
			case "text":
				out.WriteString("</text>")
				text = false
			}
		case xml.CharData:
			if text {
				// Letters of another font are made as wide as those that were counted on.
				width, _, _ := plot.DefaultTextHandler.Box(string(t), letterFont())
				fmt.Fprintf(&out, ` textLength="%.4g" lengthAdjust="spacingAndGlyphs">%s`, width.Points(), html.EscapeString(string(t)))
			}
		}
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// keep writes an element's attributes, and those of its style.
func keep(out *strings.Builder, e xml.StartElement) {
	values := map[string]string{}
	for _, a := range e.Attr {
		values[a.Name.Local] = a.Value
	}
	for declaration := range strings.SplitSeq(values["style"], ";") {
		if name, value, ok := strings.Cut(declaration, ":"); ok {
			values[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
	}
	for _, name := range attributes {
		if value, ok := values[name]; ok {
			fmt.Fprintf(out, ` %s="%s"`, name, html.EscapeString(value))
		}
	}
}
