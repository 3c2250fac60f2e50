package framing_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/framing"
)

func TestEveryCaseHasItsOwnNameAndAnOutcome(t *testing.T) {
	t.Parallel()
	corpus := framing.Corpus()
	names := make(map[string]bool)
	rules := make(map[string]int)
	for _, c := range corpus {
		name := c.Rule + ", " + c.Name
		if names[name] {
			t.Errorf("%s: there are two of it", name)
		}
		names[name] = true
		rules[c.Rule]++
		switch {
		case c.Refused() && !c.Closes:
			t.Errorf("%s: refused, and the connection goes on", name)
		case !c.Refused() && (len(c.Seen) == 0 || c.Begun != nil):
			t.Errorf("%s: passes, and nothing whole is seen", name)
		case c.Answers() == 0:
			t.Errorf("%s: no answer", name)
		}
		if stream := c.Bytes("run-1"); bytes.Contains(stream, []byte("{id}")) || len(stream) == 0 {
			t.Errorf("%s: sends %q", name, stream)
		}
	}
	t.Logf("%d cases: %v", len(corpus), rules)
}

func TestTheCorpusIsTheSameAtEveryCall(t *testing.T) {
	t.Parallel()
	if !reflect.DeepEqual(framing.Corpus(), framing.Corpus()) || !reflect.DeepEqual(framing.Responses(), framing.Responses()) {
		t.Error("two calls differ")
	}
}

func TestEveryResponseHasItsOwnName(t *testing.T) {
	t.Parallel()
	names := make(map[string]bool)
	for _, r := range framing.Responses() {
		if names[r.Name] {
			t.Errorf("%s: there are two of it", r.Name)
		}
		names[r.Name] = true
	}
}

func TestSplitsWriteTheWholeStream(t *testing.T) {
	t.Parallel()
	stream := []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\nrest")
	for split, want := range map[framing.Split]string{
		framing.Whole:   "GET / HTTP/1.1\r\nHost: a\r\n\r\nrest",
		framing.AtLines: "GET / HTTP/1.1\r|\n|Host: a\r|\n|\r|\n|rest",
	} {
		if got := string(bytes.Join(split.Writes(stream), []byte("|"))); got != want {
			t.Errorf("%v: %q", split, got)
		}
	}
	pieces := framing.Bytewise.Writes(stream)
	if len(pieces) != len(stream) || !bytes.Equal(bytes.Join(pieces, nil), stream) {
		t.Errorf("bytewise: %q", pieces)
	}
	for _, split := range framing.Splits() {
		if strings.Contains(split.String(), " ") {
			t.Errorf("%q cannot stand in a request id", split)
		}
	}
}
