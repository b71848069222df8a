package reproduce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/evaluate"
)

// heldOut are other pictures of the classes of set.
func heldOut() *dataset.Set {
	s := set()
	s.Name, s.Val = "other stripes", later{stripes{30, 6}}
	s.Source.Spec = "other"
	return s
}

// later are stripes that follow those of set.
type later struct{ stripes }

func (l later) Picture(i int) (augment.Picture, error) { return l.stripes.Picture(i + 10*l.classes) }

// TestHeldOut: the errors of tests on held-out pictures are nowhere until the tests are opened, openings are written
// down, and the records alone give the same report.
func TestHeldOut(t *testing.T) {
	p := plan(t)
	p.Seeds, p.Nets, p.HeldOut, p.Build = []uint64{1}, []string{"A", "D"}, heldOut(), "test build"
	p.Protocol = "Settled before."
	early := p
	early.Opening = "too early"
	if _, err := Run(context.Background(), early, set(), nil); !errors.Is(err, ErrNotDone) {
		t.Fatalf("opened before the tests: %v", err)
	}
	watch := &silent{}
	sealed, err := Run(context.Background(), p, set(), watch)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := p
	elsewhere.Dir, elsewhere.Records = filepath.Join(t.TempDir(), "elsewhere"), filepath.Join(p.Dir, "records")
	again := &silent{}
	if _, err := Run(context.Background(), elsewhere, set(), again); err != nil || again.trainings > 0 {
		t.Errorf("%d trainings from the records of tests that were not opened, %v", again.trainings, err)
	}
	text, err := os.ReadFile(filepath.Join(p.Dir, MarkdownFile))
	if err != nil {
		t.Fatal(err)
	}
	if !sealed.Sealed || len(sealed.Tables)+len(sealed.Findings) > 0 || strings.Contains(string(text), "Table 3:") || len(sealed.Trainings) != 4 {
		t.Errorf("not opened, and the report has %d tables, %d findings, %d trainings:\n%s", len(sealed.Tables), len(sealed.Findings), len(sealed.Trainings), text)
	}
	if said := strings.Join(watch.notices, "\n"); strings.Contains(said, "top-1 error") {
		t.Errorf("errors are told: %s", said)
	}
	if !strings.Contains(string(text), p.Protocol) {
		t.Errorf("the protocol is not in the report:\n%s", text)
	}
	p.Opening = "a first | look"
	opened, err := Run(context.Background(), p, set(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.Dir, MarkdownFile), text, 0o644); err != nil { // as if the report had failed after the opening
		t.Fatal(err)
	}
	if resumed, err := Run(context.Background(), p, set(), nil); err != nil || len(resumed.Openings) != 1 {
		t.Errorf("the same opening after its report failed: %+v, %v", resumed.Openings, err)
	}
	p.Opening = ""
	if later, err := Run(context.Background(), p, set(), nil); err != nil || len(later.Notes) == 0 || !strings.Contains(later.Notes[len(later.Notes)-1], "is kept") {
		t.Errorf("after the opening: %+v, %v", later.Notes, err)
	}
	if text, err := os.ReadFile(filepath.Join(p.Dir, MarkdownFile)); err != nil || !strings.Contains(string(text), "Table 3:") {
		t.Errorf("the report of the opened tests is gone: %v", err)
	}
	for name, folder := range map[string]string{"runs": "seed-1", "figures": FiguresDir} {
		if err := os.RemoveAll(filepath.Join(p.Dir, folder)); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	p.Opening = "again"
	watch = &silent{}
	alone, err := Run(context.Background(), p, set(), watch)
	if err != nil {
		t.Fatal(err)
	}
	if watch.trainings > 0 || len(alone.Openings) != 2 || alone.Openings[0].Why != "a first | look" || alone.Openings[1].Build != "test build" {
		t.Errorf("%d trainings, openings %+v", watch.trainings, alone.Openings)
	}
	if len(alone.Tables) != 4-1 || opened.Tables[0].Lines[0] != alone.Tables[0].Lines[0] || !strings.Contains(alone.Tested, "30 pictures held out") {
		t.Errorf("from the records alone: %+v", alone.Tables)
	}
	if opened.NoFilters != "" || !strings.Contains(alone.NoFilters, "weights are not") {
		t.Errorf("filters missing: %q, and without the weights %q", opened.NoFilters, alone.NoFilters)
	}
	if len(alone.Findings) == 0 || !slices.EqualFunc(alone.Findings, opened.Findings, func(a, b Finding) bool { return a.Claim == b.Claim && a.Ours == b.Ours }) {
		t.Errorf("findings %+v, then %+v", opened.Findings, alone.Findings)
	}
}

// TestHeldOutErrors: tests are opened only on held-out pictures, of the same classes.
func TestHeldOutErrors(t *testing.T) {
	p := plan(t)
	p.Opening = "a look"
	if _, err := Run(context.Background(), p, set(), nil); err == nil || !strings.Contains(err.Error(), "no held-out pictures") {
		t.Errorf("opened without held-out pictures: %v", err)
	}
	p.HeldOut = heldOut()
	p.HeldOut.Classes = []string{"a", "b"}
	if _, err := Run(context.Background(), p, set(), nil); err == nil || !strings.Contains(err.Error(), "want the classes") {
		t.Errorf("held-out pictures of other classes: %v", err)
	}
}

// TestRecords: a record is used only for what it is of; weights that are gone are trained again where others start from
// them.
func TestRecords(t *testing.T) {
	p := plan(t)
	p.Seeds, p.Nets, p.Records = []uint64{3}, []string{"A", "B"}, filepath.Join(t.TempDir(), "kept")
	if _, err := Run(context.Background(), p, set(), nil); err != nil {
		t.Fatal(err)
	}
	b := filepath.Join(p.Records, "seed-3", "B-S32.json")
	whole, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	elsewhere := p
	elsewhere.Dir = filepath.Join(t.TempDir(), "elsewhere")
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	watch := &silent{}
	if _, err := Run(context.Background(), elsewhere, set(), watch); err != nil {
		t.Fatal(err)
	}
	back, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	// What B starts from is not in the other folder.
	if said := strings.Join(watch.notices, "\n"); watch.trainings != 2 || !strings.Contains(said, "net A, S = 32, from random: its record is there") {
		t.Errorf("%d trainings: %s", watch.trainings, said)
	}
	var before, after record
	for text, to := range map[*[]byte]*record{&whole: &before, &back: &after} {
		if err := json.Unmarshal(*text, to); err != nil {
			t.Fatal(err)
		}
	}
	for key, o := range before.Rows {
		if !slices.Equal(o.Ranks, after.Rows[key].Ranks) {
			t.Errorf("%s: other ranks", key)
		}
	}
	for part, damage := range map[string]string{`"ranks": "H4sI`: `"ranks": "H5sI`, `"epochs": `: `"epochs": 7`, `"history": "epoch,`: `"history": "foo,`, "seed 3, net B": "seed 3, net A"} {
		if err := os.WriteFile(b, []byte(strings.Replace(string(whole), part, damage, 1)), 0o666); err != nil {
			t.Fatal(err)
		}
		var records *RecordsError
		if _, err := Run(context.Background(), p, set(), nil); !errors.As(err, &records) || !strings.Contains(err.Error(), b) || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("%s damaged: %v", part, err)
		}
	}
	for key, o := range before.Rows { // of fewer pictures, in files that can be read
		before.Rows[key] = outcome{Ranks: o.Ranks[1:]}
	}
	if short, err := json.Marshal(before); err != nil || os.WriteFile(b, short, 0o666) != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), p, set(), nil); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), b) {
		t.Errorf("of fewer pictures: %v", err)
	}
	if err := os.WriteFile(b, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	other := elsewhere
	other.Dir = filepath.Join(t.TempDir(), "other")
	other.Recipe.Training.Momentum = 0.8
	if _, err := Run(context.Background(), other, set(), nil); !errors.Is(err, ErrRecords) || !strings.Contains(err.Error(), "A-S32.json") {
		t.Errorf("records of another recipe: %v", err)
	}
}

// TestKeptRecords: what the repository keeps of trainings is of today's recipe, and whole. A recipe changed in any way,
// its description included, would be another one.
func TestKeptRecords(t *testing.T) {
	r, err := configs.LoadRecipe("findings")
	if err != nil {
		t.Fatal(err)
	}
	test, err := dataset.Open(r.Data+",val=test,val_pictures=10000", dataset.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := Plan{Recipe: r, Ablation: true, HeldOut: test, Records: filepath.Join("..", "docs", "findings")}
	folders, err := os.ReadDir(p.Records)
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, folder := range folders {
		var seed uint64
		if _, err := fmt.Sscanf(folder.Name(), "seed-%d", &seed); err == nil {
			p.Seeds = append(p.Seeds, seed)
			inside, err := os.ReadDir(filepath.Join(p.Records, folder.Name()))
			if err != nil {
				t.Fatal(err)
			}
			files += len(inside)
		}
	}
	kept, err := p.records()
	if err != nil || len(kept) != files || files == 0 {
		t.Errorf("%d records of %d files, %v", len(kept), files, err)
	}
	t.Logf("%d records of %d seeds", len(kept), len(p.Seeds))
}

// TestRecordOfAnother: a record of another training of a net than the one that is here is replaced.
func TestRecordOfAnother(t *testing.T) {
	p := plan(t)
	p.Seeds, p.Nets, p.Records = []uint64{3}, []string{"A", "B"}, filepath.Join(t.TempDir(), "kept")
	if _, err := Run(context.Background(), p, set(), nil); err != nil {
		t.Fatal(err)
	}
	b := filepath.Join(p.Records, "seed-3", "B-S32.json")
	a := filepath.Join(p.Records, "seed-3", "A-S32.json")
	here, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(here), `,0.000\n"`, `,1.000\n"`, 1) // exchange_wait_percent, 0 on one rank
	if changed == string(here) {
		t.Fatalf("no such line in %s", here)
	}
	if os.WriteFile(a, []byte(changed), 0o666) != nil || os.Remove(b) != nil {
		t.Fatal("cannot change the records")
	}
	if _, err := Run(context.Background(), p, set(), nil); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(a); err != nil || string(again) != string(here) {
		t.Errorf("the record of another training stayed: %s, %v", again, err)
	}
}

// TestTogether: the record of nets together is written again for a plan with more of them.
func TestTogether(t *testing.T) {
	p := plan(t)
	p.Records = t.TempDir()
	rows := 0
	for _, nets := range [][]string{{"A", "D", "E"}, {"A", "C", "D", "E"}, {"A", "D", "E"}} {
		p.Nets = nets
		_, tests := p.work(1)
		for _, ofTraining := range tests {
			for _, one := range ofTraining {
				if err := writePredictions(p.predictions(one), []evaluate.Prediction{{Class: 1, Probabilities: []float64{.25, .75}}}, 1); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := p.keepTogether(1, []string{"a", "b"}); err != nil {
			t.Fatal(err)
		}
		kept, err := p.readRecord(p.togetherFile(1), describeTogether(1), 1)
		if err != nil || kept == nil || len(kept.Rows) < rows {
			t.Fatalf("nets %v: record %+v, before it had %d rows; %v", nets, kept, rows, err)
		}
		rows = len(kept.Rows)
	}
}

// TestOtherPictures: records of other pictures of a folder are refused; those of before split was kept, or of pictures that
// come with the program, are not.
func TestOtherPictures(t *testing.T) {
	p := plan(t)
	p.Records, p.Nets, p.Recipe.Data = t.TempDir(), []string{"A"}, "folder"
	others := set()
	others.Train = stripes{42, 6}
	held := func(s *dataset.Set) Plan { // a folder beside pictures that come with the program
		p := p
		p.Recipe.Data, p.HeldOut = dataset.Embedded, s
		p.HeldOut.Source.Spec = "folder"
		return p.forSet(set())
	}
	for _, of := range []Plan{p, held(set())} {
		_, tests := of.work(1)
		for _, one := range slices.Concat(slices.Collect(maps.Values(tests))...) {
			if err := writePredictions(of.predictions(one), []evaluate.Prediction{{Class: 1, Probabilities: []float64{.25, .75}}}, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	file := p.recordFile(training{"A", configs.S256, 1})
	for _, c := range []struct {
		written, read Plan
		refused       bool
	}{
		{p, p, false}, {p.forSet(set()), p.forSet(set()), false}, {p, p.forSet(set()), false}, {p.forSet(set()), p.forSet(others), true},
		{held(set()), held(set()), false}, {held(set()), held(others), true},
	} {
		if err := c.written.keep(file, "a training", nil, 1, []string{"a", "b"}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.read.readRecord(file, "a training", 1); errors.Is(err, ErrRecords) != c.refused || err != nil && !c.refused {
			t.Errorf("written with %q, read with %q: %v", c.written.split, c.read.split, err)
		}
	}
}

// TestRanking: a ranking is read back as it was written.
func TestRanking(t *testing.T) {
	want := ranking{0, 0, 255, 3, 0}
	text, err := want.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	matrix := confusion{{3, 1}, {0, 4}}
	var read confusion
	packed, err := json.Marshal(matrix)
	if err != nil || strings.Contains(string(packed), "[") {
		t.Fatalf("a confusion matrix is not packed: %s, %v", packed, err)
	}
	if err := json.Unmarshal(packed, &read); err != nil || len(read) != 2 || !slices.Equal(read[0], matrix[0]) || !slices.Equal(read[1], matrix[1]) {
		t.Errorf("%v, %v", read, err)
	}
	var got ranking
	if err := got.UnmarshalText(text); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	if e := got.errors(); e.Top1 != 2 || e.Top5 != 1 || e.Pictures != 5 {
		t.Errorf("%+v", e)
	}
	for _, bad := range []string{"", "H4sI", "!!"} {
		if err := got.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestSizes: A and E are trained on each number of pictures, for as many steps.
func TestSizes(t *testing.T) {
	p := SizePlan{Plan: plan(t), Sizes: []int{16, 48}}
	scenes := p
	for data, want := range map[string]string{
		"embedded-scenes":         "embedded-scenes:pictures=16",
		"embedded-scenes:side=48": "embedded-scenes:side=48,pictures=16",
	} {
		scenes.Recipe.Data = data
		if r := scenes.of(16).Recipe; r.Data != want || r.Training.Limit != 0 {
			t.Errorf("%s, limit %d", r.Data, r.Training.Limit)
		}
	}
	if r := p.of(16).Recipe; r.Training.Limit != 16 || r.Training.Epochs != 6 || r.Schedule.Patience != 3 || r.Schedule.Every != 0 {
		t.Errorf("%+v, %+v", r.Training, r.Schedule)
	}
	parts := p
	parts.Sizes, parts.Recipe.Training.Epochs, parts.Recipe.Schedule.Every = []int{30, 40, 80}, 16, 12
	for pictures, want := range map[int][2]int{80: {16, 12}, 40: {32, 24}, 30: {43, 32}} {
		if r := parts.of(pictures).Recipe; r.Training.Epochs != want[0] || r.Schedule.Every != want[1] {
			t.Errorf("%d pictures: %d epochs, every %d", pictures, r.Training.Epochs, r.Schedule.Every)
		}
	}
	open := func(r configs.Recipe) (*dataset.Set, error) { return set(), nil }
	watch := &silent{}
	report, err := RunSizes(context.Background(), p, open, watch)
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Lines) != 2 || watch.trainings != 2*2*2 || report.Lines[1].Pictures != 48 || !(report.Lines[0].E.Low <= report.Lines[0].E.Value) {
		t.Errorf("%d trainings, %+v", watch.trainings, report.Lines)
	}
	text, err := os.ReadFile(filepath.Join(p.Dir, MarkdownFile))
	if err != nil || !strings.Contains(string(text), "sizes.png") || !strings.Contains(string(text), "48 training pictures: E (19 layers)") {
		t.Errorf("%s, %v", text, err)
	}
	for _, sizes := range [][]int{nil, {5}, {5, 5}, {9, 5}, {0, 5}} {
		p.Sizes = sizes
		if _, err := RunSizes(context.Background(), p, open, nil); err == nil || !strings.Contains(err.Error(), "want two or more rising") {
			t.Errorf("%v: %v", sizes, err)
		}
	}
	limited := p
	limited.Sizes, limited.Recipe.Training.Limit = []int{16, 48}, 40
	if _, err := RunSizes(context.Background(), limited, open, nil); err == nil || !strings.Contains(err.Error(), "training.limit = 40") {
		t.Errorf("a limit beside sizes: %v", err)
	}
	p.Sizes = []int{16, 49}
	if _, err := RunSizes(context.Background(), p, open, nil); err == nil || !strings.Contains(err.Error(), "has 48") {
		t.Errorf("more than there are: %v", err)
	}
}
