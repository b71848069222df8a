package cli

import (
	"strings"
	"testing"

	"vgg/internal/mpi"
)

// TestRefusals: the remedy is another build for commands that share work, and one process for those that do not.
func TestRefusals(t *testing.T) {
	two := launch{by: "mpirun", size: 2}
	if err := two.refuse("plot"); err == nil || !strings.Contains(err.Error(), "start it by itself") {
		t.Errorf("plot: %v", err)
	}
	if err := two.refuse("train"); (err == nil) != mpi.Built || err != nil && !strings.Contains(err.Error(), "go build -tags mpi ./cmd/train") {
		t.Errorf("train: %v", err)
	}
}
