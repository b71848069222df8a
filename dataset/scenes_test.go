package dataset

import (
	"slices"
	"strings"
	"testing"
)

// TestSceneSettings: settings make other scenes of the same garments, whose kinds share none.
func TestSceneSettings(t *testing.T) {
	open := func(spec string) *Set {
		t.Helper()
		s, err := Open(EmbeddedScenes+spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	pixels := func(s Split, i int) []byte {
		t.Helper()
		p, err := s.Picture(i)
		if err != nil {
			t.Fatal(err)
		}
		return p.Pix
	}
	plain, endless := open(""), open(":pictures=20500,val_pictures=30,side=50,difficulty=0,val=development")
	if endless.Train.Len() != 20500 || endless.Val.Len() != 30 {
		t.Errorf("%d and %d scenes", endless.Train.Len(), endless.Val.Len())
	}
	if p, err := endless.Val.Picture(7); err != nil || p.Width != 50 || p.Height != 50 || p.Check() != nil {
		t.Errorf("%d×%d, %v", p.Width, p.Height, err)
	}
	second := 3 + endless.Train.(*sceneSplit).Garments()
	if endless.Train.Label(3) != endless.Train.Label(second) || slices.Equal(pixels(endless.Train, 3), pixels(endless.Train, second)) {
		t.Error("the second scene of a garment is the first, or of another class")
	}
	for i, want := range []int{0, 1, 0, 5} {
		place := []int{0, 1, second - 3, second + 2}[i]
		if got := endless.Train.(Repeated).Subject(place); got != want {
			t.Errorf("scene %d shows garment %d, not %d", place, got, want)
		}
	}
	if bags := open(":Bag").Val; bags.(Repeated).Subject(1) != bags.(*sceneSplit).places[1] || bags.(*sceneSplit).places[1] < 2 {
		t.Error("the subjects of some classes are not numbered as those of all")
	}
	if slices.Equal(pixels(plain.Val, 3), pixels(open(":difficulty=2").Val, 3)) || !slices.Equal(pixels(plain.Val, 3), pixels(open(":difficulty=1").Val, 3)) {
		t.Error("difficulty does not change what it should")
	}
	if !strings.Contains(endless.Name, "50×50, difficulty 0") || endless.Chosen() != "development garments" {
		t.Errorf("%s, %s", endless.Name, endless.Chosen())
	}

	// The garments of the three kinds, by their pixels.
	development, test := endless, open(":val=test,Shirt,Bag")
	if len(test.Classes) != 2 || test.Val.Len() >= 2000 || test.Val.Len() == 0 {
		t.Errorf("%v, %d scenes", test.Classes, test.Val.Len())
	}
	test = open(":val=test")
	kinds := map[string]string{}
	count := map[string]int{}
	for kind, s := range map[string]Split{"training": development.Train, "development": development.Val, "test": test.Val} {
		for g := range s.(*sceneSplit).Garments() {
			pixels := string(s.(*sceneSplit).Garment(g))
			if other := kinds[pixels]; other != "" && other != kind {
				t.Errorf("garment %d of %s is one of %s", g, kind, other)
			}
			kinds[pixels] = kind
			count[kind]++
		}
	}
	if count["training"]+count["development"] != 10000 || count["test"] != 2000 || count["development"] < 990 || count["development"] > 1010 {
		t.Errorf("%v garments", count)
	}
	if !slices.Equal(pixels(test.Train, 5), pixels(open(":val=development").Train, 5)) {
		t.Error("other training scenes for the test")
	}
}

// TestSceneErrors: settings that no scene can have are refused.
func TestSceneErrors(t *testing.T) {
	for spec, want := range map[string]string{
		"side=23":              "side=23 must be a whole number of pixels from 24 to 1024",
		"side=":                "side= must be",
		"difficulty=-1":        "from 0 to 2.5",
		"difficulty=NaN":       "from 0 to 2.5",
		"pictures=0":           "pictures=0 must be a whole number",
		"val_pictures=1e9":     "val_pictures=1e9 must be",
		"val=train":            "development or test",
		"dificulty=1":          `no setting "dificulty"`,
		"Shirt,Shirt,side=30":  "class Shirt twice",
		"side=30,,difficulty=": "difficulty= must be",
	} {
		if _, err := Open(EmbeddedScenes+":"+spec, Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", spec, err, want)
		}
	}
}

// TestScenesAreKept: a scene is drawn once, unless there are more than fit in memory, and is the same either way.
func TestScenesAreKept(t *testing.T) {
	var sets []*Set
	for _, spec := range []string{":pictures=300,side=64", ":pictures=200000,side=64"} {
		s, err := Open(EmbeddedScenes+spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		sets = append(sets, s)
	}
	for k, want := range []int{1, 2} {
		train := sets[k].Train.(*sceneSplit)
		drawn := map[*byte]bool{}
		for range 2 {
			p, err := train.Picture(7)
			if err != nil {
				t.Fatal(err)
			}
			drawn[&p.Pix[0]] = true
		}
		if len(drawn) != want {
			t.Errorf("of %d scenes, one was drawn %d times, want %d", train.Len(), len(drawn), want)
		}
		p, _, err := train.Located(7)
		if first, _ := sets[0].Train.Picture(7); err != nil || !slices.Equal(p.Pix, first.Pix) {
			t.Errorf("of %d scenes, one differs: %v", train.Len(), err)
		}
	}
}
