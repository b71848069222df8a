package configs

// Recipe is everything that decides a training run, and so what makes it
// repeatable. The zero value trains nothing: start from [Default], from
// [LoadRecipe], or from a TOML file with a base.
type Recipe struct {
	// Name is by which LoadRecipe finds it, and what the summary of a run shows.
	Name string `toml:"name"`
	// Description is one line for a list of recipes.
	Description string `toml:"description"`
	// Config is the column of Table 1 to train: A, A-LRN, B, C, D or E, also by
	// the names that ByName knows; or a name for the net of Net.Layers.
	Config string `toml:"config"`
	// Data is the data set's spec (package dataset); "embedded" is the one that
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
	Boxes      Boxes      `toml:"boxes"`
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
	// Layers are those of a net that is not in Table 1, as Table 1 writes them:
	// "conv3-64", "LRN", "maxpool". Three fully connected layers follow.
	Layers []string `toml:"layers"`
	// Input is the side of the net's square input in pixels, a positive multiple
	// of 32 because five max-pools halve it; of 2 for each max-pool of a net with
	// Layers. Paper: 224.
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
	// (also "xavier") is Glorot & Bengio's, which the paper's note on section 3.1
	// found to work without pre-training; "he" (also "kaiming") is He et al.'s;
	// "identity" is the same, but net C's 1×1 convolutions start as the identity.
	Init Init `toml:"init"`
}

// Boxes makes the net one that localises (appendix A). Its last layer then
// predicts a box, whose four numbers are shares of the crop's side, so that the
// loss does not depend on the input's size: the paper does not give their unit.
type Boxes struct {
	// Regression is "" for a net that classifies, "per-class" for a box for each
	// class (PCR; training changes that of the true class), or "single" for one box
	// (SCR). Paper: both; per-class is better.
	Regression Regression `toml:"regression"`
	// Target is the box to be predicted where a picture has several of its class:
	// "largest" in view, or "random", drawn anew in each epoch. Paper: not given.
	Target BoxTarget `toml:"target"`
	// MinInView leaves a crop out of training unless it shows at least this share
	// of a box, above 0 and at most 1. Paper: not given; OverFeat: 0.5.
	MinInView float64 `toml:"min_in_view"`
	// Clip makes the target the part of the box that the crop shows; else it is the
	// whole box, which may reach beyond the crop. Paper: not given.
	Clip bool `toml:"clip"`
	// Loss is "sum", half the sum of the squared differences of the four numbers,
	// which is Caffe's Euclidean loss, or "mean", their mean. Paper: not given.
	Loss BoxLoss `toml:"loss"`
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
	// Every, if not 0, divides the rate each time that this number of epochs is
	// over instead, whatever the error: nets are then compared after the same steps at the same
	// rates.
	Every int `toml:"every"`
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
	// StallSeconds is how long one of several ranks waits for the others or for
	// pictures before it ends all; 0 is for ever, and below 0 ten times the longest
	// step so far, at least 600.
	StallSeconds float64 `toml:"stall_seconds"`
}

// MicroBatch is the number of pictures in memory at once, [Training.MicroBatch]
// or the whole batch.
func (r Recipe) MicroBatch() int {
	if r.Training.MicroBatch == 0 {
		return r.Training.Batch
	}
	return r.Training.MicroBatch
}

// SameMeasured tells whether two recipes measure the same pictures, which are only those with a box where boxes are learnt.
func (r Recipe) SameMeasured(o Recipe) bool {
	return r.Data == o.Data && r.Training.Limit == o.Training.Limit && r.Pictures.Sample == o.Pictures.Sample &&
		r.Pictures.ValShare == o.Pictures.ValShare && r.Pictures.SplitSeed == o.Pictures.SplitSeed &&
		(r.Boxes.Regression != "") == (o.Boxes.Regression != "")
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
		Boxes:     Boxes{Target: TargetLargest, MinInView: 0.5, Loss: LossSum},
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
		Run:      Run{CheckpointMinutes: 10, OnDiskFull: OnDiskFullStop, OnDivergence: OnDivergenceStop, LogEvery: 20, StallSeconds: -1},
	}
}
