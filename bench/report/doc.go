// Package report shows records of vneid-bench to people: as one page of HTML that needs nothing
// else, and as text.
//
// A record is made into sections of notes, facts, tables and figures, which know nothing of HTML;
// two renderers show them. To show another part of a record, write a builder that makes sections
// of it, and name it in builders.
//
// # The page
//
// It has no script, loads nothing, and says so with a Content-Security-Policy of its own, so that
// it can be mailed, put on any server, or read from a disk. Plots are drawn by gonum.org/v1/plot,
// which is maintained, writes SVG and needs neither a browser nor C; they are put into the page as
// elements, so that its style gives them the colours of a dark screen, and each has a title, a
// description, and the table of its values below it.
//
// A record comes from elsewhere. Names in it are escaped by html/template and, in plots, by this
// package; in text, what would steer a terminal is taken away.
package report
