package memory

import "golang.org/x/sys/unix"

// advise asks for huge pages. A system that has none refuses, and its small pages do as well.
func advise(pages []byte) { _ = unix.Madvise(pages, unix.MADV_HUGEPAGE) }
