package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/parser"
)

// MaxFileBytes bounds a file of a population or a cost.
const MaxFileBytes = 1 << 20

// decode stores a YAML document in v, strictly: unknown and repeated keys are errors. What check finds wrong gets the
// line and column of the field that it names.
func decode(name string, data []byte, v any, check func() error) error {
	if len(data) > MaxFileBytes {
		return fmt.Errorf("%w: %s: has %d bytes; at most %d are allowed", ErrInput, name, len(data), MaxFileBytes)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict())
	if err := decoder.Decode(v); err != nil {
		if errors.Is(err, io.EOF) {
			return fmt.Errorf("%w: %s: the file is empty", ErrInput, name)
		}
		if at, ok := errors.AsType[yaml.Error](err); ok {
			where := ""
			if t := at.GetToken(); t != nil {
				where = fmt.Sprintf("%d:%d: ", t.Position.Line, t.Position.Column)
			}
			return fmt.Errorf("%w: %s:%s%s", ErrInput, name, where, strings.Join(strings.Fields(at.GetMessage()), " "))
		}
		return fmt.Errorf("%w: %s: %s", ErrInput, name, strings.Join(strings.Fields(err.Error()), " "))
	}
	if err := decoder.Decode(&struct{}{}); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %s: a second document begins in it; one is allowed", ErrInput, name)
	}
	err := check()
	if wrong, ok := errors.AsType[*fault](err); ok {
		return fmt.Errorf("%s:%s%w", name, position(data, wrong.field), err)
	}
	return err
}

// position finds the line and column of a field, or of the nearest section that holds it; "" where it has none.
func position(data []byte, field string) string {
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return ""
	}
	for field != "" {
		if path, err := yaml.PathString("$." + field); err == nil {
			if node, err := path.FilterFile(file); err == nil && node != nil && node.GetToken() != nil {
				at := node.GetToken().Position
				return fmt.Sprintf("%d:%d: ", at.Line, at.Column)
			}
		}
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return " "
}
