package configs

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func TestRecipes(t *testing.T) {
	all := Recipes()
	if len(all) != len(recipeNames()) || all[0].Name != "quick" {
		t.Fatalf("%d recipes, first %q", len(all), all[0].Name)
	}
	files, err := recipeFiles.ReadDir("recipes")
	if err != nil || len(files) != len(all) {
		t.Fatalf("%d embedded files for %d recipes, %v", len(files), len(all), err)
	}
	for i, r := range all {
		if r.Name != recipeNames()[i] {
			t.Errorf("recipe %s calls itself %q", recipeNames()[i], r.Name)
		}
		if r.Description == "" || r.StartFrom == "" {
			t.Errorf("%s: no description or start", r.Name)
		}
		if strings.Contains(r.Description+r.StartFrom, "--") {
			t.Errorf("%s names a command's flag: %s; %s", r.Name, r.Description, r.StartFrom)
		}
		if err := r.Validate(); err != nil {
			t.Error(err)
		}
		roundTrip(t, r)
	}
}

// The embedded files are also the manual: each without a base states every key.
func TestRecipesAreComplete(t *testing.T) {
	for _, name := range recipeNames() {
		data, err := recipeFiles.ReadFile("recipes/" + name + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := toml.Unmarshal(data, &doc); err != nil {
			t.Fatal(err)
		}
		if doc["base"] != nil {
			continue
		}
		r := Default()
		for _, f := range r.fields() {
			if strings.HasPrefix(f.key, "statistics.") {
				continue // runs write them
			}
			if lookUp(doc, strings.Split(f.key, ".")) == nil {
				t.Errorf("%s lacks %s", name, f.key)
			}
		}
	}
}

// Section 3.1, fact by fact.
func TestPaperRecipes(t *testing.T) {
	for _, test := range []struct {
		name     string
		min, max int
		rate     float64
		from     string
	}{
		{"paper-256", 256, 256, 1e-2, "random"},
		{"paper-384", 384, 384, 1e-3, "paper-256"},
		{"paper-jitter", 256, 512, 1e-3, "paper-384"},
	} {
		r, err := LoadRecipe(test.name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(r.StartFrom, test.from) {
			t.Errorf("%s starts from %q, want %q", r.Name, r.StartFrom, test.from)
		}
		want := Recipe{
			Name: test.name, Description: r.Description, Config: "A", StartFrom: r.StartFrom,
			Pictures: Pictures{0.1, 1, "stop", 0.01, 10000},
			Net:      Net{nil, 224, 1, 4096, 0.5, "paper"},
			Boxes:    Default().Boxes,
			Augment:  Augment{test.min, test.max, 0, true, true, 0.1, "mean", nil, nil},
			Training: Training{256, 32, 74, test.rate, 0.9, 5e-4, 1, 0, nil},
			Schedule: Schedule{10, r.Schedule.Patience, r.Schedule.MinImprovement, 3, 0},
			Run:      Run{10, "stop", "stop", 20, -1},
		}
		if !r.Equal(want) {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
}

// Appendix A, fact by fact.
func TestLocalisationRecipes(t *testing.T) {
	for name, s := range map[string]int{"localise-256": 256, "localise-384": 384} {
		r, err := LoadRecipe(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := LoadRecipe("paper-256")
		if err != nil {
			t.Fatal(err)
		}
		want.Name, want.Description, want.StartFrom, want.Config = name, r.Description, r.StartFrom, "D"
		want.Augment.ScaleMin, want.Augment.ScaleMax, want.Training.LearningRate = s, s, 1e-3
		want.Boxes.Regression = RegressPerClass
		if !r.Equal(want) {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
}

func TestDefaults(t *testing.T) {
	r, err := ParseRecipe(nil, "empty.toml")
	if err != nil || !r.Equal(Default()) {
		t.Errorf("empty file: %+v, %v", r, err)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	r, err = ParseRecipe([]byte("net = { input = 64 }\ntraining.learning_rate = 1\n[schedule]\npatience = 7"), "own.toml")
	want := Default()
	want.Net.Input, want.Training.LearningRate, want.Schedule.Patience = 64, 1, 7
	if err != nil || !r.Equal(want) {
		t.Errorf("partial file: %+v, %v", r, err)
	}
}

func TestLoadRecipe(t *testing.T) {
	if r, err := LoadRecipe("Paper-384"); err != nil || r.Name != "paper-384" {
		t.Errorf("%q, %v", r.Name, err)
	}
	_, err := LoadRecipe("quik")
	mustSay(t, err, `unknown recipe "quik"; did you mean "quick"?`, "quick, flowers, miniature, paper-256, paper-384, paper-jitter", ".toml")

	dir := t.TempDir()
	file := filepath.Join(dir, "mine.toml")
	_, err = LoadRecipe(file)
	mustSay(t, err, file, "no such file", "quick, flowers")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`config = "B"`)
	if r, err := LoadRecipe(file); err != nil || r.Name != "mine" || r.Config != "B" {
		t.Errorf("%+v, %v", r, err)
	}
	write("\ufeffname = \"marked\"\r\n[training]\r\nepochs = 3")
	if r, err := LoadRecipe(file); err != nil || r.Name != "marked" || r.Training.Epochs != 3 {
		t.Errorf("with a byte-order mark: %+v, %v", r, err)
	}
	write("\xff\xfen\x00a\x00")
	_, err = LoadRecipe(file)
	mustSay(t, err, file, "UTF-16: save it as UTF-8")
	write(`name = "yours"`)
	if r, err := LoadRecipe(file); err != nil || r.Name != "yours" {
		t.Errorf("%+v, %v", r, err)
	}
	write(`nmae = "yours"`)
	_, err = LoadRecipe(file)
	mustSay(t, err, file+": line 1", `did you mean "name"?`)
}

// A recipe differs from its base in the keys that it has, its name, and what was measured.
func TestBase(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	quick, err := LoadRecipe("quick")
	if err != nil {
		t.Fatal(err)
	}
	write("mine.toml", "training.epochs = 3\nbase = 'Quick'\n[statistics]\nmeasured_pictures = 9\n")
	yours := write("sub/yours.toml", "base = '../mine.toml'\n[net]\nwidth = 1\n")
	want := quick
	want.Name, want.Training.Epochs, want.Net.Width = "yours", 3, 1
	if r, err := LoadRecipe(yours); err != nil || !r.Equal(want) {
		t.Errorf("%+v, %v, want %+v", r, err, want)
	}
	roundTrip(t, want)

	write("mine.toml", "\nbase = 'sub/yours.toml'")
	_, err = LoadRecipe(yours)
	mustSay(t, err, yours+`: line 1: base = "../mine.toml": `+filepath.Join(dir, "mine.toml")+`: line 2: base = "sub/yours.toml": a circle of bases: `)
}

func TestParseErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		// Unknown keys, in each way TOML can write them.
		{"name = 'x'\n\n[training]\nmomentm = 0.9", `f.toml: line 4: unknown key "training.momentm"; did you mean "training.momentum"?`},
		{"[trainig]\nbatch = 1", `line 1: unknown key "trainig"; did you mean "training"?`},
		{"\nbatch = 1", `line 2: unknown key "batch"; did you mean "training.batch"?`},
		{"[net]\nlearning_rate = 1", `line 2: unknown key "net.learning_rate"; did you mean "training.learning_rate"?`},
		{"\nnet.widht = 1", `line 2: unknown key "net.widht"; did you mean "net.width"?`},
		{"\n\nnet = { dropuot = 1 }", `line 3: unknown key "dropuot"; did you mean "net.dropout"?`},
		{"x = 1\n[net]\ny = 1", `line 1: unknown key "x". The tables of keys are pictures, net, `},
		{"description = '''\n[nat]\nnet = 1\n'''\n[[nat]]\nb = 1", `line 5: unknown key "nat"`},
		{"[net.input.deep]\na = 1", `line 1: unknown key "net.input.deep"`},
		{"'a\nb' = 1", "line 1: "},
		{"\"a\\nb\" = 1", "line 1: unknown key"},
		// Wrong types.
		{"[training]\n\nbatch = 'many'", `f.toml: line 3: training.batch = "many" must be an integer`},
		{"[training]\nbatch = 1.5", "line 2: training.batch = 1.5 must be an integer"},
		{"training.seed = -1", "line 1: training.seed = -1 must be an integer from 0 to 9223372036854775807"},
		{"\ntraining.batch = '''\n\n'''\n", `line 2: training.batch = "\n" must be an integer`},
		{"\n[net]\ninput = [\n1,\n2]\n", "line 3: net.input = […] must be an integer"},
		{"[net]\nwidth = true", "line 2: net.width = true must be a number"},
		{"[augment]\ncrop = 1", "line 2: augment.crop = 1 must be true or false"},
		{"config = ['A']", "line 1: config = […] must be a string"},
		{"config = 1979-05-27T07:32:00Z", "must be a string"},
		{"name = {a = 1}", "line 1: name = {…} must be a string"},
		{"\nnet = 3", "line 2: net = 3 must be a table: [net]"},
		{"[[net]]\ninput = 64", "line 1: net = […] must be a table"},
		{"[statistics]\nmean = [1, 2]", "f.toml: statistics.mean must be a list of three numbers"},
		{"[statistics]\neigenvectors = [[1, 2, 3], [4, 5], [6, 7, 8]]", "statistics.eigenvectors must be a list of three lists"},
		// Bases.
		{"\nbase = 'quik'", `f.toml: line 2: base = "quik": unknown recipe "quik"; did you mean "quick"?`},
		{"base = 'missing.toml'", `f.toml: line 1: base = "missing.toml": recipe must be a readable TOML file`},
		{"base = 'f.toml'", `f.toml: line 1: base = "f.toml": a circle of bases: f.toml, f.toml`},
		{"base = 3", "f.toml: line 1: base = 3 must be the name or the file of a recipe"},
		{"[training]\nEpochs = 1\nepochs = 7", "f.toml: training.Epochs and training.epochs are the same key: keep one"},
		{"base = 'quick'\nnet.inptu = 64", `f.toml: line 2: unknown key "net.inptu"; did you mean "net.input"?`},
		// Syntax.
		{"[net]\ninput == 3", "f.toml: line 2: "},
		{"[net]\ninput = 32\ninput = 32", "f.toml: line 3: "},
		{"name = \"\xff\"", "f.toml: line 1: "},
		{"name = \"a\\\nb\"", "f.toml: line 1: invalid escape character"},
		{"name = \"a\\", "f.toml: line 1: need a character after \\"},
		{"[net]\ninput =", "f.toml: line 2: "},
		{"[net]\ninput =\nfc = 2", "f.toml: line 2: "},
		{"[net]\ninput\nfc = 2", "f.toml: line 2: "},
		{"[net\ninput = 2", "f.toml: line 1: "},
		{"\nname = 'a\nconfig = 'A'", "f.toml: line 2: "},
	} {
		r, err := ParseRecipe([]byte(test.text), "f.toml")
		mustSay(t, err, test.want)
		if !r.Equal(Recipe{}) {
			t.Errorf("%q: a recipe besides the error", test.text)
		}
	}
}

func TestSet(t *testing.T) {
	r := Default()
	for _, s := range [][2]string{
		{"name", "mine"}, {"data", ""}, {"net.init", "he"},
		{"training.learning_rate", "0.02"}, {"width", "0.5"}, {"momentum", "0"},
		{"net.input", "64"}, {"limit", "100"}, {"seed", "9223372036854775807"},
		{"augment.flip", "false"}, {"Crop", "false"},
		{"training.freeze", "conv1, conv2"}, {"pixel_mean", "[1, 2.5,3 ]"}, {"pixel_std", "4"}, {"pixel_std", "[]"},
	} {
		if err := r.Set(s[0], s[1]); err != nil {
			t.Error(err)
		}
	}
	want := Default()
	want.Name, want.Data, want.Net.Init = "mine", "", "he"
	want.Training.LearningRate, want.Net.Width, want.Training.Momentum = 0.02, 0.5, 0
	want.Net.Input, want.Training.Limit, want.Training.Seed = 64, 100, math.MaxInt64
	want.Augment.Flip, want.Augment.Crop = false, false
	want.Training.Freeze, want.Augment.PixelMean = []string{"conv1", "conv2"}, []float64{1, 2.5, 3}
	if !r.Equal(want) {
		t.Errorf("%+v, want %+v", r, want)
	}

	for _, test := range [][3]string{
		{"training.momentm", "1", `unknown key "training.momentm"; did you mean "training.momentum"?`},
		{"lerning_rate", "1", `unknown key "lerning_rate"; did you mean "training.learning_rate"?`},
		{"", "1", `unknown key ""`},
		{"net", "1", `unknown key "net"`},
		{"batch", "many", `training.batch = "many" must be an integer`},
		{"batch", "1.5", `training.batch = "1.5" must be an integer`},
		{"batch", "99999999999999999999", "must be an integer"},
		{"seed", "-1", `training.seed = "-1" must be an integer from 0`},
		{"net.width", "wide", `net.width = "wide" must be a number`},
		{"freeze", "conv1,,conv2", `training.freeze = "conv1,,conv2" must be a list of names, such as ["conv1", "conv2"]`},
		{"freeze", "[conv1", "must be a list"},
		{"pixel_mean", "1,x", `augment.pixel_mean = "1,x" must be a list of numbers, one for each channel`},
		{"flip", "maybe", `augment.flip = "maybe" must be true or false`},
	} {
		mustSay(t, r.Set(test[0], test[1]), test[2])
	}
	if !r.Equal(want) {
		t.Error("a refused value changed the recipe")
	}
}

// Every key can be set by the part after its dot, so these must not repeat.
func TestShortKeysAreUnique(t *testing.T) {
	var short []string
	r := Default()
	for _, f := range r.fields() {
		short = append(short, lastPart(f.key))
	}
	slices.Sort(short)
	if n := len(short); n != len(slices.Compact(short)) {
		t.Errorf("a key repeats among %v", short)
	}
}

// ownNet has two stages of its own.
func ownNet(input int) Net {
	n := Default().Net
	n.Layers, n.Input = []string{"conv7-8", "LRN", "maxpool", "conv3-16", "conv1-16", "maxpool"}, input
	return n
}

// TestOwnNet: a recipe holds the layers of a net that is not in Table 1; one of the paper's has no such key.
func TestOwnNet(t *testing.T) {
	r := Default()
	if err := r.Apply("config=mine", "layers=conv7-8,LRN,maxpool,conv3-16,conv1-16,maxpool", "net.input=100", "scale_min=100"); err != nil {
		t.Fatal(err)
	}
	own, err := r.NetConfig()
	if err != nil || own.Name != "mine" || own.String() != strings.Join(ownNet(100).Layers, " ") || own.Stride() != 4 {
		t.Errorf("%v, %v", own, err)
	}
	if err := r.Validate(); err != nil {
		t.Error(err)
	}
	roundTrip(t, r)
	for recipe, want := range map[*Recipe]bool{&r: true, {Config: "A"}: false} {
		text, err := recipe.TOML()
		if err != nil || strings.Contains(string(text), "layers") != want {
			t.Errorf("%s, %v", text, err)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		want string
		set  func(r *Recipe)
	}{
		{`recipe "r": unknown config "F"`, func(r *Recipe) { r.Config = "F" }},
		{"net.input = 100 must be a positive multiple of 32, such as 96 or 128", func(r *Recipe) { r.Net.Input = 100 }},
		{"net.input = 98 must be a positive multiple of 4, such as 96 or 100", func(r *Recipe) { r.Net, r.Config = ownNet(98), "mine" }},
		{`net.layers: config "A": the name belongs to a net of the paper`, func(r *Recipe) { r.Net, r.Config = ownNet(96), "A" }},
		{`net.layers: config "": the last row is conv3-8: want maxpool`, func(r *Recipe) { r.Net.Layers, r.Config = []string{"conv3-8"}, "" }},
		{`net.layers: config "mine": row 1 is "conv3"`, func(r *Recipe) { r.Net.Layers, r.Config = []string{"conv3", "maxpool"}, "mine" }},
		{"net.input = 0 must be a positive multiple of 32, such as 32", func(r *Recipe) { r.Net.Input = 0 }},
		{"net.input = -32 must be", func(r *Recipe) { r.Net.Input = -32 }},
		{"net.width = 0 must be above 0", func(r *Recipe) { r.Net.Width = 0 }},
		{"net.width = NaN must be", func(r *Recipe) { r.Net.Width = math.NaN() }},
		{"net.width = +Inf must be", func(r *Recipe) { r.Net.Width = math.Inf(1) }},
		{"net.fc = 0 must be at least 1", func(r *Recipe) { r.Net.FC = 0 }},
		{"net.dropout = 1 must be from 0 up and below 1", func(r *Recipe) { r.Net.Dropout = 1 }},
		{"net.dropout = -0.1", func(r *Recipe) { r.Net.Dropout = -0.1 }},
		{`net.init = "glorto" must be one of paper, small, glorot, he, identity; did you mean "glorot"?`, func(r *Recipe) { r.Net.Init = "glorto" }},
		{`augment.normalisation = "std" must be one of mean, mean-std`, func(r *Recipe) { r.Augment.Normalisation = "std" }},
		{`boxes.regression = "perclass" must be one of "", per-class, single; did you mean "per-class"?`, func(r *Recipe) { r.Boxes.Regression = "perclass" }},
		{`boxes.target = "first" must be one of largest, random`, func(r *Recipe) { r.Boxes.Target = "first" }},
		{`boxes.loss = "" must be one of sum, mean`, func(r *Recipe) { r.Boxes.Loss = "" }},
		{"boxes.min_in_view = 0 must be above 0 and at most 1", func(r *Recipe) { r.Boxes.MinInView = 0 }},
		{"boxes.min_in_view = 1.1 must be", func(r *Recipe) { r.Boxes.MinInView = 1.1 }},
		{`init_from = "a" must be empty for a net that predicts boxes`, func(r *Recipe) { r.Boxes.Regression, r.InitFrom = RegressSingle, "a" }},
		{"augment.scale_min = 200 must be at least net.input = 224", func(r *Recipe) { r.Augment.ScaleMin = 200 }},
		{"augment.scale_min = -1 must be", func(r *Recipe) { r.Augment.ScaleMin = -1 }},
		{"augment.scale_max = 255 must be at least augment.scale_min = 256", func(r *Recipe) { r.Augment.ScaleMax = 255 }},
		{"augment.scale_max = 256 must be 0 when augment.scale_min is 0", func(r *Recipe) { r.Augment.ScaleMin = 0 }},
		{"augment.pad = -1", func(r *Recipe) { r.Augment.Pad = -1 }},
		{"augment.colour_shift = -1", func(r *Recipe) { r.Augment.ColourShift = -1 }},
		{"training.batch = 0 must be at least 1", func(r *Recipe) { r.Training.Batch = 0 }},
		{"training.micro_batch = -1", func(r *Recipe) { r.Training.MicroBatch = -1 }},
		{"training.micro_batch = 48 must be a divisor of training.batch = 256", func(r *Recipe) { r.Training.MicroBatch = 48 }},
		{"training.micro_batch = 512 must be a divisor", func(r *Recipe) { r.Training.MicroBatch = 512 }},
		{"training.epochs = 0", func(r *Recipe) { r.Training.Epochs = 0 }},
		{"training.learning_rate = 0 must be above 0", func(r *Recipe) { r.Training.LearningRate = 0 }},
		{"training.momentum = 1", func(r *Recipe) { r.Training.Momentum = 1 }},
		{"training.weight_decay = -1", func(r *Recipe) { r.Training.WeightDecay = -1 }},
		{"training.seed = 18446744073709551615 must be at most 2^63-1", func(r *Recipe) { r.Training.Seed = math.MaxUint64 }},
		{"training.limit = -1", func(r *Recipe) { r.Training.Limit = -1 }},
		{`training.freeze = ["conv9"]: "conv9": config A has no such stage, nor such a layer with weights: it has conv1, conv1_1, conv2`, func(r *Recipe) { r.Training.Freeze = []string{"conv9"} }},
		{`"pool1": config A has no such stage`, func(r *Recipe) { r.Training.Freeze = []string{"pool1"} }},
		{"leaves no layer to train", func(r *Recipe) {
			r.Training.Freeze = []string{"conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7", "fc8"}
		}},
		{"augment.pixel_mean = [1 2] must be 1 or 3 finite numbers", func(r *Recipe) { r.Augment.PixelMean = []float64{1, 2} }},
		{"augment.pixel_std = [] must be as many numbers as augment.pixel_mean", func(r *Recipe) { r.Augment.PixelMean = []float64{1} }},
		{"augment.pixel_std = [0] must be finite numbers above 0", func(r *Recipe) { r.Augment.PixelMean, r.Augment.PixelStd = []float64{1}, []float64{0} }},
		{"schedule.factor = 1 must be above 1", func(r *Recipe) { r.Schedule.Factor = 1 }},
		{"schedule.patience = 0", func(r *Recipe) { r.Schedule.Patience = 0 }},
		{"schedule.min_improvement = 100", func(r *Recipe) { r.Schedule.MinImprovement = 100 }},
		{"schedule.max_divisions = -1", func(r *Recipe) { r.Schedule.MaxDivisions = -1 }},
	} {
		r := Default()
		r.Name = "r"
		test.set(&r)
		mustSay(t, r.Validate(), `recipe "r": `, test.want)
	}
	r := Default()
	r.Augment.ScaleMin, r.Augment.ScaleMax = 0, 0
	r.Training.MicroBatch = r.Training.Batch
	if err := r.Validate(); err != nil {
		t.Errorf("no resizing, one micro-batch: %v", err)
	}
}

func TestTOML(t *testing.T) {
	r := Default()
	r.Name = "quotes \" ' \\ and\ttabs,\nlines, ünïcode \x00\x7f"
	r.Data = "C:\\data # not a comment"
	r.Training.Freeze, r.Augment.PixelMean = []string{"conv1", "a \"b"}, []float64{1, 0.1 + 0.2, 123.675}
	r.Training.LearningRate, r.Training.WeightDecay = 0.1+0.2, math.SmallestNonzeroFloat64
	r.Net.Width, r.Training.Seed = 1e300, math.MaxInt64
	r.Statistics = Statistics{7, [3]float64{1, 0.1 + 0.2, 3}, [3]float64{4, 5, 6}, [3]float64{0, 1e-9, 1e9}, [3][3]float64{{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}}
	roundTrip(t, r)

	r = Default()
	r.Data = "\xff"
	_, err := r.TOML()
	mustSay(t, err, "UTF-8")
	r = Default()
	r.Net.Width = math.NaN()
	_, err = r.TOML()
	mustSay(t, err, "a value that TOML cannot hold")
	r = Default()
	r.Training.Seed = math.MaxUint64
	if _, err = r.TOML(); err == nil {
		t.Error("a seed beyond TOML's integers is written")
	}
}

// roundTrip wants the same recipe back, from a file that starts with defaults
// other than its values.
func roundTrip(t *testing.T, r Recipe) {
	t.Helper()
	data, err := r.TOML()
	if err != nil {
		t.Error(err)
		return
	}
	if back, err := ParseRecipe(data, "back.toml"); err != nil || !back.Equal(r) {
		t.Errorf("%+v came back as %+v, %v", r, back, err)
	}
	var bare Recipe
	if err := toml.Unmarshal(data, &bare); err != nil || !bare.Equal(r) {
		t.Errorf("%s: the file is not complete: %v", r.Name, err)
	}
}

func FuzzParseRecipe(f *testing.F) {
	for _, name := range recipeNames() {
		data, err := recipeFiles.ReadFile("recipes/" + name + ".toml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("net = { input = 64, 'a.b' = [1, {c = nan}] }\n[[x.y]]\n[training.batch.z]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := ParseRecipe(data, "fuzz.toml")
		if err != nil {
			mustSay(t, err, "fuzz.toml: ")
			return
		}
		if r.Validate() == nil {
			roundTrip(t, r)
		}
	})
}

// TestOtherNames: what torchvision and others call nets and initialisers is understood wherever a recipe comes from, and
// written under our names.
func TestOtherNames(t *testing.T) {
	set, in := Default(), Default()
	if err := set.Apply("config=VGG16", "init=xavier"); err != nil {
		t.Fatal(err)
	}
	parsed, err := ParseRecipe([]byte("config = \"vgg16\"\n[net]\ninit = \"Xavier\""), "text")
	if err != nil {
		t.Fatal(err)
	}
	in.Config, in.Net.Init = "vgg16", "xavier"
	written, err := in.TOML()
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParseRecipe(written, "written")
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]Recipe{"set": set, "parsed": parsed, "written": back} {
		if r.Config != "D" || r.Net.Init != InitGlorot || r.Validate() != nil {
			t.Errorf("%s: net %s, init %s, %v", name, r.Config, r.Net.Init, r.Validate())
		}
	}
	if !in.Equal(set) || len(in.Differences(set)) > 0 {
		t.Error("the same recipe by other names is another")
	}
}

// TestInitByName: every initialiser by each of its names, in any case.
func TestInitByName(t *testing.T) {
	for name, want := range map[string]Init{
		"paper": InitPaper, "Small": InitSmall, "glorot": InitGlorot, "XAVIER": InitGlorot, "he": InitHe, "Kaiming": InitHe, "identity": InitIdentity, "zero": InitZero,
	} {
		if init, err := InitByName(name); err != nil || init != want {
			t.Errorf("%s is %q, %v: want %s", name, init, err, want)
		}
	}
	if _, err := InitByName("kaming"); err == nil || !strings.Contains(err.Error(), `did you mean "kaiming"?`) {
		t.Errorf("kaming: %v", err)
	}
}
