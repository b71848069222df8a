package foreign

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"vgg/configs"
	"vgg/weights"
	"vgg/weights/internal/element"
)

// narrow is the net A that testdata/samples.py saves.
func narrow() []weights.Tensor {
	var tensors []weights.Tensor
	at := 0
	add := func(name string, shape ...int) {
		for _, s := range []struct {
			suffix string
			shape  []int
		}{{".weight", shape}, {".bias", shape[:1]}} {
			n, _ := element.Count(s.shape, math.MaxInt32)
			t := weights.Tensor{Name: name + s.suffix, Shape: s.shape}
			for range n {
				t.Data = append(t.Data, float32(at%61-30)/16)
				at++
			}
			tensors = append(tensors, t)
		}
	}
	before := 3
	for i, out := range []int{1, 2, 4, 4, 8, 8, 8, 8} {
		add(fmt.Sprintf("features.%d", []int{0, 3, 6, 8, 11, 13, 16, 18}[i]), out, before, 3, 3)
		before = out
	}
	add("classifier.0", 3, 8)
	add("classifier.3", 3, 3)
	add("classifier.6", 5, 3)
	return tensors
}

// decode reads a file of one net.
func decode(b []byte) (*weights.File, error) { return decodeNet(b, "") }

// decodeClone leaves b as it is: what is decoded may share its bytes.
func decodeClone(b []byte) (*weights.File, error) { return decode(bytes.Clone(b)) }

func encode(t testing.TB, f weights.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := weights.Encode(&b, f); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sameTensor(a, b weights.Tensor) bool {
	return a.Name == b.Name && slices.Equal(a.Shape, b.Shape) && slices.EqualFunc(a.Data, b.Data,
		func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// allocated is the number of bytes that f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// wantNarrow compares a file with narrow, and its metadata with what names and shapes tell.
func wantNarrow(t *testing.T, f *weights.File, n weights.Normalisation) {
	t.Helper()
	if want := narrow(); !slices.EqualFunc(f.Tensors, want, sameTensor) {
		t.Fatalf("read %+v, want %+v", f.Tensors, want)
	}
	info, err := weights.ParseInfo(f.Metadata)
	if err != nil || f.Metadata[weights.NormalisationKey] != string(n) {
		t.Fatalf("metadata %v: %v", f.Metadata, err)
	}
	if info.Config != "A" || info.Width != 1.0/64 || info.FC != 3 || info.Input != 32 || info.Channels != 3 || len(info.Classes) != 5 {
		t.Errorf("read as %+v", info)
	}
	mean, std := []float64{123.68, 116.779, 103.939}, []float64{1, 1, 1}
	if n == weights.TorchVision {
		mean, std = []float64{123.675, 116.28, 103.53}, []float64{58.395, 57.12, 57.375}
	}
	for c := range 3 {
		if math.Abs(info.Mean[c]-mean[c]) > 1e-9 || math.Abs(info.Std[c]-std[c]) > 1e-9 {
			t.Errorf("mean %v, deviation %v, want %v and %v", info.Mean, info.Std, mean, std)
		}
	}
}

// TestSamples reads what PyTorch wrote.
func TestSamples(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.pth")
	if err != nil || len(paths) != 12 {
		t.Fatalf("samples %v, %v", paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			f, err := Read(path)
			if err != nil {
				t.Fatal(err)
			}
			wantNarrow(t, f, weights.TorchVision)
			_, dtype, _ := strings.Cut(strings.TrimSuffix(filepath.Base(path), ".pth"), "-")
			if element.Bytes(strings.ToUpper(dtype)) > 0 && f.Tensors[0].DType != strings.ToUpper(dtype) {
				t.Errorf("stored as %s", f.Tensors[0].DType)
			}
		})
	}
}

// TestConvert writes what was read from elsewhere, and reads it back.
func TestConvert(t *testing.T) {
	in, out := filepath.Join(t.TempDir(), "in"), filepath.Join(t.TempDir(), "out")
	if err := weights.Write(in, weights.File{Tensors: narrow()}); err != nil {
		t.Fatal(err)
	}
	f, err := Read(in)
	if err != nil {
		t.Fatal(err)
	}
	wantNarrow(t, f, weights.TorchVision)
	if err := weights.Write(out, *f); err != nil {
		t.Fatal(err)
	}
	if f, err = Read(out); err != nil {
		t.Fatal(err)
	}
	wantNarrow(t, f, weights.TorchVision)
	data := func(path string) []byte {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return b[8+binary.LittleEndian.Uint64(b):] // after the header
	}
	if !bytes.Equal(data(in), data(out)) {
		t.Error("the tensors' bytes changed")
	}
}

// TestTimm reads timm's names, under DataParallel's prefix.
func TestTimm(t *testing.T) {
	f := weights.File{Tensors: narrow()}
	for i := range f.Tensors {
		tensor := &f.Tensors[i]
		for i, timm := range timmLayers {
			if rest, ok := strings.CutPrefix(tensor.Name, fullyConnected[i].Torchvision+"."); ok {
				tensor.Name = timm + "." + rest
				if rest == "weight" && timm != "head.fc" {
					tensor.Shape = append(tensor.Shape, 1, 1)
				}
			}
		}
		tensor.Name = "module." + tensor.Name
	}
	slices.Reverse(f.Tensors)
	got, err := decode(encode(t, f))
	if err != nil {
		t.Fatal(err)
	}
	wantNarrow(t, got, weights.TorchVision)
}

// TestConfigs finds every net by the numbers of its features, and widths that are no round numbers.
func TestConfigs(t *testing.T) {
	for _, config := range known() {
		for _, w := range []float64{1.0 / 64, 0.1, 0.1015} {
			var f weights.File
			before := 3
			for _, c := range config.Convolutions() {
				out := max(1, int(math.Round(w*float64(c.Channels))))
				shape := []int{out, before, c.Kernel, c.Kernel}
				n, _ := element.Count(shape, math.MaxInt32)
				f.Tensors = append(f.Tensors, weights.Tensor{Name: c.WeightName(), Shape: shape, Data: make([]float32, n)})
				before = out
			}
			if err := describe(&f, weights.TorchVision); err != nil {
				t.Fatal(err)
			}
			width, ok := widthOf(&f, config)
			if f.Metadata["config"] != config.Name || !ok {
				t.Fatalf("%s at width %g read as %v", config.Name, w, f.Metadata)
			}
			for _, c := range config.Convolutions() {
				if a, b := max(1, math.Round(w*float64(c.Channels))), max(1, math.Round(width*float64(c.Channels))); a != b {
					t.Errorf("%s: width %g gives %s %g channels, %g gives %g", config.Name, w, c.Name, a, width, b)
				}
			}
		}
	}
}

// message collects the fields of a protobuf message.
type message []byte

func (m message) bytes(number protowire.Number, b []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, number, protowire.BytesType), b)
}

func (m message) varint(number protowire.Number, v int) message {
	return protowire.AppendVarint(protowire.AppendTag(m, number, protowire.VarintType), uint64(v))
}

// blob builds a BlobProto: as old Caffe wrote it, as newer, with a number a field, or in double precision.
func blob(kind string, t weights.Tensor) message {
	var m, packed message
	switch kind {
	case "V1":
		for i, d := range to4(t.Shape) {
			m = m.varint(protowire.Number(blobNum+i), d)
		}
	default:
		for _, d := range t.Shape {
			packed = protowire.AppendVarint(packed, uint64(d))
		}
		m = m.bytes(blobShape, message{}.bytes(shapeDims, packed))
	}
	packed = nil
	for _, v := range t.Data {
		switch kind {
		case "unpacked":
			m = protowire.AppendFixed32(protowire.AppendTag(m, blobData, protowire.Fixed32Type), math.Float32bits(v))
		case "double":
			packed = protowire.AppendFixed64(packed, math.Float64bits(float64(v)))
		default:
			packed = protowire.AppendFixed32(packed, math.Float32bits(v))
		}
	}
	switch kind {
	case "unpacked":
		return m
	case "double":
		return m.bytes(blobDoubles, packed)
	}
	return m.bytes(blobData, packed)
}

// caffemodel builds a NetParameter of narrow, whose first layer takes B, G, R; rename changes the layers' names.
func caffemodel(kind string, rename func(string) string) []byte {
	names := map[string]string{"classifier.0": "fc6", "classifier.3": "fc7", "classifier.6": "fc8"}
	for _, c := range configs.A.Convolutions() {
		names[c.Torchvision] = c.Name
	}
	net := message{}.bytes(1, []byte("VGG"))
	tensors := narrow()
	f := weights.File{Tensors: tensors}
	if err := f.Normalise(weights.Caffe); err != nil { // which turns R, G, B to B, G, R as it does the reverse
		panic(err)
	}
	for i := 0; i < len(tensors); i += 2 {
		name := []byte(rename(names[strings.TrimSuffix(tensors[i].Name, ".weight")]))
		w, bias := blob(kind, tensors[i]), blob(kind, tensors[i+1])
		if kind == "V1" {
			layer := message{}.bytes(layerNameV1, name).varint(layerTypeV1, 4).bytes(layerBlobV1, w).bytes(layerBlobV1, bias)
			relu := message{}.bytes(layerNameV1, []byte("relu")).varint(layerTypeV1, 18)
			net = net.bytes(netLayersV1, layer).bytes(netLayersV1, relu)
			continue
		}
		layer := message{}.bytes(layerName, name).bytes(layerType, []byte("Convolution")).bytes(layerBlobs, w).bytes(layerBlobs, bias)
		net = net.bytes(netLayers, layer)
	}
	return net
}

func same(name string) string { return name }

func TestCaffe(t *testing.T) {
	for _, kind := range []string{"V1", "V2", "unpacked", "double"} {
		f, err := decode(caffemodel(kind, same))
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		wantNarrow(t, f, weights.Caffe)
		f.Metadata[weights.NormalisationKey] = "custom"
		if err := f.Normalise(weights.Caffe); err != nil { // turned already
			t.Fatal(err)
		}
		wantNarrow(t, f, weights.Caffe)
	}
	f, err := decode(caffemodel("V2", func(name string) string { return strings.Replace(name, "fc8", "fc8_flickr", 1) }))
	if err != nil {
		t.Fatal(err)
	}
	wantNarrow(t, f, weights.Caffe)
}

// pickled writes a state dict of one tensor: what is not given is as torch.save writes it.
type pickled struct {
	class, key           string
	elements, offset     int
	size, stride         []int
	name, call, instruct string
}

func (p pickled) bytes() []byte {
	text := func(s string) string { return "X" + string(binary.LittleEndian.AppendUint32(nil, uint32(len(s)))) + s }
	number := func(n int) string { return "J" + string(binary.LittleEndian.AppendUint32(nil, uint32(n))) }
	tuple := func(ns []int) string {
		s := "("
		for _, n := range ns {
			s += number(n)
		}
		return s + "t"
	}
	return []byte("\x80\x02}" + p.instruct + "(" + text(p.name) + p.call + "((" + text("storage") + "ctorch\n" + p.class + "\n" + text(p.key) + text("cpu") +
		number(p.elements) + "tQ" + number(p.offset) + tuple(p.size) + tuple(p.stride) + "\x89Nt" + "R" + "u.")
}

func plain() pickled {
	return pickled{class: "FloatStorage", key: "0", elements: 6, size: []int{2, 3}, stride: []int{3, 1}, name: "features.0.weight", call: "ctorch._utils\n_rebuild_tensor_v2\n"}
}

// archive builds a zip archive as torch.save lays it out.
func archive(t testing.TB, method uint16, files ...[2]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, f := range files {
		in, err := w.CreateHeader(&zip.FileHeader{Name: f[0], Method: method})
		if err == nil {
			_, err = in.Write([]byte(f[1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sixFloats(order binary.AppendByteOrder) string {
	var b []byte
	for i := range 6 {
		b = order.AppendUint32(b, math.Float32bits(float32(i)))
	}
	return string(b)
}

func legacy(p pickled, numel uint64, data string) []byte {
	b := slices.Concat(legacyMagic, []byte("\x80\x02M\xe9\x03."), []byte("\x80\x02}."), p.bytes(), []byte("\x80\x02](X\x01\x00\x00\x000e."))
	return append(binary.LittleEndian.AppendUint64(b, numel), data...)
}

func TestTorchViews(t *testing.T) {
	little, big := sixFloats(binary.LittleEndian), sixFloats(binary.BigEndian)
	columns, row := plain(), plain()
	columns.stride = []int{1, 2}
	row.size, row.stride, row.offset = []int{2}, []int{2}, 1
	for name, c := range map[string]struct {
		file []byte
		want []float32
	}{
		"zip":        {archive(t, zip.Store, [2]string{"a/data.pkl", string(plain().bytes())}, [2]string{"a/data/0", little}), []float32{0, 1, 2, 3, 4, 5}},
		"big-endian": {archive(t, zip.Store, [2]string{"a/data.pkl", string(plain().bytes())}, [2]string{"a/byteorder", "big"}, [2]string{"a/data/0", big}), []float32{0, 1, 2, 3, 4, 5}},
		"transposed": {archive(t, zip.Store, [2]string{"a/data.pkl", string(columns.bytes())}, [2]string{"a/data/0", little}), []float32{0, 2, 4, 1, 3, 5}},
		"legacy":     {legacy(plain(), 6, little), []float32{0, 1, 2, 3, 4, 5}},
		"a part":     {legacy(row, 6, little), []float32{1, 3}},
	} {
		f, err := decode(c.file)
		if err != nil || len(f.Tensors) != 1 || !slices.Equal(f.Tensors[0].Data, c.want) {
			t.Errorf("%s: %+v, %v, want %v", name, f, err, c.want)
		}
	}
}

// TestForeignRefuses: each fault has an error of its own, and does not allocate much.
func TestForeignRefuses(t *testing.T) {
	data := sixFloats(binary.LittleEndian)
	with := func(change func(*pickled)) []byte {
		p := plain()
		change(&p)
		return archive(t, zip.Store, [2]string{"a/data.pkl", string(p.bytes())}, [2]string{"a/data/0", data})
	}
	batchNorm := weights.File{Tensors: []weights.Tensor{{Name: "features.0.weight", Shape: []int{1}, Data: []float32{1}}, {Name: "features.1.running_mean", Shape: []int{1}, Data: []float32{1}}}}
	lrn := message(caffemodel("V2", same)).bytes(netLayers, message{}.bytes(layerName, []byte("norm1")).bytes(layerType, []byte(typeLRN)))
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"nothing":           {nil, "not a weights file"},
		"text":              {[]byte("hello"), "not a weights file"},
		"page":              {[]byte("<!DOCTYPE html>"), "a web page"},
		"LFS":               {[]byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		"HDF5":              {[]byte("\x89HDF\r\n\x1a\n"), "HDF5"},
		"pickle":            {[]byte("\x80\x04."), "torch.save"},
		"batch norm":        {encode(t, batchNorm), "features.1.running_mean: a net with batch normalisation"},
		"batch norm, torch": {with(func(p *pickled) { p.name = "features.1.running_mean" }), "batch normalisation"},
		"no pickle":         {archive(t, zip.Store, [2]string{"a/b", ""}), "no data.pkl"},
		"compressed":        {archive(t, zip.Deflate, [2]string{"a/data.pkl", string(plain().bytes())}), "compressed"},
		"no storage":        {archive(t, zip.Store, [2]string{"a/data.pkl", string(plain().bytes())}), "tensor features.0.weight: no a/data/0"},
		"byte order":        {archive(t, zip.Store, [2]string{"a/data.pkl", string(plain().bytes())}, [2]string{"a/byteorder", "middle"}), "little or big"},
		"program":           {with(func(p *pickled) { p.call = "cos\nsystem\n" }), "os.system"},
		"model":             {with(func(p *pickled) { p.call = "ctorchvision.models.vgg\nVGG\n" }), "features.0.weight is a torchvision.models.vgg.VGG: want a tensor"},
		"integers":          {with(func(p *pickled) { p.class = "LongStorage" }), "features.0.weight is a tensor of a LongStorage: want"},
		"short storage":     {with(func(p *pickled) { p.elements = 7 }), "storage 0 of 7 elements has 24 bytes"},
		"huge storage":      {with(func(p *pickled) { p.elements = math.MaxInt32 }), "has 24 bytes"},
		"huge shape":        {with(func(p *pickled) { p.size = []int{math.MaxInt32, math.MaxInt32} }), "lead outside its storage"},
		"expanded":          {with(func(p *pickled) { p.size, p.stride = []int{1 << 30}, []int{0} }), "lead outside its storage"},
		"huge stride":       {with(func(p *pickled) { p.stride = []int{math.MaxInt32, 1} }), "lead outside its storage"},
		"negative stride":   {with(func(p *pickled) { p.stride = []int{-1, 1} }), "lead outside its storage"},
		"offset":            {with(func(p *pickled) { p.offset = 1 }), "lead outside its storage"},
		"dimensions":        {with(func(p *pickled) { p.stride = []int{1} }), "lead outside its storage"},
		"long text":         {with(func(p *pickled) { p.instruct = "X\xff\xff\xff\x7f" }), "cut short"},
		"instruction":       {with(func(p *pickled) { p.instruct = "\x95\xff\xff\xff\xff\xff\xff\xff\x7f" }), "cut short"},
		"instruction 255":   {with(func(p *pickled) { p.instruct = "\xff" }), "the instruction 0xff"},
		"groups":            {with(func(p *pickled) { p.instruct = strings.Repeat("(", 100) }), "damaged"},
		"repeated text": {with(func(p *pickled) {
			p.instruct = "X\x00\x10\x00\x00" + strings.Repeat("a", maxText) + "q\x00" + strings.Repeat("h\x00", 1<<14)
		}), "damaged"},
		"empty long":      {with(func(p *pickled) { p.instruct = "\x8a\x00" }), "damaged"},
		"odd dict":        {with(func(p *pickled) { p.instruct = "(Nu" }), "damaged"},
		"legacy elements": {legacy(plain(), 1<<62, data), "storage 0 of 6 elements is not there"},
		"legacy cut":      {legacy(plain(), 6, data[1:]), "cut short"},
		"legacy more":     {legacy(plain(), 6, data+"x"), "1 bytes behind"},
		"caffe cut":       {caffemodel("V2", same)[:4000], "not a .caffemodel, or damaged"},
		"caffe layers":    {caffemodel("V2", func(n string) string { return "x" + n }), "not a net of the paper"},
		"caffe LRN":       {lrn, "norm1 is an LRN"},
		"caffe no blobs":  {message{}.bytes(1, []byte("n")), "without weights"},
		"caffe forged": {message{}.bytes(netLayers, message{}.bytes(layerName, []byte("conv1_1")).bytes(layerBlobs,
			message{}.varint(1, 1<<30).varint(2, 1<<30).varint(3, 1<<30).varint(4, 4).bytes(blobData, make([]byte, 4)))), "4 bytes do not fill"},
	} {
		t.Run(name, func(t *testing.T) {
			var f *weights.File
			var err error
			if n := allocated(func() { f, err = decode(c.file) }); n > uint64(1<<18+40*len(c.file)) {
				t.Errorf("%d bytes allocated for a file of %d", n, len(c.file))
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("read %+v, error %v, want %q", f, err, c.want)
			}
		})
	}
}

// seeds are files of each format.
func seeds(t testing.TB) map[string][]byte {
	all := map[string][]byte{"V1": caffemodel("V1", same), "V2": caffemodel("V2", same), "safetensors": encode(t, weights.File{Tensors: narrow()})}
	for _, name := range []string{"zip-f32", "zip-strided", "legacy-bf16", "legacy-checkpoint"} {
		b, err := os.ReadFile(filepath.Join("testdata", name+".pth"))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = b
	}
	return all
}

// TestCorrupted damages files of each format a thousand times: what is cut short is an error, and nothing panics or
// takes much memory. A zip archive has checksums, so that a change of its storages is an error as well.
func TestCorrupted(t *testing.T) {
	for name, whole := range seeds(t) {
		random := rand.New(rand.NewPCG(5, uint64(crc32.ChecksumIEEE([]byte(name)))))
		refused := 0
		for i := range 1000 {
			b, cut := bytes.Clone(whole), false
			switch at := random.IntN(len(b)); i % 3 {
			case 0:
				b, cut = b[:at], true
			case 1:
				b[at] ^= 1 << random.IntN(8)
			case 2: // a forged number
				at = min(at, len(b)-8)
				copy(b[at:], [][]byte{{255, 255, 255, 255, 255, 255, 255, 127}, {0, 0, 0, 0, 0, 0, 0, 0}, {255, 255, 255, 255}}[random.IntN(3)])
			}
			same := bytes.Equal(b, whole)
			var f *weights.File
			var err error
			if n := allocated(func() { f, err = decode(b) }); n > 1<<18 {
				t.Fatalf("%s, damage %d: %d bytes allocated for a file of %d", name, i, n, len(b))
			}
			if err != nil {
				refused++
				continue
			}
			// A .caffemodel that ends between two layers is one of fewer layers, which is another net.
			if cut {
				t.Errorf("%s: the first %d of %d bytes read without error", name, len(b), len(whole))
			}
			if strings.HasPrefix(name, "zip") && !same && !slices.EqualFunc(f.Tensors, narrow(), sameTensor) {
				t.Errorf("%s, damage %d: other weights read without error", name, i)
			}
			for _, tensor := range f.Tensors {
				if n, ok := element.Count(tensor.Shape, len(whole)); !ok || n != len(tensor.Data) {
					t.Fatalf("%s, damage %d: %s is %v with %d values", name, i, tensor.Name, tensor.Shape, len(tensor.Data))
				}
			}
		}
		if refused < 350 {
			t.Errorf("%s: only %d of 1000 damaged files refused", name, refused)
		}
	}
}

// FuzzDecode: whatever a file holds, its tensors fill their shapes, and reading costs little.
func FuzzDecode(f *testing.F) {
	for _, b := range seeds(f) {
		f.Add(b)
	}
	f.Add(archive(f, zip.Store, [2]string{"a/data.pkl", string(plain().bytes())}, [2]string{"a/data/0", sixFloats(binary.LittleEndian)}))
	f.Add(legacy(plain(), 6, sixFloats(binary.LittleEndian)))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := decodeClone(b)
		if err != nil {
			return
		}
		for _, tensor := range file.Tensors {
			if n, ok := element.Count(tensor.Shape, 8*len(b)); !ok || n != len(tensor.Data) {
				t.Fatalf("%s is %v with %d values", tensor.Name, tensor.Shape, len(tensor.Data))
			}
		}
	})
}

// FuzzUnpickle: what is let through does not panic, ends where it says, and is looked through at little cost.
func FuzzUnpickle(f *testing.F) {
	f.Add(plain().bytes())
	f.Add([]byte("\x80\x02](X\x01\x00\x00\x000e."))
	f.Add([]byte("\x80\x02}(X\x01\x00\x00\x00acargparse\nNamespace\n)\x81}X\x11\x00\x00\x00features.0.weightK\x01sbu."))
	f.Fuzz(func(t *testing.T, b []byte) {
		value, n, err := unpickle(b, storages{}.add)
		if err == nil && (n > len(b) || b[n-1] != '.') {
			t.Fatalf("%d bytes of %q", n, b)
		}
		if leaves := leavesOf(value, new(tensorReader)); len(leaves) > len(b) || len(netsOf(leaves)) > len(leaves) {
			t.Fatalf("%d tensors in %d bytes", len(leaves), len(b))
		}
	})
}
