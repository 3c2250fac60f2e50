package revocation

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

const hugePage = 2 << 20

// adviseHugePages asks for pages of 2 MiB in place of 4 KiB under words that are looked up at random: with small ones,
// half of a look-up's time goes into finding the page. It is advice: the kernel may not follow it, and the memory stays
// the collector's like any other.
func adviseHugePages(words []uint64) {
	b := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(words)*8)
	skip := -uintptr(unsafe.Pointer(unsafe.SliceData(b))) % hugePage
	if whole := (len(b) - int(skip)) &^ (hugePage - 1); whole > 0 {
		_ = unix.Madvise(b[skip:int(skip)+whole], unix.MADV_HUGEPAGE)
	}
}
