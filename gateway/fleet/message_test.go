package fleet

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

var (
	testID      = identity{secret: fleetSecret.ID(), sender: [8]byte{1, 2, 3}}
	testRecords = []revocation.Record{
		{Kind: revocation.KindToken, Digest: revocation.Digest{1}, Until: 1},
		{Kind: revocation.KindSubject, Digest: revocation.Digest{2}, Before: 5, Until: 1<<32 - 1},
		{Kind: revocation.KindClient, Digest: revocation.Digest{3}, Before: 1<<32 - 1, Until: 7},
	}
)

// resum puts the right checksum under a message that was changed.
func resum(b []byte) []byte {
	body := len(b) - sumBytes
	binary.LittleEndian.PutUint32(b[body:], crc32.Checksum(b[:body], castagnoli))
	return b
}

func TestAMessageIsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, records := range [][]revocation.Record{nil, testRecords, slices.Repeat(testRecords[:1], maxRecords)} {
		message := testID.encode(nil, records)
		if len(message) > maxMessageBytes {
			t.Errorf("%d bytes, the limit is %d", len(message), maxMessageBytes)
		}
		got, sender, err := decode(nil, string(message), testID.secret)
		if err != nil || sender != testID.sender || !slices.Equal(got, records) {
			t.Errorf("%d records: %v, sender %x, error %v", len(records), got, sender, err)
		}
	}
}

func TestAMessageThatNoNodeSentIsRefused(t *testing.T) {
	t.Parallel()
	good := testID.encode(nil, testRecords)
	change := func(at int, to byte) string {
		b := slices.Clone(good)
		b[at] = to
		return string(resum(b))
	}
	long := testID.encode(nil, slices.Repeat(testRecords[:1], maxRecords+1))
	for _, c := range []struct {
		name, message string
		want          error
	}{
		{"empty", "", ErrDamaged},
		{"other magic", change(0, 'X'), ErrDamaged},
		{"checksum", string(append(slices.Clone(good[:len(good)-1]), good[len(good)-1]^1)), ErrDamaged},
		{"cut short", string(good[:len(good)-1]), ErrDamaged},
		{"longer", string(good) + "x", ErrDamaged},
		{"later version", change(4, 2), ErrVersion},
		{"reserved byte", change(5, 1), ErrDamaged},
		{"more records than there are", change(6, 4), ErrDamaged},
		{"more records than may be", string(long), ErrDamaged},
		{"other secret", change(8, good[8]+1), ErrSecret},
		{"no kind", change(headerBytes, 0), ErrDamaged},
		{"kind that is not known", change(headerBytes, 7), ErrDamaged},
		{"before on a kind that has none", change(headerBytes+memberBytes, 1), ErrDamaged},
	} {
		kept := slices.Clone(testRecords[:1])
		got, _, err := decode(kept, c.message, testID.secret)
		if !errors.Is(err, c.want) || !slices.Equal(got, kept) {
			t.Errorf("%s: error = %v, want %v, and %d records", c.name, err, c.want, len(got))
		}
	}
}

// Every bit of a message counts.
func TestAMessageWithABitTurnedIsRefused(t *testing.T) {
	t.Parallel()
	good := testID.encode(nil, testRecords)
	for i := range 8 * len(good) {
		b := slices.Clone(good)
		b[i/8] ^= 1 << (i % 8)
		if _, _, err := decode(nil, string(b), testID.secret); err == nil {
			t.Errorf("bit %d: no error", i)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(testID.encode(nil, testRecords))
	f.Add(testID.encode(nil, nil))
	f.Add([]byte(messageMagic))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > headerBytes+sumBytes {
			copy(b, messageMagic) // Past what would end it early.
			copy(b[8:], testID.secret[:])
			b[4] = messageVersion
			resum(b)
		}
		records, sender, err := decode(nil, string(b), testID.secret)
		if err != nil {
			if records != nil {
				t.Fatal("records beside an error")
			}
			return
		}
		again := identity{testID.secret, sender}.encode(nil, records)
		if string(again) != string(b) {
			t.Fatalf("read %x, written again %x", b, again)
		}
	})
}

func FuzzReadPage(f *testing.F) {
	page := testID.encode(nil, testRecords)
	f.Add(string(page[headerBytes : len(page)-sumBytes]))
	f.Add("x")
	f.Fuzz(func(t *testing.T, page string) {
		records, bad := readPage(nil, page, nil)
		if got, want := len(records)+len(bad), (len(page)+recordBytes-1)/recordBytes; got != want {
			t.Fatalf("%d records and %d bad of %d", len(records), len(bad), want)
		}
		for _, r := range records {
			if r.Validate() != nil {
				t.Fatalf("%+v", r)
			}
		}
		for _, member := range bad {
			if !strings.Contains(page, member) || member == "" {
				t.Fatalf("bad member %q is not of the page", member)
			}
		}
	})
}

func FuzzParseInfo(f *testing.F) {
	f.Add("# Server\r\nrun_id:abc\r\n# Replication\r\nrole:master\r\nmaster_replid:def\r\n# Memory\r\nmaxmemory:0\r\n")
	f.Add("role:slave\nrun_id:x")
	f.Fuzz(func(t *testing.T, text string) {
		life, err := parseInfo(text)
		if (life == generation{}) != (err != nil) {
			t.Fatalf("life %x, error %v", life, err)
		}
	})
}

func FuzzParseStreamID(f *testing.F) {
	f.Add("1526919030474-55")
	f.Add("0-0")
	f.Add("-1")
	f.Fuzz(func(t *testing.T, text string) {
		id, err := parseStreamID(text)
		if err != nil {
			return
		}
		if again, err := parseStreamID(id.String()); err != nil || again != id {
			t.Fatalf("%q: %v, again %v, %v", text, id, again, err)
		}
	})
}

func TestAServerThatIsNotFitIsRefused(t *testing.T) {
	t.Parallel()
	const base = "run_id:a\r\nmaster_replid:b\r\n"
	for _, c := range []struct {
		name, text string
		want       error
	}{
		{"primary", base + "role:master\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n", nil},
		{"bounded, keeps", base + "role:master\r\nmaxmemory:100\r\nmaxmemory_policy:noeviction\r\n", nil},
		{"bounded, evicts what expires", base + "role:master\r\nmaxmemory:100\r\nmaxmemory_policy:volatile-lru\r\n", nil},
		{"evicts", base + "role:master\r\nmaxmemory:100\r\nmaxmemory_policy:allkeys-lfu\r\n", ErrEvicts},
		{"replica", base + "role:slave\r\nmaxmemory:0\r\n", ErrReplica},
		{"nothing", "", errAnswer},
	} {
		if _, err := parseInfo(c.text); !errors.Is(err, c.want) {
			t.Errorf("%s: error = %v, want %v", c.name, err, c.want)
		}
	}
	one, _ := parseInfo(base + "role:master")
	restarted, _ := parseInfo("run_id:c\r\nmaster_replid:b\r\nrole:master")
	promoted, _ := parseInfo("run_id:a\r\nmaster_replid:d\r\nrole:master")
	if one == restarted || one == promoted || restarted == promoted {
		t.Error("lives are not told apart")
	}
}
