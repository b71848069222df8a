package configs

// The tasks of ILSVRC that the paper's nets took part in.
const (
	Classification = "classification"
	Localisation   = "localisation"
)

// Entry is one that did well in a year's ILSVRC, as the paper says in the section named.
type Entry struct {
	Year    int
	Task    string
	Place   int
	Method  string // as in Table 7 or 10, if it is there
	Section string
}

// Winners are the entries whose places the paper gives: the winners, and its own second place.
func Winners() []Entry {
	return []Entry{
		{2011, Classification, 1, "Perronnin et al.", "1"}, // shallow features, the only ones
		{2012, Classification, 1, "Krizhevsky et al.", "1"},
		{2013, Classification, 1, "Clarifai", "4.5"},
		{2013, Localisation, 1, "OverFeat", "A"},
		{2014, Classification, 1, "GoogLeNet", "4.5"},
		{2014, Classification, 2, "VGG (ILSVRC submission)", "4.5"},
		{2014, Localisation, 1, "VGG", "A"},
	}
}

// Error is the entry's lowest top-5 error on ILSVRC's test set in Table 7 or 10, in percent, or NotGiven.
func (e Entry) Error() float64 {
	least := float64(NotGiven)
	lower := func(method string, v float64) {
		if method == e.Method && v != NotGiven && (least == NotGiven || v < least) {
			least = v
		}
	}
	if e.Task == Localisation {
		for _, r := range Table10() {
			lower(r.Method, r.Test)
		}
		return least
	}
	for _, r := range Table7() {
		lower(r.Method, r.TestTop5)
	}
	return least
}
