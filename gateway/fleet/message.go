package fleet

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// A message is what one entry of the stream, or one frame of the outbox, carries. Little-endian:
//
//	0 magic (4) · 4 version (1) · 5 zero (1) · 6 number of records (2) · 8 id of the secret (8) · 16 sender (8)
//	24 records: kind (1) · digest (16) · before (4) · until (4) each
//	   CRC-32C of all before (4)
//
// The first 17 bytes of a record are its member of the state. The append script reads records where they lie.
const (
	messageMagic   = "VNRF"
	messageVersion = 1
	headerBytes    = 24
	memberBytes    = 17
	recordBytes    = memberBytes + 8
	sumBytes       = 4

	// maxRecords bounds the time for which one append keeps Redis from other work: about a millisecond.
	maxRecords      = 512
	maxMessageBytes = headerBytes + maxRecords*recordBytes + sumBytes
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// identity is who sends: its secret's id, and a number of its own that is new with each start.
type identity struct {
	secret [8]byte
	sender [8]byte
}

// encode appends a message with at most maxRecords records to b.
func (id identity) encode(b []byte, records []revocation.Record) []byte {
	at := len(b)
	b = append(b, messageMagic...)
	b = append(b, messageVersion, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(records)))
	b = append(b, id.secret[:]...)
	b = append(b, id.sender[:]...)
	for i := range records {
		b = appendRecord(b, &records[i])
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[at:], castagnoli))
}

// decode appends the records of a message to records. Its error is ErrVersion, ErrSecret or ErrDamaged, and then
// records is returned as it was.
func decode(records []revocation.Record, message string, secret [8]byte) ([]revocation.Record, [8]byte, error) {
	var sender [8]byte
	if len(message) < headerBytes+sumBytes || message[:4] != messageMagic {
		return records, sender, fmt.Errorf("%w: no message", ErrDamaged)
	}
	b := []byte(message)
	body, sum := b[:len(b)-sumBytes], binary.LittleEndian.Uint32(b[len(b)-sumBytes:])
	if sum != crc32.Checksum(body, castagnoli) {
		return records, sender, fmt.Errorf("%w: checksum", ErrDamaged)
	}
	if b[4] != messageVersion {
		return records, sender, fmt.Errorf("%w: message", ErrVersion)
	}
	if [8]byte(b[8:16]) != secret {
		return records, sender, fmt.Errorf("%w: message", ErrSecret)
	}
	n := int(binary.LittleEndian.Uint16(b[6:]))
	if b[5] != 0 || n > maxRecords || len(body) != headerBytes+n*recordBytes {
		return records, sender, fmt.Errorf("%w: length", ErrDamaged)
	}
	copy(sender[:], b[16:])
	out, ok := readRecords(records, body[headerBytes:])
	if !ok {
		return records, sender, fmt.Errorf("%w: record", ErrDamaged)
	}
	return out, sender, nil
}

func appendRecord(b []byte, r *revocation.Record) []byte {
	b = append(b, byte(r.Kind))
	b = append(b, r.Digest[:]...)
	b = binary.LittleEndian.AppendUint32(b, r.Before)
	return binary.LittleEndian.AppendUint32(b, r.Until)
}

// readRecords appends what lies in b, a multiple of recordBytes long, to records; false where one of them is not what
// any node sends.
func readRecords(records []revocation.Record, b []byte) ([]revocation.Record, bool) {
	for ; len(b) >= recordBytes; b = b[recordBytes:] {
		r := revocation.Record{
			Kind:   revocation.Kind(b[0]),
			Digest: revocation.Digest(b[1:memberBytes]),
			Before: binary.LittleEndian.Uint32(b[memberBytes:]),
			Until:  binary.LittleEndian.Uint32(b[memberBytes+4:]),
		}
		if r.Validate() != nil {
			return records, false
		}
		records = append(records, r)
	}
	return records, len(b) == 0
}
