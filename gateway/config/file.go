package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// readBounded returns the content of the regular file name, up to most bytes.
// Its errors are worded for a fault and do not repeat the name.
func readBounded(name string, most int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", bare(err))
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("cannot be read: %w", errNotRegular)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", bare(err))
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %w", bare(err))
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("has more than %d bytes", most)
	}
	return data, nil
}

// readable tells why the regular file name cannot be opened. Its content is
// its reader's to judge.
func readable(name string) error {
	info, err := os.Stat(name)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", bare(err))
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("cannot be read: %w", errNotRegular)
	}
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("cannot be read: %w", bare(err))
	}
	return f.Close()
}

// bare takes the file's name out of err.
func bare(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}
