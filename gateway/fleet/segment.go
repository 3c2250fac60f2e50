package fleet

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// A segment of the outbox, little-endian:
//
//	header  0 magic (8) · 8 id of the secret (8) · 16 CRC-32C of the bytes before (4)
//	frames  length (4) · a message of that length
const (
	segmentMagic       = "VNEIDOB1"
	segmentHeaderBytes = 20
	frameHeaderBytes   = 4
	segmentPrefix      = "outbox-"
	segmentDigits      = 20
)

func segmentName(number uint64) string {
	return fmt.Sprintf("%s%0*d", segmentPrefix, segmentDigits, number)
}

func segmentNumber(name string) (uint64, bool) {
	digits, ok := strings.CutPrefix(filepath.Base(name), segmentPrefix)
	if !ok || len(digits) != segmentDigits {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil
}

func segmentHeader(secret [8]byte) []byte {
	b := append([]byte(segmentMagic), secret[:]...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// segment is a file of the outbox. Frames lie from read to size; what is beyond is worth nothing.
type segment struct {
	number     uint64
	file       *os.File
	read, size int64
	records    int // those between read and size
}

// frame returns the message at read, and its records.
func (s *segment) frame(secret [8]byte) (message []byte, records int, err error) {
	var head [frameHeaderBytes]byte
	if _, err := s.file.ReadAt(head[:], s.read); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrOutbox, err)
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > maxMessageBytes {
		return nil, 0, fmt.Errorf("%w: frame too long", ErrDamaged)
	}
	message = make([]byte, n)
	if _, err := s.file.ReadAt(message, s.read+frameHeaderBytes); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrOutbox, err)
	}
	list, _, err := decode(nil, string(message), secret)
	return message, len(list), err
}

// openSegment looks through a segment that an earlier process left. Whole says that it is as that process had wanted
// it; otherwise only the frames before the fault count. A segment of another secret is ErrSecret.
func openSegment(path string, number uint64, secret [8]byte) (s *segment, whole bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", ErrOutbox, err)
	}
	s = &segment{number: number, file: f}
	header := make([]byte, segmentHeaderBytes)
	if _, err := io.ReadFull(f, header); err != nil || string(header[:8]) != segmentMagic ||
		binary.LittleEndian.Uint32(header[16:]) != crc32.Checksum(header[:16], castagnoli) {
		return s, false, nil
	}
	if [8]byte(header[8:16]) != secret {
		f.Close()
		return nil, false, fmt.Errorf("%w: outbox", ErrSecret)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, false, fmt.Errorf("%w: %w", ErrOutbox, err)
	}
	whole = true
	s.read, s.size = segmentHeaderBytes, segmentHeaderBytes
	for at := s.read; at < info.Size(); at = s.size {
		scan := segment{file: f, read: at}
		message, records, err := scan.frame(secret)
		if err != nil {
			whole = false
			break
		}
		s.size += frameHeaderBytes + int64(len(message))
		s.records += records
	}
	return s, whole, nil
}

// frames appends records to b as frames of at most maxRecords each.
func frames(b []byte, id identity, records []revocation.Record) []byte {
	for len(records) > 0 {
		n := min(len(records), maxRecords)
		at := len(b)
		b = append(b, 0, 0, 0, 0)
		b = id.encode(b, records[:n])
		binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-frameHeaderBytes))
		records = records[n:]
	}
	return b
}
