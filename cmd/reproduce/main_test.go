package main

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vgg/history"
	"vgg/internal/cli/clitest"
	"vgg/reproduce"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// reproduceIn runs the command in a folder.
func reproduceIn(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, clitest.Command(t, dir, args...))
}

// folder holds two data sets of 32 + 8 grey pictures in two classes, bright and dark, and one that nothing can be read
// from.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"pictures", "others", "empty"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for set, first := range map[string]int{"pictures": 0, "others": 50} {
		for name, count := range map[string]int{"train": 32, "val": 8} {
			writeIDX(t, filepath.Join(dir, set, name), count, first)
		}
	}
	return dir
}

// writeIDX writes pictures and their labels.
func writeIDX(t *testing.T, path string, count, first int) {
	t.Helper()
	images := []byte{0, 0, 8, 3}
	labels := []byte{0, 0, 8, 1}
	for _, d := range []int{count, 32, 32} {
		images = binary.BigEndian.AppendUint32(images, uint32(d))
	}
	labels = binary.BigEndian.AppendUint32(labels, uint32(count))
	for i := range count {
		labels = append(labels, byte(i%2))
		for k := range 32 * 32 {
			images = append(images, byte(100*(i%2)+(k+i+first)%100))
		}
	}
	for kind, data := range map[string][]byte{"-images-idx3-ubyte": images, "-labels-idx1-ubyte": labels} {
		if err := os.WriteFile(path+kind, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// tiny makes all that is trained small.
var tiny = []string{"--recipe", "miniature", "--data", "pictures", "--epochs", "2", "--set", "width=0.05", "--set", "fc=8", "--set", "batch=16"}

// TestReproduce: the command does everything once; the ablation and a second seed add only what is new.
func TestReproduce(t *testing.T) {
	dir := folder(t)
	args := append(tiny, "--out", "out", "--seeds", "7")
	stdout, stderr, code := reproduceIn(t, dir, args...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, want := range []string{"12 of 12: seed 7, net E, S = [32;64], from net E, S = 48", "4.1: local response normalisation", filepath.Join("out", reproduce.HTMLFile)} {
		if !strings.Contains(stdout, want) {
			t.Errorf("%q is not in the output: %s", want, stdout)
		}
	}
	count := func(stdout string) (trainings, tests int) {
		return strings.Count(stdout, "recipe miniature: net"), strings.Count(stdout, "\ntested:")
	}
	if trainings, tests := count(stdout); trainings != 12 || tests != 34 {
		t.Errorf("%d trainings and %d tests, want 12 and 34", trainings, tests)
	}
	for _, file := range []string{reproduce.HTMLFile, reproduce.MarkdownFile} {
		text, err := os.ReadFile(filepath.Join(dir, "out", file))
		if err != nil || !strings.Contains(string(text), "Table 6") || strings.Contains(string(text), "top-5 error") {
			t.Errorf("%s (%v) is no report on two classes", file, err)
		}
		if err := os.Remove(filepath.Join(dir, "out", file)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		more             []string
		trainings, tests int
	}{
		{nil, 0, 0},
		{[]string{"--ablation"}, 1, 2},
		{[]string{"--seeds", "8"}, 12, 34},
	} {
		stdout, stderr, code = reproduceIn(t, dir, append(args, c.more...)...)
		if trainings, tests := count(stdout); code != 0 || trainings != c.trainings || tests != c.tests {
			t.Errorf("again with %v: exit code %d, %d trainings and %d tests, want %d and %d: %s", c.more, code, trainings, tests, c.trainings, c.tests, stderr)
		}
		if _, err := os.Stat(filepath.Join(dir, "out", reproduce.HTMLFile)); err != nil {
			t.Errorf("again with %v: %v", c.more, err)
		}
	}
	stdout, stderr, code = reproduceIn(t, dir, append(args, "--set", "momentum=0.8")...)
	if code != 1 || !strings.Contains(stderr, "training.momentum = 0.8, not 0.9") || !strings.Contains(stderr, "--out") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("with another recipe: exit code %d: %s%s", code, stdout, stderr)
	}
}

// TestInterrupt: SIGINT ends a training with the exit code 130, SIGKILL at once, and the same command goes on.
func TestInterrupt(t *testing.T) {
	dir := folder(t)
	// One training after the other, so that those before one that is stopped are done.
	args := append(tiny, "--out", "out", "--seeds", "7", "--set", "checkpoint_minutes=0", "--at-once", "1")
	stop := func(signal syscall.Signal, after string) (stderr string, code int) {
		cmd := clitest.Command(t, dir, args...)
		var errs bytes.Buffer
		cmd.Stderr = &errs
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for file := filepath.Join(dir, "out", "seed-7", after, history.FileName); ; time.Sleep(time.Millisecond) {
			if _, err := os.Stat(file); err == nil {
				break
			}
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it fails as told
		return errs.String(), cmd.ProcessState.ExitCode()
	}
	stderr, code := stop(syscall.SIGINT, "A-LRN-S32")
	last := stderr[strings.LastIndex(strings.TrimSpace(stderr), "\n")+1:] // after notes on the trainings
	if code != 130 || !strings.Contains(last, "the same command goes on") {
		t.Errorf("SIGINT: exit code %d: %s", code, stderr)
	}
	stop(syscall.SIGKILL, "C-S48")
	var stdout string
	stdout, stderr, code = reproduceIn(t, dir, args...)
	if code != 0 || strings.Contains(stdout, "net A, width") || strings.Contains(stdout, "net B, width") || !strings.Contains(stdout, "net E, width") {
		t.Errorf("gone on: exit code %d: %s%s", code, stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "out", reproduce.HTMLFile)); err != nil {
		t.Error(err)
	}
}

// TestStages: a stage ends in time without an error, and the same command goes on to the report of the tests, which are
// opened by a command of its own.
func TestStages(t *testing.T) {
	dir := folder(t)
	args := append(tiny, "--out", "out", "--nets", "A,D", "--held-out", "others", "--records", "kept")
	stages := 0
	for minutes := "0.002"; ; minutes = "1" {
		stdout, stderr, code := reproduceIn(t, dir, append(args, "--minutes", minutes)...)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, stderr)
		}
		if stages++; strings.Contains(stdout, "--open WHY") {
			break
		}
		if !strings.Contains(stdout, "The stage is over after 0.002 minutes: the same command goes on") {
			t.Fatalf("stage %d: %s", stages, stdout)
		}
	}
	stdout, stderr, code := reproduceIn(t, dir, append(args, "--open", "test")...)
	if code != 0 || stages < 2 || !strings.Contains(stdout, "4.1: D: scale jittering in training") || strings.Contains(stdout, "tested:") {
		t.Errorf("after %d stages, exit code %d: %s%s", stages, code, stdout, stderr)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "kept", reproduce.OpeningsFile)); err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("openings: %s, %v", text, err)
	}
}

// TestSizes: two nets are trained on each number of pictures, once.
func TestSizes(t *testing.T) {
	dir := folder(t)
	args := append(tiny, "--out", "out", "--sizes", "16,32")
	for _, trainings := range []int{4, 0} {
		stdout, stderr, code := reproduceIn(t, dir, args...)
		if n := strings.Count(stdout, "recipe miniature: net"); code != 0 || n != trainings || !strings.Contains(stdout, "32 training pictures: E (19 layers)") {
			t.Errorf("exit code %d, %d trainings, want %d: %s%s", code, n, trainings, stdout, stderr)
		}
		if _, err := os.Stat(filepath.Join(dir, "out", "sizes", reproduce.HTMLFile)); err != nil {
			t.Error(err)
		}
	}
}

// TestErrors: an error is one line that names the flag, and nothing is written.
func TestErrors(t *testing.T) {
	dir := folder(t)
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"--recipe", "findngs", "findings"}, []string{"--recipe", "findngs"}},
		{2, []string{"--set", "wdth", "width"}, []string{"--set", "wdth=1"}},
		{2, []string{"epochs"}, []string{"--epochs", "0"}},
		{2, []string{"--set training.seed=5", "--seeds"}, []string{"--set", "seed=5"}},
		{2, []string{"--set config=B", "--nets"}, []string{"--set", "config=B"}},
		{2, []string{"--threads"}, []string{"--threads", "-1"}},
		{2, []string{"--seeds"}, []string{"--seeds", "x"}},
		{2, []string{"seed 2 twice"}, []string{"--seeds", "2,2"}},
		{2, []string{"scale_min", "scale_max"}, []string{"--set", "scale_max=64"}},
		{2, []string{"scale_min"}, []string{"--recipe", "quick"}},
		{2, []string{"--data"}, []string{"--recipe", "flowers"}},
		{2, []string{"weights"}, []string{"--set", "weights=a.safetensors"}},
		{1, []string{"--data", "empty"}, []string{"--data", "empty"}},
		{1, []string{"--data", "missing"}, []string{"--data", "missing"}},
		{1, []string{"--out", "file"}, append(tiny, "--out", "file")},
		{1, []string{"--data", "no picture has a box"}, append(tiny[2:], "--only", "boxes")},
		{1, []string{"--data", "no picture has a box"}, append(tiny, "--with", "boxes")},
		{2, []string{"--only", "boxes"}, []string{"--only", "nets"}},
		{2, []string{"features", "leave out --data"}, append(tiny[2:], "--only", "features")},
		{2, []string{"--box-recipes", "scenes"}, []string{"--only", "boxes", "--box-recipes", "scenes"}},
		{2, []string{"--box-recipes", "senes", "scenes"}, []string{"--only", "boxes", "--box-recipes", "senes,localise-scenes"}},
		{2, []string{"--sizes", "rising"}, append(tiny, "--sizes", "16,16")},
		{2, []string{"--nets: --sizes trains"}, append(tiny, "--sizes", "16,32", "--nets", "A,D")},
		{2, []string{"--full: --sizes trains"}, []string{"--full", "--sizes", "16,32"}},
		{2, []string{"--only: --sizes trains"}, append(tiny[2:], "--sizes", "16,32", "--only", "boxes")},
		{2, []string{"--open", "--held-out SPEC"}, append(tiny, "--open", "why")},
		{1, []string{"--records", "file"}, append(tiny, "--out", "made", "--records", filepath.Join("file", "records"))},
		{2, []string{"without A"}, []string{"--nets", "B,D"}},
		{2, []string{"net B twice"}, []string{"--nets", "A,B,B"}},
		{2, []string{`"F"`}, []string{"--nets", "A,F"}},
		{2, []string{"--set: --full is"}, []string{"--full", "--set", "epochs=2"}},
		{2, []string{"--full with --recipe miniature", "--held-out"}, []string{"--full", "--recipe", "miniature"}},
		{2, []string{"--recipe: --only does"}, []string{"--only", "boxes", "--recipe", "miniature"}},
		{2, []string{"--held-out: --only does"}, []string{"--only", "features", "--held-out", "pictures"}},
		{2, []string{"--nets: --only does"}, []string{"--only", "boxes", "--nets", "A,D"}},
		{2, []string{"--box-recipes: boxes are"}, []string{"--box-recipes", "scenes,scenes"}},
		{2, []string{"--sizes", "training.limit = 20"}, append(tiny, "--sizes", "16,32", "--set", "limit=20")},
		{2, []string{"--minutes -1"}, []string{"--minutes=-1"}},
		{2, []string{"--minutes 1e+09"}, []string{"--minutes", "1e9"}},
		{2, []string{"--with: --only does"}, []string{"--only", "boxes", "--with", "features"}},
		{1, []string{"held-out pictures", "chosen by"}, append(tiny, "--held-out", "pictures", "--out", "same")},
		{1, []string{"--held-out", "missing"}, append(tiny, "--held-out", "missing")},
		{1, []string{"--open", "13 trainings"}, []string{"--full", "--open", "too early", "--seeds", "1", "--out", "open", "--records", "open"}},
	} {
		stdout, stderr, code := reproduceIn(t, dir, c.args...)
		if code != c.code || c.code == 1 && strings.Count(stderr, "\n") != 1 {
			t.Errorf("%v: exit code %d, want %d: %q %q", c.args, code, c.code, stdout, stderr)
		}
		for _, want := range c.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%v: %q does not say %q", c.args, stderr, want)
			}
		}
		if _, err := os.Stat(filepath.Join(dir, "runs")); err == nil {
			t.Fatalf("%v: something was written", c.args)
		}
	}
}

// TestBrief: without nets asked for, and only then, the recipe findings trains on a part of its scenes.
func TestBrief(t *testing.T) {
	for name, c := range map[string]struct {
		flags flags
		want  int
	}{
		"default":            {flags{Recipe: findings}, briefScenes},
		"with epochs":        {flags{Recipe: findings, Epochs: new(int)}, briefScenes},
		"a limit of its own": {flags{Recipe: findings, Set: []string{"training.limit=100"}}, 100},
		"nets":               {flags{Recipe: findings, Nets: []string{"A", "B", "D"}}, 0},
		"sizes":              {flags{Recipe: findings, Sizes: []int{10000, 40000}}, 0},
		"other scenes":       {flags{Recipe: findings, Set: []string{"data=embedded-scenes:pictures=96"}}, 0},
		"another recipe":     {flags{Recipe: "miniature"}, 0},
	} {
		if c.flags.Epochs != nil {
			*c.flags.Epochs = 2
		}
		f, err := c.flags.withDefaults()
		if err != nil {
			t.Fatal(name, err)
		}
		p, err := f.plan()
		if err != nil || p.Recipe.Training.Limit != c.want {
			t.Errorf("%s: %d scenes, want %d, %v", name, p.Recipe.Training.Limit, c.want, err)
		}
	}
}
