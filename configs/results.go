package configs

// Count is a column of Table 2: how many weights and biases a net has at
// 224×224 input and 1,000 classes.
type Count struct {
	Config   string
	Millions int // as printed
	Exact    int
}

// Table2 returns the numbers of parameters. The paper prints A and A-LRN, which
// share theirs, in one column.
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
	Center    Protocol = "center"     // one crop from the middle; not in Tables 3 to 7
	Dense     Protocol = "dense"      // fully convolutional over the whole picture and its mirror image
	MultiCrop Protocol = "multi-crop" // 50 crops a scale: a grid of 5×5, and mirrored
	Both      Protocol = "both"       // mean of the two soft-max outputs
)

// Protocols lists them.
func Protocols() []Protocol { return []Protocol{Center, Dense, MultiCrop, Both} }

// Evaluation is a row of Tables 3 to 5: one net on the ILSVRC-2012 validation
// set. Errors are in percent.
type Evaluation struct {
	Config     string
	Train      Scale // S
	Test       []int // Q, the smaller sides in pixels; outputs are averaged over them
	Protocol   Protocol
	Top1, Top5 float64
}

// The training scales of section 4. Treat as read-only.
var (
	S256   = Scale{256, 256}
	S384   = Scale{384, 384}
	Jitter = Scale{256, 512}
)

// Table3 returns the performance at a single test scale.
func Table3() []Evaluation {
	return []Evaluation{
		{"A", S256, []int{256}, Dense, 29.6, 10.4},
		{"A-LRN", S256, []int{256}, Dense, 29.7, 10.5},
		{"B", S256, []int{256}, Dense, 28.7, 9.9},
		{"C", S256, []int{256}, Dense, 28.1, 9.4},
		{"C", S384, []int{384}, Dense, 28.1, 9.3},
		{"C", Jitter, []int{384}, Dense, 27.3, 8.8},
		{"D", S256, []int{256}, Dense, 27.0, 8.8},
		{"D", S384, []int{384}, Dense, 26.8, 8.7},
		{"D", Jitter, []int{384}, Dense, 25.6, 8.1},
		{"E", S256, []int{256}, Dense, 27.3, 9.0},
		{"E", S384, []int{384}, Dense, 26.9, 8.7},
		{"E", Jitter, []int{384}, Dense, 25.5, 8.0},
	}
}

// Table4 returns the performance at several test scales.
func Table4() []Evaluation {
	return []Evaluation{
		{"B", S256, []int{224, 256, 288}, Dense, 28.2, 9.6},
		{"C", S256, []int{224, 256, 288}, Dense, 27.7, 9.2},
		{"C", S384, []int{352, 384, 416}, Dense, 27.8, 9.2},
		{"C", Jitter, []int{256, 384, 512}, Dense, 26.3, 8.2},
		{"D", S256, []int{224, 256, 288}, Dense, 26.6, 8.6},
		{"D", S384, []int{352, 384, 416}, Dense, 26.5, 8.6},
		{"D", Jitter, []int{256, 384, 512}, Dense, 24.8, 7.5},
		{"E", S256, []int{224, 256, 288}, Dense, 26.9, 8.7},
		{"E", S384, []int{352, 384, 416}, Dense, 26.7, 8.6},
		{"E", Jitter, []int{256, 384, 512}, Dense, 24.8, 7.5},
	}
}

// Table5 returns the comparison of the evaluation protocols.
func Table5() []Evaluation {
	return []Evaluation{
		{"D", Jitter, []int{256, 384, 512}, Dense, 24.8, 7.5},
		{"D", Jitter, []int{256, 384, 512}, MultiCrop, 24.6, 7.5},
		{"D", Jitter, []int{256, 384, 512}, Both, 24.4, 7.2},
		{"E", Jitter, []int{256, 384, 512}, Dense, 24.8, 7.5},
		{"E", Jitter, []int{256, 384, 512}, MultiCrop, 24.6, 7.4},
		{"E", Jitter, []int{256, 384, 512}, Both, 24.4, 7.1},
	}
}

// NotGiven stands in a [Result] where the paper gives no figure.
const NotGiven = 0

// Result is a row of Tables 6 and 7: one or several nets whose soft-max outputs
// are averaged. Errors are in percent. A figure that the paper leaves out is
// NotGiven; the protocol of other authors' nets is "".
type Result struct {
	Method   string
	Nets     int // NotGiven where the paper only says "multiple"
	Protocol Protocol
	Top1     float64 // ILSVRC validation set
	Top5     float64 // ILSVRC validation set
	TestTop5 float64 // ILSVRC test set
}

// Table6 returns the fusion of several nets. D+E are the two nets trained with
// scale jittering, tested at 256, 384 and 512.
func Table6() []Result {
	return []Result{
		{"ILSVRC submission", 7, Dense, 24.7, 7.5, 7.3},
		{"D+E", 2, Dense, 24.0, 7.1, 7.0},
		{"D+E", 2, MultiCrop, 23.9, 7.2, NotGiven},
		{"D+E", 2, Both, 23.7, 6.8, 6.8},
	}
}

// Table7 returns the comparison with the state of the art.
func Table7() []Result {
	return []Result{
		{"VGG", 2, Both, 23.7, 6.8, 6.8},
		{"VGG", 1, Both, 24.4, 7.1, 7.0},
		{"VGG (ILSVRC submission)", 7, Dense, 24.7, 7.5, 7.3},
		{"GoogLeNet", 1, "", NotGiven, 7.9, NotGiven},
		{"GoogLeNet", 7, "", NotGiven, 6.7, 6.7},
		{"MSRA", 11, "", NotGiven, NotGiven, 8.1},
		{"MSRA", 1, "", 27.9, 9.1, 9.1},
		{"Clarifai", NotGiven, "", NotGiven, NotGiven, 11.7},
		{"Clarifai", 1, "", NotGiven, NotGiven, 12.5},
		{"Zeiler & Fergus", 6, "", 36.0, 14.7, 14.8},
		{"Zeiler & Fergus", 1, "", 37.5, 16.0, 16.1},
		{"OverFeat", 7, "", 34.0, 13.2, 13.6},
		{"OverFeat", 1, "", 35.7, 14.2, NotGiven},
		{"Krizhevsky et al.", 5, "", 38.1, 16.4, 16.4},
		{"Krizhevsky et al.", 1, "", 40.7, 18.2, NotGiven},
	}
}
