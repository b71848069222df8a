package op

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestRefusedVariable starts a test with an instruction set that is unknown: it must fail and say why.
func TestRefusedVariable(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestOps$")
	cmd.Env = append(os.Environ(), "VGG_CPU=nonsense")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "VGG_CPU=nonsense") {
		t.Errorf("error %v, output %q", err, out)
	}
}
