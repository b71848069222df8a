package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"vgg/history"
	"vgg/internal/cli/clitest"
	"vgg/trainer"
	"vgg/weights"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// trainIn runs the command in a folder.
func trainIn(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, clitest.Command(t, dir, args...))
}

// idxFolder writes a data set of 64 + 16 grey pictures in two classes, bright and dark.
func idxFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, count := range map[string]int{"train": 64, "val": 16} {
		first := map[string]int{"val": 1}[name] // pixel: no picture for validation is for training
		images := []byte{0, 0, 8, 3}
		labels := []byte{0, 0, 8, 1}
		for _, d := range []int{count, 8, 8} {
			images = binary.BigEndian.AppendUint32(images, uint32(d))
		}
		labels = binary.BigEndian.AppendUint32(labels, uint32(count))
		for i := range count {
			labels = append(labels, byte(i%2))
			for k := range 64 {
				images = append(images, byte(100*(i%2)+max(k, first)+i))
			}
		}
		for kind, data := range map[string][]byte{"-images-idx3-ubyte": images, "-labels-idx1-ubyte": labels} {
			if err := os.WriteFile(filepath.Join(dir, name+kind), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestRun trains for two epochs and finds every file; then again from the run's own recipe, and on from its weights.
func TestRun(t *testing.T) {
	dir, data := t.TempDir(), idxFolder(t)
	small := []string{"--data", data, "--width", "0.05", "--fc", "8", "--batch", "16"}
	out, errs, code := trainIn(t, dir, append(small, "--out", "a", "--epochs", "2", "--threads", "1")...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, name := range []string{trainer.RecipeFile, history.FileName, trainer.SummaryFile, trainer.BestFile, trainer.LastFile, trainer.CurvesPNG, trainer.CurvesSVG} {
		if info, err := os.Stat(filepath.Join(dir, "a", name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
		if !strings.Contains(out, "\n  "+name+" ") {
			t.Errorf("%s is not mentioned in the output", name)
		}
	}
	var summary map[string]any
	b, err := os.ReadFile(filepath.Join(dir, "a", trainer.SummaryFile))
	if err == nil {
		err = json.Unmarshal(b, &summary)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range strings.Fields("config recipe data classes parameters epochs iterations best_epoch val_loss val_top1_error val_top5_error images_per_second seconds seed threads") {
		if _, ok := summary[key]; !ok {
			t.Errorf("summary.json has no %s", key)
		}
	}
	if _, errs, code := trainIn(t, dir, "--recipe", "a/recipe.toml", "--out", "b"); code != 0 {
		t.Fatalf("again: exit code %d: %s", code, errs)
	}
	for _, name := range []string{trainer.BestFile, trainer.LastFile, trainer.RecipeFile} {
		first, _ := os.ReadFile(filepath.Join(dir, "a", name))
		second, err := os.ReadFile(filepath.Join(dir, "b", name))
		if err != nil || !slices.Equal(first, second) {
			t.Errorf("run again from its own recipe, %s differs: %v", name, err)
		}
	}
	if _, errs, code := trainIn(t, dir, append(small, "--out", "c", "--epochs", "1", "--weights", "a")...); code != 0 || !strings.Contains(errs, "note: a: its best weights, best.safetensors, are taken\n") {
		t.Errorf("on from its weights: exit code %d: %s", code, errs)
	}
	if out, errs, code := trainIn(t, dir, append(small, "--out", "d", "--epochs", "1", "--config", "D", "--init-from", "a/best.safetensors")...); code != 0 || !strings.Contains(out, "conv3_2: from net A") {
		t.Errorf("net D from A: exit code %d: %s\n%s", code, errs, out)
	}
}

// badInputs makes a folder of runs and files that make no run, and gives flags of a small run in it.
func badInputs(t *testing.T) (dir string, small []string) {
	t.Helper()
	dir, data := t.TempDir(), idxFolder(t)
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	write("typo.toml", "[training]\nlearning_rat = 0.1\n")
	write("file", "")
	write("classless/train/a/1.txt", "")
	for _, name := range []string{"train/a", "train/b", "val/a", "val/b"} {
		write("broken/"+name+"/1.jpg", "\xff\xd8\xff no picture")
	}
	write("torn.safetensors", "torn")
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o777); err != nil {
		t.Fatal(err)
	}
	small = []string{"--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--epochs", "1"}
	if _, errs, code := trainIn(t, dir, append(small, "--out", "a")...); code != 0 {
		t.Fatal(errs)
	}
	write("my own/checkpoint/000000001-1.safetensors", "")
	write("finished/best.safetensors", "")
	if err := os.CopyFS(filepath.Join(dir, "other"), os.DirFS(idxFolder(t))); err != nil {
		t.Fatal(err)
	}
	labels := filepath.Join(dir, "other", "train-labels-idx1-ubyte")
	if b, err := os.ReadFile(labels); err != nil || os.WriteFile(labels, append(b[:len(b)-1], 1-b[len(b)-1]), 0o666) != nil {
		t.Fatal(err)
	}
	foreign := weights.File{Metadata: map[string]string{"training": `{"format": 9}`}}
	if err := foreign.Seal(); err != nil {
		t.Fatal(err)
	}
	write("foreign/recipe.toml", "")
	write("foreign/checkpoint/1-1.safetensors", "")
	if err := weights.Write(filepath.Join(dir, "foreign/checkpoint/1-1.safetensors"), foreign); err != nil {
		t.Fatal(err)
	}
	return dir, small
}

// TestBadInput: each error is one line that names the cause and the remedy, and has the exit code of its kind.
func TestBadInput(t *testing.T) {
	dir, small := badInputs(t)
	for _, c := range []struct {
		code       int
		want, args []string
	}{
		{2, []string{`unknown config "G". Known`, "vgg16"}, []string{"--config", "G"}},
		{2, []string{"--recipe", `"quik"`, `"quick"`}, []string{"--recipe", "quik"}},
		{2, []string{"typo.toml", "line 2", "learning_rate"}, []string{"--recipe", "typo.toml"}},
		{2, []string{"--set", "KEY=VALUE"}, []string{"--set", "momentum"}},
		{2, []string{"momentun", "momentum"}, []string{"--set", "training.momentun=0.5"}},
		{2, []string{"--epoch", "--epochs"}, []string{"--epoch", "3"}},
		{2, []string{"--batch", "many"}, []string{"--batch", "many"}},
		{2, []string{"training.micro_batch", "divisor"}, []string{"--batch", "32", "--micro-batch", "5"}},
		{2, []string{"net.input", "48", "32 or 64"}, []string{"--set", "net.input=48"}},
		{2, []string{"--threads"}, []string{"--threads=-1"}},
		{2, []string{"--data"}, []string{"--recipe", "flowers"}},
		{2, []string{"--weights", "--init-from"}, []string{"--weights", "x", "--init-from", "y"}},
		{1, []string{"--data", "missing"}, []string{"--data", "missing"}},
		{1, []string{"--data", "empty", "train/CLASS"}, []string{"--data", "empty"}},
		{1, []string{"--data", "the file is empty"}, []string{"--data", "file"}},
		{1, []string{"no picture in train/a"}, []string{"--data", "classless"}},
		{1, []string{"broken: train/a/1.jpg", "replace or remove"}, []string{"--data", "broken", "--batch", "1"}},
		{1, []string{"--out"}, append(small, "--out", "file/run")},
		{1, []string{"--weights", "torn.safetensors"}, append(small, "--weights", "torn.safetensors")},
		{1, []string{"--init-from", "absent"}, append(small, "--init-from", "absent")},
		{1, []string{"--weights", "config B"}, append(small, "--config", "B", "--weights", "a/best.safetensors")},
		{1, []string{"--init-from", "width"}, append(small, "--config", "B", "--width", "0.1", "--init-from", "a/best.safetensors")},
		{2, []string{"--resume empty", "not a run directory", "--out"}, []string{"--resume", "empty"}},
		{2, []string{"--resume file", "not a run directory"}, []string{"--resume", "file"}},
		{2, []string{"--resume", "--out"}, []string{"--resume", "a", "--out", "b"}},
		{1, []string{"a is finished after 1 epochs", "--force epochs"}, []string{"--resume", "a"}},
		{1, []string{"training.epochs = 3, not 1", "--force training.epochs allows"}, []string{"--resume", "a", "--epochs", "3"}},
		{2, []string{"--force", `unknown key "epocs"`, `"epochs"`, "Known are name, ", ", log_every"}, []string{"--resume", "a", "--force", "epocs"}},
		{2, []string{"--data", "its value is empty"}, append(small, "--data", "")},
		{2, []string{"--resume", "its value is empty"}, []string{"--resume="}},
		{1, []string{"GB of memory", "net.input", "--width for net.width"}, append(small, "--set", "net.input=3200000", "--out", "huge")},
		{1, []string{"GB of memory", "--fc for net.fc"}, append(small, "--fc", "1000000000000", "--out", "huge")},
		{1, []string{"GB of memory"}, append(small, "--width", "1e300", "--out", "huge")},
		{2, []string{`unknown key "training", the name of a table`}, append(small, "--set", "training=3")},
		{2, []string{"--force", "--resume DIR"}, append(small, "--force", "epochs")},
		{2, []string{"--weights", "for a new one"}, []string{"--resume", "a", "--weights", "a/best.safetensors"}},
		{1, []string{"a is finished after 1 epochs"}, []string{"--resume", "a", "--force", "epochs,data"}},
		{1, []string{"net.width = 0.2, not ", "do not fit another net.width"}, []string{"--resume", "a", "--width", "0.2"}},
		{1, []string{"other pictures", "--force data,net.dropout allows"}, []string{"--resume", "a", "--data", "other", "--set", "dropout=0.1"}},
		{1, []string{"gone", "--data SPEC if the pictures moved, with --force data"}, []string{"--resume", "a", "--data", "gone"}},
		{1, []string{"my own holds a training", "--resume 'my own' to go on"}, append(small, "--out", "my own")},
		{1, []string{"finished holds files of a training already (best.safetensors)", "choose another folder (--out DIR"}, append(small, "--out", "finished")},
		{1, []string{"a holds a training already", "--resume a"}, append(small, "--out", "a")},
		{1, []string{"format 9 of another version", "another --out"}, []string{"--resume", "foreign"}},
		{1, []string{"mini-batch of 100"}, append(small, "--batch", "100")},
		{1, []string{"the loss is", "iteration", "--lr"}, append(small, "--lr", "1e20", "--out", "diverged")},
	} {
		_, errs, code := trainIn(t, dir, c.args...)
		if code != c.code || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit code %d, want %d; stderr: %q", c.args, code, c.code, errs)
		}
		for _, want := range c.want {
			if !strings.Contains(errs, want) {
				t.Errorf("%v: no %q in %q", c.args, want, errs)
			}
		}
	}
}

// TestFineTuning starts from the weights of a run, and says what it refuses.
func TestFineTuning(t *testing.T) {
	dir := t.TempDir()
	small := []string{"--data", idxFolder(t), "--width", "0.05", "--fc", "8", "--batch", "16", "--epochs", "1"}
	if _, errs, code := trainIn(t, dir, append(small, "--out", "a")...); code != 0 {
		t.Fatal(errs)
	}
	f, err := weights.Read(filepath.Join(dir, "a/best.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	f.Metadata["class_names"] = strings.Replace(f.Metadata["class_names"], `"0"`, `"zero"`, 1)
	if err := weights.Write(filepath.Join(dir, "other.safetensors"), *f); err != nil {
		t.Fatal(err)
	}
	delete(f.Metadata, "mean")
	if err := weights.Write(filepath.Join(dir, "silent.safetensors"), *f); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		code int
		want []string
		args []string
	}{
		{0, []string{"all layers from a/best.safetensors"}, []string{"--weights", "a/best.safetensors"}},
		{0, []string{"fc8 is new", "frozen: conv1_1, fc6"}, []string{"--weights", "other.safetensors", "--set", `training.freeze=["conv1", "fc6"]`}},
		{0, []string{"although other.safetensors expects"}, []string{"--weights", "other.safetensors", "--mean", "120", "--std", "70"}},
		{0, []string{"fc8 is new"}, []string{"--weights", "silent.safetensors", "--mean", "120", "--std", "70"}},
		{1, []string{"--mean", "--std", "silent.safetensors"}, []string{"--weights", "silent.safetensors"}},
		{1, []string{"augment.pixel_mean has 3 numbers", "--mean"}, []string{"--mean", "1,2,3", "--std", "1,1,1"}},
		{1, []string{`net.width = "0.05", not 0.1`, "--width"}, []string{"--width", "0.1", "--weights", "a/best.safetensors"}},
		{2, []string{"augment.pixel_std"}, []string{"--mean", "1"}},
		{2, []string{"training.freeze", "conv9", "conv1_1"}, []string{"--set", "training.freeze=conv9"}},
		{2, []string{"leaves no layer to train"}, []string{"--set", "freeze=conv1,conv2,conv3,conv4,conv5,fc6,fc7,fc8"}},
	} {
		out, errs, code := trainIn(t, dir, slices.Concat(small, c.args, []string{"--out", strconv.Itoa(i)})...)
		if code != c.code || code != 0 && strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit code %d, want %d; stderr: %q", c.args, code, c.code, errs)
		}
		for _, want := range c.want {
			said := errs
			if strings.HasPrefix(want, "frozen") { // a fact of the net, like its layers
				said = out
			}
			if !strings.Contains(said, want) {
				t.Errorf("%v: no %q in %q", c.args, want, said)
			}
		}
	}
}

// TestDefaultDirectories: trainings that begin in the same second have directories of their own, whatever their recipe
// is called; one that cannot begin leaves none.
func TestDefaultDirectories(t *testing.T) {
	dir, data := t.TempDir(), idxFolder(t)
	recipe := filepath.Join(dir, "own.toml")
	if err := os.WriteFile(recipe, []byte("base = \"quick\"\nname = \"../my / Blumen ü\"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	small := []string{"--recipe", recipe, "--data", data, "--width", "0.05", "--fc", "8", "--batch", "16", "--epochs", "1"}
	var running sync.WaitGroup
	for range 4 {
		running.Go(func() {
			if out, errs, code := trainIn(t, dir, small...); code != 0 || !strings.Contains(out, "1 epoch and 4 steps in ") {
				t.Errorf("exit code %d: %s%s", code, out, errs)
			}
		})
	}
	running.Wait()
	if _, _, code := trainIn(t, dir, append(small, "--batch", "100")...); code != 1 {
		t.Errorf("a batch that is too large: exit code %d", code)
	}
	if _, _, code := trainIn(t, dir, append(small, "--data", "missing")...); code != 1 {
		t.Errorf("missing pictures: exit code %d", code)
	}
	if _, _, code := trainIn(t, dir, append(small, "--batch", "100", "--out", "own/run")...); code != 1 {
		t.Errorf("a batch that is too large: exit code %d", code)
	}
	if left, err := os.ReadDir(filepath.Join(dir, "own")); err == nil && len(left) > 0 {
		t.Errorf("%v is left", left)
	}
	runs, err := filepath.Glob(filepath.Join(dir, "runs", "-my---Blumen-ü-A-*", trainer.BestFile))
	all, _ := os.ReadDir(filepath.Join(dir, "runs"))
	if err != nil || len(runs) != 4 || len(all) != 4 {
		t.Errorf("%v of %v, %v", runs, all, err)
	}
}

// TestBadPictures: one of a hundred pictures that cannot be read stops the run, or is skipped and listed.
func TestBadPictures(t *testing.T) {
	dir := t.TempDir()
	for i := range 130 {
		img := image.NewGray(image.Rect(0, 0, 32, 32))
		for k := range img.Pix {
			img.Pix[k] = uint8(k * (1 + i%2))
		}
		split := "train"
		if i >= 100 {
			split = "val"
		}
		var b bytes.Buffer
		if err := png.Encode(&b, img); err != nil {
			t.Fatal(err)
		}
		if i == 42 || i == 120 {
			b.Truncate(60)
		}
		file := filepath.Join(dir, "data", split, string(rune('a'+i%2)), strconv.Itoa(i)+".png")
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	args := []string{"--data", "data", "--width", "0.05", "--fc", "8", "--batch", "20", "--epochs", "2", "--set", "augment.flip=false"}
	if _, errs, code := trainIn(t, dir, append(args, "--out", "stopped")...); code != 1 || !strings.Contains(errs, "data: train/a/42.png") || !strings.Contains(errs, "replace or remove") {
		t.Errorf("exit code %d: %s", code, errs)
	}
	args = append(args, "--set", "bad_pictures=skip")
	if _, errs, code := trainIn(t, dir, append(args, "--out", "many")...); code != 1 || !strings.Contains(errs, "2 of 130 pictures cannot be read, more than 1 %") || !strings.Contains(errs, "SPEC --check lists all such pictures") {
		t.Errorf("too many: exit code %d: %s", code, errs)
	}
	listed, err := os.ReadFile(filepath.Join(dir, "many", trainer.SkippedFile))
	if err != nil || !strings.Contains(string(listed), "val/a/120.png") {
		t.Errorf("listed: %s, %v", listed, err)
	}
	if err := os.Remove(filepath.Join(dir, "data/val/a/120.png")); err != nil {
		t.Fatal(err)
	}
	if _, errs, code := trainIn(t, dir, append(args, "--out", "run")...); code != 0 {
		t.Errorf("exit code %d: %s", code, errs)
	}
	listed, err = os.ReadFile(filepath.Join(dir, "run", trainer.SkippedFile))
	if err != nil || strings.Count(string(listed), "\n") != 2 || !strings.Contains(string(listed), "data: train/a/42.png,") {
		t.Errorf("listed: %s, %v", listed, err)
	}
	var summary trainer.Summary
	b, err := os.ReadFile(filepath.Join(dir, "run", trainer.SummaryFile))
	if err == nil {
		err = json.Unmarshal(b, &summary)
	}
	if err != nil || summary.Skipped != 1 || summary.Iterations != 10 || summary.LoaderWait < 0 || summary.LoaderWait > 100 {
		t.Errorf("%+v, %v", summary, err)
	}
	// The recipe of a run has what was measured. Other pictures are measured again.
	recipe := filepath.Join("run", trainer.RecipeFile)
	for _, c := range []struct {
		want string
		args []string
	}{{"from 99 of them", nil}, {"from 50 of them", []string{"--set", "sample=50"}}} {
		if out, errs, code := trainIn(t, dir, append(c.args, "--recipe", recipe, "--out", c.want)...); code != 0 || !strings.Contains(out, c.want) {
			t.Errorf("%v: exit code %d: %s%s", c.args, code, out, errs)
		}
	}
}

func TestListRecipes(t *testing.T) {
	out, _, code := trainIn(t, t.TempDir(), "--list-recipes")
	for _, want := range []string{"quick", "flowers", "paper-256", "paper-384", "paper-jitter", "starts from"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, no %q in:\n%s", code, want, out)
		}
	}
}
