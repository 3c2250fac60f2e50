package main

import (
	"fmt"
	"path/filepath"
	"strings"
)

// matching puts the files that a pattern matches, in order, in its place: where
// there is no shell, as in a container of one program, nobody else does.
func matching(names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if !strings.ContainsAny(name, "*?[") {
			all = append(all, name)
			continue
		}
		files, err := filepath.Glob(name)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		case len(files) == 0:
			return nil, fmt.Errorf("%s: no such file", name)
		}
		all = append(all, files...)
	}
	return all, nil
}
