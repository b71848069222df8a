package configs

// Recall is a mean class recall over random splits and its deviation (±), in percent; NotGiven if the paper leaves it
// out.
type Recall struct{ Mean, Deviation float64 }

// Generalisation is a row of Table 11: how features of nets trained on ILSVRC do on other data sets, with a linear SVM.
// What the paper leaves out is NotGiven.
type Generalisation struct {
	Method                 string
	Nets                   []string // columns of Table 1 whose features are stacked; nil for other authors' methods
	Classes                int      // that the nets were trained on, where the paper marks more than ILSVRC's 1,000
	VOC2007, VOC2012       float64  // mean average precision on the test set, in percent
	Caltech101, Caltech256 Recall
}

// Table11 returns the comparison of features on VOC-2007, VOC-2012, Caltech-101 and Caltech-256. Wei et al., whose two
// results on each VOC share a row in the paper, have two rows.
func Table11() []Generalisation {
	none := Recall{NotGiven, NotGiven}
	return []Generalisation{
		{"Zeiler & Fergus", nil, NotGiven, NotGiven, 79.0, Recall{86.5, 0.5}, Recall{74.2, 0.3}},
		{"Chatfield et al.", nil, NotGiven, 82.4, 83.2, Recall{88.4, 0.6}, Recall{77.6, 0.1}},
		{"He et al.", nil, NotGiven, 82.4, NotGiven, Recall{93.4, 0.5}, none},
		{"Wei et al.", nil, NotGiven, 81.5, 81.7, none, none},
		{"Wei et al.", nil, 2000, 85.2, 90.3, none, none},
		{"VGG", []string{"D"}, NotGiven, 89.3, 89.0, Recall{91.8, 1.0}, Recall{85.0, 0.2}},
		{"VGG", []string{"E"}, NotGiven, 89.3, 89.0, Recall{92.3, 0.5}, Recall{85.1, 0.3}},
		{"VGG", []string{"D", "E"}, NotGiven, 89.7, 89.3, Recall{92.7, 0.5}, Recall{86.2, 0.3}},
	}
}

// Action is a row of Table 12: the classification of single-image actions of VOC-2012.
type Action struct {
	Method  string
	Nets    []string // columns of Table 1 whose features are stacked; nil for other authors' methods
	Classes int      // that the nets were trained on, where the paper marks more than ILSVRC's 1,000
	Box     bool     // the features of the person's box are stacked on those of the whole picture; of our rows alone
	MeanAP  float64  // mean average precision on the test set, in percent
}

// Table12 returns the comparison on the actions of VOC-2012.
func Table12() []Action {
	return []Action{
		{"Oquab et al.", nil, 1512, false, 70.2},
		{"Gkioxari et al.", nil, NotGiven, false, 73.6},
		{"Hoai", nil, NotGiven, false, 76.3},
		{"VGG", []string{"D", "E"}, NotGiven, false, 79.2},
		{"VGG", []string{"D", "E"}, NotGiven, true, 84.0},
	}
}
