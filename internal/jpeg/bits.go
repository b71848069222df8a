package jpeg

import (
	"encoding/binary"

	"github.com/pkg/errors"
)

// bitReader reads the bits of a scan, up to a marker. Behind them it gives zeros; if n is less than none, some were
// used.
type bitReader struct {
	data []byte
	at   int    // of the next byte
	acc  uint64 // the next bits, from the highest on
	n    int    // how many
	none int    // of these, the last, that are not in the file
}

// fill makes at least 57 bits ready.
func (r *bitReader) fill() {
	if r.at+8 <= len(r.data) {
		v := binary.BigEndian.Uint64(r.data[r.at:])
		const ones = 0x0101010101010101
		if (^v-ones)&v&(0x80*ones) == 0 { // no byte is 0xff
			r.acc |= v >> r.n
			taken := (64 - r.n) / 8
			r.at += taken
			r.n += 8 * taken
			r.acc &= ^uint64(0) << (64 - r.n)
			return
		}
	}
	for ; r.n <= 56; r.n += 8 {
		if r.at >= len(r.data) || r.data[r.at] == 0xff && (r.at+1 >= len(r.data) || r.data[r.at+1] != 0) {
			r.none += 8
			continue
		}
		b := r.data[r.at]
		r.at++
		if b == 0xff { // and a zero, which marks it as data (section B.1.1.5)
			r.at++
		}
		r.acc |= uint64(b) << (56 - r.n)
	}
}

// bit reads one bit.
func (r *bitReader) bit() bool {
	if r.n == 0 {
		r.fill()
	}
	b := r.acc >> 63
	r.acc <<= 1
	r.n--
	return b != 0
}

// take reads up to 16 bits as a number.
func (r *bitReader) take(n int) int {
	if r.n < n {
		r.fill()
	}
	v := r.acc >> (64 - n)
	r.acc <<= n
	r.n -= n
	return int(v)
}

// extended reads n bits, at most 16, as a number that may be negative (section F.2.2.1, EXTEND).
func (r *bitReader) extended(n int) int {
	v := r.take(n)
	if n > 0 && v>>(n-1) == 0 {
		v += 1 - 1<<n
	}
	return v
}

// symbol reads a symbol.
func (r *bitReader) symbol(h *huffman) (byte, error) {
	if r.n < 16 {
		r.fill()
	}
	length := int(h.fast[r.acc>>(64-lookahead)])
	s := byte(length >> 8)
	if length &= 255; length == 0 {
		if s, length = h.long(uint32(r.acc >> 48)); length == 0 {
			return 0, r.noCode()
		}
	}
	r.acc <<= length
	r.n -= length
	return s, nil
}

func (r *bitReader) noCode() error {
	if r.n-r.none < 16 {
		return r.ended()
	}
	return errors.New("a JPEG with a code that is not in its Huffman table")
}

// ended is the error of a scan without the bits that its blocks need.
func (r *bitReader) ended() error {
	if r.at+1 >= len(r.data) {
		return cutOff("its pixels")
	}
	return errors.Errorf("a JPEG with a marker %#x in its pixels", r.data[r.at+1])
}

// restart steps to the marker of a number from 0 to 7, and behind it.
func (r *bitReader) restart(number int) error {
	for at := r.at; at+1 < len(r.data); at++ {
		if r.data[at] != 0xff || r.data[at+1] == 0 || r.data[at+1] == 0xff {
			continue
		}
		if marker := r.data[at+1]; int(marker) != firstRestart+number {
			return errors.Errorf("a JPEG with a marker %#x in its pixels: want %#x", marker, firstRestart+number)
		}
		*r = bitReader{data: r.data, at: at + 2}
		return nil
	}
	return cutOff("its pixels")
}
