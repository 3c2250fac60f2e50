// Package journal keeps a [revocation.Store] on disk: what [Journal.Add] has acknowledged is in force in this process and
// is there again after a restart, a crash or a power cut, until it is past.
//
// # On disk
//
// One directory, mode 0700, files 0600, used by one process at a time:
//
//	lock                 flock(2) is held on it
//	secret               what digests are keyed with, unless Config.Secret is given; without it the rest is worthless
//	00000000000000000007.log        a log segment: records in the order of their arrival
//	00000000000000000007.snapshot   everything that was in force when segment 7 began: it replaces the segments before
//
// Files consist of a header of 128 bytes and records of 32 bytes, so no record crosses a sector. A record ends in a
// CRC-32C over itself and over what the file is (format, kind of file, number, secret): a record of another file does
// not pass for one of this file. Records have one length in place of a length prefix: a damaged one is passed over
// and those after it are still found. The format's version is in the header, and is covered by every record's sum.
// Identifiers are on disk as digests only.
//
// # Acknowledged means durable
//
// Add puts entries in force first, then appends them and waits for fsync(2), then returns. Callers that arrive while
// an fsync is under way share the next one. When an error comes back, nothing of the call is acknowledged: its
// entries may be in force in this process, and may or may not be there after a restart; the sender offers them again.
//
// After a write or fsync that failed, that segment is never written to again, for the kernel may have dropped what it
// could not write and then reported success for the rest. The next Add begins a new segment: once there is room on
// the disk again, Add works again, and nothing needs a restart. What was acknowledged before is in the old segment.
//
// # Snapshots
//
// [Journal.Run] writes one when the log has grown to a quarter of the last snapshot, and at least to
// [Config.LogBytes]: at most four bytes of snapshots are written for each byte of log. It is
// written aside, fsynced, renamed and the directory fsynced; only then are the files removed that neither it nor the
// snapshot before it needs. Two are kept, with all segments since the older one. Appends go on meanwhile, to a new
// segment. A snapshot that fails removes nothing and is tried again later.
//
// With s = 32 bytes times MaxEntries and l = max(s/4, LogBytes), the directory takes at most 3*s + 8*l bytes: two
// snapshots and one being written, and for each of the two a log of at most 4*l, beyond which Add fails with
// [ErrLogFull]. When snapshots succeed it is about 2*s + 2*l.
//
// # Start
//
// [Open] reads the newest snapshot, and the segments since. If that snapshot is damaged, its good records are used all
// the same, and then the one before and the segments since that. Order does not matter: the store keeps the later of
// two times. What follows a segment's last good record is cut off and reported ([Report.Cut]): a crash leaves such a
// tail, of what nobody was told was durable. Damaged records with good ones after them are passed over and reported
// ([Report.Damaged]); a power cut can leave those too, within the last group. If no snapshot is whole, or segments
// are missing, acknowledged revocations are lost and Open fails with [ErrLost], unless [Config.AcceptLoss] says that
// an operator knows.
//
// The sums find what disks and crashes do; they are not a seal against somebody who can write to the directory.
package journal
