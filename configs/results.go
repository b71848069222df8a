package configs

// Count is a column of Table 2: the number of weights and biases of a net for 224×224 pixels and 1,000 classes.
type Count struct {
	Config   string
	Millions int // as the paper prints it
	Exact    int
}

// Table2 returns the numbers of parameters. A and A-LRN, which have the same number, share a column in the paper.
func Table2() []Count {
	return []Count{
		{"A", 133, 132_863_336},
		{"A-LRN", 133, 132_863_336},
		{"B", 133, 133_047_848},
		{"C", 134, 133_638_952},
		{"D", 138, 138_357_544},
		{"E", 144, 143_667_240},
	}
}

// Protocol is how a trained net is tested (section 3.2).
type Protocol string

const (
	Center    Protocol = "center"     // the crop from the middle; not in Tables 3 to 7
	Dense     Protocol = "dense"      // the net applied convolutionally to the whole picture and the mirrored picture
	MultiCrop Protocol = "multi-crop" // 50 crops at each scale: a grid of 5×5, and mirrored
	Both      Protocol = "both"       // the mean of the soft-max outputs of dense and multi-crop
)

// Protocols lists the protocols.
func Protocols() []Protocol { return []Protocol{Center, Dense, MultiCrop, Both} }

// The training scales of section 3.1. Treat as read-only.
var (
	S256   = Scale{256, 256}
	S384   = Scale{384, 384}
	Jitter = Scale{256, 512}
)

// TrainingScales lists the training scales of section 3.1.
func TrainingScales() []Scale { return []Scale{S256, S384, Jitter} }

// TestedNet is a trained net and its test scales, as Tables 3 to 6 list it.
type TestedNet struct {
	Config string // a column of Table 1
	Train  Scale  // S
	Test   []int  // Q: smaller sides in pixels; the soft-max outputs are averaged over them
}

func tested(config string, train Scale, test ...int) TestedNet { return TestedNet{config, train, test} }

// Evaluation is a row of Tables 3 to 5: one net on the validation set of ILSVRC-2012. Errors are in percent.
type Evaluation struct {
	TestedNet
	Protocol   Protocol
	Top1, Top5 float64
}

// Table3 returns the performance at a single test scale.
func Table3() []Evaluation {
	return []Evaluation{
		{tested("A", S256, 256), Dense, 29.6, 10.4},
		{tested("A-LRN", S256, 256), Dense, 29.7, 10.5},
		{tested("B", S256, 256), Dense, 28.7, 9.9},
		{tested("C", S256, 256), Dense, 28.1, 9.4},
		{tested("C", S384, 384), Dense, 28.1, 9.3},
		{tested("C", Jitter, 384), Dense, 27.3, 8.8},
		{tested("D", S256, 256), Dense, 27.0, 8.8},
		{tested("D", S384, 384), Dense, 26.8, 8.7},
		{tested("D", Jitter, 384), Dense, 25.6, 8.1},
		{tested("E", S256, 256), Dense, 27.3, 9.0},
		{tested("E", S384, 384), Dense, 26.9, 8.7},
		{tested("E", Jitter, 384), Dense, 25.5, 8.0},
	}
}

// Table4 returns the performance at several test scales.
func Table4() []Evaluation {
	return []Evaluation{
		{tested("B", S256, 224, 256, 288), Dense, 28.2, 9.6},
		{tested("C", S256, 224, 256, 288), Dense, 27.7, 9.2},
		{tested("C", S384, 352, 384, 416), Dense, 27.8, 9.2},
		{tested("C", Jitter, 256, 384, 512), Dense, 26.3, 8.2},
		{tested("D", S256, 224, 256, 288), Dense, 26.6, 8.6},
		{tested("D", S384, 352, 384, 416), Dense, 26.5, 8.6},
		{tested("D", Jitter, 256, 384, 512), Dense, 24.8, 7.5},
		{tested("E", S256, 224, 256, 288), Dense, 26.9, 8.7},
		{tested("E", S384, 352, 384, 416), Dense, 26.7, 8.6},
		{tested("E", Jitter, 256, 384, 512), Dense, 24.8, 7.5},
	}
}

// Table5 returns the comparison of the evaluation protocols.
func Table5() []Evaluation {
	return []Evaluation{
		{tested("D", Jitter, 256, 384, 512), Dense, 24.8, 7.5},
		{tested("D", Jitter, 256, 384, 512), MultiCrop, 24.6, 7.5},
		{tested("D", Jitter, 256, 384, 512), Both, 24.4, 7.2},
		{tested("E", Jitter, 256, 384, 512), Dense, 24.8, 7.5},
		{tested("E", Jitter, 256, 384, 512), MultiCrop, 24.6, 7.4},
		{tested("E", Jitter, 256, 384, 512), Both, 24.4, 7.1},
	}
}

// NotGiven stands for a number that the paper does not give.
const NotGiven = 0

// Fusion is a row of Table 6: several nets whose soft-max outputs are averaged. Errors are in percent.
type Fusion struct {
	Name       string
	Nets       []TestedNet
	Protocol   Protocol
	Top1, Top5 float64 // on the validation set of ILSVRC-2012
	TestTop5   float64 // on the test set; or NotGiven
}

// Table6 returns the fusions of nets: the submission to ILSVRC-2014, and the two best nets.
func Table6() []Fusion {
	submission := []TestedNet{
		tested("D", S256, 224, 256, 288), tested("D", S384, 352, 384, 416), tested("D", Jitter, 256, 384, 512),
		tested("C", S256, 224, 256, 288), tested("C", S384, 352, 384, 416),
		tested("E", S256, 224, 256, 288), tested("E", S384, 352, 384, 416),
	}
	best := []TestedNet{tested("D", Jitter, 256, 384, 512), tested("E", Jitter, 256, 384, 512)}
	return []Fusion{
		{"ILSVRC submission", submission, Dense, 24.7, 7.5, 7.3},
		{"D+E", best, Dense, 24.0, 7.1, 7.0},
		{"D+E", best, MultiCrop, 23.9, 7.2, NotGiven},
		{"D+E", best, Both, 23.7, 6.8, 6.8},
	}
}

// Result is a row of Table 7: one net, or several whose soft-max outputs are averaged. Errors are in percent; one that
// the paper leaves out is NotGiven.
type Result struct {
	Method   string
	Nets     int      // NotGiven where the paper only says "multiple"
	Protocol Protocol // "" for other authors' nets
	Top1     float64  // on the validation set of ILSVRC
	Top5     float64  // on the validation set
	TestTop5 float64  // on the test set
	Spanned  bool     // the paper has one cell for the two top-5 errors
}

// Table7 returns the comparison with the state of the art.
func Table7() []Result {
	return []Result{
		{"VGG", 2, Both, 23.7, 6.8, 6.8, false},
		{"VGG", 1, Both, 24.4, 7.1, 7.0, false},
		{"VGG (ILSVRC submission)", 7, Dense, 24.7, 7.5, 7.3, false},
		{"GoogLeNet", 1, "", NotGiven, 7.9, 7.9, true},
		{"GoogLeNet", 7, "", NotGiven, 6.7, 6.7, true},
		{"MSRA", 11, "", NotGiven, NotGiven, 8.1, false},
		{"MSRA", 1, "", 27.9, 9.1, 9.1, false},
		{"Clarifai", NotGiven, "", NotGiven, NotGiven, 11.7, false},
		{"Clarifai", 1, "", NotGiven, NotGiven, 12.5, false},
		{"Zeiler & Fergus", 6, "", 36.0, 14.7, 14.8, false},
		{"Zeiler & Fergus", 1, "", 37.5, 16.0, 16.1, false},
		{"OverFeat", 7, "", 34.0, 13.2, 13.6, false},
		{"OverFeat", 1, "", 35.7, 14.2, NotGiven, false},
		{"Krizhevsky et al.", 5, "", 38.1, 16.4, 16.4, false},
		{"Krizhevsky et al.", 1, "", 40.7, 18.2, NotGiven, false},
	}
}
