package trainer

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/history"
	"vgg/internal/text"
	"vgg/metrics"
)

// gradientNorms are the L2 norms of the gradients of the first and the last trained layer's weights.
type gradientNorms struct{ first, last float64 }

func (s *session) gradientNorms() *gradientNorms {
	norm := func(l configs.Layer) float64 {
		grad, err := s.weight(l).Grad()
		if err != nil {
			return math.NaN()
		}
		sum := 0.0
		for _, g := range grad.Data().([]float32) {
			sum += float64(g) * float64(g)
		}
		return math.Sqrt(sum) / s.solver.Accumulated
	}
	first, last := s.trainedEnds()
	return &gradientNorms{first: norm(first), last: norm(last)}
}

// weight is the weight tensor of a layer of the net.
func (s *session) weight(l configs.Layer) *gorgonia.Node {
	parameters := s.net.Parameters()
	i := slices.IndexFunc(parameters, func(p graph.Parameter) bool { return p.Name == l.WeightName() })
	return parameters[i].Node
}

// trainedEnds gives the first and the last layer that is trained.
func (s *session) trainedEnds() (first, last configs.Layer) {
	frozen := s.frozen()
	trained := slices.DeleteFunc(s.net.Config.Layers(), func(l configs.Layer) bool { return !l.HasWeights() || slices.Contains(frozen, l.Name) })
	return trained[0], trained[len(trained)-1]
}

// deepestConvolution is the last one.
func deepestConvolution(c configs.Config) configs.Layer {
	convolutions := c.Convolutions()
	return convolutions[len(convolutions)-1]
}

// observeDeepest notes which channels of the last convolution were active for the batch just validated.
func (s *session) observeDeepest() {
	shape := s.validation.deepest.Shape()
	channels, area := shape[1], shape[2]*shape[3]
	if s.alive == nil {
		s.alive = make([]bool, channels)
	}
	for i, v := range s.validation.deepest.Value().Data().([]float32) {
		if v > 0 {
			s.alive[i/area%channels] = true
		}
	}
}

// If a net does not learn, its loss stays at that of guessing: the logarithm of the number of classes, or the loss of
// the mean box. This happens to VGG nets whose initial weights are so small that the signal vanishes on its way through
// the layers. The loss is that on the validation pictures, at the end of the epoch: in training, the first steps weigh
// on the mean of the first epoch.
const (
	diagnosedEpochs = 3    // the loss of this many first epochs is checked
	stuckShare      = 0.98 // a loss above this share of that of guessing means that nothing was learnt
	fewSteps        = 10   // an epoch of fewer steps teaches little
)

// diagnose describes a net that does not learn, and what helps; "" for a net that learns.
func (s *session) diagnose(row history.Epoch) string {
	classes := s.net.Options.Classes
	guessing, of := math.Log(float64(classes)), fmt.Sprintf("that of guessing is ln(%d) =", classes)
	if s.net.Boxes != nil {
		guessing, of = s.meanBoxLoss, "that of the mean box is"
	}
	if row.Epoch > diagnosedEpochs || row.ValLoss < stuckShare*guessing || s.tellsClasses(row) {
		return ""
	}
	dead := 0
	for _, alive := range s.alive {
		if !alive {
			dead++
		}
	}
	signal := fmt.Sprintf("%.0f %% of the channels of %s are dead (never active on the validation pictures)",
		100*float64(dead)/float64(max(1, len(s.alive))), deepestConvolution(s.net.Config).Name)
	if s.norms != nil {
		first, last := s.trainedEnds()
		signal = fmt.Sprintf("gradient norm %.2g in %s, %.2g in %s; %s", s.norms.first, first.Name, s.norms.last, last.Name, signal)
	}
	return strings.Join([]string{
		fmt.Sprintf("the net does not learn yet: after epoch %d the validation loss is %.3f, %s %.3f", row.Epoch, row.ValLoss, of, guessing),
		signal,
		"what may help: " + strings.Join(s.remedies(row.LearningRate), ", or "),
	}, "\n  ")
}

// remedies are what may help a net that does not learn, and was not done.
func (s *session) remedies(learningRate float64) (all []string) {
	r := s.job.Recipe
	if s.steps < fewSteps {
		all = append(all, fmt.Sprintf("more epochs (training.epochs = %d now): each is only %s", r.Training.Epochs, text.Count(s.steps, "step")))
	}
	all = append(all, fmt.Sprintf("another learning rate (training.learning_rate = %g now)", learningRate))
	if r.Weights != "" || r.InitFrom != "" {
		return all
	}
	better, from := configs.InitHe, "a trained net A (init_from = its weights)"
	if init := s.net.Options.Init; init == better || init == configs.InitIdentity {
		better = configs.InitGlorot
	}
	if s.net.Boxes != nil {
		from = "a trained classification net (weights = its file)"
	}
	return append(all, fmt.Sprintf("another initialiser (net.init = %q, now %q)", better, s.net.Options.Init), "starting from "+from)
}

// tellsClasses says whether a net that classifies errs on clearly fewer validation pictures than one that answers the
// most frequent class. The loss alone does not tell: that of a net which is too sure of itself, as after a few epochs
// on few pictures, is above that of guessing.
func (s *session) tellsClasses(row history.Epoch) bool {
	val := s.set.Val
	if s.net.Boxes != nil {
		return false
	}
	of, most := map[int]int{}, 0
	for i := range val.Len() {
		of[val.Label(i)]++
		most = max(most, of[val.Label(i)])
	}
	wrong := int(math.Round(row.ValTop1Error / 100 * float64(val.Len())))
	_, high := metrics.Interval(wrong, val.Len())
	return high < metrics.Percent(val.Len()-most, val.Len())
}
