package onnx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"gorgonia.org/gorgonia"

	"vgg/configs"
	"vgg/graph"
	"vgg/weights"
)

// narrow is a net of 64×64 pictures with random weights, and biases that are not zero.
func narrow(t testing.TB, config configs.Config, channels int) weights.File {
	t.Helper()
	info := weights.Info{
		Config: config.Name, Layers: weights.LayersOf(config), Width: 1.0 / 32, FC: 12, Input: 64, Channels: channels, Classes: []string{"cat", "dög", "emu"},
		Mean: []float64{123.68, 116.779, 103.939}[:channels], Std: []float64{58.4, 57.1, 57.4}[:channels], ValTop1Error: math.NaN(),
	}
	x := graph.NewInput(gorgonia.NewGraph(), 1, channels, 64, 64)
	net, err := graph.Build(x, config, graph.Options{Classes: 3, Width: info.Width, FC: info.FC, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	tensors := net.Tensors()
	for _, tensor := range tensors {
		for i := range tensor.Data {
			tensor.Data[i] += float32(i%7) / 8
		}
	}
	return weights.File{Metadata: info.Metadata(), Tensors: tensors}
}

// fields is a parsed message: by field, what stood there in turn. Numbers are uint64, the rest bytes.
type fields map[protowire.Number][]any

func parse(t testing.TB, b []byte) fields {
	t.Helper()
	f := fields{}
	for len(b) > 0 {
		number, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		var value any
		switch kind {
		case protowire.VarintType:
			value, n = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var bits uint32
			bits, n = protowire.ConsumeFixed32(b)
			value = math.Float32frombits(bits)
		case protowire.BytesType:
			value, n = protowire.ConsumeBytes(b)
		default:
			t.Fatalf("field %d has the wire type %d", number, kind)
		}
		if n < 0 {
			t.Fatal(protowire.ParseError(n))
		}
		b = b[n:]
		f[number] = append(f[number], value)
	}
	return f
}

func (f fields) messages(t testing.TB, number protowire.Number) (all []fields) {
	t.Helper()
	for _, v := range f[number] {
		all = append(all, parse(t, v.([]byte)))
	}
	return all
}

func (f fields) message(t testing.TB, number protowire.Number) fields {
	t.Helper()
	all := f.messages(t, number)
	if len(all) != 1 {
		t.Fatalf("field %d occurs %d times, want once", number, len(all))
	}
	return all[0]
}

func (f fields) texts(number protowire.Number) (all []string) {
	for _, v := range f[number] {
		all = append(all, string(v.([]byte)))
	}
	return all
}

func (f fields) text(number protowire.Number) string { return strings.Join(f.texts(number), "|") }

func (f fields) ints(number protowire.Number) (all []int) {
	for _, v := range f[number] {
		all = append(all, int(v.(uint64)))
	}
	return all
}

// line writes a node as "name: value = Op(inputs) attribute=value …".
func line(t testing.TB, node fields) string {
	t.Helper()
	s := fmt.Sprintf("%s: %s = %s(%s)", node.text(3), node.text(2), node.text(4), strings.Join(node.texts(1), ", "))
	for _, a := range node.messages(t, 5) {
		switch kind := a.ints(20); {
		case slices.Equal(kind, []int{1}):
			s += fmt.Sprintf(" %s=%v", a.text(1), a[2][0])
		case slices.Equal(kind, []int{2}):
			s += fmt.Sprintf(" %s=%d", a.text(1), a.ints(3)[0])
		case slices.Equal(kind, []int{7}):
			s += fmt.Sprintf(" %s=%v", a.text(1), a.ints(8))
		default:
			t.Fatalf("attribute %s of type %v", a.text(1), kind)
		}
	}
	return s
}

// dims gives name and shape of a ValueInfoProto of float32.
func dims(t testing.TB, value fields) string {
	t.Helper()
	of := value.message(t, 2).message(t, 1)
	if kind := of.ints(1); !slices.Equal(kind, []int{1}) {
		t.Errorf("%s is of the type %v, want 1", value.text(1), kind)
	}
	s := value.text(1)
	for _, dim := range of.message(t, 2).messages(t, 1) {
		if s += " " + dim.text(2); dim[1] != nil {
			s += fmt.Sprint(dim.ints(1)[0])
		}
	}
	return s
}

func encoded(t testing.TB, f weights.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestNodes holds a whole graph against what it should be. The field numbers of these tests are onnx.proto's.
func TestNodes(t *testing.T) {
	model := parse(t, encoded(t, narrow(t, configs.ALRN, 3)))
	if v := model.ints(1); !slices.Equal(v, []int{7}) {
		t.Errorf("ir_version %v", v)
	}
	if o := model.message(t, 8); o.text(1) != "" || !slices.Equal(o.ints(2), []int{13}) {
		t.Errorf("opset_import %v", o)
	}
	g := model.message(t, 7)
	var got []string
	for _, node := range g.messages(t, 1) {
		got = append(got, line(t, node))
	}
	want := []string{
		"subtract_mean: centred = Sub(pixels, mean)",
		"divide_by_std: normalised = Div(centred, std)",
		"conv1_1: conv1_1.sum = Conv(normalised, features.0.weight, features.0.bias) kernel_shape=[3 3] pads=[1 1 1 1]",
		"conv1_1.relu: conv1_1 = Relu(conv1_1.sum)",
		"lrn1_1: lrn1_1 = LRN(conv1_1) size=5 alpha=0.0005 beta=0.75 bias=2",
		"pool1: pool1 = MaxPool(lrn1_1) kernel_shape=[2 2] strides=[2 2] ceil_mode=1",
		"conv2_1: conv2_1.sum = Conv(pool1, features.4.weight, features.4.bias) kernel_shape=[3 3] pads=[1 1 1 1]",
		"conv2_1.relu: conv2_1 = Relu(conv2_1.sum)",
		"pool2: pool2 = MaxPool(conv2_1) kernel_shape=[2 2] strides=[2 2] ceil_mode=1",
		"conv3_1: conv3_1.sum = Conv(pool2, features.7.weight, features.7.bias) kernel_shape=[3 3] pads=[1 1 1 1]",
		"conv3_1.relu: conv3_1 = Relu(conv3_1.sum)",
		"conv3_2: conv3_2.sum = Conv(conv3_1, features.9.weight, features.9.bias) kernel_shape=[3 3] pads=[1 1 1 1]",
		"conv3_2.relu: conv3_2 = Relu(conv3_2.sum)",
		"pool3: pool3 = MaxPool(conv3_2) kernel_shape=[2 2] strides=[2 2] ceil_mode=1",
		"conv4_1: conv4_1.sum = Conv(pool3, features.12.weight, features.12.bias) kernel_shape=[3 3] pads=[1 1 1 1]",
		"conv4_1.relu: conv4_1 = Relu(conv4_1.sum)",
		"conv4_2: conv4_2.sum = Conv(conv4_1, features.14.weight, features.14.bias) kernel_shape=[3 3] pads=[1 1 1 1]",
		"conv4_2.relu: conv4_2 = Relu(conv4_2.sum)",
		"pool4: pool4 = MaxPool(conv4_2) kernel_shape=[2 2] strides=[2 2] ceil_mode=1",
		"conv5_1: conv5_1.sum = Conv(pool4, features.17.weight, features.17.bias) kernel_shape=[3 3] pads=[1 1 1 1]",
		"conv5_1.relu: conv5_1 = Relu(conv5_1.sum)",
		"conv5_2: conv5_2.sum = Conv(conv5_1, features.19.weight, features.19.bias) kernel_shape=[3 3] pads=[1 1 1 1]",
		"conv5_2.relu: conv5_2 = Relu(conv5_2.sum)",
		"pool5: pool5 = MaxPool(conv5_2) kernel_shape=[2 2] strides=[2 2] ceil_mode=1",
		"flatten: flatten = Flatten(pool5) axis=1",
		"fc6: fc6.sum = Gemm(flatten, classifier.0.weight, classifier.0.bias) transB=1",
		"fc6.relu: fc6 = Relu(fc6.sum)",
		"fc7: fc7.sum = Gemm(fc6, classifier.3.weight, classifier.3.bias) transB=1",
		"fc7.relu: fc7 = Relu(fc7.sum)",
		"fc8: logits = Gemm(fc7, classifier.6.weight, classifier.6.bias) transB=1",
	}
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("node %d differs: got\n%s\nwant\n%s", i, strings.Join(got[min(i, len(got)):], "\n"), strings.Join(want[min(i, len(want)):], "\n"))
		}
	}
}

// TestModel checks, for each net, what a reader needs besides the nodes.
func TestModel(t *testing.T) {
	own := configs.Config{Name: "own", Stages: [][]configs.Row{{configs.Conv(3, 32), {Kind: configs.LRN}}, {configs.Conv(5, 48), configs.Conv(1, 64)}}}
	for _, config := range append(configs.All(), configs.B5, own) {
		for _, channels := range []int{1, 3} {
			t.Run(fmt.Sprint(config.Name, " ", channels), func(t *testing.T) {
				f := narrow(t, config, channels)
				b := encoded(t, f)
				if !bytes.Equal(b, encoded(t, f)) {
					t.Error("written twice, the bytes differ")
				}
				model := parse(t, b)
				g := model.message(t, 7)
				if got, want := dims(t, g.message(t, 11)), fmt.Sprint("pixels N ", channels, " 64 64"); got != want {
					t.Errorf("input %q, want %q", got, want)
				}
				if got, want := dims(t, g.message(t, 12)), "logits N 3"; got != want {
					t.Errorf("output %q, want %q", got, want)
				}
				metadata := map[string]string{}
				for _, property := range model.messages(t, 14) {
					metadata[property.text(1)] = property.text(2)
				}
				if !maps.Equal(metadata, f.Metadata) {
					t.Errorf("metadata_props %v, want %v", metadata, f.Metadata)
				}
				checkInitialisers(t, g, f, channels)
				checkConvolutions(t, g, config)
			})
		}
	}
}

// checkInitialisers checks that the tensors are mean and deviation, and then those of the file.
func checkInitialisers(t *testing.T, g fields, f weights.File, channels int) {
	t.Helper()
	want := append([]weights.Tensor{
		{Name: "mean", Shape: []int{channels, 1, 1}, Data: []float32{123.68, 116.779, 103.939}[:channels]},
		{Name: "std", Shape: []int{channels, 1, 1}, Data: []float32{58.4, 57.1, 57.4}[:channels]},
	}, f.Tensors...)
	var got []weights.Tensor
	for _, i := range g.messages(t, 5) {
		if kind := i.ints(2); !slices.Equal(kind, []int{1}) {
			t.Errorf("%s is of the type %v, want 1", i.text(8), kind)
		}
		raw := i[9][0].([]byte)
		data := make([]float32, len(raw)/4)
		if _, err := binary.Decode(raw, binary.LittleEndian, data); err != nil {
			t.Fatal(err)
		}
		got = append(got, weights.Tensor{Name: i.text(8), Shape: i.ints(1), Data: data})
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the initialisers are not the file's tensors")
	}
}

// checkConvolutions holds the kernels against Table 1.
func checkConvolutions(t *testing.T, g fields, config configs.Config) {
	t.Helper()
	var got, want []string
	for _, node := range g.messages(t, 1) {
		if node.text(4) == "Conv" {
			_, attributes, _ := strings.Cut(line(t, node), ") ")
			got = append(got, attributes)
		}
	}
	for _, stage := range config.Stages {
		for _, l := range stage {
			if p := l.Kernel / 2; l.Kind == configs.Convolution {
				want = append(want, fmt.Sprintf("kernel_shape=[%d %[1]d] pads=[%d %[2]d %[2]d %[2]d]", l.Kernel, p))
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("convolutions\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestWrite(t *testing.T) {
	f := narrow(t, configs.A, 3)
	path := filepath.Join(t.TempDir(), "a.onnx")
	if err := Write(path, f); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, encoded(t, f)) {
		t.Error("Write and Encode differ")
	}

	f.Tensors = f.Tensors[1:]
	err = Write(path, f)
	if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "missing features.0.weight") {
		t.Errorf("error %v", err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(first, now) {
		t.Errorf("a failure changed the file (%v)", err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("a failure left %v", files)
	}
}

func TestErrors(t *testing.T) {
	set := func(key, value string) func(*weights.File) {
		return func(f *weights.File) { f.Metadata[key] = value }
	}
	change := func(name string, by func(*weights.Tensor)) func(*weights.File) {
		return func(f *weights.File) {
			by(&f.Tensors[slices.IndexFunc(f.Tensors, func(t weights.Tensor) bool { return t.Name == name })])
		}
	}
	for name, c := range map[string]struct {
		spoil func(*weights.File)
		want  string
	}{
		"no metadata":      {func(f *weights.File) { f.Metadata = nil }, "lacks config"},
		"unknown net":      {set("config", "F"), "unknown config"},
		"another net":      {set("config", "B"), "not those of config B: missing features.2.weight, features.2.bias, features.5.weight, features.5.bias and 14 more; unknown features.11.bias"},
		"input":            {set("input", "65"), "metadata input 65: pictures of 65×65 pixels"},
		"another input":    {set("input", "96"), "classifier.0.weight (layer fc6) is [12 64]: after the layers before it and with 12 outputs it should be [12 144]"},
		"enormous input":   {set("input", "1000000000"), "classifier.0.weight (layer fc6) is [12 64]"},
		"more classes":     {func(f *weights.File) { f.Metadata["classes"] = "4"; delete(f.Metadata, "class_names") }, "3 outputs, and the metadata 4 classes"},
		"boxes":            {set("boxes", "single"), "predicts boxes (single): give the classification net"},
		"not UTF-8":        {set("recipe", "\xff"), `metadata "recipe": "\xff" is not UTF-8`},
		"unknown tensor":   {change("features.3.bias", func(t *weights.Tensor) { t.Name = "bn.bias" }), "missing features.3.bias; unknown bn.bias"},
		"tensor twice":     {func(f *weights.File) { f.Tensors = append(f.Tensors, f.Tensors[0]) }, "features.0.weight is there twice"},
		"kernel":           {change("features.3.weight", func(t *weights.Tensor) { t.Shape = []int{4, 2, 9, 1} }), "features.3.weight (layer conv2_1) is [4 2 9 1]"},
		"bias":             {change("features.3.bias", func(t *weights.Tensor) { t.Shape, t.Data = []int{3}, t.Data[:3] }), "with 3 outputs it should be [3 2 3 3]"},
		"empty":            {change("classifier.6.bias", func(t *weights.Tensor) { t.Shape, t.Data = []int{0}, nil }), "classifier.6.weight (layer fc8) is [3 12]"},
		"data are missing": {change("features.3.weight", func(t *weights.Tensor) { t.Data = t.Data[:5] }), "features.3.weight: 5 values do not fill the shape [4 2 3 3]"},
	} {
		t.Run(name, func(t *testing.T) {
			f := narrow(t, configs.A, 3)
			c.spoil(&f)
			var b bytes.Buffer
			if err := Encode(&b, f); err == nil || !strings.Contains(err.Error(), c.want) || b.Len() > 0 {
				t.Errorf("error %v after %d bytes, want %q", err, b.Len(), c.want)
			}
		})
	}
}

// A message too large for protobuf is refused before a byte is written.
func TestTooLarge(t *testing.T) {
	var m message
	chunk := make([]float32, 1<<20)
	for range 511 {
		m.floats(tensorRawData, chunk)
	}
	if m.size >= maxModel {
		t.Fatalf("%d bytes already", m.size)
	}
	m.floats(tensorRawData, chunk)
	var b bytes.Buffer
	if err := m.encode(&b); err == nil || !strings.Contains(err.Error(), "2.15 GB") || b.Len() > 0 {
		t.Errorf("error %v after %d bytes", err, b.Len())
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestWriterFails(t *testing.T) {
	if err := Encode(full{}, narrow(t, configs.A, 1)); err != io.ErrShortWrite {
		t.Errorf("error %v", err)
	}
}

// The weights are not held twice: to write 67 MB takes next to no memory.
func TestMemory(t *testing.T) {
	f := narrow(t, configs.A, 3)
	const wide = 1 << 20 // outputs of fc7
	for i := range f.Tensors {
		switch tensor := &f.Tensors[i]; tensor.Name {
		case "classifier.3.weight":
			tensor.Shape, tensor.Data = []int{wide, 12}, make([]float32, 12*wide)
		case "classifier.3.bias":
			tensor.Shape, tensor.Data = []int{wide}, make([]float32, wide)
		case "classifier.6.weight":
			tensor.Shape, tensor.Data = []int{3, wide}, make([]float32, 3*wide)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := Encode(io.Discard, f); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if most := uint64(1 << 20); after.TotalAlloc-before.TotalAlloc > most {
		t.Errorf("%d bytes allocated, want at most %d", after.TotalAlloc-before.TotalAlloc, most)
	}
}
