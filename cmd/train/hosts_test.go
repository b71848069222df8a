//go:build mpi

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vgg/history"
	"vgg/internal/cli/clitest"
)

// hosts makes two hosts of network namespaces, and gives a function that starts the command on both: rank 0 with the
// first arguments, rank 1 with the second.
func hosts(t *testing.T) (script string, start func(dir string, first, second []string) *exec.Cmd) {
	t.Helper()
	if os.Getenv("VGG_HOSTS") == "" {
		t.Skip("VGG_HOSTS is not set: two hosts are not tried (needs root, iproute2 and Open MPI)")
	}
	script, err := filepath.Abs("../../deploy/namespaces")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(script, "up", "1gbit").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command(script, "down").Run() })
	return script, func(dir string, first, second []string) *exec.Cmd {
		cmd := clitest.Command(t, dir)
		args := append([]string{script, "mpirun", "-x", "VGG_TEST_AS_COMMAND", "-np", "1", cmd.Path}, first...)
		args = append(append(args, ":", "-x", "VGG_TEST_AS_COMMAND", "-np", "1", cmd.Path), second...)
		cmd.Path, cmd.Args = script, args
		return cmd
	}
}

// onSecond lists the processes of the command on the second host.
func onSecond(t *testing.T) (pids []int) {
	t.Helper()
	out, err := exec.Command("ip", "netns", "pids", "vgg2").Output()
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range strings.Fields(string(out)) {
		line, _ := os.ReadFile(filepath.Join("/proc", text, "cmdline")) // it may have ended
		if pid, err := strconv.Atoi(text); err == nil && bytes.HasPrefix(line, append([]byte(exe), 0)) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestRankHosts: two hosts, whose pictures lie in other places, leave the bytes of one process. A rank that is stopped,
// killed or cut off ends the run, which says who, and can be resumed.
func TestRankHosts(t *testing.T) {
	script, start := hosts(t)
	dir, data := t.TempDir(), idxFolder(t)
	elsewhere := filepath.Join(t.TempDir(), "elsewhere")
	if err := os.CopyFS(elsewhere, os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	args := []string{"--width", "0.05", "--fc", "8", "--batch", "16", "--micro-batch", "4"}
	with := func(data string, more ...string) []string {
		return append(append([]string{"--data", data}, args...), more...)
	}
	if _, errs, code := trainIn(t, dir, with(data, "--epochs", "2", "--out", "alone")...); code != 0 {
		t.Fatal(errs)
	}
	two := []string{"--epochs", "2", "--out", "two"}
	if _, errs, code := clitest.Run(t, start(dir, with(data, two...), with(elsewhere, two...))); code != 0 {
		t.Fatal(errs)
	}
	if left(t, filepath.Join(dir, "two")) != left(t, filepath.Join(dir, "alone")) {
		t.Error("two hosts leave other bytes than one process")
	}

	signal := func(s syscall.Signal) func() {
		return func() {
			for _, pid := range onSecond(t) {
				_ = syscall.Kill(pid, s) // it may have ended
			}
		}
	}
	for name, c := range map[string]struct {
		do     func()
		within time.Duration
		want   string
	}{
		"stopped": {signal(syscall.SIGSTOP), 30 * time.Second, "run.stall_seconds"},
		"killed":  {signal(syscall.SIGKILL), 10 * time.Second, "exited on signal 9"},
		"cut off": {func() { _ = exec.Command(script, "cut", "2").Run() }, 30 * time.Second, "(rank 1 on vgg2), longer than run.stall_seconds"},
	} {
		long := []string{"--epochs", "100000", "--set", "patience=100000", "--set", "run.stall_seconds=5", "--out", name}
		cmd := start(dir, with(data, long...), with(elsewhere, long...))
		output := filepath.Join(dir, name+".log")
		log, err := os.Create(output)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(filepath.Join(dir, name, history.FileName)); err == nil {
				break
			}
		}
		c.do()
		// mpirun may wait for a daemon that it cannot reach, after the ranks have ended.
		said := false
		for began := time.Now(); !said && time.Since(began) < c.within; time.Sleep(50 * time.Millisecond) {
			text, err := os.ReadFile(output)
			said = err == nil && strings.Contains(string(text), c.want)
		}
		if text, err := os.ReadFile(output); !said {
			t.Errorf("%s: after %v there is no %q: %s, %v", name, c.within, c.want, text, err)
		}
		signal(syscall.SIGKILL)()
		_ = exec.Command(script, "mend", "2").Run()
		timer := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		timer.Stop()
		log.Close()
		h, err := history.Read(filepath.Join(dir, name, history.FileName))
		if err != nil {
			t.Fatal(err)
		}
		epochs := strconv.Itoa(len(h) + 2)
		if _, errs, code := trainIn(t, dir, "--resume", name, "--epochs", epochs, "--force", "epochs"); code != 0 {
			t.Errorf("%s: resumed: exit code %d: %s", name, code, errs)
		}
	}
}
