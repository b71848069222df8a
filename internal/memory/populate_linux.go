package memory

import "golang.org/x/sys/unix"

// populate asks for pages. A system before Linux 5.14 refuses, and then gives each page when it is touched. Huge pages
// (MADV_HUGEPAGE) are as quick to get, but training steps are up to twice as slow on them.
func populate(pages []byte) { _ = unix.Madvise(pages, unix.MADV_POPULATE_WRITE) }
