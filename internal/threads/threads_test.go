package threads_test

import (
	"runtime"
	"testing"

	"vgg/internal/threads"
)

func TestCount(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer threads.Set(before, 0)
	if got := threads.Count(); got != before {
		t.Errorf("%d threads compute, and GOMAXPROCS is %d", got, before)
	}
	threads.Set(3, 1)
	if compute, all := threads.Count(), runtime.GOMAXPROCS(0); compute != 3 || all != 4 {
		t.Errorf("after Set(3, 1) %d of %d threads compute, want 3 of 4", compute, all)
	}
	runtime.GOMAXPROCS(1)
	if got := threads.Count(); got != 1 {
		t.Errorf("%d threads compute where there is one, want 1", got)
	}
}
