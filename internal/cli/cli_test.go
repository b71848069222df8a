package cli_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vgg/internal/cli"
	"vgg/internal/cli/clitest"
)

func TestMain(m *testing.M) {
	clitest.Main(m, func() {
		var f struct {
			Number int    `help:"A number." default:"5"`
			Text   string `help:"A text; default none." default:"none"`
		}
		cli.Main("example", "An example.", &f, func(context.Context) error {
			fmt.Fprintln(cli.Stdout, "ran")
			if f.Number < 0 {
				return cli.Usage(fmt.Errorf("--number %d", f.Number))
			}
			return nil
		})
	})
}

// TestAnswerThatCannotBeWritten: a full disk, a file that is not open for writing, and a pipe that nobody reads end a
// command with exit code 1 and one line.
func TestAnswerThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	readOnly, err := os.Open(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer readOnly.Close()
	unread, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	unread.Close()
	defer pipe.Close()
	outputs := map[string]*os.File{"read-only": readOnly, "pipe": pipe}
	if full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0); err == nil {
		defer full.Close()
		outputs["full"] = full
	}
	for name, output := range outputs {
		for _, args := range [][]string{nil, {"--help"}} {
			cmd := clitest.Command(t, dir, args...)
			var stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = output, &stderr
			err := cmd.Run()
			if code := cmd.ProcessState.ExitCode(); code != 1 || strings.Count(stderr.String(), "\n") != 1 ||
				!strings.Contains(stderr.String(), "example: the answer cannot be written") {
				t.Errorf("%s, %v: exit code %d, %v, %q", name, args, code, err, stderr.String())
			}
		}
	}
}

// TestUnknownVariables: a variable that is named like ours and does not exist is spoken of.
func TestUnknownVariables(t *testing.T) {
	for _, c := range []struct {
		set  string
		note bool
	}{{"VGG_CVP=go", true}, {"vgg_cpu=go", true}, {"VGG_=", true}, {"VGG_CPU=go", false}, {"VGG_DATA=folder", false}, {"OTHER_CVP=go", false}} {
		cmd := clitest.Command(t, t.TempDir())
		cmd.Env = append(cmd.Env, c.set)
		stdout, stderr, code := clitest.Run(t, cmd)
		name, _, _ := strings.Cut(c.set, "=")
		if want := "note: " + name + " in the environment means nothing: there are VGG_CPU and VGG_CONV\n"; code != 0 || stdout != "ran\n" ||
			(stderr == want) != c.note || (stderr == "") == c.note {
			t.Errorf("%s: exit code %d, %q, %q", c.set, code, stdout, stderr)
		}
	}
}

// TestVariables checks that a command computes only with the instructions and the algorithm that the environment asks
// for.
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

// TestCheckOutput: an answer does not take the place of what is read: a file, by whatever path, or one in a folder.
func TestCheckOutput(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll(filepath.Join("set", "cat"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"weights", "other", filepath.Join("set", "cat", "0.png")} {
		if err := os.WriteFile(file, nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("weights", "link"); err != nil {
		t.Fatal(err)
	}
	for path, refused := range map[string]bool{
		"": false, "new": false, "other": false, filepath.Join("set", "new.png"): false,
		"weights": true, "./weights": true, "link": true, filepath.Join("set", "cat", "0.png"): true,
	} {
		err := cli.CheckOutput("--out", path, "missing", "weights", "set")
		if (err != nil) != refused || refused && !strings.Contains(err.Error(), "--out: "+path+" would be lost") {
			t.Errorf("%q: error %v, want one: %t", path, err, refused)
		}
	}
}

// TestVersion: every command says which build it is, and how it computes.
func TestVersion(t *testing.T) {
	stdout, stderr, code := clitest.Run(t, clitest.Command(t, t.TempDir(), "--version"))
	if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "example ") || !strings.Contains(stdout, runtime.Version()) || !strings.Contains(stdout, " kernels\n") {
		t.Errorf("exit code %d, %q, %q", code, stdout, stderr)
	}
}

// TestNegative: a number below 0 is a value, which the command judges, not a flag.
func TestNegative(t *testing.T) {
	for _, args := range [][]string{{"--number", "-1"}, {"--number=-1"}, {"--text", "-.5,2", "--number", "-1"}} {
		if _, stderr, code := clitest.Run(t, clitest.Command(t, t.TempDir(), args...)); code != 2 || !strings.Contains(stderr, "--number -1") {
			t.Errorf("%q: exit code %d, %q", args, code, stderr)
		}
	}
	if _, stderr, code := clitest.Run(t, clitest.Command(t, t.TempDir(), "--number", "3", "-1")); code != 2 || !strings.Contains(stderr, "-1") {
		t.Errorf("a number alone: exit code %d, %q", code, stderr)
	}
}

// TestHelpSaysDefaults: once for each flag that has one.
func TestHelpSaysDefaults(t *testing.T) {
	stdout, _, code := clitest.Run(t, clitest.Command(t, t.TempDir(), "--help"))
	if code != 0 || !strings.Contains(stdout, "A number (default 5).") || !strings.Contains(stdout, "A text; default none.") {
		t.Errorf("exit code %d, %q", code, stdout)
	}
}
