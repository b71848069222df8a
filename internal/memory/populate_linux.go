package memory

import "golang.org/x/sys/unix"

// populate asks for pages. A system before Linux 5.14 refuses, and then gives each page when it is touched.
func populate(pages []byte) { _ = unix.Madvise(pages, unix.MADV_POPULATE_WRITE) }

// enlarge asks for huge pages. A system may refuse, and then gives small ones.
func enlarge(pages []byte) { _ = unix.Madvise(pages, unix.MADV_HUGEPAGE) }
