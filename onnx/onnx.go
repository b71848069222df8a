package onnx

import (
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/atomicfile"
	"vgg/internal/text"
	"vgg/weights"
)

// The names of what goes into a model and comes out of it.
const (
	Input  = "pixels" // (N, C, H, W) from 0 to 255, RGB or grey; N is free
	Output = "logits" // (N, classes), before the soft-max
)

// Opset and irVersion are those of ONNX 1.8 (2020), which every reader of today knows.
const (
	Opset     = 13
	irVersion = 7
)

// Write writes the net of f to path as an ONNX model, whole or not at all. Equal files give equal bytes.
//
// The model begins with the normalisation that f's metadata give, (pixel − mean) / std, so that its input is Input and
// users need not know them; it has no dropout. All metadata are in metadata_props. It is an error if the metadata are
// not those of a net of package configs that classifies, the tensors are not that net's, or the model would exceed the
// 2 GiB of a protobuf message.
func Write(path string, f weights.File) error {
	err := atomicfile.Encode(path, func(w io.Writer) error { return Encode(w, f) })
	return errors.Wrapf(err, "cannot write the ONNX model %s", path)
}

// Encode writes the model as Write does, but to w.
func Encode(w io.Writer, f weights.File) error {
	m, err := model(f)
	if err != nil {
		return err
	}
	return m.encode(w)
}

// model makes the ModelProto.
func model(f weights.File) (message, error) {
	info, err := weights.ParseInfo(f.Metadata)
	if err != nil {
		return message{}, err
	}
	if err := info.Classifies(); err != nil {
		return message{}, err
	}
	config, err := info.Net()
	if err != nil {
		return message{}, err
	}
	if err := config.CheckInput(info.Input); err != nil {
		return message{}, errors.Wrapf(err, "metadata input %d", info.Input)
	}
	if err := checkNames(config, f.Tensors); err != nil {
		return message{}, err
	}
	declared, err := declare(config, info, f)
	if err != nil {
		return message{}, err
	}

	var m, opset message
	m.number(modelIRVersion, irVersion)
	m.text(modelProducerName, "vgg")
	m.message(modelGraph, declared)
	opset.text(opsetDomain, "") // ONNX's own operators
	opset.number(opsetVersion, Opset)
	m.message(modelOpsetImport, opset)
	for _, key := range slices.Sorted(maps.Keys(f.Metadata)) {
		if !utf8.ValidString(key) || !utf8.ValidString(f.Metadata[key]) {
			return message{}, errors.Errorf("metadata %q: %q is not UTF-8", key, f.Metadata[key])
		}
		var property message
		property.text(propertyKey, key)
		property.text(propertyValue, f.Metadata[key])
		m.message(modelMetadata, property)
	}
	return m, nil
}

// checkNames checks that the tensors are those of the net, each of them once.
func checkNames(config configs.Config, tensors []weights.Tensor) error {
	seen := map[string]bool{}
	for _, t := range tensors {
		if seen[t.Name] {
			return errors.Errorf("tensor %s is there twice", t.Name)
		}
		seen[t.Name] = true
	}
	var missing []string
	for _, l := range config.Layers() {
		if !l.HasWeights() {
			continue
		}
		for _, name := range []string{l.WeightName(), l.BiasName()} {
			if !seen[name] {
				missing = append(missing, name)
			}
			delete(seen, name)
		}
	}
	if len(missing)+len(seen) == 0 {
		return nil
	}
	var faults []string
	if len(missing) > 0 {
		faults = append(faults, "missing "+text.FirstFew(missing, 4))
	}
	if len(seen) > 0 {
		faults = append(faults, "unknown "+text.FirstFew(slices.Sorted(maps.Keys(seen)), 4))
	}
	return errors.Errorf("the tensors are not those of config %s: %s", config.Name, strings.Join(faults, "; "))
}

// declare makes the GraphProto. Its values are named after the layers, with the ReLU.
func declare(config configs.Config, info weights.Info, f weights.File) (message, error) {
	b := builder{file: f, value: Input, features: info.Channels}
	b.normalise(info)
	layers := config.Layers()
	side := info.Input / config.Stride()
	for i, l := range layers {
		switch l.Kind {
		case configs.Convolution:
			if err := b.weights(l, l.Kernel, l.Kernel); err != nil {
				return message{}, err
			}
			p := (l.Kernel - 1) / 2
			b.layer("Conv", l, l.Name+".sum", ints("kernel_shape", l.Kernel, l.Kernel), ints("pads", p, p, p, p))
			b.node("Relu", l.Name+".relu", l.Name, nil)
		case configs.LRN:
			// ONNX divides alpha by size, as Caffe and PyTorch do.
			b.layer("LRN", l, l.Name, integer("size", configs.LRNN), float("alpha", configs.LRNAlpha*configs.LRNN),
				float("beta", configs.LRNBeta), float("bias", configs.LRNK))
		case configs.MaxPool:
			b.layer("MaxPool", l, l.Name, ints("kernel_shape", l.Kernel, l.Kernel), ints("strides", l.Kernel, l.Kernel), integer("ceil_mode", 1))
		case configs.FullyConnected:
			if layers[i-1].Kind != configs.FullyConnected {
				b.node("Flatten", "flatten", "flatten", nil, integer("axis", 1))
				b.features *= side * side
			}
			if err := b.weights(l); err != nil {
				return message{}, err
			}
			if !l.Hidden {
				b.layer("Gemm", l, Output, integer("transB", 1))
				break
			}
			b.layer("Gemm", l, l.Name+".sum", integer("transB", 1))
			b.node("Relu", l.Name+".relu", l.Name, nil)
		}
	}
	if b.features != len(info.Classes) {
		return message{}, errors.Errorf("the last layer has %d outputs, and the metadata %d classes", b.features, len(info.Classes))
	}

	b.graph.text(graphName, config.Name)
	for _, t := range b.tensors {
		b.graph.message(graphInitializer, t)
	}
	b.graph.message(graphInput, valueInfo(Input, info.Channels, info.Input, info.Input))
	b.graph.message(graphOutput, valueInfo(Output, len(info.Classes)))
	return b.graph, nil
}

// builder adds node after node to a GraphProto.
type builder struct {
	file     weights.File
	graph    message
	tensors  []message
	value    string // the result of the last node
	features int    // the channels, or features, of value
}

// node adds a NodeProto that computes value from the last value and some tensors.
func (b *builder) node(op, name, value string, tensors []string, attributes ...message) {
	var n message
	for _, input := range append([]string{b.value}, tensors...) {
		n.text(nodeInput, input)
	}
	n.text(nodeOutput, value)
	n.text(nodeName, name)
	n.text(nodeOpType, op)
	for _, a := range attributes {
		n.message(nodeAttribute, a)
	}
	b.graph.message(graphNode, n)
	b.value = value
}

// layer adds the NodeProto of a layer, with its tensors if it has any.
func (b *builder) layer(op string, l configs.Layer, value string, attributes ...message) {
	var tensors []string
	if l.HasWeights() {
		tensors = []string{l.WeightName(), l.BiasName()}
	}
	b.node(op, l.Name, value, tensors, attributes...)
}

// normalise subtracts the mean of each channel and divides by its deviation. They are (C, 1, 1) and not (1, C, 1, 1),
// from which OpenCV would conclude that a batch has one picture.
func (b *builder) normalise(info weights.Info) {
	shape := []int{info.Channels, 1, 1}
	b.tensor(weights.Tensor{Name: "mean", Shape: shape, Data: float32s(info.Mean)})
	b.tensor(weights.Tensor{Name: "std", Shape: shape, Data: float32s(info.Std)})
	b.node("Sub", "subtract_mean", "centred", []string{"mean"})
	b.node("Div", "divide_by_std", "normalised", []string{"std"})
}

func float32s(vs []float64) []float32 {
	out := make([]float32, len(vs))
	for i, v := range vs {
		out[i] = float32(v)
	}
	return out
}

// weights adds a layer's weight, (out, features, kernel…), and its bias, (out).
func (b *builder) weights(l configs.Layer, kernel ...int) error {
	weight, _ := b.file.Tensor(l.WeightName())
	bias, _ := b.file.Tensor(l.BiasName())
	out := len(bias.Data)
	for _, t := range []struct {
		weights.Tensor
		want []int
	}{{weight, append([]int{out, b.features}, kernel...)}, {bias, []int{out}}} {
		if !slices.Equal(t.Shape, t.want) {
			return errors.Errorf("tensor %s (layer %s) is %v: after the layers before it and with %d outputs it should be %v",
				t.Name, l.Name, t.Shape, out, t.want)
		}
		if n := elements(t.want); n == 0 || n != len(t.Data) {
			return errors.Errorf("tensor %s: %d values do not fill the shape %v", t.Name, len(t.Data), t.Shape)
		}
		b.tensor(t.Tensor)
	}
	b.features = out
	return nil
}

// elements is the number of values in a tensor of that shape.
func elements(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// tensor adds a TensorProto.
func (b *builder) tensor(t weights.Tensor) {
	var m message
	for _, d := range t.Shape {
		m.number(tensorDims, d)
	}
	m.number(tensorDataType, dataTypeFloat)
	m.text(tensorName, t.Name)
	m.floats(tensorRawData, t.Data)
	b.tensors = append(b.tensors, m)
}

// valueInfo makes the ValueInfoProto of float32 (N, dims…) for any N.
func valueInfo(name string, dims ...int) message {
	var value, typ, tensorType, shape, batch message
	batch.text(dimensionDimParam, "N")
	shape.message(shapeDim, batch)
	for _, d := range dims {
		var dim message
		dim.number(dimensionDimValue, d)
		shape.message(shapeDim, dim)
	}
	tensorType.number(typeTensorElemType, dataTypeFloat)
	tensorType.message(typeTensorShape, shape)
	typ.message(typeTensor, tensorType)
	value.text(valueName, name)
	value.message(valueType, typ)
	return value
}

// integer, float and ints make AttributeProtos.
func integer(name string, v int) (a message) {
	a.text(attributeName, name)
	a.number(attributeI, v)
	a.number(attributeType, attributeTypeInt)
	return a
}

func float(name string, v float32) (a message) {
	a.text(attributeName, name)
	a.float(attributeF, v)
	a.number(attributeType, attributeTypeFloat)
	return a
}

func ints(name string, vs ...int) (a message) {
	a.text(attributeName, name)
	for _, v := range vs {
		a.number(attributeInts, v)
	}
	a.number(attributeType, attributeTypeInts)
	return a
}
