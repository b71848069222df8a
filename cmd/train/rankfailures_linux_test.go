//go:build mpi

package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vgg/history"
	"vgg/internal/cli/clitest"
)

// endless are the flags of a training that goes on until it is ended.
func endless(data string) []string {
	return []string{"--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--micro-batch", "4", "--epochs", "100000", "--set", "patience=100000"}
}

// begun starts a command and waits for the first epoch of its run; end waits for its end.
func begun(t *testing.T, cmd *exec.Cmd, run string) (end func() (errs string, code int)) {
	t.Helper()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its exit code tells
		close(ended)
	}()
	for {
		if _, err := os.Stat(filepath.Join(cmd.Dir, run, history.FileName)); err == nil {
			break
		}
		select {
		case <-ended:
			t.Fatalf("%s has ended: %s", run, &errs)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return func() (string, int) {
		<-ended
		return errs.String(), cmd.ProcessState.ExitCode()
	}
}

// goesOn resumes a run of endless on some ranks for two more epochs, and wants the bytes of one process.
func goesOn(t *testing.T, dir, run, data string, n int) {
	t.Helper()
	lock, err := os.Open(filepath.Join(dir, run, ".lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil { // mpirun may end a little before its ranks
		t.Fatal(err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	h, err := history.Read(filepath.Join(dir, run, history.FileName))
	if err != nil {
		t.Fatal(err)
	}
	epochs := strconv.Itoa(len(h) + 2)
	if _, errs, code := clitest.Run(t, ranks(t, dir, n, "--resume", run, "--epochs", epochs, "--force", "epochs")); code != 0 {
		t.Fatalf("%s, resumed: exit code %d: %s", run, code, errs)
	}
	if _, errs, code := trainIn(t, dir, append(endless(data), "--epochs", epochs, "--out", run+"-alone")...); code != 0 {
		t.Fatal(errs)
	}
	if left(t, filepath.Join(dir, run)) != left(t, filepath.Join(dir, run+"-alone")) {
		t.Errorf("%s leaves other bytes than a training of one process", run)
	}
}

// TestRankFullDisk fills the disk of rank 0: all ranks end, one line says why, and the run goes on when there is room.
func TestRankFullDisk(t *testing.T) {
	disk, data := smallDisk(t), idxFolder(t)
	end := begun(t, ranks(t, disk, 3, append(endless(data), "--out", "run")...), "run")
	filler := fill(t, disk)
	errs, code := end()
	if code != 1 || strings.Count(errs, "train: ") != 1 || !strings.Contains(errs, "train: rank 0 on ") || !strings.Contains(errs, "no space left on device") ||
		!strings.Contains(errs, "make room") || !strings.Contains(errs, "--resume run") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	goesOn(t, disk, "run", data, 2)
}

// TestRankInterrupted ends mpirun by signals: the last checkpoint is whole, and the run goes on to the same bytes. There
// is a new checkpoint where mpirun gives ranks the time, and after SIGUSR1, which it passes on however often it comes.
func TestRankInterrupted(t *testing.T) {
	dir, data := t.TempDir(), idxFolder(t)
	for i, c := range []struct {
		signal  syscall.Signal
		times   int
		timeout string // odls_base_sigkill_timeout in seconds; "" is mpirun's own
		says    bool   // that it was interrupted
	}{
		{syscall.SIGTERM, 1, "", false},
		{syscall.SIGINT, 1, "", false},
		{syscall.SIGINT, 1, "5", true},
		{syscall.SIGTERM, 2, "5", false}, // mpirun kills at once
		{syscall.SIGUSR1, 2, "", true},
	} {
		run := fmt.Sprint("run", i)
		cmd := ranks(t, dir, 2, append(endless(data), "--out", run)...)
		if c.timeout != "" {
			cmd.Env = append(cmd.Env, "OMPI_MCA_odls_base_sigkill_timeout="+c.timeout)
		}
		end := begun(t, cmd, run)
		for range c.times {
			_ = cmd.Process.Signal(c.signal) // it may have ended
		}
		errs, code := end()
		if said := strings.Count(errs, "interrupted: "); code == 0 || c.says && (said != 1 || strings.Count(errs, "--resume "+run) != 1) {
			t.Errorf("%d × %v: exit code %d: %s", c.times, c.signal, code, errs)
		}
		goesOn(t, dir, run, data, 1+i%3)
	}
}

// pictures writes a data set of 32 + 16 pictures in two classes. change may break or remove a file.
func pictures(t *testing.T, dir string, change func(file string)) {
	t.Helper()
	for i := range 48 {
		img := image.NewGray(image.Rect(0, 0, 12, 12))
		for k := range img.Pix {
			img.Pix[k] = uint8(100*(i%2) + k/2 + i)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		split := []string{"train", "train", "val"}[i%3]
		file := filepath.Join(dir, split, string(rune('a'+i%2)), strconv.Itoa(i)+".png")
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	change(filepath.Join(dir, "train", "b", "7.png"))
}

// TestRankRefusals: ranks that cannot do the same work end, and one line says which and what helps.
func TestRankRefusals(t *testing.T) {
	dir := t.TempDir()
	pictures(t, filepath.Join(dir, "data"), func(string) {})
	pictures(t, filepath.Join(dir, "lacks"), func(file string) {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	})
	pictures(t, filepath.Join(dir, "broken"), func(file string) {
		if err := os.Truncate(file, 60); err != nil {
			t.Fatal(err)
		}
	})
	pictures(t, filepath.Join(dir, "resized"), func(file string) {
		data, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "resized", "train", "a", "0.png"), data, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	program, err := os.ReadFile(clitest.Command(t, dir).Path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other")
	if err := os.WriteFile(other, append(program, 0), 0o777); err != nil { // the loader ignores what follows
		t.Fatal(err)
	}
	for i, c := range []struct {
		variables     string // of mpirun's option -x for rank 1
		program       string // of rank 1
		first, second string // pictures
		flags         []string
		code          int
		want          []string
	}{
		{"", "", "data", "lacks", nil, 1, []string{"the pictures (rank 0 on ", " has 32 + 16 pictures (", "; rank 1 on ", " has 31 + 16 pictures (", "give all ranks the same data set"}},
		{"", "", "data", "nowhere", nil, 1, []string{"rank 1 on ", "nowhere", "--data"}},
		{"", "", "data", "broken", nil, 1, []string{"rank 1 on ", "dataset broken: train/b/7.png", "replace or remove it", "can be resumed"}},
		{"", "", "broken", "data", nil, 1, []string{"rank 0 on ", "dataset broken: train/b/7.png", "replace or remove it"}},
		{"", other, "data", "data", nil, 1, []string{"the program (rank 0 on ", "; rank 1 on ", "copy one build to all hosts"}},
		{"", "", "data", "resized", nil, 1, []string{"the pictures (rank 0 on ", "32 + 16 pictures (", "; rank 1 on ", "give all ranks the same data set"}},
		{"VGG_CPU=none", "", "data", "data", nil, 2, []string{"rank 1 on ", "VGG_CPU=none: no such instruction set"}},
		{"VGG_CPU=go", "", "data", "data", nil, 1, []string{"the kernels (rank 0 on ", "; rank 1 on ", " has go", "VGG_CPU"}},
		{"VGG_CONV=direct", "", "data", "data", nil, 1, []string{"convolutions by \"direct\"", "; rank 1 on ", "set the environment variable VGG_CONV alike"}},
		{"", "", "data", "data", []string{"--micro-batch", "16"}, 1, []string{"2 ranks", "training.micro_batch = 8 gives enough", "--micro-batch"}},
		{"", "", "data", "data", []string{"--micro-batch", "5"}, 2, []string{"rank 0 on ", "training.micro_batch = 5 must be a divisor of training.batch = 16"}},
	} {
		cmd := ranks(t, dir, 1)
		own := cmd.Args[len(cmd.Args)-1]
		if c.program == "" {
			c.program = own
		}
		flags := append([]string{"--width", "0.05", "--fc", "8", "--batch", "16", "--micro-batch", "4", "--epochs", "1", "--out", fmt.Sprint("run", i)}, c.flags...)
		cmd.Args = append(append(cmd.Args, "--data", c.first), flags...)
		cmd.Args = append(cmd.Args, ":", "-np", "1")
		if c.variables != "" {
			cmd.Args = append(cmd.Args, "-x", c.variables)
		}
		cmd.Args = append(append(cmd.Args, c.program, "--data", c.second), flags...)
		_, errs, code := clitest.Run(t, cmd)
		line := ""
		for _, l := range strings.Split(errs, "\n") {
			if strings.HasPrefix(l, "train: ") {
				line += l + "\n"
			}
		}
		if code != c.code || strings.Count(line, "\n") != 1 {
			t.Errorf("%d: exit code %d, want %d: %s", i, code, c.code, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(line, want) {
				t.Errorf("%d: %q lacks %q", i, line, want)
			}
		}
	}
}

// TestRankFlags: ranks have the same flags, but for those of their own; an unknown variable is noted once.
func TestRankFlags(t *testing.T) {
	dir, data := t.TempDir(), idxFolder(t)
	flags := []string{"--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--micro-batch", "8", "--epochs", "1", "--out", "run"}
	for _, c := range []struct {
		second []string // more flags, of rank 1
		code   int
		want   string
	}{
		{[]string{"--epochs", "2"}, 2, "train: the ranks differ in --epochs (rank 0 on HOST has 1; rank 1 on HOST has 2): give it to all ranks alike\n"},
		{[]string{"--list-recipes"}, 2, "train: the ranks differ in --list-recipes (rank 0 on HOST has false; rank 1 on HOST has true)"},
		{[]string{"--seed", "2"}, 2, "train: the ranks differ in --seed (rank 0 on HOST has none; rank 1 on HOST has 2)"},
		{[]string{"--bogus"}, 2, "train: rank 1 on HOST: unknown flag --bogus"},
		{[]string{"--threads", "2"}, 0, "note: rank 0 on HOST: VGG_CPPU in the environment means nothing"},
	} {
		cmd := ranks(t, dir, 1, flags...)
		own := cmd.Args[len(cmd.Args)-len(flags)-1]
		cmd.Args = append(append(append(cmd.Args, ":", "-np", "1", own), flags...), c.second...)
		cmd.Env = append(cmd.Env, "VGG_CPPU=go")
		out, errs, code := clitest.Run(t, cmd)
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.ReplaceAll(c.want, "HOST", host)
		if code != c.code || strings.Count(errs, want) != 1 || strings.Count(errs, "VGG_CPPU") > 1 {
			t.Errorf("%v: exit code %d, %s, want %q", c.second, code, errs, want)
		}
		if strings.Contains(out, "\r") {
			t.Errorf("a progress bar in a file: %q", out)
		}
	}
}

// TestRankBound: ranks that mpirun has bound to one core say so, and what helps.
func TestRankBound(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("there is one processor: a rank that is bound to it is like any other")
	}
	cmd := ranks(t, t.TempDir(), 2, "--data", idxFolder(t), "--width", "0.05", "--fc", "8", "--batch", "16", "--micro-batch", "8", "--epochs", "1", "--out", "run")
	for i, arg := range cmd.Args {
		if arg == "none" {
			cmd.Args[i] = "core"
		}
	}
	out, errs, code := clitest.Run(t, cmd)
	if code != 0 || strings.Count(out, "(bound to one: mpirun's option bind-to none leaves it all)") != 2 || !strings.Contains(out, "rank 1 on ") {
		t.Errorf("exit code %d: %s%s", code, out, errs)
	}
}

// TestOtherMPI: processes that another MPI's mpirun has started, which Open MPI knows nothing of, end with the remedy.
func TestOtherMPI(t *testing.T) {
	cmd := clitest.Command(t, t.TempDir())
	cmd.Env = append(cmd.Env, "PMI_SIZE=2", "PMI_RANK=0")
	_, errs, code := clitest.Run(t, cmd)
	if code != 2 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "2 processes were started, and MPI counts 1: start them by Open MPI's mpirun") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
