package configs

// Regression is which boxes a localisation net predicts (appendix A). A box is four numbers: the centre's x and y, the
// width and the height.
type Regression string

// The values of Boxes.Regression, and "" for a net that classifies.
const (
	RegressPerClass Regression = "per-class" // PCR: four outputs for each class
	RegressSingle   Regression = "single"    // SCR: four outputs, one box whatever the class
)

// BoxNumbers is how many numbers describe a box.
const BoxNumbers = 4

// Outputs is the number of outputs of the last layer of a net for a number of classes.
func (r Regression) Outputs(classes int) int {
	switch r {
	case RegressPerClass:
		return BoxNumbers * classes
	case RegressSingle:
		return BoxNumbers
	}
	return classes
}

// BoxOf is the box that a net predicts for a class. If there are only four outputs, it is the same for all classes.
func BoxOf(outputs []float32, class int) []float32 {
	if len(outputs) == BoxNumbers {
		class = 0
	}
	return outputs[BoxNumbers*class:][:BoxNumbers]
}

// BoxTarget is which of a picture's boxes of its class is the one to be predicted, where there are several.
type BoxTarget string

// The values of Boxes.Target. Both choose among the boxes that are enough in view.
const (
	TargetLargest BoxTarget = "largest" // the one with the largest area in the crop
	TargetRandom  BoxTarget = "random"  // any, drawn anew in each epoch
)

// BoxLoss is what the Euclidean loss makes of the four differences of a box.
type BoxLoss string

// The values of Boxes.Loss.
const (
	LossSum  BoxLoss = "sum"  // half the sum of their squares
	LossMean BoxLoss = "mean" // the mean of their squares
)

// Factor multiplies the sum of the squares.
func (l BoxLoss) Factor() float32 {
	if l == LossMean {
		return 1. / BoxNumbers
	}
	return 0.5
}

// BoxTest is a row of Table 8: net D at S = 384 in test 1 of appendix A, on the central crop of the pictures of
// ILSVRC's validation set, with the box of the true class.
type BoxTest struct {
	AllLayers  bool // fine-tuned; otherwise the first two fully connected layers, and the new last one
	Regression Regression
	Error      float64 // in percent
}

// Table8 returns the comparison of the ways to train a localisation net. The paper leaves out SCR with all layers.
func Table8() []BoxTest {
	return []BoxTest{
		{false, RegressSingle, 36.4},
		{false, RegressPerClass, 34.3},
		{true, RegressPerClass, 33.1},
	}
}

// BoxEvaluation is a row of Table 9: test 2 of appendix A, with one net or several whose boxes are joined. Regression
// is per class, and all layers are fine-tuned. The errors are top-5 localisation errors in percent; one that the paper
// leaves out is NotGiven.
type BoxEvaluation struct {
	Nets []TestedNet
	Val  float64 // on the validation set of ILSVRC
	Test float64
}

// Table9 returns the results of the whole procedure.
func Table9() []BoxEvaluation {
	small, large := tested("D", S256, 256), tested("D", S384, 352, 384)
	return []BoxEvaluation{
		{[]TestedNet{small}, 29.5, NotGiven},
		{[]TestedNet{tested("D", S384, 384)}, 28.2, 26.7},
		{[]TestedNet{large}, 27.5, NotGiven},
		{[]TestedNet{small, large}, 26.9, 25.3},
	}
}

// BoxResult is a row of Table 10. The errors are as in Table 9.
type BoxResult struct {
	Method    string
	Val, Test float64
}

// Table10 returns the comparison with the state of the art in localisation.
func Table10() []BoxResult {
	return []BoxResult{
		{"VGG", 26.9, 25.3},
		{"GoogLeNet", NotGiven, 26.7},
		{"OverFeat", 30.0, 29.9},
		{"Krizhevsky et al.", NotGiven, 34.2},
	}
}
