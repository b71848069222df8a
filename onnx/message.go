package onnx

import (
	"bufio"
	"encoding/binary"
	"io"
	"math"

	"github.com/pkg/errors"
	"google.golang.org/protobuf/encoding/protowire"
)

// The fields that are written, as onnx.proto numbers them: message, then field.
const (
	modelIRVersion    protowire.Number = 1
	modelProducerName protowire.Number = 2
	modelGraph        protowire.Number = 7
	modelOpsetImport  protowire.Number = 8
	modelMetadata     protowire.Number = 14 // metadata_props

	opsetDomain  protowire.Number = 1 // OperatorSetIdProto
	opsetVersion protowire.Number = 2

	propertyKey   protowire.Number = 1 // StringStringEntryProto
	propertyValue protowire.Number = 2

	graphNode        protowire.Number = 1
	graphName        protowire.Number = 2
	graphInitializer protowire.Number = 5
	graphInput       protowire.Number = 11
	graphOutput      protowire.Number = 12

	nodeInput     protowire.Number = 1
	nodeOutput    protowire.Number = 2
	nodeName      protowire.Number = 3
	nodeOpType    protowire.Number = 4
	nodeAttribute protowire.Number = 5

	attributeName protowire.Number = 1
	attributeF    protowire.Number = 2
	attributeI    protowire.Number = 3
	attributeInts protowire.Number = 8
	attributeType protowire.Number = 20

	tensorDims     protowire.Number = 1
	tensorDataType protowire.Number = 2
	tensorName     protowire.Number = 8
	tensorRawData  protowire.Number = 9

	valueName protowire.Number = 1 // ValueInfoProto
	valueType protowire.Number = 2

	typeTensor         protowire.Number = 1 // TypeProto.tensor_type
	typeTensorElemType protowire.Number = 1 // TypeProto.Tensor
	typeTensorShape    protowire.Number = 2

	shapeDim          protowire.Number = 1 // TensorShapeProto
	dimensionDimValue protowire.Number = 1 // TensorShapeProto.Dimension
	dimensionDimParam protowire.Number = 2
)

// The values of its enumerations that are written.
const (
	dataTypeFloat = 1 // TensorProto.DataType

	attributeTypeFloat = 1 // AttributeProto.AttributeType
	attributeTypeInt   = 2
	attributeTypeInts  = 7
)

// maxModel is the size in bytes above which readers of protobuf refuse a message.
const maxModel = math.MaxInt32

// message is a protobuf message. It refers to arrays of float32, which are encoded only when it is written.
type message struct {
	parts []part
	size  int64 // in bytes
}

// part is a piece of a message: bytes, or float32 not yet encoded.
type part struct {
	bytes  []byte
	floats []float32
}

func (m *message) add(parts ...part) {
	for _, p := range parts {
		m.size += int64(len(p.bytes)) + 4*int64(len(p.floats))
	}
	m.parts = append(m.parts, parts...)
}

func (m *message) number(field protowire.Number, v int) {
	b := protowire.AppendTag(nil, field, protowire.VarintType)
	m.add(part{bytes: protowire.AppendVarint(b, uint64(v))})
}

func (m *message) float(field protowire.Number, v float32) {
	b := protowire.AppendTag(nil, field, protowire.Fixed32Type)
	m.add(part{bytes: protowire.AppendFixed32(b, math.Float32bits(v))})
}

func (m *message) text(field protowire.Number, s string) {
	b := protowire.AppendTag(nil, field, protowire.BytesType)
	m.add(part{bytes: protowire.AppendString(b, s)})
}

// message embeds another message without copying its arrays.
func (m *message) message(field protowire.Number, sub message) {
	b := protowire.AppendTag(nil, field, protowire.BytesType)
	m.add(part{bytes: protowire.AppendVarint(b, uint64(sub.size))})
	m.add(sub.parts...)
}

// floats embeds an array as little-endian bytes.
func (m *message) floats(field protowire.Number, data []float32) {
	m.message(field, message{parts: []part{{floats: data}}, size: 4 * int64(len(data))})
}

// encode writes the message, or nothing if it is larger than readers accept.
func (m *message) encode(out io.Writer) error {
	if m.size > maxModel {
		return errors.Errorf("it would take %.2f GB, and protobuf, which ONNX is made of, ends at %.2f GB: "+
			"keep the net as safetensors, or train one of less width or with smaller fully connected layers",
			float64(m.size)/1e9, maxModel/1e9)
	}
	w := bufio.NewWriterSize(out, 1<<16)
	// The bufio.Writer keeps the first error for Flush.
	for _, p := range m.parts {
		_, _ = w.Write(p.bytes)
		for _, v := range p.floats {
			_, _ = w.Write(binary.LittleEndian.AppendUint32(w.AvailableBuffer(), math.Float32bits(v)))
		}
	}
	return w.Flush()
}
