package trainer

import (
	"fmt"
	"math"
	"runtime"
	"time"

	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/graph"
	"vgg/graph/machine"
	"vgg/history"
	"vgg/internal/kernel"
	"vgg/weights"
	"vgg/weights/foreign"
)

// session is a training under way: two graphs over one set of weights, and what feeds them.
type session struct {
	job        Job
	set        *dataset.Set
	net        *graph.Net // the training graph's
	learnables []gorgonia.ValueGrad
	training   *runner
	validation *runner
	solver     *SGD
	train, val *dataset.Loader
	transform  augment.Transform
	skips      *dataset.Skips // nil where the first unreadable picture ends the run
	steps      int            // of the solver, an epoch
	notes      []string

	at          progress
	history     history.History
	files       *files // nil where nothing is written
	checkpoints checkpoints
	began       time.Time
	before      float64 // seconds of the run before it was resumed

	norms gradientNorms // before the last step of the epoch
	alive []bool        // channels of the deepest stage that were active for some validation picture
}

// newSession builds the graphs, starts the weights and opens the data.
func newSession(job Job) (s *session, err error) {
	if err := job.Recipe.Validate(); err != nil {
		return nil, err
	}
	r := job.Recipe
	config, err := configs.ByName(r.Config)
	if err != nil {
		return nil, err
	}
	own := &session{job: job, notes: []string{kernels()}, began: time.Now()}
	defer func() {
		if err != nil {
			own.close()
		}
	}()
	s = own
	if err := s.openSet(); err != nil {
		return nil, err
	}
	start, err := s.readWeights()
	if err != nil {
		return nil, err
	}
	resumed, err := s.openDir()
	if err != nil {
		return nil, err
	}
	if err := s.openData(); err != nil {
		return nil, err
	}
	o := graph.Options{
		Classes: len(s.set.Classes), Width: r.Net.Width, FC: r.Net.FC,
		Dropout: r.Net.Dropout, Init: r.Net.Init, Seed: r.Training.Seed,
	}
	micro := r.MicroBatch()
	if s.training, err = newRunner(config, o, micro, s.set.Channels, r.Net.Input, r.Training.Batch); err != nil {
		return nil, err
	}
	s.net = s.training.net
	o.Dropout, o.Weights = 0, s.net
	if s.validation, err = newRunner(config, o, micro, s.set.Channels, r.Net.Input, 0); err != nil {
		return nil, err
	}
	s.learnables = gorgonia.NodesToValueGrads(s.net.Learnables())
	s.solver = &SGD{Momentum: r.Training.Momentum, WeightDecay: r.Training.WeightDecay, Accumulated: r.Training.Batch / micro, KeepGradients: true}
	if resumed != nil {
		return s, s.restore(resumed)
	}
	if err := s.startFrom(start); err != nil {
		return nil, err
	}
	s.at = progress{Format: format, Epoch: 1, Schedule: Plateau{Schedule: r.Schedule, LearningRate: r.Training.LearningRate}}
	return s, s.beginFiles()
}

// kernels says what the net is computed with.
func kernels() string {
	note := fmt.Sprintf("kernels: %s, %d threads", kernel.ISA(), runtime.GOMAXPROCS(0))
	if kernel.ISA() == "go" {
		note += " (the processor has neither AVX-512 nor AVX2, or VGG_CPU forbids them: pure Go, many times slower)"
	}
	return note
}

// OpenData opens the data set that a recipe names. Notice, if not nil, is called before slow operations.
func OpenData(r configs.Recipe, notice func(message string)) (*dataset.Set, error) {
	set, err := dataset.Open(r.Data, dataset.Options{ValShare: r.Pictures.ValShare, SplitSeed: r.Pictures.SplitSeed, Notice: notice})
	return set, errors.Wrapf(err, "trainer: data = %q", r.Data)
}

// openSet opens the recipe's data set, or takes the job's if it is that one.
func (s *session) openSet() (err error) {
	r := s.job.Recipe
	if s.job.Set == nil {
		if r.Data == "" {
			return errors.New("trainer: the recipe names no pictures: set its key data")
		}
		s.set, err = OpenData(r, s.job.Observer.Notice)
		return err
	}
	s.set = s.job.Set
	want := dataset.Source{Spec: r.Data, ValShare: r.Pictures.ValShare, SplitSeed: r.Pictures.SplitSeed}
	if r.Data == "" {
		want = dataset.Source{}
	}
	if s.set.Source != want {
		return errors.Errorf("trainer: the set %s is not that of the recipe: data, pictures.val_share and pictures.split_seed are %q, %g and %d, not %q, %g and %d",
			s.set.Name, s.set.Source.Spec, s.set.Source.ValShare, s.set.Source.SplitSeed, want.Spec, want.ValShare, want.SplitSeed)
	}
	return nil
}

// openData measures the training pictures and makes the two loaders.
func (s *session) openData() error {
	r, set := s.job.Recipe, s.set
	train := set.Train
	if r.Training.Limit > 0 && r.Training.Limit < train.Len() {
		train = dataset.Subset(train, r.Training.Limit)
	}
	if s.steps = train.Len() / r.Training.Batch; s.steps == 0 {
		return errors.Errorf("trainer: %d training pictures do not fill one mini-batch of %d: lower training.batch or give more pictures", train.Len(), r.Training.Batch)
	}
	if set.Val.Len() == 0 {
		return errors.Errorf("trainer: data set %s has no validation pictures", set.Name)
	}
	if r.Pictures.Bad == configs.BadSkip {
		s.skips = dataset.NewSkips(set, s.at.Skipped...)
	}
	var err error
	statistics := &s.job.Recipe.Statistics
	if statistics.Pictures == 0 {
		if *statistics, err = dataset.Measure(train, set.Channels, r.Pictures.Sample, s.skips); err != nil {
			return err
		}
	}
	s.transform = Transform(s.job.Recipe, set.Channels)
	s.notes = append(s.notes, fmt.Sprintf("data: %s, %d training and %d validation pictures, %d classes, mean %.1f from %d of them",
		set.Name, train.Len(), set.Val.Len(), len(set.Classes), s.transform.Mean, statistics.Pictures))
	o := dataset.LoaderOptions{Batch: r.MicroBatch(), Transform: s.transform, Seed: r.Training.Seed, Training: true, Skips: s.skips}
	if s.train, err = dataset.NewLoader(train, set.Channels, o); err != nil {
		return err
	}
	o.Training = false
	s.val, err = dataset.NewLoader(set.Val, set.Channels, o)
	return err
}

// Transform is what training by a recipe, whose Statistics are known, does to pictures with the given number of channels.
func Transform(r configs.Recipe, channels int) augment.Transform {
	a, s := r.Augment, r.Statistics
	t := augment.Transform{
		Size: r.Net.Input, Scale: a.Scale(), RandomCrop: a.Crop, Pad: a.Pad, Flip: a.Flip,
		Mean: s.Mean[:channels], Std: make([]float64, channels),
	}
	for c := range t.Std {
		t.Std[c] = 1
		if a.Normalisation == configs.NormaliseMeanStd {
			t.Std[c] = math.Max(s.Std[c], 1)
		}
	}
	if channels == 3 {
		t.ColourShift, t.Eigenvalues, t.Eigenvectors = a.ColourShift, s.Eigenvalues, s.Eigenvectors
	}
	return t
}

// readWeights reads the file of weights that the recipe starts from; nil for random weights, and for a run that is resumed
// from its checkpoint.
func (s *session) readWeights() (*weights.File, error) {
	r := s.job.Recipe
	switch {
	case s.job.Resume:
		return nil, nil
	case r.Weights != "":
		f, err := foreign.Read(r.Weights)
		return f, errors.Wrapf(err, "trainer: weights = %q", r.Weights)
	case r.InitFrom != "":
		f, err := foreign.Read(r.InitFrom)
		return f, errors.Wrapf(err, "trainer: init_from = %q", r.InitFrom)
	}
	return nil, nil
}

// startFrom copies the weights that training starts from, all layers or those that section 3.1 takes from net A, and
// closes their file. nil leaves the random weights.
func (s *session) startFrom(f *weights.File) error {
	if f == nil {
		return nil
	}
	defer f.Close()
	r := s.job.Recipe
	if r.Weights != "" {
		if err := s.net.Load(f.Tensors); err != nil {
			return errors.Wrapf(err, "trainer: weights = %q", r.Weights)
		}
		s.notes = append(s.notes, "weights: all layers from "+r.Weights)
		return nil
	}
	source, err := configs.ByName(f.Metadata["config"])
	if err != nil {
		return errors.Wrapf(err, "trainer: init_from = %q", r.InitFrom)
	}
	copied, err := s.net.Transfer(source, f.Tensors)
	if err != nil {
		return errors.Wrapf(err, "trainer: init_from = %q", r.InitFrom)
	}
	for _, c := range copied {
		s.notes = append(s.notes, fmt.Sprintf("%s: from net %s (%s → %s, %v); keeps the full learning rate", c.Layer, source.Name, c.From, c.To, c.Shape))
	}
	s.notes = append(s.notes, fmt.Sprintf("all other layers: from random (%s)", s.net.Options.Init))
	return nil
}

func (s *session) close() {
	for _, r := range []*runner{s.training, s.validation} {
		if r != nil {
			r.vm.Close()
		}
	}
	_ = s.checkpoints.wait() // whoever wanted to know has asked
	s.files.close()
	if s.set != nil && s.job.Set == nil {
		_ = s.set.Close() // it was only read
	}
}

// runner runs one graph on batches.
type runner struct {
	net     *graph.Net
	labels  *gorgonia.Node
	loss    *gorgonia.Node
	deepest *gorgonia.Node // output of the last convolution, for diagnosis; validation only
	vm      *machine.VM
}

// newRunner declares a net for batches of pictures, and its gradients for mini-batches of so many, unless that is 0.
func newRunner(config configs.Config, o graph.Options, batch, channels, input, miniBatch int) (*runner, error) {
	g := gorgonia.NewGraph()
	x := graph.NewInput(g, batch, channels, input, input)
	net, err := graph.Build(g, x, config, o)
	if err != nil {
		return nil, err
	}
	r, err := lossOf(net)
	if err != nil {
		return nil, err
	}
	options := []machine.Option{machine.Outputs(r.loss, net.Logits)}
	if miniBatch > 0 {
		if _, err = gorgonia.Grad(r.loss, net.Learnables()...); err != nil {
			return nil, errors.Wrap(err, "trainer: cannot differentiate the loss")
		}
		options = append(options, machine.Gradients(net.Learnables()...), machine.Products(miniBatch))
	} else {
		if r.deepest, err = net.Layer(deepestConvolution(config).Name); err != nil {
			return nil, err
		}
		options = append(options, machine.Outputs(r.deepest))
	}
	r.vm, err = machine.New(g, options...)
	return r, err
}

// lossOf declares a net's labels and loss.
func lossOf(net *graph.Net) (r *runner, err error) {
	labels := graph.NewLabels(net.Input.Graph(), net.Input.Shape()[0])
	r = &runner{net: net, labels: labels}
	r.loss, err = net.Loss(labels)
	return r, err
}

// run computes the mean loss of a batch, and adds to the gradients in a training graph.
func (r *runner) run(b *dataset.Batch, iteration int) (float64, error) {
	x := tensor.New(tensor.WithShape(r.net.Input.Shape()...), tensor.WithBacking(b.Pixels))
	if err := gorgonia.Let(r.net.Input, x); err != nil {
		return 0, errors.Wrap(err, "trainer: pictures")
	}
	if err := gorgonia.Let(r.labels, tensor.New(tensor.WithShape(len(b.Labels)), tensor.WithBacking(b.Labels))); err != nil {
		return 0, errors.Wrap(err, "trainer: labels")
	}
	if err := r.net.SetIteration(iteration); err != nil {
		return 0, err
	}
	if err := r.vm.RunAll(); err != nil {
		return 0, err
	}
	return float64(r.loss.Value().Data().(float32)), nil
}

// logits gives those of the last run, (N, classes).
func (r *runner) logits() []float32 { return r.net.Logits.Value().Data().([]float32) }
