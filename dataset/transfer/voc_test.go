package transfer

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vgg/boxes"
	"vgg/internal/archive/archivetest"
)

// ids are the samples of a split, with their targets.
func ids(s *Set, samples []int) string {
	var words []string
	k := len(s.Classes)
	for _, i := range samples {
		at := key{s.Samples[i].ID, s.Samples[i].Object}
		words = append(words, fmt.Sprintf("%s%v", strings.ReplaceAll(at.String(), "object ", "#"), s.Targets[i*k:][:k]))
	}
	return strings.Join(words, " ")
}

// open fails if the set cannot be read, and gives what was said.
func open(t *testing.T, spec string, o Options) (*Set, string) {
	t.Helper()
	var said []string
	o.Notice = func(message string) { said = append(said, message) }
	s, err := Open(spec, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s, strings.Join(said, "\n")
}

// VOC's folder is read wherever it lies, whole or in two parts, packed or not.
func TestVOC2007(t *testing.T) {
	archivetest.OwnCache(t)
	trainval, test := voc2007(t)
	const below = "VOCdevkit/VOC2007/"
	both := joined(below, trainval, test)
	tarOf := func(files map[string][]byte) []byte { return archivetest.Tar(t, joined(below, files)) }
	for name, spec := range map[string]string{
		"its parent":         archivetest.Folder(t, both),
		"itself":             filepath.Join(archivetest.Folder(t, both), below),
		"a tar":              archivetest.File(t, "all.tar", archivetest.Tar(t, both)),
		"a tar.gz":           archivetest.File(t, "all.tgz", archivetest.Gzip(archivetest.Tar(t, both))),
		"a zip":              archivetest.File(t, "archive.zip", archivetest.Zip(t, "", both)),
		"two tars":           archivetest.Folder(t, map[string][]byte{"VOCtrainval_06-Nov-2007.tar": tarOf(trainval), "VOCtest_06-Nov-2007.tar": tarOf(test)}),
		"one of two tars":    archivetest.Folder(t, joined("", joined(below, trainval), map[string][]byte{"VOCtest_06-Nov-2007.tar": tarOf(test)})),
		"a tar and its copy": archivetest.Folder(t, joined("", both, map[string][]byte{"VOCtest_06-Nov-2007.tar": tarOf(test)})),
		"two folders":        archivetest.Folder(t, joined("", joined("VOCtrainval_06-Nov-2007/"+below, trainval), joined("VOCtest_06-Nov-2007/"+below, test))),
	} {
		s, said := open(t, spec, Options{})
		if !slices.Equal(s.Classes, []string{"cat", "train"}) || s.Year != 2007 || s.Metric != AP2007 || s.Unlabelled || len(s.Splits) != 1 {
			t.Errorf("%s: %v, year %d, %s, unlabelled %v", name, s.Classes, s.Year, s.Metric, s.Unlabelled)
		}
		if name == "itself" && !strings.HasSuffix(strings.TrimSpace(said), ": VOC-2007 in VOC2007") {
			t.Errorf("%s: said %q", name, said)
		}
		for _, part := range []struct {
			samples []int
			want    string
		}{
			{s.Splits[0].Train, "000005[1 -1] 000007[-1 1] 000009[1 1] 000011[0 -1]"},
			{s.Splits[0].Val, "000012[1 -1] 000016[-1 1]"},
			{s.Splits[0].Test, "000001[-1 1] 000002[0 0] 000003[1 0]"},
		} {
			if got := ids(s, part.samples); got != part.want {
				t.Errorf("%s: %s, want %s", name, got, part.want)
			}
		}
		if !strings.Contains(said, "VOC-2007 in ") || strings.Contains(said, "no test pictures") {
			t.Errorf("%s: said %q", name, said)
		}
		for i := range s.Samples {
			p, box, err := s.Located(i)
			if err != nil || p.Width != 8 || p.Height != 6 || box != boxes.Unit || s.Pictures.Label(i) != -1 {
				t.Errorf("%s: picture %s of %d×%d, box %v, error %v", name, s.Pictures.Name(i), p.Width, p.Height, box, err)
			}
		}
	}
	s, said := open(t, archivetest.File(t, "VOCtrainval_06-Nov-2007.tar", tarOf(trainval)), Options{})
	if len(s.Splits[0].Test) != 0 || !strings.Contains(said, "no test pictures") {
		t.Errorf("%d test pictures, said %q", len(s.Splits[0].Test), said)
	}
}

// The 0 of a class counts neither for it nor against it.
func TestMeasureVOC(t *testing.T) {
	trainval, test := voc2007(t)
	s, _ := open(t, archivetest.Folder(t, joined("VOC2007/", trainval, test)), Options{})
	mean, each, err := s.Measure([]float32{2, 1, 9, 9, 1, 9}, s.Splits[0].Test) // the second picture is of no class
	if err != nil || mean != 75 || !slices.Equal(each, []float64{50, 100}) {
		t.Errorf("mean %g of %v, error %v", mean, each, err)
	}
}

// The labels of VOC-2012's test pictures are on a server, with or without lists of zeros.
func TestVOC2012(t *testing.T) {
	files := voc2012(t)
	zeros := changed(files, "ImageSets/Main/cat_test.txt", "2012_1 0\n2012_2 0\n", "ImageSets/Main/dog_test.txt", "2012_1 0\n2012_2 0\n")
	for _, files := range []map[string][]byte{files, zeros} {
		s, said := open(t, archivetest.Folder(t, joined("VOCdevkit/VOC2012/", files)), Options{})
		if !s.Unlabelled || s.Metric != AP2010 || ids(s, s.Splits[0].Test) != "2012_1[0 0] 2012_2[0 0]" || !strings.Contains(said, "no labels of the 2 test samples") {
			t.Errorf("unlabelled %v, %s, test %s, said %q", s.Unlabelled, s.Metric, ids(s, s.Splits[0].Test), said)
		}
		dir := filepath.Join(t.TempDir(), "results")
		paths, err := s.WriteResults(dir, []float32{0.5, -1.25, 1e-7, 3})
		if err != nil || len(paths) != 2 || filepath.Base(paths[1]) != "comp2_cls_test_dog.txt" {
			t.Fatalf("%v, error %v", paths, err)
		}
		data, err := os.ReadFile(paths[0])
		if err != nil || string(data) != "2012_1 0.5\n2012_2 0.0000001\n" {
			t.Errorf("%q, error %v", data, err)
		}
		got, err := ParseResults(data, Classification)
		if want := []Result{{"2012_1", 0, 0.5}, {"2012_2", 0, 1e-7}}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, error %v, want %v", got, err, want)
		}
	}
}

func TestActions(t *testing.T) {
	files := voc2012(t)
	bare := changed(files, "ImageSets/Action/test.txt", "2012_1\n") // without numbers: all people
	for _, files := range []map[string][]byte{files, bare} {
		s, said := open(t, archivetest.Folder(t, joined("VOC2012/", files)), Options{Task: Action})
		for _, part := range []struct {
			samples []int
			want    string
		}{
			{s.Splits[0].Train, "#2 of 2008_1[1 -1] #3 of 2008_1[-1 1]"},
			{s.Splits[0].Val, "#1 of 2008_3[-1 1] #2 of 2008_3[1 -1]"},
			{s.Splits[0].Test, "#1 of 2012_1[0 0] #3 of 2012_1[0 0]"},
		} {
			got := strings.Fields(ids(s, part.samples))
			if slices.Sort(got); !slices.Equal(got, sortedFields(part.want)) {
				t.Errorf("%v, want %s", got, part.want)
			}
		}
		if !slices.Equal(s.Classes, []string{"reading", "running"}) || s.Pictures.Len() != 3 || !s.Unlabelled || !strings.Contains(said, "1 with edges in the wrong order") {
			t.Errorf("%v, %d pictures, unlabelled %v, said %q", s.Classes, s.Pictures.Len(), s.Unlabelled, said)
		}
		// Pixels are counted from 1, the last inclusive.
		if _, box, err := s.Located(s.Splits[0].Train[0]); err != nil || !same(box, boxes.Box{XMin: 2. / 8, YMin: 1. / 6, XMax: 6. / 8, YMax: 5. / 6}) {
			t.Errorf("box %v, error %v", box, err)
		}
		paths, err := s.WriteResults(t.TempDir(), []float32{1, 2, 3, -4})
		if err != nil || len(paths) != 2 || filepath.Base(paths[1]) != "comp10_action_test_running.txt" {
			t.Fatalf("%v, error %v", paths, err)
		}
		data, err := os.ReadFile(paths[1])
		if err != nil || string(data) != "2012_1 1 2\n2012_1 3 -4\n" {
			t.Errorf("%q, error %v", data, err)
		}
		got, err := ParseResults(data, Action)
		if want := []Result{{"2012_1", 1, 2}, {"2012_1", 3, -4}}; err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v, error %v, want %v", got, err, want)
		}
	}
}

func sortedFields(text string) []string {
	words := strings.Fields(text)
	slices.Sort(words)
	return words
}

// Boxes without the picture's size are in pixels of the stored picture.
func TestBoxInPixels(t *testing.T) {
	files := voc2012(t)
	xml := strings.Replace(string(files["Annotations/2008_1.xml"]), "<size><width>8</width><height>6</height><depth>3</depth></size>", "", 1)
	s, _ := open(t, archivetest.Folder(t, joined("VOC2012/", changed(files, "Annotations/2008_1.xml", xml))), Options{Task: Action})
	if _, box, err := s.Located(0); err != nil || !same(box, boxes.Box{XMin: 2. / 8, YMin: 1. / 6, XMax: 6. / 8, YMax: 5. / 6}) {
		t.Errorf("box %v, error %v", box, err)
	}
	xml = strings.ReplaceAll(xml, "<xmin>3<", "<xmin>30<")
	xml = strings.ReplaceAll(xml, "<xmax>6<", "<xmax>60<")
	s, _ = open(t, archivetest.Folder(t, joined("VOC2012/", changed(files, "Annotations/2008_1.xml", xml))), Options{Task: Action})
	if _, box, err := s.Located(0); err == nil || !strings.Contains(err.Error(), "object 2 is outside the picture") {
		t.Errorf("box %v, error %v", box, err)
	}
}

func TestVOCErrors(t *testing.T) {
	trainval, test := voc2007(t)
	files := joined("", trainval, test)
	actions := voc2012(t)
	const main, action = "ImageSets/Main/", "ImageSets/Action/"
	for want, c := range map[string]struct {
		files map[string][]byte
		o     Options
	}{
		"class cat has no positive sample in ImageSets/Main/cat_val.txt: restore it":          {files: changed(files, main+"cat_val.txt", "000012 -1\n000016 0\n")},
		"class cat has no negative sample in ImageSets/Main/cat_train.txt":                    {files: changed(files, main+"cat_train.txt", "000005 1\n000007 0\n000009 1\n000011 1\n")},
		"the list test names 1 pictures that are not in JPEGImages (000002): unpack them too": {files: changed(files, "JPEGImages/000002.jpg", "")},
		"ImageSets/Main/cat_train.txt: line 2: unknown label \"2\": want 1":                   {files: changed(files, main+"cat_train.txt", "000005 1\n000007 2\n")},
		"ImageSets/Main/cat_train.txt: line 1: 3 words: want ID LABEL":                        {files: changed(files, main+"cat_train.txt", "000005 1 1\n")},
		"ImageSets/Main/cat_val.txt has no label of 000016: restore it":                       {files: changed(files, main+"cat_val.txt", "000012 1\n")},
		"ImageSets/Main/cat_val.txt names 000099, which is not in the list val":               {files: changed(files, main+"cat_val.txt", "000012 1\n000016 -1\n000099 1\n")},
		"ImageSets/Main/cat_val.txt names 000012 twice":                                       {files: changed(files, main+"cat_val.txt", "000012 1\n000016 -1\n000012 1\n")},
		"000005 is in the list train and again in val":                                        {files: changed(files, main+"val.txt", "000005\n")},
		"ImageSets/Main/val.txt: no line in it":                                               {files: changed(files, main+"val.txt", "\n")},
		"no ImageSets/Main/val.txt: restore it":                                               {files: changed(files, main+"val.txt", "")},
		"no ImageSets/Main/test.txt: restore it":                                              {files: changed(files, main+"test.txt", "")},
		"no list ImageSets/Main/CLASS_val.txt of cat: restore it":                             {files: changed(files, main+"cat_val.txt", "")},
		"no list ImageSets/Main/CLASS_test.txt of train: restore it":                          {files: changed(files, main+"train_test.txt", "")},
		"no lists CLASS_train.txt in ImageSets/Action/":                                       {files: files, o: Options{Task: Action}},
		"no VOC2012 in it, but 2007":                                                          {files: files, o: Options{Year: 2012}},
		`task "x": want classification or action`:                                             {files: files, o: Options{Task: "x"}},
		"no Annotations/2008_3.xml of picture 2008_3: unpack it too":                          {files: changed(actions, "Annotations/2008_3.xml", ""), o: Options{Task: Action}},
		"a list names object 2 of 2008_3, whose annotation has 1":                             {files: changed(actions, "Annotations/2008_3.xml", annotation(object("person", 1, 1, 2, 2))), o: Options{Task: Action}},
		"Annotations/2008_3.xml: a box is outside the picture":                                {files: changed(actions, "Annotations/2008_3.xml", annotation(object("person", 20, 1, 30, 2))), o: Options{Task: Action}},
		"Annotations/2008_3.xml: no XML file of boxes":                                        {files: changed(actions, "Annotations/2008_3.xml", "x"), o: Options{Task: Action}},
		"ImageSets/Action/running_val.txt: line 1: \"0\" is no number of an object":           {files: changed(actions, action+"running_val.txt", "2008_3 0 1\n"), o: Options{Task: Action}},
		"ImageSets/Action/running_val.txt: line 1: \"../x\" is no id":                         {files: changed(actions, action+"running_val.txt", "../x 1 1\n"), o: Options{Task: Action}},
		"ImageSets/Action/reading_val.txt has no label of object 2 of 2008_3":                 {files: changed(actions, action+"reading_val.txt", "2008_3 1 1\n"), o: Options{Task: Action}},
		"ImageSets/Action/test.txt: line 2: 1 words: want ID OBJECT":                          {files: changed(actions, action+"test.txt", "2012_1 1\n2012_1\n"), o: Options{Task: Action}},
	} {
		year := "VOC2007/"
		if c.o.Task == Action && !strings.HasPrefix(want, "no lists") {
			year = "VOC2012/"
		}
		refused(t, archivetest.Folder(t, joined(year, c.files)), c.o, want)
	}
	refused(t, archivetest.Folder(t, joined("", joined("VOC2007/", files), joined("VOC2012/", actions))), Options{}, "VOC of several years (2007 2012): give the year")
	refused(t, archivetest.Folder(t, joined("kit/", files)), Options{}, "call its folder VOC2007 or VOC2012")
	refused(t, archivetest.Folder(t, joined("", joined("a/VOC2007/", files), joined("b/VOC2007/", changed(test, main+"test.txt", "000001\n")))), Options{}, "ImageSets/Main/test.txt differs in ")
	refused(t, archivetest.Folder(t, map[string][]byte{"VOCtest.tar": []byte("PK\x03\x04")}), Options{}, "VOCtest.tar")
	refused(t, archivetest.Folder(t, caltech(t, map[string]int{"a": 3, "b": 3})), Options{Task: Action}, "actions are read from VOC's sets only")
}

// refused fails if a set is not refused in one line with what is wanted in it.
func refused(t *testing.T, spec string, o Options, want string) {
	t.Helper()
	s, err := Open(spec, o)
	if err == nil {
		s.Close()
		t.Errorf("no error, want %q", want)
	} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") || !strings.HasPrefix(err.Error(), "dataset") {
		t.Errorf("%v, want %q", err, want)
	}
}

// One of several years can be chosen.
func TestYear(t *testing.T) {
	trainval, test := voc2007(t)
	dir := archivetest.Folder(t, joined("VOCdevkit/", joined("VOC2007/", trainval, test), joined("VOC2012/", voc2012(t))))
	for _, year := range []int{2007, 2012} {
		if s, _ := open(t, dir, Options{Year: year}); s.Year != year {
			t.Errorf("year %d, want %d", s.Year, year)
		}
	}
}

func TestWriteResultsErrors(t *testing.T) {
	s, _ := open(t, archivetest.Folder(t, joined("VOC2012/", voc2012(t))), Options{})
	for want, scores := range map[string][]float32{
		"3 scores are not those of 2 samples and 2 classes": {1, 2, 3},
		"the score of 2012_2 for class dog is NaN":          {1, 2, 3, float32(nan())},
	} {
		if _, err := s.WriteResults(t.TempDir(), scores); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	classes, _ := open(t, archivetest.Folder(t, caltech(t, map[string]int{"a": 3, "b": 3})), Options{Train: 2})
	if _, err := classes.WriteResults(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "result files are VOC's") {
		t.Errorf("error %v", err)
	}
	for want, text := range map[string]string{"line 2: before its score: 0 words: want ID": "a 1\n2\n", `line 1: "x" is no score`: "a x\n", `line 1: "NaN" is no score`: "a NaN"} {
		if _, err := ParseResults([]byte(text), Classification); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

func FuzzLists(f *testing.F) {
	f.Add([]byte("000005 -1\n000007  1\r\n\n000009 0"))
	f.Add([]byte("2008_1 2 1\n2008_1 3 -1\n"))
	f.Add([]byte("2012_1 1 -0.25\n2012_1 3 1e-7\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, kind := range []form{{}, {object: true}, {label: true}, {true, true}} {
			lines, err := parseList(data, kind)
			for _, l := range lines {
				if err != nil || l.id == "" || strings.ContainsAny(l.id, "/\\ \n") || (l.object > 0) != kind.object || l.label < -1 || l.label > 1 || !kind.label && l.label != 0 {
					t.Errorf("%+v of %+v, error %v", l, kind, err)
				}
			}
		}
		for _, task := range []Task{Classification, Action} {
			results, err := ParseResults(data, task)
			for _, r := range results {
				if err != nil || r.ID == "" || (r.Object > 0) != (task == Action) || r.Score != r.Score {
					t.Errorf("%+v, error %v", r, err)
				}
			}
		}
	})
}
