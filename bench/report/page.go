package report

import (
	"crypto/sha256"
	_ "embed" // the page and its style
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
)

// page is what the template sees.
type page struct {
	Title     string
	Style     template.CSS
	StyleHash string
	Many      bool
	Sections  int
	Chapters  []pageChapter
}

type pageChapter struct {
	Title    string
	Sections []pageSection
}

type pageSection struct {
	ID, Of, Title string
	Groups        []group
}

// group is a block, or figures that follow each other and stand side by side where there is room.
type group struct {
	Block   *block
	Figures []*figure
}

// WriteHTML writes the page. The error is that of the writer.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("report: %w", err)
	}
	hash := sha256.Sum256([]byte(pageStyle))
	p := page{
		Title: r.title, Style: template.CSS(pageStyle), Many: len(r.chapters) > 1, //nolint:gosec // it is this package's own
		StyleHash: "sha256-" + base64.StdEncoding.EncodeToString(hash[:]),
	}
	for _, c := range r.chapters {
		shown := pageChapter{Title: c.Title}
		for i := range c.Sections {
			p.Sections++
			s := pageSection{ID: fmt.Sprintf("part-%d", p.Sections), Title: c.Sections[i].Title, Groups: groups(c.Sections[i].Blocks)}
			if p.Many && i == 0 {
				s.Of = c.Title
			}
			shown.Sections = append(shown.Sections, s)
		}
		p.Chapters = append(p.Chapters, shown)
	}
	return t.Execute(w, p)
}

func groups(blocks []block) (all []group) {
	for i := range blocks {
		b := &blocks[i]
		if b.Figure == nil {
			all = append(all, group{Block: b})
			continue
		}
		if n := len(all); n == 0 || all[n-1].Figures == nil {
			all = append(all, group{})
		}
		last := &all[len(all)-1]
		last.Figures = append(last.Figures, b.Figure)
	}
	return all
}
