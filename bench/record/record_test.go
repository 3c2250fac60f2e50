package record_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/bench/record"
)

// TestRecordIsReadAsItWasWritten goes through a file and back.
func TestRecordIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	f := file(result(t, 0))
	f.Command, f.Machine = []string{"vneid-bench", "attack"}, record.ThisMachine("v1")
	f.Runs[0].Checks = []record.Check{{Name: "failed", Want: "0", Got: "3"}}
	name := filepath.Join(t.TempDir(), "run.json")
	var encoded bytes.Buffer
	if err := f.Write(&encoded); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, encoded.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := record.ReadFile(name); err != nil || !reflect.DeepEqual(got, f) {
		t.Errorf("read %+v (%v), wrote %+v", got, err, f)
	}
}

func TestWhatIsNoRecordIsRefused(t *testing.T) {
	t.Parallel()
	for content, reason := range map[string]string{
		``:                                      "unexpected end",
		`{`:                                     "unexpected end",
		`[]`:                                    "cannot unmarshal",
		`{}`:                                    `format "", want "vneid-bench/1"`,
		`{"format":"vneid-bench/2"}`:            `format "vneid-bench/2", want "vneid-bench/1"`,
		`{"format":"vneid-bench/1"} x`:          "invalid character",
		`{"format":"vneid-bench/1","scale":-1}`: "a scale of -1",
		`{"format":"vneid-bench/1","runs":[{"name":"a"}]}`:          "run 1 of it measured nothing",
		`{"format":"vneid-bench/1","runs":[{"attack":{"due":""}}]}`: "cannot unmarshal",
	} {
		if _, err := record.Read(strings.NewReader(content)); !errors.Is(err, record.ErrFile) || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: want a refusal that says %q, got %v", content, reason, err)
		}
	}
	if _, err := record.ReadFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

// FuzzRead reads what may be no record. What is one can be written, read again as the same, and
// added to itself without harm.
func FuzzRead(f *testing.F) {
	var whole bytes.Buffer
	if err := file(result(f, 0)).Write(&whole); err != nil {
		f.Fatal(err)
	}
	f.Add(whole.Bytes())
	f.Add([]byte(`{"format":"vneid-bench/1","scale":0.1,"runs":[{"name":"a","attack":{"series":[{"end_seconds":1e300},{"start_seconds":-5}]}}]}`))
	f.Add([]byte(`{"format":"vneid-bench/1","runs":[{"attack":null}]}`))
	f.Add([]byte(`{"format":"vneid-bench/1","machine":{"processors":2}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := record.Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := got.Write(&again); err != nil {
			t.Fatal(err)
		}
		same, err := record.Read(bytes.NewReader(again.Bytes()))
		if err != nil {
			t.Fatalf("what was written is not read: %v", err)
		}
		var third bytes.Buffer
		if err := same.Write(&third); err != nil || !bytes.Equal(again.Bytes(), third.Bytes()) {
			t.Fatalf("what was read is not what was written (%v)", err)
		}
		for i := range same.Runs { // else they would be one, read twice
			same.Runs[i].Attack.StartedAt = same.Runs[i].Attack.StartedAt.Add(1)
		}
		if sum, err := record.Merge([]*record.File{got, same}, []string{"a", "b"}, true); err == nil {
			for i := range sum.Runs {
				if sum.Runs[i].Attack.Latency.Count != 2*got.Runs[i].Attack.Latency.Count {
					t.Fatal("times were lost")
				}
			}
		}
	})
}
