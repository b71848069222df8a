package configs

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/finite"
)

// Recipe is everything that decides a training run, and so what makes it
// repeatable. The zero value trains nothing: start from [Default], from
// [LoadRecipe], or from a TOML file with a base.
type Recipe struct {
	// Name is what --recipe is given and what the summary of a run shows.
	Name string `toml:"name"`
	// Description is one line for --list-recipes.
	Description string `toml:"description"`
	// Config is the column of Table 1 to train: A, A-LRN, B, C, D or E.
	Config string `toml:"config"`
	// Data is the data set's spec as --data takes it; "embedded" is the one that
	// comes with the project, "" means that it must still be named.
	Data string `toml:"data"`
	// StartFrom says in words what the paper starts this training from. It is
	// only shown: Weights and InitFrom decide.
	StartFrom string `toml:"start_from"`
	// Weights is a weights file from which all layers start, "" for none.
	Weights string `toml:"weights"`
	// InitFrom is a weights file of net A from which a deeper net starts as in
	// section 3.1: its first four convolutions and its fully connected layers.
	InitFrom string `toml:"init_from"`

	Pictures   Pictures   `toml:"pictures"`
	Net        Net        `toml:"net"`
	Augment    Augment    `toml:"augment"`
	Training   Training   `toml:"training"`
	Schedule   Schedule   `toml:"schedule"`
	Run        Run        `toml:"run"`
	Statistics Statistics `toml:"statistics"`
}

// Pictures says how the data set is read.
type Pictures struct {
	// ValShare is the share of each class that is kept for validation where the
	// data set has no validation pictures, above 0 and below 1, or 0 to refuse
	// such a set. SplitSeed draws it.
	ValShare  float64 `toml:"val_share"`
	SplitSeed uint64  `toml:"split_seed"`
	// Bad is "stop", which ends the run at the first picture that cannot be read,
	// or "skip", which goes on without it until more than SkipShare of the set's
	// pictures, and more than one, cannot be read. SkipShare is from 0 to 1.
	Bad       BadPictures `toml:"bad_pictures"`
	SkipShare float64     `toml:"skip_share"`
	// Sample is the number of training pictures, evenly spaced, from which mean
	// and colours are measured; 0 is all.
	Sample int `toml:"sample"`
}

// Statistics are those of the training pictures' pixels in 0–255 units, as a run
// measured them, so that its recipe need not measure them again. For pictures of
// one channel only the first mean and deviation are used.
type Statistics struct {
	// Pictures is the number measured; 0 means not yet.
	Pictures int        `toml:"measured_pictures"`
	Mean     [3]float64 `toml:"mean"`
	Std      [3]float64 `toml:"std"`
	// Eigenvalues of the RGB covariance, rising, and for each the eigenvector.
	Eigenvalues  [3]float64    `toml:"eigenvalues"`
	Eigenvectors [3][3]float64 `toml:"eigenvectors"`
}

// Net sizes the net and sets its random start (sections 2.1 and 3.1).
type Net struct {
	// Input is the side of the net's square input in pixels, a positive multiple
	// of 32 because five max-pools halve it. Paper: 224.
	Input int `toml:"input"`
	// Width multiplies the channels of every convolution. Paper: 1.
	Width float64 `toml:"width"`
	// FC is the width of the first two fully connected layers. Paper: 4096.
	FC int `toml:"fc"`
	// Dropout is the probability with which an output of these two layers is
	// dropped in training, in [0, 1); 0 is off. Paper: 0.5.
	Dropout float64 `toml:"dropout"`
	// Init draws the random weights; biases are 0. "paper" is N(0, 0.1²), the
	// variance 1e-2 as printed; "small" is N(0, 0.01²), as most read it; "glorot"
	// is Glorot & Bengio's, which the paper's note on section 3.1 found to work
	// without pre-training; "he" is He et al.'s.
	Init Init `toml:"init"`
}

// Augment makes a training picture into an input (section 3.1). Validation sees
// none of it but a fixed resizing, a centre crop and the normalisation.
type Augment struct {
	// ScaleMin and ScaleMax bound S, the smaller side in pixels to which a
	// picture is resized, its aspect ratio kept: equal for a fixed S, else S is
	// uniform in [ScaleMin, ScaleMax] for each picture. Both 0: not resized.
	// Paper: 256, 384, or 256 to 512.
	ScaleMin int `toml:"scale_min"`
	ScaleMax int `toml:"scale_max"`
	// Pad is a border of zeros in pixels on every side, added after resizing.
	// Paper: 0.
	Pad int `toml:"pad"`
	// Crop takes the input from a random place rather than the centre. Paper: true.
	Crop bool `toml:"crop"`
	// Flip mirrors a picture left to right with probability 1/2. Paper: true.
	Flip bool `toml:"flip"`
	// ColourShift is the standard deviation of α in the random RGB shift
	// Σ p_i α_i λ_i of Krizhevsky et al.; 0 is off. Paper: 0.1.
	ColourShift float64 `toml:"colour_shift"`
	// Normalisation is "mean", which subtracts the training set's mean of each
	// channel, or "mean-std", which also divides by its standard deviation.
	// Paper: "mean".
	Normalisation Normalisation `toml:"normalisation"`
	// PixelMean and PixelStd, if given, are what is subtracted from pixels of 0 to
	// 255 and what they are then divided by, a number for each channel, instead of
	// what Normalisation says: for weights that expect these. A run that starts from
	// weights fills them in.
	PixelMean []float64 `toml:"pixel_mean"`
	PixelStd  []float64 `toml:"pixel_std"`
}

// Scale is S.
func (a Augment) Scale() Scale { return Scale{a.ScaleMin, a.ScaleMax} }

// Training is mini-batch gradient descent with momentum (section 3.1).
type Training struct {
	// Batch is the number of pictures in a step. Paper: 256.
	Batch int `toml:"batch"`
	// MicroBatch is the number of pictures in memory at once; it divides Batch,
	// and a step sums the gradients of its micro-batches. 0 is the whole batch.
	MicroBatch int `toml:"micro_batch"`
	// Epochs is the number of passes over the training set at most; the schedule
	// may stop earlier. Paper: 74, which is 370,000 steps.
	Epochs int `toml:"epochs"`
	// LearningRate is the first learning rate. Paper: 1e-2.
	LearningRate float64 `toml:"learning_rate"`
	// Momentum is in [0, 1). Paper: 0.9.
	Momentum float64 `toml:"momentum"`
	// WeightDecay is the factor of the L2 penalty. Paper: 5e-4.
	WeightDecay float64 `toml:"weight_decay"`
	// Seed starts every random draw, from 0 to 2⁶³-1, the largest integer of TOML.
	Seed uint64 `toml:"seed"`
	// Limit trains on at most this many pictures; 0 is all.
	Limit int `toml:"limit"`
	// Freeze names stages (conv1) and layers (conv1_1, fc6) that keep the weights
	// that they start from.
	Freeze []string `toml:"freeze"`
}

// Schedule divides the learning rate when the validation accuracy stops
// improving (section 3.1). The paper gives the factor and the number of
// divisions; when it counts accuracy as stalled is not said, and is ours.
type Schedule struct {
	// Factor divides the learning rate. Paper: 10.
	Factor float64 `toml:"factor"`
	// Patience is the number of epochs without improvement that bring on a
	// division, or the end once MaxDivisions are used up.
	Patience int `toml:"patience"`
	// MinImprovement is by how much the best validation top-1 error must fall to
	// count as improvement, in percentage points.
	MinImprovement float64 `toml:"min_improvement"`
	// MaxDivisions is how often the rate is divided at most. Paper: 3.
	MaxDivisions int `toml:"max_divisions"`
}

// Run says how a run saves its results. None of it changes the weights.
type Run struct {
	// CheckpointMinutes is the time between checkpoints; one is made at each
	// epoch's end as well.
	CheckpointMinutes float64 `toml:"checkpoint_minutes"`
	// OnDiskFull is what happens when a file cannot be written: "stop", or
	// "continue" without it.
	OnDiskFull OnDiskFull `toml:"on_disk_full"`
	// OnDivergence is what happens when the loss or a gradient is not finite:
	// "stop", or "lower-lr", which rolls back to the last checkpoint with a tenth of
	// the learning rate.
	OnDivergence OnDivergence `toml:"on_divergence"`
	// LogEvery is the number of steps between two lines of log.jsonl; 0 is none.
	LogEvery int `toml:"log_every"`
}

// MicroBatch is the number of pictures in memory at once, [Training.MicroBatch]
// or the whole batch.
func (r Recipe) MicroBatch() int {
	if r.Training.MicroBatch == 0 {
		return r.Training.Batch
	}
	return r.Training.MicroBatch
}

// SameMeasured tells whether two recipes measure the same pictures.
func (r Recipe) SameMeasured(o Recipe) bool {
	return r.Data == o.Data && r.Training.Limit == o.Training.Limit && r.Pictures.Sample == o.Pictures.Sample &&
		r.Pictures.ValShare == o.Pictures.ValShare && r.Pictures.SplitSeed == o.Pictures.SplitSeed
}

// Default returns section 3.1's training of net A at S = 256, on the embedded
// data set: the values of the keys that a recipe file without a base leaves out.
func Default() Recipe {
	return Recipe{
		Config:    "A",
		Data:      "embedded",
		StartFrom: "random weights",
		Pictures:  Pictures{ValShare: 0.1, SplitSeed: 1, Bad: BadStop, SkipShare: 0.01, Sample: 10000},
		Net:       Net{Input: Input, Width: 1, FC: FC, Dropout: 0.5, Init: InitPaper},
		Augment: Augment{
			ScaleMin: 256, ScaleMax: 256,
			Crop: true, Flip: true, ColourShift: 0.1,
			Normalisation: NormaliseMean,
		},
		Training: Training{
			Batch: 256, Epochs: 74,
			LearningRate: 1e-2, Momentum: 0.9, WeightDecay: 5e-4,
			Seed: 1,
		},
		Schedule: Schedule{Factor: 10, Patience: 5, MinImprovement: 0.1, MaxDivisions: 3},
		Run:      Run{CheckpointMinutes: 10, OnDiskFull: OnDiskFullStop, OnDivergence: OnDivergenceStop, LogEvery: 20},
	}
}

// Validate checks every value's range; the error names the key, its value and
// what it must be.
func (r Recipe) Validate() error {
	fail := func(key string, value any, want string) error {
		if s, ok := value.(string); ok {
			value = fmt.Sprintf("%q", s)
		}
		return errors.Errorf("recipe %q: %s = %v must be %s", r.Name, key, value, want)
	}
	if err := r.checkLayers(); err != nil {
		return errors.Wrapf(err, "recipe %q", r.Name)
	}
	n, a, t, s := r.Net, r.Augment, r.Training, r.Schedule
	for _, choice := range []struct {
		key, value string
		known      []string
	}{
		{"pictures.bad_pictures", string(r.Pictures.Bad), texts(BadStop, BadSkip)},
		{"run.on_disk_full", string(r.Run.OnDiskFull), texts(OnDiskFullStop, OnDiskFullContinue)},
		{"run.on_divergence", string(r.Run.OnDivergence), texts(OnDivergenceStop, OnDivergenceLowerLR)},
		{"net.init", string(n.Init), texts(InitPaper, InitSmall, InitGlorot, InitHe)},
		{"augment.normalisation", string(a.Normalisation), texts(NormaliseMean, NormaliseMeanStd)},
	} {
		if !slices.Contains(choice.known, choice.value) {
			return fail(choice.key, choice.value, fmt.Sprintf("one of %s; did you mean %q?",
				strings.Join(choice.known, ", "), nearest(choice.value, choice.known)))
		}
	}
	for _, rule := range []struct {
		ok    bool
		key   string
		value any
		want  string
	}{
		{r.Pictures.ValShare >= 0 && r.Pictures.ValShare < 1, "pictures.val_share", r.Pictures.ValShare, "from 0 up and below 1"},
		{r.Pictures.SplitSeed <= math.MaxInt64, "pictures.split_seed", r.Pictures.SplitSeed, "at most 2^63-1"},
		{r.Pictures.SkipShare >= 0 && r.Pictures.SkipShare <= 1, "pictures.skip_share", r.Pictures.SkipShare, "from 0 to 1"},
		{r.Pictures.Sample >= 0, "pictures.sample", r.Pictures.Sample, "at least 0"},
		{r.Statistics.Pictures >= 0, "statistics.measured_pictures", r.Statistics.Pictures, "at least 0"},
		{r.Statistics.finite(), "statistics", "…", "finite, with no negative std: remove the table to measure again"},

		{r.Run.CheckpointMinutes >= 0, "run.checkpoint_minutes", r.Run.CheckpointMinutes, "at least 0"},
		{r.Run.LogEvery >= 0, "run.log_every", r.Run.LogEvery, "at least 0"},

		{n.Input > 0 && n.Input%32 == 0, "net.input", n.Input, "a positive multiple of 32, such as " + nearestInputs(n.Input)},
		{n.Width > 0 && finite.Is(n.Width), "net.width", n.Width, "above 0, and finite"},
		{n.FC > 0, "net.fc", n.FC, "at least 1"},
		{n.Dropout >= 0 && n.Dropout < 1, "net.dropout", n.Dropout, "from 0 up and below 1"},

		{r.Weights == "" || r.InitFrom == "", "init_from", r.InitFrom, "empty when weights is set: start from one of them"},
		{a.ScaleMin == 0 || a.ScaleMin >= n.Input, "augment.scale_min", a.ScaleMin,
			fmt.Sprintf("at least net.input = %d, so that a crop fits in, or 0 for no resizing", n.Input)},
		{a.ScaleMax >= a.ScaleMin, "augment.scale_max", a.ScaleMax, fmt.Sprintf("at least augment.scale_min = %d", a.ScaleMin)},
		{a.ScaleMin > 0 || a.ScaleMax == 0, "augment.scale_max", a.ScaleMax, "0 when augment.scale_min is 0: set both or none"},
		{a.Pad >= 0, "augment.pad", a.Pad, "at least 0"},
		{slices.Contains([]int{0, 1, 3}, len(a.PixelMean)) && areFinite(a.PixelMean), "augment.pixel_mean", a.PixelMean, "1 or 3 finite numbers, or none"},
		{len(a.PixelStd) == len(a.PixelMean), "augment.pixel_std", a.PixelStd, "as many numbers as augment.pixel_mean: give both or neither"},
		{len(a.PixelStd) == 0 || areFinite(a.PixelStd) && slices.Min(a.PixelStd) > 0, "augment.pixel_std", a.PixelStd, "finite numbers above 0"},
		{a.ColourShift >= 0 && finite.Is(a.ColourShift), "augment.colour_shift", a.ColourShift, "at least 0"},

		{t.Batch > 0, "training.batch", t.Batch, "at least 1"},
		{t.MicroBatch >= 0, "training.micro_batch", t.MicroBatch, "at least 0"},
		{t.MicroBatch <= 0 || t.Batch%t.MicroBatch == 0, "training.micro_batch", t.MicroBatch,
			fmt.Sprintf("a divisor of training.batch = %d, or 0 for the whole batch", t.Batch)},
		{t.Epochs > 0, "training.epochs", t.Epochs, "at least 1"},
		{t.LearningRate > 0 && finite.Is(t.LearningRate), "training.learning_rate", t.LearningRate, "above 0, and finite"},
		{t.Momentum >= 0 && t.Momentum < 1, "training.momentum", t.Momentum, "from 0 up and below 1"},
		{t.WeightDecay >= 0 && finite.Is(t.WeightDecay), "training.weight_decay", t.WeightDecay, "at least 0"},
		{t.Seed <= math.MaxInt64, "training.seed", t.Seed, "at most 2^63-1"},
		{t.Limit >= 0, "training.limit", t.Limit, "at least 0"},

		{s.Factor > 1 && finite.Is(s.Factor), "schedule.factor", s.Factor, "above 1"},
		{s.Patience > 0, "schedule.patience", s.Patience, "at least 1"},
		{s.MinImprovement >= 0 && s.MinImprovement < 100, "schedule.min_improvement", s.MinImprovement, "from 0 up and below 100 percentage points"},
		{s.MaxDivisions >= 0, "schedule.max_divisions", s.MaxDivisions, "at least 0"},
	} {
		if !rule.ok {
			return fail(rule.key, rule.value, rule.want)
		}
	}
	return nil
}

// checkLayers refuses unknown nets, names of layers that the net does not have, and a net of which nothing is trained.
func (r Recipe) checkLayers() error {
	config, err := ByName(r.Config)
	if err != nil {
		return err
	}
	frozen, err := config.Select(r.Training.Freeze...)
	if err == nil && len(frozen) == config.WeightLayers() {
		err = errors.New("leaves no layer to train")
	}
	return errors.Wrapf(err, "training.freeze = %s", describe(r.Training.Freeze))
}

// texts are the values of a type of constants as text.
func texts[T ~string](values ...T) []string {
	all := make([]string, len(values))
	for i, v := range values {
		all[i] = string(v)
	}
	return all
}

// nearestInputs names the multiples of 32 on either side of an input size.
func nearestInputs(input int) string {
	below := input / 32 * 32
	if below < 32 {
		return "32"
	}
	return fmt.Sprintf("%d or %d", below, below+32)
}

func areFinite(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return !finite.Is(v) })
}

func (s Statistics) finite() bool {
	all := slices.Concat(s.Mean[:], s.Std[:], s.Eigenvalues[:], s.Eigenvectors[0][:], s.Eigenvectors[1][:], s.Eigenvectors[2][:])
	return slices.Min(s.Std[:]) >= 0 && areFinite(all)
}
