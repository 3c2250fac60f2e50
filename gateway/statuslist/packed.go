package statuslist

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"io"
)

// packed is the member lst of a list: base64url of a ZLIB stream (Token Status List sections 4.1 and 4.2).
type packed []byte

// stream unpacks as it is read. Nothing may follow the ZLIB stream: see ended.
type stream struct {
	source *bufio.Reader // an io.ByteReader, so that no byte beyond the ZLIB stream is taken from it
	zlib   io.ReadCloser
}

func (p packed) open() (*stream, error) {
	// The standard library's decoder skips line breaks, which are not base64url.
	if bytes.IndexByte(p, '\n') >= 0 || bytes.IndexByte(p, '\r') >= 0 {
		return nil, ErrFormat
	}
	// RFC 7515 section 2: base64url without padding; Strict refuses unused last bits that are not zero.
	source := bufio.NewReader(base64.NewDecoder(base64.RawURLEncoding.Strict(), bytes.NewReader(p)))
	z, err := zlib.NewReader(source) // Refuses a preset dictionary.
	if err != nil {
		return nil, ErrFormat
	}
	return &stream{source: source, zlib: z}, nil
}

// ended reports whether nothing is left after the ZLIB stream, of which all was read and whose checksum was right.
func (s *stream) ended() bool {
	_, err := s.source.ReadByte()
	return errors.Is(err, io.EOF)
}

// window is how much is unpacked at a time while nothing is kept of it.
const window = 32 << 10

// measure unpacks the list without keeping it, and returns its size in bytes and whether it is before, byte for byte.
// It takes no memory but a window. It stops within a window after maxBytes: ErrUnpackedSize.
func (p packed) measure(maxBytes int64, before []byte) (size int64, same bool, err error) {
	s, err := p.open()
	if err != nil {
		return 0, false, err
	}
	same = true
	buffer := make([]byte, window)
	for {
		n, err := s.zlib.Read(buffer)
		same = same && int64(len(before))-size >= int64(n) && bytes.Equal(buffer[:n], before[size:size+int64(n)])
		size += int64(n)
		switch {
		case size > maxBytes:
			return size, false, ErrUnpackedSize
		case errors.Is(err, io.EOF):
			if !s.ended() {
				return size, false, ErrFormat
			}
			return size, same && size == int64(len(before)), nil
		case err != nil:
			return size, false, ErrFormat
		}
	}
}

// unpack returns the list, which measure has found to have that size.
func (p packed) unpack(size int64) ([]byte, error) {
	s, err := p.open()
	if err != nil {
		return nil, err
	}
	data := make([]byte, size)
	if _, err := io.ReadFull(s.zlib, data); err != nil {
		return nil, ErrFormat
	}
	return data, nil
}

// entry returns the value at an index of an unpacked list with that many bits for each: 1, 2, 4 or 8. ok is false
// beyond its end. It does not allocate.
func entry(data []byte, bits uint8, index uint64) (value uint8, ok bool) {
	// Token Status List section 4.1: entries are packed into bytes from the least significant bit on.
	perByte := uint64(8 / bits)
	at := index / perByte
	if at >= uint64(len(data)) {
		return 0, false
	}
	shift := uint8(index%perByte) * bits
	return data[at] >> shift & (1<<bits - 1), true
}
