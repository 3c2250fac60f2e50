package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// textWidth is how wide a terminal is taken to be, in columns.
const textWidth = 100

// WriteText writes the report for a terminal: what the page has, but plots. The error is
// that of the writer.
func (r *Report) WriteText(w io.Writer) error {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n%s\n", printable(r.title), strings.Repeat("=", utf8.RuneCountInString(r.title)))
	for _, c := range r.chapters {
		if len(r.chapters) > 1 {
			fmt.Fprintf(&s, "\n%s\n%s\n", printable(c.Title), strings.Repeat("=", utf8.RuneCountInString(c.Title)))
		}
		for _, section := range c.Sections {
			fmt.Fprintf(&s, "\n%s\n%s\n", printable(section.Title), strings.Repeat("-", utf8.RuneCountInString(section.Title)))
			for _, b := range section.Blocks {
				b.text(&s)
			}
		}
	}
	_, err := io.WriteString(w, strings.ReplaceAll(strings.TrimRight(s.String(), "\n"), "\n\n\n", "\n\n")+"\n")
	return err
}

func (b *block) text(s *strings.Builder) {
	switch {
	case b.Note != nil:
		mark := map[mood]string{good: "[ok] ", bad: "[NO] ", warn: "[!] "}[b.Note.Mood]
		wrap(s, mark+printable(b.Note.Text), strings.Repeat(" ", len(mark)))
	case b.Facts != nil:
		longest := 0
		for _, f := range b.Facts {
			longest = max(longest, utf8.RuneCountInString(f.Name))
		}
		for _, f := range b.Facts {
			wrap(s, pad(printable(f.Name), longest, false)+"  "+printable(f.Value), strings.Repeat(" ", longest+2))
		}
	case b.Table != nil:
		b.Table.text(s)
	case b.Figure != nil && b.Figure.Essential && b.Figure.Values != nil:
		b.Figure.Values.text(s)
	}
}

// text writes a table with its columns one under the other. One that is wider than the terminal
// has its first column cut.
func (t *table) text(s *strings.Builder) {
	if len(t.Rows) == 0 {
		return
	}
	lines := append([][]string{t.Columns}, t.Rows...)
	widths := make([]int, len(t.Columns))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(printable(cell)))
		}
	}
	all := 2 * (len(widths) - 1)
	for _, w := range widths {
		all += w
	}
	// Words give way first, the widest of them most; numbers are not cut.
	for all > textWidth {
		widest := -1
		for i, w := range widths {
			if !t.Right[i] && w > 12 && (widest < 0 || w > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			break
		}
		widths[widest]--
		all--
	}
	s.WriteByte('\n')
	wrap(s, printable(t.Caption)+":", "")
	for _, line := range lines {
		var row strings.Builder
		for i, cell := range line {
			cell = shorten(strings.ReplaceAll(printable(cell), "\n", " "), widths[i])
			row.WriteString(pad(cell, widths[i], t.Right[i]) + "  ")
		}
		s.WriteString(strings.TrimRight(row.String(), " ") + "\n")
	}
	s.WriteByte('\n')
}

func pad(s string, width int, right bool) string {
	blank := strings.Repeat(" ", max(width-utf8.RuneCountInString(s), 0))
	if right {
		return blank + s
	}
	return s + blank
}

// wrap writes a text in lines that fit, of which all but the first are indented.
func wrap(s *strings.Builder, text, indent string) {
	line := ""
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth:
			s.WriteString(line + "\n")
			line = indent + word
		default:
			line += " " + word
		}
	}
	s.WriteString(strings.TrimRight(line, " ") + "\n")
}
