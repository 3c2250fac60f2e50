// Package scenarios holds the scenarios that vneid-bench is shipped with, one file each.
package scenarios

import (
	"embed"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Extension ends the name of a scenario's file.
const Extension = ".yaml"

//go:embed *.yaml
var files embed.FS

// Names returns the names of the shipped scenarios, sorted.
func Names() []string {
	found, err := fs.Glob(files, "*"+Extension)
	if err != nil {
		panic("BUG: " + err.Error()) // The pattern is a constant.
	}
	for i := range found {
		found[i] = strings.TrimSuffix(path.Base(found[i]), Extension)
	}
	slices.Sort(found)
	return found
}

// Read returns the file of a shipped scenario, and whether there is one of that name.
func Read(name string) ([]byte, bool) {
	raw, err := files.ReadFile(name + Extension)
	return raw, err == nil
}
