package statuslist

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
)

// vector is a list of the specification.
type vector struct {
	Name     string           `json:"name"`
	Bits     uint8            `json:"bits"`
	Entries  int              `json:"entries"`
	Statuses map[string]uint8 `json:"statuses"` // all others are 0
	List     string           `json:"lst"`
}

func vectors(tb testing.TB) []vector {
	tb.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		tb.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(text, &all); err != nil || len(all) != 6 {
		tb.Fatal(len(all), err)
	}
	return all
}

// unpacked is what take makes of a list.
func unpacked(p packed, maxBytes int64, before []byte) ([]byte, error) {
	size, same, err := p.measure(maxBytes, before)
	switch {
	case err != nil:
		return nil, err
	case same:
		return before, nil
	}
	return p.unpack(size)
}

// Token Status List section 11.1: verify correctness using the test vectors of the specification.
func TestListsOfTheSpecificationAreRead(t *testing.T) {
	t.Parallel()
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			data, err := unpacked(packed(v.List), 1<<20, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i := range v.Entries {
				got, ok := entry(data, v.Bits, uint64(i))
				if want := v.Statuses[strconv.Itoa(i)]; !ok || got != want {
					t.Fatalf("status[%d] is %d, %v, not %d", i, got, ok, want)
				}
			}
			for _, beyond := range []uint64{uint64(v.Entries), 1 << 53, 1<<64 - 1} {
				if got, ok := entry(data, v.Bits, beyond); ok || got != 0 {
					t.Errorf("status[%d] is %d", beyond, got)
				}
			}
		})
	}
}

// An independent reading of section 4.1: bit by bit.
func TestEntriesAreThoseOfABitByBitReading(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 257)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	for _, bits := range []uint8{1, 2, 4, 8} {
		for i := range len(data) * 8 / int(bits) {
			var want uint8
			for b := range int(bits) {
				at := i*int(bits) + b
				want |= data[at/8] >> (at % 8) & 1 << b
			}
			if got, ok := entry(data, bits, uint64(i)); !ok || got != want {
				t.Fatalf("%d bits, entry %d: %d, %v", bits, i, got, ok)
			}
		}
	}
}

// deflated is a ZLIB stream made by the test.
func deflated(tb testing.TB, data, dictionary []byte) []byte {
	tb.Helper()
	var all bytes.Buffer
	w, err := zlib.NewWriterLevelDict(&all, zlib.BestCompression, dictionary)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return all.Bytes()
}

func TestAListThatIsNotOneZLIBStreamIsRefused(t *testing.T) {
	t.Parallel()
	good := deflated(t, []byte{0xb9, 0xa3}, nil)
	changed := func(at int, by byte) []byte {
		c := bytes.Clone(good)
		c[at] ^= by
		return c
	}
	var raw bytes.Buffer
	w, err := flate.NewWriter(&raw, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte{0xb9}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, lst := range map[string]string{
		"empty":              "",
		"padded":             "eNrbuRgAAhcBXQ==",
		"standard alphabet":  strings.NewReplacer("-", "+", "_", "/").Replace(b64.EncodeToString(deflated(t, bytes.Repeat([]byte("~\xff?"), 99), nil))) + "+",
		"line break":         "eNrbuRgA\nAhcBXQ",
		"space":              " eNrbuRgAAhcBXQ",
		"unused bits":        "eNrbuRgAAhcBXR",
		"one character over": "eNrbuRgAAhcBXQA",
		"trailing bytes":     b64.EncodeToString(append(bytes.Clone(good), 0)),
		"second stream":      b64.EncodeToString(append(bytes.Clone(good), good...)),
		"checksum":           b64.EncodeToString(changed(len(good)-1, 1)),
		"no checksum":        b64.EncodeToString(good[:len(good)-4]),
		"cut":                b64.EncodeToString(good[:4]),
		"head":               b64.EncodeToString(changed(0, 1)),
		"raw deflate":        b64.EncodeToString(raw.Bytes()),
		"gzip":               "H4sIAAAAAAAAA9u5GAAv__-_AgAAAA",
		"dictionary":         b64.EncodeToString(deflated(t, []byte{0xb9, 0xa3}, []byte{0xb9, 0xa3})),
		"not base64url":      "@@@@@@@@",
	} {
		if data, err := unpacked(packed(lst), 1<<20, nil); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %x, %v", name, data, err)
		}
	}
	if data, err := unpacked(packed(b64.EncodeToString(good)), 1<<20, nil); err != nil || !bytes.Equal(data, []byte{0xb9, 0xa3}) {
		t.Errorf("%x, %v", data, err)
	}
}

func TestAListIsUnpackedUpToItsBoundAndNotBeyond(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, window - 1, window, window + 1, 3 * window} {
		data := bytes.Repeat([]byte{1}, size)
		lst := packed(pack(t, data))
		if got, err := unpacked(lst, int64(size), nil); err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: %d, %v", size, len(got), err)
		}
		if size > 0 {
			if _, err := unpacked(lst, int64(size)-1, nil); !errors.Is(err, ErrUnpackedSize) {
				t.Errorf("%d bytes: %v", size, err)
			}
		}
	}
}

func TestAListThatIsTheSameIsRecognised(t *testing.T) {
	t.Parallel()
	data := bytes.Repeat([]byte{1, 2, 3}, window)
	other := bytes.Clone(data)
	other[len(other)-1]++
	lst := packed(pack(t, data))
	for name, c := range map[string]struct {
		before []byte
		want   bool
	}{
		"same": {data, true}, "none": {nil, false}, "shorter": {data[:len(data)-1], false},
		"longer": {append(bytes.Clone(data), 0), false}, "other": {other, false},
	} {
		if _, same, err := lst.measure(1<<20, c.before); err != nil || same != c.want {
			t.Errorf("%s: %v, %v", name, same, err)
		}
	}
}

func FuzzPacked(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add([]byte(v.List), []byte{})
	}
	f.Add([]byte("eNrbuRgAAhcBXQ"), []byte{0xb9, 0xa3})
	f.Add([]byte(pack(f, make([]byte, 1<<20))), []byte{0})
	f.Add([]byte("eAE"), []byte{})
	f.Fuzz(func(t *testing.T, lst, before []byte) {
		const bound = 64 << 10
		size, same, err := packed(lst).measure(bound, before)
		if size > bound+window {
			t.Fatalf("%d bytes unpacked", size)
		}
		if err != nil {
			if errors.Is(err, ErrFormat) == errors.Is(err, ErrUnpackedSize) {
				t.Fatal(err)
			}
			return
		}
		data, err := packed(lst).unpack(size)
		if err != nil || int64(len(data)) != size || same != bytes.Equal(data, before) {
			t.Fatalf("%d of %d bytes, same: %v, %v", len(data), size, same, err)
		}
		// The list has one spelling of each stream: what it encodes encodes to it.
		stream, err := b64.DecodeString(string(lst))
		if err != nil || b64.EncodeToString(stream) != string(lst) {
			t.Fatalf("two spellings: %v", err)
		}
	})
}
