package scenario

import (
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxBytes bounds a file.
const MaxBytes = 256 << 10

// maxNesting bounds how many brackets are open in a file at one time.
const maxNesting = 16

// ReadFile is [Parse] of a file.
func ReadFile(name string) (*Scenario, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, MaxBytes+1))
	if err != nil {
		return nil, err
	}
	return Parse(name, raw)
}

// Parse reads a file that faults call name. An error is [Faults].
func Parse(name string, raw []byte) (*Scenario, error) {
	r := &report{file: name, stated: map[string]position{}}
	s := &Scenario{}
	if root := parseDocument(raw, r); root != nil {
		v := reflect.ValueOf(s).Elem()
		setDefaults(v)
		decodeStruct(root, v, "", r)
		if len(r.list) == 0 { // Of what could not be read nothing more can be said.
			s.check(r)
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// parseDocument returns the one document of a file, nil where there are faults.
func parseDocument(raw []byte, r *report) ast.Node {
	begin := position{1, 1}
	switch {
	case len(raw) > MaxBytes:
		r.put(begin, "", "more than %d bytes", MaxBytes)
		return nil
	case !utf8.Valid(raw):
		r.put(begin, "", "not UTF-8")
		return nil
	}
	tokens := lexer.Tokenize(string(raw))
	if !plain(tokens, r) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		says := err.Error()
		if syntax, ok := errors.AsType[yaml.Error](err); ok {
			begin, says = tokenPosition(syntax.GetToken()), syntax.GetMessage()
		}
		r.put(begin, "", "not YAML: %s", strings.Join(strings.Fields(says), " "))
		return nil
	}
	var body ast.Node
	for _, document := range file.Docs {
		switch {
		case document.Body == nil:
		case body != nil:
			r.put(nodePosition(document.Body), "", "a second document begins here; one is allowed")
			return nil
		default:
			body = document.Body
		}
	}
	if body == nil {
		r.put(begin, "", "the file is empty")
	}
	return body
}

// plain refuses what goes beyond mappings, lists and single values, and nesting that a parser should not meet.
func plain(tokens token.Tokens, r *report) bool {
	open := 0
	for _, t := range tokens {
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType, token.MappingKeyType:
			r.put(tokenPosition(t), "", "%s is not allowed; write the value out", fmt.Sprintf("%.20q", t.Value))
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		}
		if open > maxNesting {
			r.put(tokenPosition(t), "", "nests too deep; allowed: %d brackets", maxNesting)
			break
		}
	}
	return len(r.list) == 0
}
