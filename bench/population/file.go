package population

import (
	"bufio"
	"errors"
	"os"
)

// file is one that is being written. Its first error sticks.
type file struct {
	to      *os.File
	buffer  *bufio.Writer
	written int64
	err     error
}

// create makes a file for nobody else to read: tokens are as good as passwords.
func create(name string) (*file, error) {
	to, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &file{to: to, buffer: bufio.NewWriterSize(to, 1<<20)}, nil
}

func (f *file) write(p []byte) {
	if f.err == nil {
		_, f.err = f.buffer.Write(p)
		f.written += int64(len(p))
	}
}

func (f *file) writeString(s string) { f.write([]byte(s)) }

func (f *file) close() error {
	if f.err == nil {
		f.err = f.buffer.Flush()
	}
	return errors.Join(f.err, f.to.Close())
}
