package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteMarkdown writes the report in GitHub's Markdown: what the page has, but plots. What a
// record named its parts is text in it, and no markup. The error is that of the writer.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "# %s\n", literal(r.title))
	level := "##"
	for _, c := range r.chapters {
		if len(r.chapters) > 1 {
			fmt.Fprintf(&s, "\n## %s\n", literal(c.Title))
			level = "###"
		}
		for _, section := range c.Sections {
			fmt.Fprintf(&s, "\n%s %s\n", level, literal(section.Title))
			for _, b := range section.Blocks {
				b.markdown(&s)
			}
		}
	}
	_, err := io.WriteString(w, s.String())
	return err
}

func (b *block) markdown(s *strings.Builder) {
	switch {
	case b.Note != nil:
		mark := map[mood]string{good: "**OK** ", bad: "**NO** ", warn: "**Note** "}[b.Note.Mood]
		fmt.Fprintf(s, "\n%s%s\n", mark, literal(b.Note.Text))
	case b.Facts != nil:
		s.WriteByte('\n')
		for _, f := range b.Facts {
			fmt.Fprintf(s, "- %s: %s\n", literal(f.Name), literal(f.Value))
		}
	case b.Table != nil:
		b.Table.markdown(s)
	case b.Figure != nil && b.Figure.Essential && b.Figure.Values != nil:
		b.Figure.Values.markdown(s)
	}
}

func (t *table) markdown(s *strings.Builder) {
	if len(t.Rows) == 0 {
		return
	}
	row := func(cells []string) {
		for _, c := range cells {
			s.WriteString("| " + literal(c) + " ")
		}
		s.WriteString("|\n")
	}
	fmt.Fprintf(s, "\n%s:\n\n", literal(t.Caption))
	row(t.Columns)
	for _, right := range t.Right {
		if right {
			s.WriteString("| ---: ")
		} else {
			s.WriteString("| --- ")
		}
	}
	s.WriteString("|\n")
	for _, r := range t.Rows {
		row(r)
	}
}

// literal writes a text so that it is no markup and no HTML.
func literal(text string) string {
	var s strings.Builder
	for _, r := range printable(text) {
		switch {
		case r == '<':
			s.WriteString("&lt;")
		case r == '&':
			s.WriteString("&amp;")
		case strings.ContainsRune("\\`*_[]|~>#", r):
			s.WriteRune('\\')
			s.WriteRune(r)
		default:
			s.WriteRune(r)
		}
	}
	return s.String()
}
