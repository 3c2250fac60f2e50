package config

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxFileBytes bounds a configuration file.
	maxFileBytes = 4 << 20

	// maxNesting bounds how deep a configuration file nests: open brackets,
	// and columns at which something that is still open began. The schema
	// needs less than 20.
	maxNesting = 64
)

// parseDocument parses the one YAML document that data must hold. It returns
// nil after adding a fault to r.
func parseDocument(data []byte, r *report) ast.Node {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // YAML 1.2 section 5.2: a byte order mark is no content
	whole := place{source: r.places.file, line: 1, column: 1}
	if len(data) > maxFileBytes {
		r.put(whole, nil, "the file has %d bytes; at most %d are allowed", len(data), maxFileBytes)
		return nil
	}
	if i := notText(data); i >= 0 {
		where := place{
			source: r.places.file,
			line:   1 + bytes.Count(data[:i], []byte("\n")),
			column: 1 + utf8.RuneCount(data[1+bytes.LastIndexByte(data[:i], '\n'):i]),
		}
		r.put(where, nil, "the byte 0x%02x is not allowed; the file must be UTF-8 text without control characters", data[i])
		return nil
	}
	tokens := lexer.Tokenize(string(data))
	if !plain(tokens, r) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		where := whole
		msg := err.Error()
		if syntax, ok := errors.AsType[yaml.Error](err); ok {
			where, msg = r.position(syntax.GetToken()), syntax.GetMessage()
		}
		r.put(where, nil, "not valid YAML: %s", clip(strings.Join(strings.Fields(msg), " ")))
		return nil
	}
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			r.put(r.position(doc.Body.GetToken()), nil, "a second YAML document begins here; one is allowed")
			return nil
		}
		body = doc.Body
	}
	if body == nil {
		r.put(whole, nil, "the file is empty; listen, issuers and sites are required")
	}
	return body
}

// notText returns the index of the first byte that YAML 1.2 section 5.1 does
// not allow in a stream, or -1.
func notText(data []byte) int {
	for i := 0; i < len(data); {
		c, size := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && size == 1 || c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0x7f {
			return i
		}
		i += size
	}
	return -1
}

// plain refuses what goes beyond mappings, lists and scalars, and nesting that
// the parser's recursion should not meet.
func plain(tokens token.Tokens, r *report) bool {
	ok := true
	refuse := func(t *token.Token, msg string) {
		ok = false
		r.put(r.position(t), nil, "%s", msg)
	}
	var open []int // columns of what is open
	brackets := 0
	for _, t := range tokens {
		switch t.Type {
		case token.CommentType:
			continue
		case token.AnchorType:
			refuse(t, "anchors (&) are not supported; write the value out")
		case token.AliasType:
			refuse(t, `aliases (*) are not supported; put a value that begins with * in quotes: "*.example.vn"`)
		case token.MergeKeyType:
			refuse(t, "merge keys (<<) are not supported; write the fields out")
		case token.TagType:
			refuse(t, "tags (!) are not supported; put a value that begins with ! in quotes")
		case token.DirectiveType:
			refuse(t, "directives (%) are not supported; put a value that begins with % in quotes")
		case token.MappingKeyType:
			refuse(t, "complex keys (?) are not supported; put a value that begins with ? in quotes")
		case token.SequenceStartType, token.MappingStartType:
			brackets++
		case token.SequenceEndType, token.MappingEndType:
			brackets--
		}
		if brackets == 0 {
			for len(open) > 0 && open[len(open)-1] >= t.Position.Column {
				open = open[:len(open)-1]
			}
			open = append(open, t.Position.Column)
		}
		if brackets+len(open) > maxNesting {
			refuse(t, "nested too deeply")
			return false
		}
		if len(r.list) >= maxFaults {
			return false
		}
	}
	return ok
}

// position is where t stands in the file.
func (r *report) position(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{source: r.places.file, line: 1, column: 1}
	}
	return place{source: r.places.file, line: t.Position.Line, column: t.Position.Column}
}
