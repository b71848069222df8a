package element

import (
	"encoding/binary"
	"math"
	"slices"
	"unsafe"
)

// widths are the bytes of an element of each dtype that is read, named as in safetensors.
var widths = map[string]int{"F64": 8, "F32": 4, "F16": 2, "BF16": 2}

// others are the bytes of an element of the dtypes that are not read.
var others = map[string]int{"I64": 8, "U64": 8, "I32": 4, "U32": 4, "I16": 2, "U16": 2, "I8": 1, "U8": 1, "BOOL": 1, "C64": 8,
	"F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1}

// Width is the size in bytes of an element of any dtype of safetensors; 0 for an unknown one.
func Width(dtype string) int { return widths[dtype] + others[dtype] }

// Bytes is the size of an element of a dtype; 0 for one that is not read.
func Bytes(dtype string) int { return widths[dtype] }

// MaxDims is the most dimensions of a tensor that is read. Those of a net have at most 4.
const MaxDims = 8

// Count is the number of elements of a shape; false where a dimension is negative or the number exceeds limit.
func Count(shape []int, limit int) (int, bool) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, false
		}
	}
	if slices.Contains(shape, 0) {
		return 0, true
	}
	for _, d := range shape {
		if d > limit/n {
			return 0, false
		}
		n *= d
	}
	return n, n <= limit
}

// littleEndian says whether this machine stores float32 as files do.
var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// Floats converts the elements of a dtype that is read. If they are float32 as this machine stores it, the result
// shares their memory.
func Floats(b []byte, dtype string, order binary.ByteOrder) []float32 {
	width := Bytes(dtype)
	n := len(b) / width
	if n == 0 {
		return []float32{}
	}
	if first := unsafe.Pointer(unsafe.SliceData(b)); dtype == "F32" && littleEndian && order == binary.LittleEndian &&
		uintptr(first)%unsafe.Alignof(float32(0)) == 0 {
		return unsafe.Slice((*float32)(first), n)
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = Float(b[i*width:], dtype, order)
	}
	return values
}

// Float converts the first element of b.
func Float(b []byte, dtype string, order binary.ByteOrder) float32 {
	switch dtype {
	case "F64":
		return float32(math.Float64frombits(order.Uint64(b)))
	case "F16":
		return float16(order.Uint16(b))
	case "BF16": // the upper half of a float32
		return math.Float32frombits(uint32(order.Uint16(b)) << 16)
	default:
		return math.Float32frombits(order.Uint32(b))
	}
}

// float16 converts an IEEE 754 half: 1 sign, 5 exponent, 10 fraction bits.
func float16(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15), uint32(h>>10&0x1f), uint32(h&0x3ff)
	switch exponent {
	case 0: // zero or subnormal: fraction · 2⁻²⁴, exact in float32
		v := float32(fraction) / (1 << 24)
		return math.Float32frombits(sign<<31 | math.Float32bits(v))
	case 0x1f: // infinity or NaN
		exponent = 0xff
	default: // the bias is 15 there and 127 here
		exponent += 127 - 15
	}
	return math.Float32frombits(sign<<31 | exponent<<23 | fraction<<13)
}
