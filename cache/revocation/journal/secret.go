package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/vneid-gateway/vneid-gateway/cache/revocation"
)

// The secret's file: magic (8) · the secret (32) · CRC-32C of both (4).
const (
	secretMagic = "VNEIDKEY"
	secretBytes = 8 + revocation.SecretBytes + 4
)

// loadSecret reads the secret, or makes one where nothing was written under another yet.
func loadSecret(fs files, inv inventory) (revocation.Secret, error) {
	f, err := fs.open(secretName)
	if errors.Is(err, os.ErrNotExist) {
		if len(inv.logs)+len(inv.snapshots) > 0 {
			return revocation.Secret{}, fmt.Errorf("%w: there is none, but there are files written under one: restore it from a copy, or configure the one that they were written under", ErrSecret)
		}
		return makeSecret(fs)
	}
	if err != nil {
		return revocation.Secret{}, fmt.Errorf("journal: secret: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, secretBytes+1))
	if err != nil {
		return revocation.Secret{}, fmt.Errorf("journal: secret: %w", err)
	}
	return parseSecret(b)
}

func makeSecret(fs files) (revocation.Secret, error) {
	s := revocation.NewSecret()
	b := append([]byte(secretMagic), s.Bytes()...)
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	err := writeWhole(fs, secretName, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
	if err != nil {
		return revocation.Secret{}, fmt.Errorf("%w: secret: %w", ErrWrite, err)
	}
	return s, nil
}

func parseSecret(b []byte) (revocation.Secret, error) {
	if len(b) != secretBytes || string(b[:8]) != secretMagic ||
		binary.LittleEndian.Uint32(b[secretBytes-4:]) != crc32.Checksum(b[:secretBytes-4], castagnoli) {
		return revocation.Secret{}, fmt.Errorf("%w: damaged", ErrSecret)
	}
	return revocation.ReadSecret(b[8 : secretBytes-4])
}
