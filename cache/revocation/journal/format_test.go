package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"hash/crc32"
	"os"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func laterHeader(b []byte) []byte {
	b = bytes.Clone(b)
	binary.LittleEndian.PutUint16(b[8:], version+1)
	binary.LittleEndian.PutUint32(b[124:], crc32.Checksum(b[:124], castagnoli))
	return b
}

func testIdentity(kind fileType) identity { return identity{kind, 7, [8]byte{1, 2, 3, 4, 5, 6, 7, 8}} }

func testRecords() []revocation.Record {
	var records []revocation.Record
	for i, k := range revocation.Kinds() {
		r := revocation.Record{Kind: k, Until: epoch + uint32(i)}
		if k == revocation.KindSubject || k == revocation.KindClient {
			r.Before = epoch - uint32(i)
		}
		for n := range r.Digest {
			r.Digest[n] = byte(16*i + n)
		}
		records = append(records, r)
	}
	return records
}

func fileOf(id identity, records []revocation.Record) []byte {
	header := id.header([hints]int{0, 1, 1, 1, 1, 1, 1})
	b := header[:]
	for i := range records {
		b = appendRecord(b, id.seed(), &records[i])
	}
	if id.kind == snapshotFile {
		b = appendEnd(b, id.seed(), uint64(len(records)))
	}
	return b
}

// Golden: directories written by one version are read by the next.
func TestFormatIsTheOneThatWasWrittenBefore(t *testing.T) {
	t.Parallel()
	for kind, name := range map[fileType]string{logFile: "testdata/v1.log.hex", snapshotFile: "testdata/v1.snapshot.hex"} {
		got := hex.Dump(fileOf(testIdentity(kind), testRecords()))
		if *update {
			if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs:\n%s", name, got)
		}
	}
}

func readAll(t *testing.T, data []byte, id identity) (records []revocation.Record, o outcome, err error) {
	t.Helper()
	o, err = readFile(bytes.NewReader(data), id, func([hints]int) {}, func(batch []revocation.Record) error {
		records = append(records, batch...)
		return nil
	})
	return records, o, err
}

func TestRecordOfAnotherFileIsNotAccepted(t *testing.T) {
	t.Parallel()
	id := testIdentity(logFile)
	for name, other := range map[string]identity{
		"number": {id.kind, id.number + 1, id.secret},
		"type":   {snapshotFile, id.number, id.secret},
		"secret": {id.kind, id.number, [8]byte{9}},
	} {
		data := fileOf(id, nil)
		r := testRecords()[0]
		data = appendRecord(data, other.seed(), &r)
		records, o, err := readAll(t, data, id)
		if err != nil || len(records) != 0 || o.good != headerBytes {
			t.Errorf("%s: %d records, %+v, %v", name, len(records), o, err)
		}
	}
}

// Whatever is done to a file, the reader yields records that were written to it, and no others.
func FuzzReaderYieldsOnlyWhatWasWritten(f *testing.F) {
	id := testIdentity(snapshotFile)
	whole := fileOf(id, testRecords())
	f.Add(whole, uint16(0), uint16(0), false)
	f.Add(whole[:200], uint16(140), uint16(3), true)
	f.Add([]byte{}, uint16(0), uint16(0), true)
	f.Add(bytes.Repeat([]byte{0}, 400), uint16(1), uint16(1), false)
	f.Fuzz(func(t *testing.T, splice []byte, at, cut uint16, log bool) {
		id := testIdentity(snapshotFile)
		if log {
			id = testIdentity(logFile)
		}
		whole := fileOf(id, testRecords())
		from := min(int(at), len(whole))
		to := min(from+int(cut), len(whole))
		data := append(append(bytes.Clone(whole[:from]), splice...), whole[to:]...)
		for _, data := range [][]byte{data, splice} {
			records, o, err := readAll(t, data, id)
			if err != nil {
				continue // A foreign or later header, with a sum that fits.
			}
			if o.size != int64(len(data)) || o.good > o.size || o.records != int64(len(records)) {
				t.Fatalf("%+v of %d bytes", o, len(data))
			}
			known := make(map[revocation.Record]bool)
			for _, r := range testRecords() {
				known[r] = true
			}
			for _, r := range records {
				if !known[r] {
					t.Fatalf("invented: %+v", r)
				}
			}
			if o.whole && !bytes.Equal(data[headerBytes:], whole[headerBytes:]) && len(data) == len(whole) {
				t.Fatal("a changed snapshot passes for whole")
			}
		}
	})
}

func FuzzSecretFile(f *testing.F) {
	m := newMemory()
	if _, err := makeSecret(m); err != nil {
		f.Fatal(err)
	}
	f.Add(m.files[secretName].data)
	f.Add([]byte(secretMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSecret(b)
		if err == nil && !bytes.Equal(s.Bytes(), b[8:8+revocation.SecretBytes]) {
			t.Fatal("another secret")
		}
	})
}
