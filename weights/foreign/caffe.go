package foreign

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"google.golang.org/protobuf/encoding/protowire"

	"vgg/configs"
	"vgg/weights"
	"vgg/weights/internal/element"
)

// The fields of Caffe's messages (caffe.proto) that are read.
const (
	netLayersV1 = 2   // NetParameter.layers, of V1LayerParameter
	netLayers   = 100 // NetParameter.layer, of LayerParameter

	layerName   = 1
	layerType   = 2 // a string
	layerBlobs  = 7
	layerNameV1 = 4
	layerTypeV1 = 5 // a number
	layerBlobV1 = 6

	blobNum, blobWidth = 1, 4 // num, channels, height and width, before there was shape
	blobData           = 5    // repeated float
	blobShape          = 7
	blobDoubles        = 8
	shapeDims          = 1

	typeLRN, typeLRNV1 = "LRN", 15
)

// caffeLayer is a layer with its weights.
type caffeLayer struct {
	name  string
	lrn   bool
	blobs []weights.Tensor // weights and biases, without names
}

// isCaffe recognises the field that a NetParameter begins with: a name, or a layer of either kind.
func isCaffe(b []byte) bool {
	number, kind, n := protowire.ConsumeTag(b)
	return n > 0 && kind == protowire.BytesType && slices.Contains([]protowire.Number{1, netLayersV1, netLayers}, number)
}

// decodeCaffe reads a .caffemodel: a protobuf message of the net's layers, which the authors name conv1_1 to fc8.
func decodeCaffe(b []byte, net string) (*weights.File, error) {
	if net != "" {
		return nil, errors.Errorf("no net %q in the file: a .caffemodel has one net, without a name", net)
	}
	var layers []caffeLayer
	err := fields(b, func(number protowire.Number, v field) error {
		if number != netLayersV1 && number != netLayers || v.kind != protowire.BytesType {
			return nil
		}
		l, err := decodeLayer(v.bytes, number == netLayersV1)
		if len(l.blobs) > 0 || l.lrn || err != nil {
			layers = append(layers, l)
		}
		return errors.Wrapf(err, "layer %.80s", l.name)
	})
	if err != nil {
		return nil, errors.Wrap(err, "not a .caffemodel, or damaged")
	}
	if len(layers) == 0 {
		return nil, errors.New("not a .caffemodel, or one without weights")
	}
	f, err := fromCaffe(layers)
	if err != nil {
		return nil, err
	}
	return f, adopt(f, weights.Caffe)
}

// field is the value of a field: bytes, or a number.
type field struct {
	kind   protowire.Type
	bytes  []byte
	number uint64
}

// fields calls do for each field of a message.
func fields(b []byte, do func(protowire.Number, field) error) error {
	for at := 0; at < len(b); {
		number, kind, n := protowire.ConsumeTag(b[at:])
		if n < 0 {
			return errors.Wrapf(protowire.ParseError(n), "byte %d of %d", at, len(b))
		}
		v := field{kind: kind}
		value := b[at+n:]
		var m int
		switch kind {
		case protowire.BytesType:
			v.bytes, m = protowire.ConsumeBytes(value)
		case protowire.VarintType:
			v.number, m = protowire.ConsumeVarint(value)
		case protowire.Fixed32Type:
			m = 4
			v.bytes = value[:min(4, len(value))]
		case protowire.Fixed64Type:
			m = 8
			v.bytes = value[:min(8, len(value))]
		default:
			return errors.Errorf("byte %d of %d: a group, which Caffe does not write", at, len(b))
		}
		if m < 0 || m > len(value) {
			return errors.Errorf("byte %d of %d: field %d is cut short", at, len(b), number)
		}
		if err := do(number, v); err != nil {
			return err
		}
		at += n + m
	}
	return nil
}

func decodeLayer(b []byte, v1 bool) (caffeLayer, error) {
	var l caffeLayer
	name, kind, blobs := protowire.Number(layerName), protowire.Number(layerType), protowire.Number(layerBlobs)
	if v1 {
		name, kind, blobs = layerNameV1, layerTypeV1, layerBlobV1
	}
	err := fields(b, func(number protowire.Number, v field) error {
		switch {
		case number == name && v.kind == protowire.BytesType:
			l.name = string(v.bytes[:min(len(v.bytes), maxText)])
		case number == kind && v1:
			l.lrn = v.kind == protowire.VarintType && v.number == typeLRNV1
		case number == kind:
			l.lrn = string(v.bytes) == typeLRN
		case number == blobs && v.kind == protowire.BytesType:
			if len(l.blobs) == 2 {
				return errors.New("more than two blobs, weights and biases: none of the paper's layers has more")
			}
			t, err := decodeBlob(v.bytes)
			l.blobs = append(l.blobs, t)
			return errors.Wrapf(err, "blob %d", len(l.blobs))
		}
		return nil
	})
	return l, err
}

// decodeBlob reads a tensor. Its numbers are in one field or in a field each, in single or double precision.
func decodeBlob(b []byte) (weights.Tensor, error) {
	t := weights.Tensor{DType: "F32"}
	var old [blobWidth]int
	var parts, doubles [][]byte
	size, size8, hasOld := 0, 0, false
	err := fields(b, func(number protowire.Number, v field) error {
		switch {
		case number >= blobNum && number <= blobWidth && v.kind == protowire.VarintType:
			old[number-blobNum], hasOld = int(int32(v.number)), true
		case number == blobShape && v.kind == protowire.BytesType:
			var err error
			t.Shape, err = decodeShape(v.bytes)
			return err
		case number == blobData && v.kind != protowire.VarintType && v.kind != protowire.Fixed64Type:
			parts, size = append(parts, v.bytes), size+len(v.bytes)
		case number == blobDoubles && v.kind != protowire.VarintType && v.kind != protowire.Fixed32Type:
			doubles, size8 = append(doubles, v.bytes), size8+len(v.bytes)
		}
		return nil
	})
	if err != nil {
		return t, err
	}
	if t.Shape == nil && hasOld {
		t.Shape = old[:]
	}
	if size8 > 0 {
		if size > 0 {
			return t, errors.New("it holds both floats and doubles")
		}
		parts, size, t.DType = doubles, size8, "F64"
	}
	width := element.Bytes(t.DType)
	if n, ok := element.Count(t.Shape, size/width); !ok || n*width != size {
		return t, errors.Errorf("%d bytes do not fill the shape %v of %s", size, t.Shape, t.DType)
	}
	t.Data = element.Floats(join(parts, size), t.DType, binary.LittleEndian)
	return t, nil
}

// join puts the parts of an array together; one alone is not copied.
func join(parts [][]byte, size int) []byte {
	if len(parts) == 1 {
		return parts[0]
	}
	whole := make([]byte, 0, size)
	for _, p := range parts {
		whole = append(whole, p...)
	}
	return whole
}

func decodeShape(b []byte) ([]int, error) {
	shape := []int{}
	add := func(dim uint64) error {
		if dim > math.MaxInt32 || len(shape) == element.MaxDims {
			return errors.Errorf("a shape that begins %v, and then %d", shape, dim)
		}
		shape = append(shape, int(dim))
		return nil
	}
	err := fields(b, func(number protowire.Number, v field) error {
		if number != shapeDims {
			return nil
		}
		if v.kind == protowire.VarintType {
			return add(v.number)
		}
		for len(v.bytes) > 0 {
			dim, n := protowire.ConsumeVarint(v.bytes)
			if n < 0 {
				return protowire.ParseError(n)
			}
			if err := add(dim); err != nil {
				return err
			}
			v.bytes = v.bytes[n:]
		}
		return nil
	})
	return shape, err
}

// fromCaffe gives the layers torchvision's names and shapes. They must be the layers of a net of Table 1, in any order.
func fromCaffe(layers []caffeLayer) (*weights.File, error) {
	names := map[string]string{}
	config, err := caffeConfig(layers)
	if err != nil {
		return nil, err
	}
	for _, l := range config.Convolutions() {
		names[l.Name] = l.Torchvision
	}
	f := &weights.File{}
	for _, l := range layers {
		name, ok := names[l.name]
		fc := fcLayer(l.name)
		if fc != "" {
			name = fc
		} else if !ok {
			return nil, errors.Errorf("layer %.80s is not one of net %s", l.name, config.Name)
		}
		if len(l.blobs) != 2 {
			return nil, errors.Errorf("layer %s has %d blobs: want weights and biases", l.name, len(l.blobs))
		}
		w, bias := l.blobs[0], l.blobs[1]
		if len(w.Shape) > 4 || len(bias.Shape) > 4 {
			return nil, errors.Errorf("layer %s has blobs of shape %v and %v", l.name, w.Shape, bias.Shape)
		}
		if w.Shape = to4(w.Shape); fc != "" {
			w.Shape = caffeFC(w.Shape)
		}
		w.Name, bias.Name = name+".weight", name+".bias"
		bias.Shape = []int{len(bias.Data)}
		f.Tensors = append(f.Tensors, w, bias)
	}
	return f, nil
}

// fcLayer is torchvision's name of fc6, fc7 or fc8. The last may have a suffix, as nets with other classes give it.
func fcLayer(name string) string {
	for i, l := range fullyConnected {
		if name == l.Name || i == len(fullyConnected)-1 && strings.HasPrefix(name, l.Name) {
			return l.Torchvision
		}
	}
	return ""
}

// to4 puts ones before a shape, as in old Caffe files, whose shapes are (1, 1, out, in).
func to4(shape []int) []int {
	return append(slices.Repeat([]int{1}, max(0, 4-len(shape))), shape...)
}

// caffeFC gives the shape (out, in) of weights of shape (1, 1, out, in), or (out, in, kernel, kernel) in a dense net.
func caffeFC(shape []int) []int {
	if shape[0] == 1 && shape[1] == 1 {
		return shape[2:]
	}
	return flatten(shape)
}

// caffeConfig finds the net of Table 1 whose convolutions the layers are.
func caffeConfig(layers []caffeLayer) (configs.Config, error) {
	kernels := map[string]int{}
	for _, l := range layers {
		if l.lrn {
			return configs.Config{}, errors.Errorf("layer %.80s is an LRN, which is not read from Caffe", l.name)
		}
		if len(l.blobs[0].Shape) == 4 && fcLayer(l.name) == "" {
			kernels[l.name] = l.blobs[0].Shape[3]
		}
	}
	for _, c := range known() {
		convolutions := c.Convolutions()
		same := len(convolutions) == len(kernels)
		for _, l := range convolutions {
			same = same && kernels[l.Name] == l.Kernel
		}
		if same && c.Name != configs.ALRN.Name {
			return c, nil
		}
	}
	var have []string
	for _, l := range layers {
		have = append(have, l.name)
	}
	return configs.Config{}, errors.Errorf("not a net of the paper: its layers with weights are %.200s", strings.Join(have, " "))
}
