package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/cli/clitest"
	"vgg/trainer"
)

func TestMain(m *testing.M) { clitest.Main(m, main) }

// datasetIn runs the command in a folder.
func datasetIn(t *testing.T, dir string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return clitest.Run(t, clitest.Command(t, dir, args...))
}

var (
	red  = color.RGBA{255, 0, 0, 255}
	blue = color.RGBA{0, 0, 255, 255}
)

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

// plain is a PNG picture of one colour.
func plain(t *testing.T, width, height int, c color.Color) []byte {
	t.Helper()
	p := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(p, p.Rect, image.NewUniform(c), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// colours writes two classes of pictures of one colour: three of 60×70 for training, one of 10×20 for validation.
func colours(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, c := range map[string]color.Color{"red": red, "blue": blue} {
		for i := range 3 {
			write(t, filepath.Join(dir, fmt.Sprintf("train/%s/%d.png", name, i)), plain(t, 60, 70, c))
		}
		write(t, filepath.Join(dir, "val", name, "0.png"), plain(t, 10, 20, c))
	}
	return dir
}

func TestJSON(t *testing.T) {
	parse := func(args ...string) (r report, keys map[string]any) {
		t.Helper()
		out, errs, code := datasetIn(t, t.TempDir(), append(args, "--json")...)
		if code != 0 || errs != "" {
			t.Fatalf("%v: exit code %d: %s", args, code, errs)
		}
		for _, into := range []any{&r, &keys} {
			if err := json.Unmarshal([]byte(out), into); err != nil {
				t.Fatalf("%v: %v in %s", args, err, out)
			}
		}
		return r, keys
	}
	dir := colours(t)
	r, keys := parse(dir)
	for _, key := range strings.Fields("name channels classes train val per_class sizes mean std eigenvalues eigenvectors measured") {
		if _, ok := keys[key]; !ok {
			t.Errorf("no key %s", key)
		}
	}
	if _, ok := keys["unreadable"]; ok {
		t.Error("a key unreadable without --check")
	}
	if r.Name != dir || r.Channels != 3 || r.Classes != 2 || r.Train != 6 || r.Val != 2 || r.Measured != 6 {
		t.Errorf("%+v", r)
	}
	if want := []class{{"blue", 3, 1}, {"red", 3, 1}}; !slices.Equal(r.PerClass, want) {
		t.Errorf("classes %v, want %v", r.PerClass, want)
	}
	if got, want := r.Sizes.Train, (sizes{6, size{60, 70}, size{60, 70}, size{60, 70}}); got != want {
		t.Errorf("sizes %v, want %v", got, want)
	}
	if got, want := r.Sizes.Val.Largest, (size{10, 20}); got != want {
		t.Errorf("largest for validation %v, want %v", got, want)
	}
	if want := []float64{127.5, 0, 127.5}; !slices.Equal(r.Mean, want) || !slices.Equal(r.Std, want) {
		t.Errorf("mean %v, deviation %v, want %v", r.Mean, r.Std, want)
	}
	if len(r.Eigenvalues) != 3 || len(r.Eigenvectors) != 3 || r.Eigenvalues[2] < 2*127.5*127.5-1 {
		t.Errorf("principal components %v, %v", r.Eigenvalues, r.Eigenvectors)
	}
	if r, _ := parse(dir, "--sample", "3"); r.Measured != 3 {
		t.Errorf("measured %d pictures of a sample of 3", r.Measured)
	}
	if _, keys := parse(dir, "--check"); fmt.Sprint(keys["unreadable"]) != "[]" {
		t.Errorf("unreadable: %v, want an empty list", keys["unreadable"])
	}
	r, keys = parse()
	if r.Channels != 1 || r.Classes != 10 || r.Train != 10000 || r.Val != 2000 || len(r.Mean) != 1 || keys["eigenvalues"] != nil {
		t.Errorf("the embedded set: %+v", r)
	}
}

// TestCheck: broken pictures of both splits are listed in order, and what can be read is shown all the same.
func TestCheck(t *testing.T) {
	dir := colours(t)
	write(t, filepath.Join(dir, "train/red/1.png"), []byte("\x89PNG\r\n\x1a\n torn"))
	write(t, filepath.Join(dir, "val/blue/0.png"), []byte("no picture"))
	sheet := filepath.Join(t.TempDir(), "sheet.png")

	out, errs, code := datasetIn(t, dir, ".", "--check", "--contact-sheet", sheet)
	if code != 1 || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "2 of 8 pictures") {
		t.Errorf("exit code %d, stderr %q", code, errs)
	}
	first, second := strings.Index(out, "\n.: train/red/1.png: cannot decode"), strings.Index(out, "\n.: val/blue/0.png: cannot decode")
	if first < 0 || second < first || !strings.Contains(out, "Pixels of 5 training pictures") {
		t.Errorf("the list is not complete and in order:\n%s", out)
	}
	if _, err := os.Stat(sheet); err != nil {
		t.Error(err)
	}

	out, _, code = datasetIn(t, dir, ".", "--check", "--json")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 1 {
		t.Fatalf("exit code %d, %v", code, err)
	}
	if len(r.Unreadable) != 2 || r.Unreadable[0].Picture != ".: train/red/1.png" || !strings.Contains(r.Unreadable[1].Reason, "not a JPEG") {
		t.Errorf("unreadable: %v", r.Unreadable)
	}
	if r.Measured != 5 || r.Sizes.Train.Pictures != 5 || r.Sizes.Val.Pictures != 1 {
		t.Errorf("%+v", r)
	}

	picture, err := os.ReadFile(filepath.Join(dir, "train/red/0.png"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "val/blue/9.png"), picture)
	out, _, _ = datasetIn(t, dir, ".", "--check")
	if want := "errors on them are too low: 1 of 3\n.: val/blue/9.png is .: train/red/0.png\n"; !strings.Contains(out, want) {
		t.Errorf("%s, want %s", out, want)
	}
	os.Remove(filepath.Join(dir, "val/blue/9.png"))

	out, errs, code = datasetIn(t, dir, ".")
	if code != 1 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, "train/red/1.png") || !strings.Contains(errs, "--check") {
		t.Errorf("without --check: exit code %d, stdout %q, stderr %q", code, out, errs)
	}
}

// TestNothingReadable: the list comes even where there is nothing else to show.
func TestNothingReadable(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"train/a/1.png", "val/a/1.png"} {
		write(t, filepath.Join(dir, name), nil)
	}
	out, errs, code := datasetIn(t, dir, ".", "--check", "--contact-sheet", "sheet.png")
	if code != 1 || !strings.Contains(out, "Unreadable pictures: 2 of 2\n") || !strings.Contains(errs, "--contact-sheet: no training picture can be read") {
		t.Errorf("exit code %d, stderr %q, stdout:\n%s", code, errs, out)
	}
}

// TestSheetColours: pictures of one colour appear in their colour, at the size of the net's input, whatever the
// normalisation; not so where colours are shifted.
func TestSheetColours(t *testing.T) {
	dir := colours(t)
	count := func(args ...string) map[color.Color]int {
		t.Helper()
		file := filepath.Join(t.TempDir(), "sheet.png")
		if _, errs, code := datasetIn(t, dir, append(args, ".", "--contact-sheet", file)...); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, errs)
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		p, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		counts := map[color.Color]int{}
		for y := range p.Bounds().Dy() {
			for x := range p.Bounds().Dx() {
				counts[p.At(x, y)]++
			}
		}
		return counts
	}
	const enlarged = 3 // of 64 pixels
	for _, normalisation := range []string{"mean", "mean-std"} {
		counts := count("--set", "colour_shift=0", "--set", "normalisation="+normalisation)
		want := 3 * (64 * enlarged) * (64 * enlarged)
		if counts[red] != want || counts[blue] != want {
			t.Errorf("%s: %d red and %d blue pixels, want %d", normalisation, counts[red], counts[blue], want)
		}
	}
	if counts := count("--set", "colour_shift=5"); counts[red] == 3*(64*enlarged)*(64*enlarged) {
		t.Error("the colours are not shifted")
	}
	// 60×70 pixels of the picture in an input of 96×96, each enlarged to 2×2, and the mean around them.
	counts := count("--recipe", "quick", "--set", "net.input=96")
	if got, want := counts[red], 3*60*70*4; got != want {
		t.Errorf("%d red pixels in a larger input, want %d", got, want)
	}
	if got, want := counts[color.RGBA{128, 0, 128, 255}], 6*(96*96-60*70)*4; got != want {
		t.Errorf("%d pixels of the mean, want %d", got, want)
	}
}

// TestSheetDraws: the sheet shows what a loader gives to training, and other ones with another seed or epoch.
func TestSheetDraws(t *testing.T) {
	set, err := dataset.Open(dataset.Embedded, dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	r, err := configs.LoadRecipe("quick")
	if err != nil {
		t.Fatal(err)
	}
	r.Augment.Crop, r.Augment.Pad, r.Training.Limit = true, 4, 500
	s, err := look(context.Background(), set, r, false)
	if err != nil {
		t.Fatal(err)
	}
	const epoch = 3
	r.Statistics = s.statistics
	transform := trainer.Transform(r, set.Channels)
	loader, err := dataset.NewLoader(dataset.Subset(set.Train, 500), 1, dataset.LoaderOptions{Batch: 500, Transform: transform, Seed: r.Training.Seed, Training: true})
	if err != nil {
		t.Fatal(err)
	}
	taken := map[string]bool{}
	for batch, err := range loader.Epoch(context.Background(), epoch) {
		if err != nil {
			t.Fatal(err)
		}
		for values := range slices.Chunk(batch.Pixels, transform.Size*transform.Size) {
			taken[string(shown(transform, values).(*image.Gray).Pix)] = true
		}
	}
	matches := func(seed uint64, epoch int) (count int) {
		for i := range 500 {
			tile, err := s.tile(transform, seed, epoch, i)
			if err != nil {
				t.Fatal(err)
			}
			if taken[string(tile.(*image.Gray).Pix)] {
				count++
			}
		}
		return count
	}
	if got := matches(r.Training.Seed, epoch); got != 500 {
		t.Errorf("%d of 500 tiles are what training takes", got)
	}
	if other, later := matches(r.Training.Seed+1, epoch), matches(r.Training.Seed, epoch+1); other > 50 || later > 50 {
		t.Errorf("%d tiles are the same with another seed, %d in another epoch", other, later)
	}
}

// TestManyClasses: more than forty have no line each, unless asked for.
func TestManyClasses(t *testing.T) {
	dir := t.TempDir()
	for i := range mostClasses + 1 {
		for k := range 1 + i%3 {
			write(t, filepath.Join(dir, fmt.Sprintf("train/class%02d/%d.png", i, k)), plain(t, 1, 1, red))
		}
		write(t, filepath.Join(dir, fmt.Sprintf("val/class%02d/0.png", i)), plain(t, 1, 1, red))
	}
	out, errs, code := datasetIn(t, dir, ".", "--contact-sheet", "sheet.png")
	if code != 0 || strings.Contains(out, "class07") || !strings.Contains(out, "--classes") {
		t.Errorf("exit code %d, %s, stdout:\n%s", code, errs, out)
	}
	if fields := strings.Fields(out[strings.Index(out, "training"):]); !slices.Equal(fields[:5], []string{"training", "81", "1", "2", "3"}) {
		t.Errorf("summary %v", fields[:5])
	}
	if out, _, _ := datasetIn(t, dir, ".", "--classes"); strings.Count(out, "class") < mostClasses+1 || !strings.Contains(out, "class07") {
		t.Errorf("--classes does not list them:\n%s", out)
	}
}

// TestInterrupted: once the context is done, nothing more is read.
func TestInterrupted(t *testing.T) {
	set, err := dataset.Open(colours(t), dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	ctx, cancel := context.WithCancel(context.Background())
	s, err := look(ctx, set, configs.Default(), true)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := s.measure(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("measuring: %v", err)
	}
	if _, err := look(ctx, set, configs.Default(), true); !errors.Is(err, context.Canceled) {
		t.Errorf("checking: %v", err)
	}
}

func TestDescribe(t *testing.T) {
	for want, transform := range map[string]augment.Transform{
		"resized to S = 256, 224×224 from the centre":                                                      {Size: 224, Scale: configs.Scale{Min: 256, Max: 256}},
		"resized to S in [64; 96], 64×64 from a random place, mirrored at random, colour shift 0.1":        {Size: 64, Scale: configs.Scale{Min: 64, Max: 96}, RandomCrop: true, Flip: true, ColourShift: 0.1},
		"not resized, small ones surrounded by the mean, border of 4 with the mean, 32×32 from the centre": {Size: 32, Pad: 4},
	} {
		if got := describe(transform); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// With --boxes, pictures with boxes are counted, and the boxes drawn: in yellow, or in red if hardly in view.
func TestBoxes(t *testing.T) {
	dir := t.TempDir()
	out, errs, code := datasetIn(t, dir, "embedded-scenes", "--boxes", "--json", "--sample", "10", "--contact-sheet", "sheet.png", "--set", "augment.scale_min=96")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 || r.Boxes == nil || *r.Boxes != (counts{10000, 2000}) {
		t.Fatalf("exit code %d, %+v, error %v: %s", code, r.Boxes, err, errs)
	}
	file, err := os.Open(filepath.Join(dir, "sheet.png"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	sheet, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	count := map[color.Color]int{}
	for y := range sheet.Bounds().Dy() {
		for x := range sheet.Bounds().Dx() {
			count[color.RGBAModel.Convert(sheet.At(x, y))]++
		}
	}
	// About a hundred boxes, of some 60 pixels a side enlarged three times, and a few red ones.
	if count[inView] < 100*4*30 || count[outside] < 100 || count[outside] > count[inView]/4 {
		t.Errorf("%d yellow and %d red pixels", count[inView], count[outside])
	}
	if out, _, _ := datasetIn(t, dir, "embedded-scenes", "--boxes", "--sample", "10"); !strings.Contains(out, "a box of their class: 10000 of 10000 for training, 2000 of 2000 for validation") {
		t.Error(out)
	}
}

// TestBadInput: each fault gives one line that names the culprit and the remedy, and the exit code of its kind.
func TestBadInput(t *testing.T) {
	dir := colours(t)
	write(t, filepath.Join(dir, "file"), nil)
	for _, c := range []struct {
		code int
		want []string
		args []string
	}{
		{2, []string{"--recipe", `"flower"`, `"flowers"`}, []string{"--recipe", "flower"}},
		{2, []string{"--set", "KEY=VALUE"}, []string{"--set", "flip"}},
		{2, []string{"--set", "augment.flop", "augment.flip"}, []string{"--set", "augment.flop=false"}},
		{2, []string{"net.input", "48", "32 or 64"}, []string{"--set", "net.input=48"}},
		{2, []string{"training.seed", "2^63-1"}, []string{"--seed", "18446744073709551615", "--contact-sheet", "sheet.png"}},
		{2, []string{"--epoch", "--contact-sheet draws"}, []string{"--epoch", "2"}},
		{2, []string{"--sample", "0 for all"}, []string{"--sample=-1"}},
		{2, []string{"--sample", "many"}, []string{"--sample", "many"}},
		{2, []string{"--epoch", "from 1 up"}, []string{"--epoch", "0"}},
		{2, []string{"--contact-sheet", ".png"}, []string{"--contact-sheet", "sheet.jpg"}},
		{1, []string{"--boxes", "Fashion-MNIST (10,000 + 2,000) has no boxes"}, []string{"embedded", "--boxes", "--sample", "10"}},
		{2, []string{"--threads"}, []string{"--threads=-1"}},
		{2, []string{"--chek", "--check"}, []string{"--chek"}},
		{2, []string{"unexpected argument b"}, []string{"a", "b"}},
		{1, []string{"SPEC", "missing", `"embedded"`}, []string{"missing"}},
		{1, []string{"SPEC", "the file is empty"}, []string{"file"}},
		{1, []string{"--contact-sheet", "absent/sheet.png"}, []string{".", "--contact-sheet", "absent/sheet.png"}},
	} {
		_, errs, code := datasetIn(t, dir, c.args...)
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

// TestUnwritten: letters that the contact sheet lacks are noted, in JSON too.
func TestUnwritten(t *testing.T) {
	dir := colours(t)
	for _, split := range []string{"train", "val"} {
		if err := os.Rename(filepath.Join(dir, split, "red"), filepath.Join(dir, split, "red"+clitest.Unwritten)); err != nil {
			t.Fatal(err)
		}
	}
	out, errs, code := datasetIn(t, dir, ".", "--json", "--contact-sheet", "sheet.png")
	var r report
	if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
		t.Fatalf("exit code %d, error %v: %s", code, err, errs)
	}
	if !strings.Contains(strings.Join(r.Notes, "\n"), clitest.NotesUnwritten) || strings.Count(errs, "note: "+clitest.NotesUnwritten) != 1 {
		t.Errorf("notes %q, printed %q", r.Notes, errs)
	}
}
