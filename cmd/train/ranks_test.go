//go:build mpi

package main

import (
	"fmt"
	"math/rand/v2"
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

// ranks is the command under mpirun.
func ranks(t *testing.T, dir string, n int, args ...string) *exec.Cmd {
	t.Helper()
	mpirun, err := exec.LookPath("mpirun")
	if err != nil {
		t.Skip("no mpirun here: install Debian's openmpi-bin")
	}
	cmd := clitest.Command(t, dir, args...)
	cmd.Args = append([]string{mpirun, "--bind-to", "none", "--oversubscribe", "-np", strconv.Itoa(n), cmd.Path}, args...)
	cmd.Path = mpirun
	cmd.Env = append(cmd.Env, "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_btl_vader_single_copy_mechanism=none")
	return cmd
}

// TestMPI: 1, 2, 3, 4 and 8 ranks leave the same bytes as one process, with sums and with factors.
func TestMPI(t *testing.T) {
	dir, data := t.TempDir(), idxFolder(t)
	for _, fc := range []string{"8", "1536"} {
		args := []string{"--data", data, "--width", "0.05", "--fc", fc, "--batch", "16", "--micro-batch", "2", "--epochs", "2"}
		if _, errs, code := trainIn(t, dir, append(args, "--out", "alone"+fc)...); code != 0 {
			t.Fatal(errs)
		}
		want := left(t, filepath.Join(dir, "alone"+fc))
		for _, n := range []int{1, 2, 3, 4, 8} {
			run := fmt.Sprintf("%s-%d", fc, n)
			if _, errs, code := clitest.Run(t, ranks(t, dir, n, append(args, "--out", run)...)); code != 0 {
				t.Fatalf("%d ranks: %s", n, errs)
			}
			if left(t, filepath.Join(dir, run)) != want {
				t.Errorf("%d ranks, FC-%s: other bytes than one process", n, fc)
			}
		}
	}
}

// TestRankKills kills a random rank at a random moment: all end, and another number of ranks goes on to the same bytes.
// VGG_KILLS is the number of kills, 2 by default; if it is set, all must end within 10 seconds.
func TestRankKills(t *testing.T) {
	kills, hit, timed := 2, 0, false
	if text := os.Getenv("VGG_KILLS"); text != "" {
		timed = true
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("VGG_KILLS: %v", err)
		}
	}
	dir, data := t.TempDir(), idxFolder(t)
	args := []string{"--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--micro-batch", "2", "--epochs", "60", "--set", "checkpoint_minutes=0", "--set", "patience=100"}
	if _, errs, code := trainIn(t, dir, append(args, "--out", "alone")...); code != 0 {
		t.Fatal(errs)
	}
	want := left(t, filepath.Join(dir, "alone"))
	r := rand.New(rand.NewPCG(7, 8))
	for k := range kills {
		run := "run" + strconv.Itoa(k)
		cmd := ranks(t, dir, 2+k%3, append(args, "--out", run)...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, run, history.FileName)
		for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(5 * time.Millisecond) {
			if _, err := os.Stat(file); err == nil {
				break
			}
		}
		time.Sleep(time.Duration(r.IntN(500)) * time.Millisecond)
		children, err := exec.Command("pgrep", "-P", strconv.Itoa(cmd.Process.Pid)).Output()
		if pids := strings.Fields(string(children)); err == nil && len(pids) > 0 {
			pid, _ := strconv.Atoi(pids[r.IntN(len(pids))])
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended
		}
		began := time.Now()
		_ = cmd.Wait()
		if cmd.ProcessState.ExitCode() != 0 {
			hit++
			took := time.Since(began)
			t.Logf("kill %d: all have ended after %v", k, took)
			if timed && took > 10*time.Second {
				t.Errorf("kill %d: the others ended after %v", k, took)
			}
		}
		_, errs, code := clitest.Run(t, ranks(t, dir, 1+r.IntN(8), "--resume", run))
		if code != 0 && !strings.Contains(errs, "is finished") {
			t.Fatalf("kill %d: resumed: exit code %d: %s", k, code, errs)
		}
		if left(t, filepath.Join(dir, run)) != want {
			t.Errorf("kill %d: the run leaves other bytes", k)
		}
	}
	if t.Logf("%d of %d kills came before the end of the run", hit, kills); hit == 0 {
		t.Error("no kill came before the end of its run")
	}
}

// TestRankSignal: SIGUSR1, which mpirun passes on, ends a run with a checkpoint.
func TestRankSignal(t *testing.T) {
	dir, data := t.TempDir(), idxFolder(t)
	cmd := ranks(t, dir, 2, "--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--micro-batch", "8", "--epochs", "100000", "--set", "patience=100000", "--out", "run")
	var errs strings.Builder
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for file := filepath.Join(dir, "run", history.FileName); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			break
		}
	}
	_ = cmd.Process.Signal(syscall.SIGUSR1)
	_ = cmd.Wait()
	if !strings.Contains(errs.String(), "interrupted: ") || strings.Count(errs.String(), "--resume run") != 1 {
		t.Errorf("exit code %d: %s", cmd.ProcessState.ExitCode(), &errs)
	}
}
