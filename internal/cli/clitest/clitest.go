package clitest

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"testing"
)

// asCommand is the environment variable that makes a test binary the command.
const asCommand = "VGG_TEST_AS_COMMAND"

// Main is for the TestMain of a command: it runs the command if the test binary was started by Command, else the tests.
func Main(m *testing.M, command func()) {
	if os.Getenv(asCommand) != "" {
		command()
		return
	}
	os.Exit(m.Run())
}

// Command returns the command with its arguments, to be started in a folder.
func Command(t testing.TB, dir string, args ...string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1")
	return cmd
}

// Run runs a command and returns what it printed and its exit code.
func Run(t testing.TB, cmd *exec.Cmd) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Unwritten is a letter that hardly any font has: a Chinese one of Unicode's extension H, of the year 2022.
const Unwritten = "\U00031350"

// NotesUnwritten is what a command notes that was to draw Unwritten.
const NotesUnwritten = "no font of this system has the letters " + Unwritten + ", which"
