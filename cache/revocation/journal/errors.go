package journal

import "errors"

var (
	// ErrConfig means that a Config is out of range.
	ErrConfig = errors.New("journal: configuration invalid")
	// ErrLocked means that another process has the directory open.
	ErrLocked = errors.New("journal: directory is in use by another process")
	// ErrSecret means that the secret is missing beside files that were written under one, is damaged, or is not the
	// one that a file was written under. It has to be configured again or restored from a copy, or the directory to be
	// given up. Nothing was changed.
	ErrSecret = errors.New("journal: secret missing, damaged or not the right one")
	// ErrLost means that revocations that were acknowledged are gone: no snapshot is whole and the segments that it
	// replaced are removed, or segments are missing. Open again with AcceptLoss to go on with what is left, and feed
	// the store from its sources anew.
	ErrLost = errors.New("journal: acknowledged revocations are lost")
	// ErrVersion means that a file has a format of a later version. It is neither read nor removed.
	ErrVersion = errors.New("journal: file of a later version")
	// ErrWrite means that entries could not be made durable. It wraps the cause, such as syscall.ENOSPC. They are not
	// acknowledged, whether or not they are in force. A later Add may succeed.
	ErrWrite = errors.New("journal: write failed")
	// ErrLogFull means that the log has reached its limit because no snapshot could be written for long. Nothing was
	// acknowledged.
	ErrLogFull = errors.New("journal: log has reached its limit")
	// ErrBatch means that a call brings more than MaxBatch entries. None is in force.
	ErrBatch = errors.New("journal: too many entries at once")
	// ErrClosed means that the journal was closed.
	ErrClosed = errors.New("journal: closed")
	// ErrSnapshot means that a snapshot could not be written. It wraps the cause. Nothing was removed.
	ErrSnapshot = errors.New("journal: snapshot failed")
)
