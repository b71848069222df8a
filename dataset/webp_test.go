package dataset

import (
	"bytes"
	"encoding/binary"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// webpChunkOf is a chunk of a kind and with contents.
func webpChunkOf(kind string, contents []byte) []byte {
	b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(contents)))
	return append(append(b, contents...), make([]byte, len(contents)%2)...)
}

// number24 is a number in three bytes.
func number24(v int) []byte { return []byte{byte(v), byte(v >> 8), byte(v >> 16)} }

// animation has a still picture of 16×12, from testdata, as its first frame in a place on a canvas, and a second frame.
func animation(t testing.TB, name string, canvas, place image.Point) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join("testdata/pictures", name))
	if err != nil {
		t.Fatal(err)
	}
	chunks := file[riffHeader:]
	if kind, _, rest := webpChunk(chunks); kind == "VP8X" {
		chunks = rest
	}
	frame := func(at image.Point) []byte {
		var head []byte
		for _, v := range []int{at.X / 2, at.Y / 2, frameSize.X - 1, frameSize.Y - 1, 100} {
			head = append(head, number24(v)...)
		}
		return webpChunkOf("ANMF", append(append(head, 0), chunks...))
	}
	extended := append(append([]byte{animated | hasAlpha, 0, 0, 0}, number24(canvas.X-1)...), number24(canvas.Y-1)...)
	body := bytes.Join([][]byte{[]byte("WEBP"), webpChunkOf("VP8X", extended), webpChunkOf("ICCP", []byte("odd")),
		webpChunkOf("ANIM", make([]byte, 6)), frame(place), frame(image.Point{})}, nil)
	return webpChunkOf("RIFF", body)
}

var frameSize = image.Pt(frame.Dx(), frame.Dy())

// TestAnimatedWebP: the first frame is where it belongs, on white.
func TestAnimatedWebP(t *testing.T) {
	for _, name := range []string{"lossy.webp", "lossless.webp", "lossy-alpha.webp", "lossless-alpha.webp"} {
		still, err := os.ReadFile(filepath.Join("testdata/pictures", name))
		if err != nil {
			t.Fatal(err)
		}
		want, err := decode(still)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := decode(animation(t, name, frameSize, image.Point{})); err != nil || !bytes.Equal(p.Pix, want.Pix) {
			t.Errorf("%s as a frame: other pixels, %v", name, err)
		}
		p, err := decode(animation(t, name, image.Pt(31, 20), image.Pt(6, 4)))
		if err != nil || p.Width != 31 || p.Height != 20 {
			t.Errorf("%s on a canvas: %d×%d, %v", name, p.Width, p.Height, err)
			continue
		}
		in := image.Rectangle{Min: image.Pt(6, 4), Max: image.Pt(6, 4).Add(frameSize)}
		for i := range p.Width * p.Height {
			at, colour := image.Pt(i%p.Width, i/p.Width), []uint8{255, 255, 255}
			if at.In(in) {
				colour = want.Pix[3*((at.Y-4)*want.Width+at.X-6):][:3]
			}
			if !bytes.Equal(p.Pix[3*i:3*i+3], colour) {
				t.Errorf("%s: %v at %v, want %v", name, p.Pix[3*i:3*i+3], at, colour)
				break
			}
		}
	}
}

// TestBrokenAnimations: what is no animation is refused, and costs little.
func TestBrokenAnimations(t *testing.T) {
	whole := animation(t, "lossless.webp", frameSize, image.Point{})
	at := bytes.Index(whole, []byte("ANMF"))
	other := bytes.Clone(whole)
	other[bytes.Index(whole, []byte("VP8L"))+chunkHeader+1] ^= 1
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"no frame":           {whole[:at], "without a frame"},
		"no whole frame":     {whole[:at+chunkHeader+9], "cut off"},
		"outside the canvas": {animation(t, "lossless.webp", frameSize, image.Pt(2, 0)), "outside its canvas"},
		"another size":       {other, "invalid format"},
		"no picture":         {bytes.ReplaceAll(whole, []byte("VP8L"), []byte("JUNK")), "invalid format"},
	} {
		var err error
		n := allocated(func() { _, err = decode(c.data) })
		if err == nil || !strings.Contains(err.Error(), c.want) || n > little {
			t.Errorf("%s: %v, %d bytes allocated", name, err, n)
		}
	}
}

// FuzzFirstFrame: a still picture comes out of any data, no longer than they are but for its header.
func FuzzFirstFrame(f *testing.F) {
	for _, name := range []string{"lossy.webp", "lossless.webp", "lossy-alpha.webp"} {
		f.Add(animation(f, name, image.Pt(31, 20), image.Pt(6, 4)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		still, place, err := firstFrame(data)
		if err == nil && (len(still) > len(data)+64 || place.X < 0 || place.Y < 0) {
			t.Errorf("%d bytes of %d, at %v", len(still), len(data), place)
		}
		if err == nil && len(data) < 1<<10 {
			if _, canvas, err := header(data); err == nil && canvas.Dx()*canvas.Dy() < 1<<12 { // a larger one takes the time of many others
				decode(data)
			}
		}
	})
}
