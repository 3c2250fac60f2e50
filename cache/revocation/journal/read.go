package journal

import (
	"errors"
	"fmt"
	"io"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// outcome is what reading one file has found.
type outcome struct {
	header  headerState
	records int64 // Good ones.
	// size is the file's length, good where the last good record ends, in bytes.
	size, good int64
	// damaged counts the places of records before good that hold none.
	damaged int64
	// whole is true for a snapshot with nothing missing.
	whole bool
}

const readRecords = 1024

// readFile hands every good record of a file to f, in batches that are f's only until it returns. It passes over what
// is damaged. An error is one of reading, or f's, or of a file that must not be touched.
func readFile(r io.Reader, id identity, hint func([hints]int), f func([]revocation.Record) error) (o outcome, err error) {
	buf := make([]byte, readRecords*recordBytes)
	n, err := io.ReadFull(r, buf[:headerBytes])
	o.size = int64(n)
	if short(err) {
		o.header = headerDamaged
		return o, nil
	}
	if err != nil {
		return o, err
	}
	var entries [hints]int
	switch o.header, entries = id.check(buf[:headerBytes]); o.header {
	case headerForeign:
		return o, fmt.Errorf("%w: %s was written under another one", ErrSecret, id.name())
	case headerLater:
		return o, fmt.Errorf("%w: %s", ErrVersion, id.name())
	case headerGood:
		o.good = headerBytes
		hint(entries)
	case headerDamaged:
	}
	return o, o.body(r, id, buf, f)
}

func short(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// body reads what follows the header.
func (o *outcome) body(r io.Reader, id identity, buf []byte, f func([]revocation.Record) error) error {
	seed := id.seed()
	batch := make([]revocation.Record, 0, readRecords)
	ended, bad := false, int64(0)
	for {
		n, err := io.ReadFull(r, buf)
		if err != nil && !short(err) {
			return err
		}
		full := n - n%recordBytes
		for at := 0; at < full; at += recordBytes {
			rec, end, count, ok := readRecord(buf[at:at+recordBytes], seed)
			switch {
			case !ok:
				bad++
				continue
			case end:
				ended = id.kind == snapshotFile && !ended && o.records == int64(count) && o.damaged+bad == 0
			default:
				ended = false // Nothing may follow the end.
				o.records++
				batch = append(batch, rec)
			}
			o.damaged, bad = o.damaged+bad, 0
			o.good = o.size + int64(at) + recordBytes
		}
		o.size += int64(n)
		if len(batch) > 0 {
			if err := f(batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
		if err != nil {
			o.whole = ended && o.good == o.size && o.header == headerGood
			return nil
		}
	}
}
