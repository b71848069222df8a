package memory

import (
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// containerLimits are where control groups, versions 2 and 1, state the limit of a container.
var containerLimits = []string{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"}

func systemLimit() int64 {
	limit := int64(math.MaxInt64)
	var machine unix.Sysinfo_t
	if unix.Sysinfo(&machine) == nil {
		limit = int64(machine.Totalram) * int64(machine.Unit)
	}
	var process unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_AS, &process) == nil && process.Cur < uint64(limit) {
		limit = int64(process.Cur)
	}
	for _, path := range containerLimits {
		text, _ := os.ReadFile(path)
		if bytes, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil { // else there is none
			limit = min(limit, bytes)
		}
	}
	return limit
}
