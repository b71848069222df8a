package configs

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/finite"
)

// Validate checks every value's range; the error names the key, its value and
// what it must be.
func (r Recipe) Validate() error {
	for _, check := range []func() error{r.checkLayers, r.checkChoices, r.checkRanges} {
		if err := check(); err != nil {
			return errors.Wrapf(err, "recipe %q", r.Name)
		}
	}
	return nil
}

// checkChoices refuses a value that is not among those known.
func (r Recipe) checkChoices() error {
	for _, choice := range []struct {
		key, value string
		known      []string
	}{
		{"pictures.bad_pictures", string(r.Pictures.Bad), texts(BadStop, BadSkip)},
		{"run.on_disk_full", string(r.Run.OnDiskFull), texts(OnDiskFullStop, OnDiskFullContinue)},
		{"run.on_divergence", string(r.Run.OnDivergence), texts(OnDivergenceStop, OnDivergenceLowerLR)},
		{"net.init", string(r.Net.Init), texts(recipeInits()...)},
		{"boxes.regression", string(r.Boxes.Regression), texts("", RegressPerClass, RegressSingle)},
		{"boxes.target", string(r.Boxes.Target), texts(TargetLargest, TargetRandom)},
		{"boxes.loss", string(r.Boxes.Loss), texts(LossSum, LossMean)},
		{"augment.normalisation", string(r.Augment.Normalisation), texts(NormaliseMean, NormaliseMeanStd)},
	} {
		if !slices.Contains(choice.known, choice.value) {
			listed := strings.Join(choice.known, ", ")
			if choice.known[0] == "" {
				listed = `""` + listed // which joining leaves invisible
			}
			return outOfRange(choice.key, choice.value, "one of "+listed+suggest(choice.value, choice.known))
		}
	}
	return nil
}

// checkRanges refuses a value out of its range.
func (r Recipe) checkRanges() error {
	n, a, t, s := r.Net, r.Augment, r.Training, r.Schedule
	stride := A.Stride()
	if config, err := r.NetConfig(); err == nil { // else checkLayers says what is wrong
		stride = config.Stride()
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
		{finite.Is(r.Run.StallSeconds), "run.stall_seconds", r.Run.StallSeconds, "finite"},

		{n.Input > 0 && n.Input%stride == 0, "net.input", n.Input, fmt.Sprintf("a positive multiple of %d, such as %s", stride, nearestInputs(n.Input, stride))},
		{n.Width > 0 && finite.Is(n.Width), "net.width", n.Width, "above 0, and finite"},
		{n.FC > 0, "net.fc", n.FC, "at least 1"},
		{n.Dropout >= 0 && n.Dropout < 1, "net.dropout", n.Dropout, "from 0 up and below 1"},

		{r.Weights == "" || r.InitFrom == "", "init_from", r.InitFrom, "empty when weights is set: start from one of them"},
		{r.Boxes.Regression == "" || r.InitFrom == "", "init_from", r.InitFrom,
			"empty for a net that predicts boxes: weights names the classification net that it starts from"},
		{r.Boxes.MinInView > 0 && r.Boxes.MinInView <= 1, "boxes.min_in_view", r.Boxes.MinInView, "above 0 and at most 1"},
		{a.ScaleMin == 0 || a.ScaleMin >= n.Input, "augment.scale_min", a.ScaleMin,
			fmt.Sprintf("at least net.input = %d, so that a crop fits in, or 0 for no resizing", n.Input)},
		{a.ScaleMax >= a.ScaleMin, "augment.scale_max", a.ScaleMax, fmt.Sprintf("at least augment.scale_min = %d", a.ScaleMin)},
		{a.ScaleMin > 0 || a.ScaleMax == 0, "augment.scale_max", a.ScaleMax, "0 when augment.scale_min is 0: set both or none"},
		{a.Pad >= 0, "augment.pad", a.Pad, "at least 0"},
		{slices.Contains([]int{0, 1, 3}, len(a.PixelMean)) && areFinite(a.PixelMean), "augment.pixel_mean", a.PixelMean, "1 or 3 finite numbers, or none"},
		{len(a.PixelStd) == len(a.PixelMean), "augment.pixel_std", a.PixelStd, "as many numbers as augment.pixel_mean: give both or neither"},
		{len(a.PixelStd) == 0 || areFinite(a.PixelStd) && slices.Min(a.PixelStd) > 0, "augment.pixel_std", a.PixelStd, "finite numbers above 0"},
		{!ForUnitPixels(a.PixelMean, a.PixelStd), "augment.pixel_std", a.PixelStd, "255 times as large, and augment.pixel_mean too: they look as if they were for pixels from 0 to 1, and pixels are from 0 to 255"},
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
		{s.Every >= 0, "schedule.every", s.Every, "at least 0 epochs"},
	} {
		if !rule.ok {
			return outOfRange(rule.key, rule.value, rule.want)
		}
	}
	return nil
}

func outOfRange(key string, value any, want string) error {
	if s, ok := value.(string); ok {
		value = fmt.Sprintf("%q", s)
	}
	return errors.Errorf("%s = %v must be %s", key, value, want)
}

// NetConfig is the net that the recipe trains.
func (r Recipe) NetConfig() (Config, error) {
	if len(r.Net.Layers) == 0 {
		return ByName(r.Config)
	}
	c, err := Parse(r.Config, strings.Join(r.Net.Layers, " "))
	return c, errors.Wrap(err, "net.layers")
}

// checkLayers refuses unknown nets, names of layers that the net does not have, and a net of which nothing is trained.
func (r Recipe) checkLayers() error {
	config, err := r.NetConfig()
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

// nearestInputs names the multiples of a stride on either side of an input size.
func nearestInputs(input, stride int) string {
	below := input / stride * stride
	if below < stride {
		return fmt.Sprint(stride)
	}
	return fmt.Sprintf("%d or %d", below, below+stride)
}

// ForUnitPixels tells means and deviations as they are for pixels from 0 to 1.
func ForUnitPixels(mean, std []float64) bool {
	return len(mean) > 0 && len(std) > 0 && slices.Min(mean) >= 0 && slices.Max(mean) <= 1 && slices.Max(std) < 1
}

func areFinite(values []float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return !finite.Is(v) })
}

func (s Statistics) finite() bool {
	all := slices.Concat(s.Mean[:], s.Std[:], s.Eigenvalues[:], s.Eigenvectors[0][:], s.Eigenvectors[1][:], s.Eigenvectors[2][:])
	return slices.Min(s.Std[:]) >= 0 && areFinite(all)
}
