// Package record is the file in which vneid-bench's commands leave what they measured, and from which report, compare
// and plan read it.
package record

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
)

// Format is the value of [File.Format]. A change that old readers would misread gets another.
const Format = "vneid-bench/1"

// MaxBytes bounds a file that is read.
const MaxBytes = 256 << 20

// ErrFile is wrapped where a file is no record, or one of another format.
var ErrFile = errors.New("not a record of vneid-bench")

// File is a record. Which of its parts are there depends on the command.
type File struct {
	Format string `json:"format"`
	// Command is the command line that made it, without values of headers.
	Command []string `json:"command"`
	// StartedAt is when the command began.
	StartedAt time.Time `json:"started_at"`
	// Machine is what the command ran on.
	Machine Machine `json:"machine"`
	// Scale is the factor by which the load was less than the one that is meant; 1 is the whole of it.
	Scale float64 `json:"scale"`
	// Runs are the loads, in order.
	Runs []Run `json:"runs,omitzero"`
}

// Run is one load of a record.
type Run struct {
	// Name says which it is, for people and to find the same one in another record.
	Name string `json:"name"`
	// Attack is what was measured.
	Attack *attack.Result `json:"attack"`
	// Checks are what was demanded of it; empty where nothing was.
	Checks []Check `json:"checks,omitzero"`
}

// Check is a demand, and whether it was met.
type Check struct {
	Name   string `json:"name"`
	Want   string `json:"want"`
	Got    string `json:"got"`
	Passed bool   `json:"passed"`
}

// Read reads a record. Errors wrap [ErrFile] where it is none.
func Read(r io.Reader) (*File, error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxBytes {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrFile, MaxBytes)
	}
	f := &File{}
	if err := json.Unmarshal(raw, f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	if f.Format != Format {
		return nil, fmt.Errorf("%w: format %q, want %q", ErrFile, f.Format, Format)
	}
	return f, nil
}

// ReadFile is [Read] of a file; its name is in the error.
func ReadFile(name string) (*File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	f, err := Read(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return f, nil
}

// Write writes f, indented.
func (f *File) Write(w io.Writer) error {
	encoded, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(encoded, '\n'))
	return err
}
