package machine

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
)

// TestRefusedVariable starts itself with an instruction set that is unknown: New must refuse and say why.
func TestRefusedVariable(t *testing.T) {
	const variable, value = "VGG_CPU", "nonsense"
	if os.Getenv(variable) == value {
		_, err := New(gorgonia.NewGraph())
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestRefusedVariable$")
	cmd.Env = append(os.Environ(), variable+"="+value)
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), variable+"="+value) {
		t.Errorf("error %v, output %q", err, out)
	}
}
