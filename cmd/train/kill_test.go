package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vgg/history"
	"vgg/internal/cli/clitest"
	"vgg/internal/text"
	"vgg/trainer"
)

// left is what a run leaves: the weights, the recipe, and the history without its times.
func left(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for _, name := range []string{trainer.BestFile, trainer.LastFile, trainer.RecipeFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	h, err := history.Read(filepath.Join(dir, history.FileName))
	if err != nil {
		t.Fatal(err)
	}
	for i := range h {
		h[i].ImagesPerSecond, h[i].Seconds, h[i].LoaderWaitPercent, h[i].ExchangeWaitPercent = 0, 0, 0, 0
	}
	if err := h.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestKills kills trainings at random moments and resumes them until they are done: they leave the same bytes as a
// training that was not killed. VGG_KILLS is the number of kills, 6 by default.
func TestKills(t *testing.T) {
	kills := 6
	if text := os.Getenv("VGG_KILLS"); text != "" {
		var err error
		if kills, err = strconv.Atoi(text); err != nil {
			t.Fatalf("VGG_KILLS: %v", err)
		}
	}
	dir, data := t.TempDir(), idxFolder(t)
	args := []string{"--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--micro-batch", "8", "--epochs", "12", "--set", "checkpoint_minutes=0", "--set", "patience=4"}
	began := time.Now()
	if _, errs, code := trainIn(t, dir, append(args, "--out", "alone")...); code != 0 {
		t.Fatal(errs)
	}
	whole, want := time.Since(began), left(t, filepath.Join(dir, "alone"))
	r := rand.New(rand.NewPCG(1, 2))
	killed, trainings, unfinished := 0, 0, 0
	for ; killed < kills; trainings++ {
		run := filepath.Join(dir, "run"+strconv.Itoa(trainings))
		for {
			now := append(args, "--out", run)
			if checkpoints, _ := filepath.Glob(filepath.Join(run, trainer.CheckpointDir, "*.safetensors")); len(checkpoints) > 0 {
				now = []string{"--resume", run}
			}
			cmd := clitest.Command(t, dir, now...)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(time.Duration(r.Float64()*0.7*float64(whole)), func() { cmd.Process.Kill() })
			err := cmd.Wait()
			timer.Stop()
			if err == nil {
				break
			}
			if status := cmd.ProcessState.Sys().(syscall.WaitStatus); !status.Signaled() {
				// Killed after the last checkpoint and before the end, it has nothing left to do.
				if strings.Contains(errs.String(), "is finished") {
					break
				}
				t.Fatalf("%v: %v: %s", now, err, &errs)
			}
			killed++
			if pending, _ := filepath.Glob(filepath.Join(run, trainer.CheckpointDir, ".*")); len(pending) > 0 {
				unfinished++
			}
		}
		if left(t, run) != want {
			t.Errorf("training %d ends otherwise", trainings)
		}
	}
	t.Logf("%d kills in %d trainings, %d of them while a checkpoint was written", killed, trainings, unfinished)
}

// lastLine is the last line of what a command printed.
func lastLine(out string) string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return lines[len(lines)-1]
}

// TestSignals: SIGINT and SIGTERM end a training after its step, with a checkpoint, the flag that resumes it, and the
// exit code of the signal.
func TestSignals(t *testing.T) {
	data := idxFolder(t)
	for signal, code := range map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143} {
		dir := t.TempDir()
		cmd := clitest.Command(t, dir, "--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--epochs", "100000", "--set", "patience=100000", "--out", "run")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for file := filepath.Join(dir, "run", history.FileName); ; time.Sleep(10 * time.Millisecond) {
			if _, err := os.Stat(file); err == nil {
				break
			}
		}
		cmd.Process.Signal(signal)
		cmd.Wait()
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(lastLine(errs.String()), "--resume run") {
			t.Errorf("%v: exit code %d, want %d: %s", signal, got, code, &errs)
		}
		h, err := history.Read(filepath.Join(dir, "run", history.FileName))
		if err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("%s and %d steps in ", text.Count(len(h)+1, "epoch"), 4*(len(h)+1))
		if out, errs, code := trainIn(t, dir, "--resume", "run", "--epochs", strconv.Itoa(len(h)+1), "--force", "epochs"); code != 0 || !strings.Contains(out, want) {
			t.Errorf("resumed: exit code %d: %s%s, want %q", code, out, errs, want)
		}
	}
}
