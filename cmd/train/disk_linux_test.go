package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vgg/history"
	"vgg/internal/cli/clitest"
)

// smallDisk mounts a file system of 4 MB.
func smallDisk(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Skipf("no small file system can be mounted: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// fill takes all that is free on the file system of a folder, with a file in it.
func fill(t *testing.T, dir string) (file string) {
	t.Helper()
	file = filepath.Join(dir, "filler")
	filler, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	for block := make([]byte, 4096); err == nil; {
		_, err = filler.Write(block)
	}
	return file
}

// TestFullDisk fills the disk under a training: it ends with one clear error, and its last checkpoint can be resumed.
func TestFullDisk(t *testing.T) {
	disk, data := smallDisk(t), idxFolder(t)
	args := []string{"--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--epochs", "100000", "--set", "patience=100000"}
	if _, errs, code := trainIn(t, disk, append(args, "--out", "large", "--width", "0.25")...); code != 1 || !strings.Contains(errs, "MB free for large") {
		t.Errorf("no room from the start: exit code %d: %s", code, errs)
	}
	cmd := clitest.Command(t, disk, append(args, "--out", "run")...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for file := filepath.Join(disk, "run", history.FileName); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			break
		}
	}
	filler := fill(t, disk)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(errs.String(), "no space left on device") || !strings.Contains(errs.String(), "make room") || strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("exit code %d: %s", code, &errs)
	}
	h, err := history.Read(filepath.Join(disk, "run", history.FileName))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := trainIn(t, disk, "--resume", "run", "--epochs", strconv.Itoa(len(h)+2), "--force", "epochs"); code != 0 {
		t.Errorf("resumed: exit code %d: %s", code, errs)
	}
}
