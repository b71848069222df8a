package jpeg

import (
	"bytes"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// float gives the samples of coefficients by the definition of the transform (section A.3.3).
func float(values *[64]int32) (out [64]float64) {
	var basis [8][8]float64
	for u := range 8 {
		for x := range 8 {
			basis[u][x] = math.Cos(float64((2*x+1)*u)*math.Pi/16) / 2
			if u == 0 {
				basis[u][x] = math.Sqrt(0.125)
			}
		}
	}
	for i, v := range values {
		for at := range out {
			out[at] += float64(v) * basis[i%8][at%8] * basis[i/8][at/8]
		}
	}
	for at, v := range out {
		out[at] = min(max(v+128, 0), 255)
	}
	return out
}

// TestInverse: the transform is the exact one but for a level, with any number of coefficients, and leaves zeros.
func TestInverse(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var b block
	for i := range 5000 {
		for range i % 64 {
			b.set(r.IntN(64), int32(r.IntN(401)-200)/int32(1+i%7))
		}
		b.set(0, int32(r.IntN(2001)-1000))
		want := float(&b.values)
		dst := make([]uint8, 7*11+8)
		b.inverse(dst, 11)
		for at, v := range want {
			if got := dst[at/8*11+at%8]; math.Abs(float64(got)-v) > 1 {
				t.Fatalf("block %d: sample %d is %d, want %g", i, at, got, v)
			}
		}
		if b != (block{}) {
			t.Fatalf("block %d: not zeros", i)
		}
	}
}

// grey writes a grey JPEG of one row of blocks, with coefficients in the order of a file and all quantization steps 1.
// The Huffman tables have codes of 6 to 16 bits.
func grey(blocks [][64]int, restart int) []byte {
	segment := func(marker byte, contents []byte) []byte {
		return append([]byte{0xff, marker, byte((len(contents) + 2) >> 8), byte(len(contents) + 2)}, contents...)
	}
	symbols := make([]byte, 256)
	for i := range symbols {
		symbols[i] = byte(i*37 + 5) // each once
	}
	dc := append([]byte{0, 0, 0, 0, 0, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, []byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f")...)
	ac := append([]byte{0x10, 0, 0, 0, 0, 0, 20, 20, 40, 0, 0, 0, 96, 0, 0, 0, 80}, symbols...)
	out := slices.Concat([]byte{0xff, startOfImage}, segment(quantTables, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)),
		segment(baseline, []byte{8, 0, 8, byte(len(blocks) >> 5), byte(len(blocks) << 3), 1, 1, 0x11, 0}), segment(huffmanTables, dc),
		segment(huffmanTables, ac), segment(restartPeriod, []byte{0, byte(restart)}), segment(startOfScan, []byte{1, 1, 0, 0, 63, 0}))

	bits, n := uint64(0), 0
	put := func(v, length int) {
		bits, n = bits<<length|uint64(v)&(1<<length-1), n+length
		for ; n >= 8; n -= 8 {
			b := byte(bits >> (n - 8))
			if out = append(out, b); b == 0xff {
				out = append(out, 0)
			}
		}
	}
	symbol := func(table []byte, want int) {
		code, at := 0, 17
		for length := 1; length <= 16; length++ {
			for range table[length] {
				if int(table[at]) == want {
					put(code, length)
					return
				}
				code, at = code+1, at+1
			}
			code <<= 1
		}
	}
	number := func(table []byte, zeros, v int) {
		length := 0
		for v>>length != 0 && (-v)>>length != 0 {
			length++
		}
		symbol(table, zeros<<4|length)
		if v < 0 {
			v--
		}
		put(v, length)
	}
	last := 0
	for i, b := range blocks {
		if restart > 0 && i > 0 && i%restart == 0 {
			put(-1, (8-n)%8)
			out, last = append(out, 0xff, byte(firstRestart+(i/restart-1)%8)), 0
		}
		number(dc, 0, b[0]-last)
		last = b[0]
		zeros := 0
		for _, v := range b[1:] {
			if v == 0 {
				zeros++
				continue
			}
			for ; zeros > 15; zeros -= 16 {
				symbol(ac, 0xf0)
			}
			number(ac, zeros, v)
			zeros = 0
		}
		if zeros > 0 {
			symbol(ac, 0)
		}
	}
	put(-1, (8-n)%8)
	return append(out, 0xff, endOfImage)
}

// TestKnown: the samples of coefficients are those of libjpeg: known.pgm is what libjpeg-turbo's djpeg -dct int makes
// of this file. Restart markers change nothing.
func TestKnown(t *testing.T) {
	var blocks [][64]int
	for i := range 10 {
		var b [64]int
		b[0] = 600 - 100*i
		for k := 1 + i; k < 64; k += 1 + i*i {
			b[k] = (k*k*(i+7)+k*13)%(160/(i+1)) - 80/(i+1)
		}
		b[63-i] = 16*i - 50
		blocks = append(blocks, b)
	}
	want, err := os.ReadFile("testdata/known.pgm")
	if err != nil {
		t.Fatal(err)
	}
	want = bytes.TrimPrefix(want, []byte("P5\n80 8\n255\n"))
	for _, restart := range []int{0, 1, 3} {
		img, err := Decode(grey(blocks, restart))
		if err != nil {
			t.Fatal(err)
		}
		got := img.(*image.Gray)
		for i, v := range want {
			if got.Pix[i] != v || len(got.Pix) != len(want) {
				t.Fatalf("restart every %d: sample %d of %d is %d, want %d of %d", restart, i, len(got.Pix), got.Pix[i], v, len(want))
			}
		}
	}
}
