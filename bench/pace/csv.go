package pace

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	// MaxCSVRows is how many rows a profile's file can have.
	MaxCSVRows = 100_000
	// MaxCSVBytes is how large a profile's file can be.
	MaxCSVBytes = 8 << 20
)

// ReadCSV reads a profile of rows "seconds,rate": at that many seconds the rate
// is that many requests a second. Between two rows the rate goes in a straight
// line; two rows of the same second make it leap. Time counts from the first row,
// whatever its second, so that a stretch of a recorded day can be replayed; the
// last row is the end. A first row "seconds,rate" is a heading, and lines that
// begin with # are comments.
//
//	seconds,rate
//	0,100
//	60,100
//	60,2000
//	120,0
//
// A file of more than [MaxCSVRows] rows or [MaxCSVBytes], seconds that go back, and
// numbers out of range are errors that wrap [ErrCSV].
func ReadCSV(r io.Reader) (Profile, error) {
	limited := &io.LimitedReader{R: r, N: MaxCSVBytes + 1}
	rows := csv.NewReader(limited)
	rows.Comment, rows.FieldsPerRecord, rows.ReuseRecord, rows.TrimLeadingSpace = '#', 2, true, true
	var pieces []Piece
	var lastAt, lastRate float64
	read := 0
	for {
		row, err := rows.Read()
		if limited.N <= 0 {
			return Profile{}, fmt.Errorf("%w: larger than %d bytes", ErrCSV, MaxCSVBytes)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Profile{}, fmt.Errorf("%w: %w", ErrCSV, err)
		}
		line, _ := rows.FieldPos(0)
		if read == 0 && strings.TrimSpace(row[0]) == "seconds" && strings.TrimSpace(row[1]) == "rate" {
			continue
		}
		if read == MaxCSVRows {
			return Profile{}, fmt.Errorf("%w: more than %d rows", ErrCSV, MaxCSVRows)
		}
		at, err := number(row[0], math.MaxInt32)
		if err != nil {
			return Profile{}, fmt.Errorf("%w: line %d, seconds: %w", ErrCSV, line, err)
		}
		rate, err := number(row[1], MaxPerSecond)
		if err != nil {
			return Profile{}, fmt.Errorf("%w: line %d, rate: %w", ErrCSV, line, err)
		}
		if read > 0 && at < lastAt {
			return Profile{}, fmt.Errorf("%w: line %d: seconds go back from %v to %v", ErrCSV, line, lastAt, at)
		}
		if d := time.Duration(math.Round((at - lastAt) * 1e9)); read > 0 && d > 0 {
			pieces = append(pieces, Piece{d, lastRate, rate})
		}
		lastAt, lastRate = at, rate
		read++
	}
	if len(pieces) == 0 {
		return Profile{}, fmt.Errorf("%w: it takes two rows of different seconds", ErrCSV)
	}
	p, err := New(pieces...)
	if err != nil {
		return Profile{}, fmt.Errorf("%w: %w", ErrCSV, err)
	}
	return p, nil
}

var errNumber = errors.New("not a number in range")

// number reads 0 to limit.
func number(s string, limit float64) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(v >= 0 && v <= limit) {
		return 0, fmt.Errorf("%w: %.20q (0 to %.0f)", errNumber, s, limit)
	}
	return v, nil
}
