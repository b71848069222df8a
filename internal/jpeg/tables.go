package jpeg

import (
	"encoding/binary"

	"github.com/pkg/errors"
)

// natural gives the place in a block, row by row, of the coefficients in the order of a file (figure A.6).
var natural = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}

// quantization has the steps of coefficients, in the order of a file.
type quantization [64]int32

// readQuantization takes tables (section B.2.4.1).
func (d *decoder) readQuantization(segment []byte) error {
	for len(segment) > 0 {
		wide, at := int(segment[0]>>4), segment[0]&15
		if wide > 1 || at > 3 || len(segment) < 1+64<<wide {
			return errors.Errorf("a JPEG with a damaged quantization table (%#x, %d bytes)", segment[0], len(segment))
		}
		table := new(quantization)
		for i := range table {
			if wide == 1 {
				table[i] = int32(binary.BigEndian.Uint16(segment[1+2*i:]))
			} else {
				table[i] = int32(segment[1+i])
			}
		}
		d.quant[at], segment = table, segment[1+64<<wide:]
	}
	return nil
}

// lookahead is the number of bits by which most symbols are found at once.
const lookahead = 9

// huffman decodes the symbols of a table (annex C). Codes are compared as the first of 16 bits.
type huffman struct {
	fast    [1 << lookahead]uint16 // by the next bits: the symbol, then 8 bits with the code's length; 0: it is longer
	above   [17]uint32             // by length: the least number above all codes of this length or less
	first   [17]int                // by length: of the first code its symbol's place, less the code
	symbols [256]byte
}

// readHuffman takes tables (section B.2.4.2).
func (d *decoder) readHuffman(segment []byte) error {
	for len(segment) > 0 {
		class, at := segment[0]>>4, segment[0]&15
		total := 0
		for _, n := range segment[min(1, len(segment)):min(17, len(segment))] {
			total += int(n)
		}
		if class > 1 || at > 3 || total == 0 || total > 256 || len(segment) < 17+total {
			return errors.Errorf("a JPEG with a damaged Huffman table (%#x, %d symbols, %d bytes)", segment[0], total, len(segment))
		}
		h, err := newHuffman(segment[1:17], segment[17:17+total])
		if err != nil {
			return err
		}
		d.huff[class][at], segment = h, segment[17+total:]
	}
	return nil
}

// newHuffman makes a table from the number of codes of each length from 1 on.
func newHuffman(lengths, symbols []byte) (*huffman, error) {
	h := new(huffman)
	copy(h.symbols[:], symbols)
	code, place := 0, 0
	for length := 1; length <= 16; length++ {
		h.first[length] = place - code
		for range lengths[length-1] {
			if code >= 1<<length {
				return nil, errors.New("a JPEG with a damaged Huffman table: more codes than bits can tell apart")
			}
			if length <= lookahead {
				from := code << (lookahead - length)
				for i := range 1 << (lookahead - length) {
					h.fast[from+i] = uint16(symbols[place])<<8 | uint16(length)
				}
			}
			code++
			place++
		}
		h.above[length] = uint32(code) << (16 - length)
		code <<= 1
	}
	return h, nil
}

// long finds a symbol whose code, the first of 16 bits, is longer than lookahead. A length of 0 means that there is
// none.
func (h *huffman) long(bits uint32) (symbol byte, length int) {
	for length := lookahead + 1; length <= 16; length++ {
		if bits < h.above[length] {
			return h.symbols[h.first[length]+int(bits>>(16-length))], length
		}
	}
	return 0, 0
}
