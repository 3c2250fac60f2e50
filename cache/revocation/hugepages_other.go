//go:build !linux

package revocation

func adviseHugePages([]uint64) {}
