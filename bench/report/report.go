package report

import (
	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// Report is what is shown of some records. It does not change once made, and may be shared.
type Report struct {
	title    string
	chapters []chapter
}

// chapter is what is shown of one record.
type chapter struct {
	Title    string
	Sections []section
}

// New makes a report of records; names, one for each, are how they are told apart.
func New(title string, files []*record.File, names []string) *Report {
	r := &Report{title: title}
	for i, f := range files {
		c := chapter{Title: names[i]}
		for _, build := range builders() {
			c.Sections = append(c.Sections, build(f)...)
		}
		r.chapters = append(r.chapters, c)
	}
	return r
}
