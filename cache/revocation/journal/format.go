package journal

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// The format, little-endian throughout.
//
//	header  0 magic (8) · 8 version (2) · 10 file type (1) · 11 zero (5) · 16 number (8) · 24 id of the secret (8)
//	        32 hints: entries by kind (8 each, 7 kinds) · 88 zero (36) · 124 CRC-32C of the bytes before (4)
//	record  0 kind (1) · 1 zero (3) · 4 until (4) · 8 before (4) · 12 digest (16) · 28 CRC-32C (4)
//	end     as a record of kind 255, with the number of records before it in place of until and before
//
// A record's sum goes on from that of the header's first 32 bytes, all of which a reader knows beforehand. A damaged
// header therefore costs no record. Only snapshots have an end.
const (
	magic       = "VNEIDREV"
	version     = 1
	headerBytes = 128
	fixedBytes  = 32
	recordBytes = 32
	endKind     = 255
	hints       = 7
)

type fileType byte

const (
	logFile      fileType = 'L'
	snapshotFile fileType = 'S'
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// identity is what a file is. It is known from the file's name and the secret, before the file is read.
type identity struct {
	kind   fileType
	number uint64
	secret [8]byte
}

func (id identity) fixed() (b [fixedBytes]byte) {
	copy(b[:], magic)
	binary.LittleEndian.PutUint16(b[8:], version)
	b[10] = byte(id.kind)
	binary.LittleEndian.PutUint64(b[16:], id.number)
	copy(b[24:], id.secret[:])
	return b
}

// seed is where the sums of the file's records begin.
func (id identity) seed() uint32 {
	b := id.fixed()
	return crc32.Checksum(b[:], castagnoli)
}

func (id identity) header(entries [hints]int) (b [headerBytes]byte) {
	fixed := id.fixed()
	copy(b[:], fixed[:])
	for i, n := range entries {
		binary.LittleEndian.PutUint64(b[fixedBytes+8*i:], uint64(n))
	}
	binary.LittleEndian.PutUint32(b[124:], crc32.Checksum(b[:124], castagnoli))
	return b
}

// headerState is what is to be thought of a header.
type headerState int

const (
	headerGood headerState = iota
	headerDamaged
	headerForeign // Whole, but of another secret.
	headerLater   // Whole, but of a later version.
)

func (id identity) check(b []byte) (state headerState, entries [hints]int) {
	if string(b[:8]) != magic || binary.LittleEndian.Uint32(b[124:]) != crc32.Checksum(b[:124], castagnoli) {
		return headerDamaged, entries
	}
	if binary.LittleEndian.Uint16(b[8:]) != version {
		return headerLater, entries
	}
	if fixed := id.fixed(); string(b[:fixedBytes]) != string(fixed[:]) {
		if [8]byte(b[24:32]) != id.secret {
			return headerForeign, entries
		}
		return headerDamaged, entries // Renamed by hand: its records' sums do not fit either.
	}
	for i := range entries {
		entries[i] = int(min(binary.LittleEndian.Uint64(b[fixedBytes+8*i:]), revocation.MaxMaxEntries))
	}
	return headerGood, entries
}

// appendRecord appends a record in its form on disk to b.
func appendRecord(b []byte, seed uint32, r *revocation.Record) []byte {
	at := len(b)
	b = append(b, byte(r.Kind), 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, r.Until)
	b = binary.LittleEndian.AppendUint32(b, r.Before)
	b = append(b, r.Digest[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Update(seed, castagnoli, b[at:]))
}

func appendEnd(b []byte, seed uint32, records uint64) []byte {
	at := len(b)
	b = append(b, endKind, 0, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, records)
	b = append(b, make([]byte, 16)...)
	return binary.LittleEndian.AppendUint32(b, crc32.Update(seed, castagnoli, b[at:]))
}

// readRecord reads what lies in b, recordBytes long. It is a record, or the end with the number of records, or damaged.
func readRecord(b []byte, seed uint32) (r revocation.Record, end bool, records uint64, ok bool) {
	if binary.LittleEndian.Uint32(b[28:]) != crc32.Update(seed, castagnoli, b[:28]) || b[1]|b[2]|b[3] != 0 {
		return r, false, 0, false
	}
	if b[0] == endKind {
		return r, true, binary.LittleEndian.Uint64(b[4:]), true
	}
	r.Kind = revocation.Kind(b[0])
	r.Until = binary.LittleEndian.Uint32(b[4:])
	r.Before = binary.LittleEndian.Uint32(b[8:])
	copy(r.Digest[:], b[12:28])
	return r, false, 0, r.Validate() == nil
}
