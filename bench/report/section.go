package report

import (
	"html/template"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// section is a stretch of a report under a heading. It has nothing of HTML or of a
// terminal, so that both show the same.
type section struct {
	Title  string
	Blocks []block
}

// block is one of its things; only one field is set.
type block struct {
	Note   *note
	Facts  []fact
	Table  *table
	Figure *figure
}

// note is a sentence or two.
type note struct {
	Mood mood
	Text string
}

// mood is how a note is meant; it is the class of its element.
type mood string

const (
	plain mood = "plain"
	good  mood = "good"
	bad   mood = "bad"
	warn  mood = "warn"
)

// fact is a line of name and value. Code is set in a fixed width.
type fact struct {
	Name, Value string
	Code        bool
}

// table is rows of cells. Right says which columns have numbers.
type table struct {
	Caption string
	Columns []string
	Right   []bool
	Rows    [][]string
}

// figure is a plot, what it shows in words, and the values that it shows.
type figure struct {
	Title  string
	Alt    string
	Legend []key
	SVG    template.HTML
	Values *table
	// Essential values are printed where there are no plots.
	Essential bool
}

// key explains a line or a bar.
type key struct {
	Name   string
	Class  string // colour
	Dashed bool
	Dot    bool // instead of a line
}

// builder makes the sections of one part of a record; none where the record does not have
// that part. To show another part, write a builder and name it in builders.
type builder func(f *record.File) []section

func builders() []builder {
	return []builder{overview, merged, found, planned, peerSections, scenarios, runs}
}

func say(m mood, text string) block { return block{Note: &note{Mood: m, Text: text}} }

func show(f figure) block { return block{Figure: &f} }

// tabulate makes a table; a column whose name begins with a blank is of words.
func tabulate(caption string, columns []string, rows [][]string) *table {
	t := &table{Caption: caption, Rows: rows}
	for _, name := range columns {
		words := len(name) > 0 && name[0] == ' '
		if words {
			name = name[1:]
		}
		t.Columns, t.Right = append(t.Columns, name), append(t.Right, !words)
	}
	return t
}
