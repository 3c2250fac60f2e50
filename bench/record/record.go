// Package record is the file in which vneid-bench's commands leave what they measured, and from which report, compare
// and plan read it.
package record

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vneid-gateway/vneid-gateway/bench/attack"
	"github.com/vneid-gateway/vneid-gateway/bench/limit"
	"github.com/vneid-gateway/vneid-gateway/bench/peers"
	"github.com/vneid-gateway/vneid-gateway/bench/plan"
	"github.com/vneid-gateway/vneid-gateway/bench/scenario"
	"github.com/vneid-gateway/vneid-gateway/bench/target"
)

// Format is the value of [File.Format]. A change that old readers would misread gets another.
const Format = "vneid-bench/1"

// MaxBytes bounds a file that is read.
const MaxBytes = 256 << 20

// File is a record. Which of its parts are there depends on the command.
type File struct {
	Format string `json:"format"`
	// Command is the command line that made it, without what may be secret: values of headers, userinfo and queries of URLs.
	Command []string `json:"command"`
	// StartedAt is when the command began.
	StartedAt time.Time `json:"started_at"`
	// Machine is what the command ran on.
	Machine Machine `json:"machine"`
	// Scale is the factor by which the load was less than the one that is meant; 1 is the whole of
	// it, and 0 says nothing.
	Scale float64 `json:"scale"`
	// MergedFrom are the records that [Merge] made it of; empty where one machine made the load.
	MergedFrom []Part `json:"merged_from,omitzero"`
	// Runs are the loads, in order.
	Runs []Run `json:"runs,omitzero"`
	// Scenarios are what the runs stood for and what was demanded of them: the n-th is that of the n-th run.
	Scenarios []scenario.Result `json:"scenarios,omitzero"`
	// FindMax is the highest rate that was found, and the trials that found it.
	FindMax *limit.Result `json:"find_max,omitzero"`
	// Plan is what a population takes.
	Plan *plan.Result `json:"plan,omitzero"`
	// Peers are the costs of proxies side by side.
	Peers *peers.Result `json:"peers,omitzero"`
}

// Run is one load of a record.
type Run struct {
	// Name says which it is, for people and to find the same one in another record.
	Name string `json:"name"`
	// Attack is what was measured.
	Attack *attack.Result `json:"attack"`
	// Target is what the target used meanwhile; nil where nobody looked.
	Target *target.Use `json:"target,omitzero"`
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
	if err := f.check(); err != nil {
		return nil, err
	}
	return f, nil
}

// check refuses what no command writes, so that readers need not ask.
func (f *File) check() error {
	if f.Scale < 0 {
		return fmt.Errorf("%w: a scale of %v", ErrFile, f.Scale)
	}
	for i := range f.Runs {
		if f.Runs[i].Attack == nil {
			return fmt.Errorf("%w: run %d of it measured nothing", ErrFile, i+1)
		}
	}
	return nil
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
