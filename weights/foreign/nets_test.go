package foreign

import (
	"archive/zip"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/pkg/errors"

	"vgg/weights"
)

// renamed is narrow with other names.
func renamed(rename func(string) string) []weights.Tensor {
	tensors := narrow()
	for i := range tensors {
		tensors[i].Name = rename(tensors[i].Name)
	}
	return tensors
}

func prefixed(prefix string) []weights.Tensor {
	return renamed(func(name string) string { return prefix + name })
}

// scaled is a net that is not narrow.
func scaled(tensors []weights.Tensor) []weights.Tensor {
	for _, t := range tensors {
		for i := range t.Data {
			t.Data[i] *= 2
		}
	}
	return tensors
}

func scalar(name string) weights.Tensor {
	return weights.Tensor{Name: name, Shape: []int{}, Data: []float32{1}}
}

func vector(name string) weights.Tensor {
	return weights.Tensor{Name: name, Shape: []int{2}, Data: []float32{1, 2}}
}

// TestPrefixes reads narrow from safetensors under other names, and wants notes that name what was cut or left out.
func TestPrefixes(t *testing.T) {
	replace := func(pairs ...string) func(string) string { return strings.NewReplacer(pairs...).Replace }
	for name, c := range map[string]struct {
		tensors []weights.Tensor
		notes   string // "" for none
	}{
		"plain":             {narrow(), ""},
		"parallel":          {prefixed("module."), "module."},
		"parallel features": {renamed(replace("features.", "features.module.")), "module."},
		"both parallel":     {renamed(replace("features.", "module.features.module.", "classifier.", "module.classifier.module.")), "module."},
		"compiled":          {prefixed("_orig_mod."), "_orig_mod."},
		"compiled parallel": {prefixed("_orig_mod.module."), "_orig_mod., module."},
		"parallel compiled": {prefixed("module._orig_mod."), "module., _orig_mod."},
		"compiled features": {renamed(replace("features.", "model.features._orig_mod.", "classifier.", "model.classifier.")), "model., _orig_mod."},
		"Lightning":         {prefixed("model."), "model."},
		"any":               {prefixed("my.Encoder_2."), "my.Encoder_2."},
		"number":            {prefixed("1."), "1."},
		"all at once":       {prefixed("module.model._orig_mod.net.module.backbone."), "model.net.backbone., module., _orig_mod."},
		"own classifier":    {renamed(replace("features.", "backbone.features.")), "backbone."},
		"own head":          {renamed(replace("features.", "backbone.features.", "classifier.", "head.classifier.")), "head., backbone."},
		"loss beside":       {append(prefixed("model."), vector("criterion.weight")), "left out: criterion.weight"},
		"counter beside":    {append(prefixed("module."), scalar("decay")), "left out: decay"},
		"average beside":    {append(scaled(prefixed("ema_model.")), prefixed("online_model.")...), "online_model is taken; it also has ema_model"},
		"part beside":       {append(prefixed("model."), vector("lpips.features.0.bias")), "model."},
		"first torchvision": {renamed(replace("classifier.0", "classifier.1", "classifier.3", "classifier.4")), "classifier.1 is classifier.0, classifier.4 is classifier.3"},
		"no dropout":        {renamed(replace("classifier.3", "classifier.2", "classifier.6", "classifier.4")), "classifier.2 is classifier.3, classifier.4 is classifier.6"},
		"tenth":             {renamed(replace("classifier.3", "classifier.9", "classifier.6", "classifier.10")), "classifier.10 is classifier.6"},
		"new last layer":    {renamed(replace("classifier.6", "model.classifier.6.1", "classifier", "model.classifier", "features", "model.features")), "classifier.6.1 is classifier.6"},
	} {
		t.Run(name, func(t *testing.T) {
			slices.Reverse(c.tensors)
			f, err := decode(encode(t, weights.File{Metadata: map[string]string{"format": "pt"}, Tensors: c.tensors}))
			if err != nil {
				t.Fatal(err)
			}
			wantNarrow(t, f, weights.TorchVision)
			if notes := strings.Join(f.Notes, "\n"); !strings.Contains(notes, c.notes) || (c.notes == "") != (notes == "") {
				t.Errorf("notes %q, want %q", notes, c.notes)
			}
		})
	}
}

// TestDense reads fully connected layers that are stored as convolutions.
func TestDense(t *testing.T) {
	tensors := narrow()
	for i := range tensors {
		if t := &tensors[i]; strings.HasPrefix(t.Name, "classifier.") && len(t.Shape) == 2 {
			t.Shape = append(t.Shape, 1, 1)
		}
	}
	f, err := decode(encode(t, weights.File{Tensors: tensors}))
	if err != nil {
		t.Fatal(err)
	}
	wantNarrow(t, f, weights.TorchVision)
}

// A pair is an entry of a dict that pickle writes; several are a dict.
type pair struct {
	key   string
	value any // []weights.Tensor, []pair, or instructions of a pickle as a string
}

// torchZip writes dicts of tensors as torch.save does.
func torchZip(t testing.TB, dict []pair) []byte {
	files := [][2]string{{"a/data.pkl", ""}}
	text := func(s string) string { return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	number := func(n int) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	numbers := func(ns []int) string {
		s := "("
		for _, n := range ns {
			s += number(n)
		}
		return s + "t"
	}
	var write func(v any) string
	tensor := func(tensor weights.Tensor) string {
		key := fmt.Sprint(len(files) - 1)
		var data []byte
		for _, v := range tensor.Data {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		files = append(files, [2]string{"a/data/" + key, string(data)})
		strides, step := make([]int, len(tensor.Shape)), 1
		for d := len(strides) - 1; d >= 0; d-- {
			strides[d], step = step, step*tensor.Shape[d]
		}
		return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text(key) + text("cpu") +
			number(len(tensor.Data)) + "tQ" + number(0) + numbers(tensor.Shape) + numbers(strides) + "\x89NtR"
	}
	write = func(v any) string {
		s := "}("
		switch v := v.(type) {
		case string:
			return v
		case []pair:
			for _, p := range v {
				s += text(p.key) + write(p.value)
			}
		case []weights.Tensor:
			for _, t := range v {
				s += text(t.Name) + tensor(t)
			}
		}
		return s + "u"
	}
	files[0][1] = "\x80\x02" + write(dict) + "."
	return archive(t, zip.Store, files...)
}

// TestDicts reads narrow from checkpoints with other dicts and objects beside it.
func TestDicts(t *testing.T) {
	other := func() []weights.Tensor { return scaled(narrow()) }
	for name, c := range map[string]struct {
		dict  []pair
		named string
		notes string
	}{
		"state_dict":     {[]pair{{"epoch", "K\x03"}, {"state_dict", narrow()}}, "", ""},
		"unknown name":   {[]pair{{"vgg", narrow()}}, "", ""},
		"nested":         {[]pair{{"a", []pair{{"b", []pair{{"c", narrow()}}}}}}, "", ""},
		"model first":    {[]pair{{"other", other()}, {"model", narrow()}}, "", "model is taken; it also has other"},
		"order":          {[]pair{{"model", other()}, {"state_dict", narrow()}}, "", "state_dict is taken; it also has model"},
		"average behind": {[]pair{{"model_ema", other()}, {"model", narrow()}}, "", "model is taken; it also has model_ema"},
		"unknown plain":  {[]pair{{"swa", other()}, {"mine", narrow()}}, "", "mine is taken; it also has swa"},
		"only average":   {[]pair{{"ema", []pair{{"module", narrow()}, {"updates", "K\x01"}}}}, "", ""},
		"by dict":        {[]pair{{"student", other()}, {"teacher", narrow()}}, "teacher", "teacher is taken; it also has student"},
		"by path":        {[]pair{{"ema", []pair{{"net", narrow()}}}, {"model", other()}}, "ema.net", "ema.net is taken"},
		"by prefix":      {[]pair{{"state_dict", append(scaled(prefixed("a.")), prefixed("b.")...)}}, "b", "state_dict.b is taken; it also has state_dict.a"},
		"by both":        {[]pair{{"state_dict", append(scaled(prefixed("a.")), prefixed("b.")...)}}, "state_dict.b.", "cut from the names of the tensors: b."},
		"velocities":     {[]pair{{"model", narrow()}, {"optimizer", []pair{{"state", []pair{{"features.0.weight", []weights.Tensor{vector("exp_avg")}}}}}}}, "", ""},
		"object beside":  {[]pair{{"args", "cargparse\nNamespace\n)\x81}(X\x02\x00\x00\x00lrK\x01ub"}, {"state_dict", narrow()}}, "", ""},
		"program beside": {[]pair{{"x", "cos\nsystem\n(X\x02\x00\x00\x00lstR"}, {"state_dict", narrow()}}, "", ""},
		"class beside":   {[]pair{{"x", "cbuiltins\neval\n"}, {"state_dict", narrow()}}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := decodeNet(torchZip(t, c.dict), c.named)
			if err != nil {
				t.Fatal(err)
			}
			wantNarrow(t, f, weights.TorchVision)
			if notes := strings.Join(f.Notes, "\n"); !strings.Contains(notes, c.notes) || (c.notes == "") != (notes == "") {
				t.Errorf("notes %q, want %q", notes, c.notes)
			}
		})
	}
}

// TestClassNames: names of classes that are saved beside a net are used, and said not to be where they do not fit.
func TestClassNames(t *testing.T) {
	text := func(s string) string { return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	five := "](" + text("a") + text("b") + text("c") + text("d") + text("e") + "e"
	numbers := "}(" + text("b") + "K\x01" + text("a") + "K\x00" + text("c") + "K\x02" + text("e") + "K\x04" + text("d") + "K\x03u"
	byNumber := "}(K\x00" + text("a") + text("1") + text("b") + "K\x02" + text("c") + "K\x03" + text("d") + "K\x04" + text("e") + "u"
	for name, c := range map[string]struct {
		key, value string
		used       bool
		note       string
	}{
		"list":           {"classes", five, true, "the classes are called a, b, c, d and 1 more, as classes beside the weights says"},
		"tuple":          {"CLASSES", "(" + text("a") + text("b") + text("c") + text("d") + text("e") + "t", true, "as CLASSES beside"},
		"numbers":        {"class_to_idx", numbers, true, "as class_to_idx beside"},
		"by number":      {"idx_to_class", byNumber, true, "as idx_to_class beside"},
		"deeper":         {"meta", "}(" + text("class_names") + five + "u", true, "as class_names beside"},
		"in a namespace": {"args", "cargparse\nNamespace\n)\x81}(" + text("classes") + five + "ub", true, "as classes beside"},
		"too few":        {"classes", "](" + text("a") + text("b") + "e", false, "classes beside the weights is not used: it does not name the 5 classes"},
		"one twice":      {"class_to_idx", strings.Replace(numbers, "K\x04", "K\x03", 1), false, "is not used"},
		"mean":           {"img_mean", five, false, "img_mean beside the weights is not used: give it in levels from 0 to 255"},
		"how many":       {"classes", "K\x05", false, ""},
		"none":           {"classes", "N", false, ""},
	} {
		f, err := decodeNet(torchZip(t, []pair{{c.key, c.value}, {"state_dict", narrow()}}), "")
		if err != nil {
			t.Fatal(name, err)
		}
		names, err := f.ClassNames()
		if notes := strings.Join(f.Notes, "\n"); err != nil || c.used != slices.Equal(names, []string{"a", "b", "c", "d", "e"}) || c.used == (names == nil) ||
			!strings.Contains(notes, c.note) || (c.note == "") != (notes == "") {
			t.Errorf("%s: %v, %v, notes %q", name, names, err, notes)
		}
	}
}

// TestNetsRefused: what cannot be decided, and what is no net of the paper, is said by name.
func TestNetsRefused(t *testing.T) {
	two := []pair{{"student", narrow()}, {"teacher", narrow()}}
	swap := func(name string, value string) []byte {
		var dict []pair
		for _, tensor := range narrow() {
			tensor := tensor
			if tensor.Name == name {
				dict = append(dict, pair{name, value})
			} else {
				dict = append(dict, pair{"", []weights.Tensor{tensor}})
			}
		}
		return torchZip(t, dict)
	}
	for name, c := range map[string]struct {
		file  []byte
		named string
		want  string
	}{
		"two dicts":      {torchZip(t, two), "", "student, teacher: several nets in one file"},
		"two averages":   {torchZip(t, []pair{{"ema", narrow()}, {"swa", narrow()}}), "", "ema, swa: several nets"},
		"two prefixes":   {encode(t, weights.File{Tensors: append(prefixed("a."), prefixed("b.module.")...)}), "", "a, b: several nets"},
		"not there":      {torchZip(t, two), "model", `no net "model" in the file: it has student, teacher`},
		"in safetensors": {encode(t, weights.File{Tensors: narrow()}), "ema", `no net "ema" in the file: it has the net without a prefix`},
		"in Caffe":       {caffemodel("V2", same), "ema", `no net "ema"`},
		"twice":          {encode(t, weights.File{Tensors: append(narrow(), prefixed("module.")...)}), "", "occurs twice"},
		"object":         {swap("features.0.weight", "cnumpy\nndarray\n)R"), "", "features.0.weight is a numpy.ndarray: want a tensor"},
		"ResNet":         {encode(t, weights.File{Tensors: []weights.Tensor{vector("conv1.weight"), vector("layer1.0.bn1.bias")}}), "", "its tensors are conv1.weight, layer1.0.bn1.bias"},
		"no tensors":     {torchZip(t, []pair{{"epoch", "K\x01"}}), "", "it holds no tensors"},
		"batch norm":     {torchZip(t, []pair{{"model", append(prefixed("module."), vector("module.features.1.running_mean"))}}), "", "batch normalisation"},
		"TorchScript":    {archive(t, zip.Store, [2]string{"a/data.pkl", ""}, [2]string{"a/constants.pkl", ""}), "", "TorchScript"},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := decodeNet(c.file, c.named)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("read %+v, error %v, want %q", f, err, c.want)
			}
			if several := strings.Contains(c.want, "several nets"); errors.Is(err, ErrSeveral) != several {
				t.Errorf("error %v is ErrSeveral: %t", err, !several)
			}
		})
	}
}

// TestPartialMetadata: what names and shapes tell is filled in; mean and deviation are, only where a file has nothing
// of ours.
func TestPartialMetadata(t *testing.T) {
	for name, c := range map[string]struct {
		metadata map[string]string
		missing  []string
	}{
		"none":          {nil, nil},
		"another's":     {map[string]string{"format": "pt", "epoch": "3"}, nil},
		"config":        {map[string]string{"config": "A"}, []string{"mean", "std"}},
		"names":         {map[string]string{"class_names": `["a","b","c","d","e"]`}, []string{"mean", "std"}},
		"mean":          {map[string]string{"mean": "1,2,3"}, []string{"std"}},
		"normalisation": {map[string]string{"mean": "1,2,3", "std": "1,1,1"}, nil},
	} {
		f, err := decode(encode(t, weights.File{Metadata: c.metadata, Tensors: narrow()}))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		info, err := f.Info()
		var missing *weights.MissingKeysError
		if errors.As(err, &missing) != (c.missing != nil) || missing != nil && !slices.Equal(missing.Keys, c.missing) {
			t.Errorf("%s: error %v, want the missing keys %v", name, err, c.missing)
		}
		if assumed := c.metadata["config"] == "" && c.metadata["class_names"] == "" && c.metadata["mean"] == ""; (f.Assumed != "") != assumed {
			t.Errorf("%s: assumed %q", name, f.Assumed)
		}
		if err == nil && (info.Config != "A" || info.FC != 3 || len(info.Classes) != 5 || info.Input != 32) {
			t.Errorf("%s: %+v", name, info)
		}
	}
}

// TestReshaped: a net of the paper with other channels, as pruning leaves it, is one of its own.
func TestReshaped(t *testing.T) {
	tensors := narrow()
	for i := range tensors {
		switch t := &tensors[i]; t.Name {
		case "features.3.weight":
			t.Shape, t.Data = []int{7, 1, 3, 3}, make([]float32, 7*9)
		case "features.3.bias":
			t.Shape, t.Data = []int{7}, make([]float32, 7)
		case "features.6.weight":
			t.Shape, t.Data = []int{4, 7, 3, 3}, make([]float32, 4*7*9)
		}
	}
	f, err := decode(encode(t, weights.File{Tensors: tensors}))
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.Info()
	if err != nil || info.Config != "like-A" || info.Width != 1 || !strings.HasPrefix(info.Layers, "conv3-1 maxpool conv3-7 maxpool conv3-4 conv3-4 maxpool") {
		t.Errorf("%+v, %v", info, err)
	}
}

// TestNotANet: a file without the three fully connected layers is refused by what it has.
func TestNotANet(t *testing.T) {
	tensors := slices.DeleteFunc(narrow(), func(t weights.Tensor) bool { return strings.HasPrefix(t.Name, "classifier.") })
	f, err := decode(encode(t, weights.File{Tensors: append(tensors, vector("classifier.bias"))}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Info(); err == nil || !strings.Contains(err.Error(), "it has no classifier.0.weight, classifier.3.weight, classifier.6.weight; its tensors are features.0.weight") {
		t.Errorf("error %v", err)
	}
}
