package cli_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"vgg/internal/cli"
	"vgg/internal/cli/clitest"
)

func TestMain(m *testing.M) {
	clitest.Main(m, func() {
		cli.Main("example", "An example.", &struct{}{}, func(context.Context) error {
			fmt.Println("ran")
			return nil
		})
	})
}

// TestVariables checks that a command computes only with the instructions and the algorithm that the environment asks for.
func TestVariables(t *testing.T) {
	for _, c := range []struct {
		variable string
		code     int
	}{{"VGG_CPU=go", 0}, {"VGG_CPU=nonsense", 2}, {"VGG_CONV=direct", 0}, {"VGG_CONV=nonsense", 2}} {
		cmd := clitest.Command(t, t.TempDir())
		cmd.Env = append(cmd.Env, c.variable)
		stdout, stderr, code := clitest.Run(t, cmd)
		ran := strings.Contains(stdout, "ran")
		if code != c.code || ran != (code == 0) || strings.Contains(stderr, c.variable) != (code != 0) {
			t.Errorf("%s: exit code %d, want %d; it ran: %t; stderr %q", c.variable, code, c.code, ran, stderr)
		}
	}
}
