package jpeg

import (
	"encoding/binary"

	"github.com/pkg/errors"
)

// frame is what a file says of its picture (section B.2.2), and the samples.
type frame struct {
	progressive   bool
	width, height int // in pixels
	components    []component
	most          struct{ across, down int } // sampling factors
	mcusAcross    int                        // of a scan of more than one component
	mcusDown      int
}

// component is one of a frame's, in blocks of 8×8 samples.
type component struct {
	id           byte
	across, down int // sampling factors
	selector     byte
	quant        *quantization // that which its first scan found; nil: there was none

	width, height int     // in samples that hold pixels
	stride        int     // in blocks of whole MCUs
	samples       []uint8 // in rows of 8*stride
	coefficients  []int16 // of a progressive frame: 64 a block, in the order of a file
	hasDC         bool
}

// readFrame takes a frame's header.
func (d *decoder) readFrame(segment []byte, progressive bool) error {
	if d.frame != nil {
		return errors.New("a JPEG with more than one frame")
	}
	if len(segment) < 6 || len(segment) != 6+3*int(segment[5]) {
		return errors.Errorf("a JPEG whose frame header has %d bytes", len(segment))
	}
	if segment[0] != 8 {
		return errors.Errorf("JPEG of %d bits a sample is not supported: convert the picture to 8 bits", segment[0])
	}
	n := int(segment[5])
	if n != 1 && n != 3 && n != 4 {
		return errors.Errorf("JPEG of %d components is not supported: want 1, 3 or 4", n)
	}
	f := &frame{
		progressive: progressive,
		height:      int(binary.BigEndian.Uint16(segment[1:])),
		width:       int(binary.BigEndian.Uint16(segment[3:])),
		components:  make([]component, n),
	}
	for i := range f.components {
		s := segment[6+3*i:]
		c := component{id: s[0], across: int(s[1] >> 4), down: int(s[1] & 15), selector: s[2]}
		if n == 1 { // whose blocks are not interleaved, whatever the factors (section A.2.2)
			c.across, c.down = min(c.across, 1), min(c.down, 1)
		}
		if c.across < 1 || c.across > 4 || c.down < 1 || c.down > 4 || c.selector > 3 || f.component(c.id) != nil {
			return errors.Errorf("a JPEG whose component %d is damaged (%x)", i+1, s[:3])
		}
		f.components[i] = c
		f.most.across, f.most.down = max(f.most.across, c.across), max(f.most.down, c.down)
	}
	for i := range f.components {
		c := &f.components[i]
		if f.most.across%c.across != 0 || f.most.down%c.down != 0 {
			return errors.Errorf("JPEG with sampling factors of %d×%d beside %d×%d is not supported: convert the picture to ordinary JPEG or PNG",
				c.across, c.down, f.most.across, f.most.down)
		}
		c.width, c.height = above(f.width*c.across, f.most.across), above(f.height*c.down, f.most.down)
	}
	f.mcusAcross, f.mcusDown = above(f.width, 8*f.most.across), above(f.height, 8*f.most.down)
	d.frame = f
	return nil
}

// component gives that with an identifier; nil: there is none.
func (f *frame) component(id byte) *component {
	for i := range f.components {
		if c := &f.components[i]; c.id == id && c.across > 0 {
			return c
		}
	}
	return nil
}

// above is a/b, rounded up.
func above(a, b int) int { return (a + b - 1) / b }

// blocks gives the columns and rows of blocks that hold pixels.
func (c *component) blocks() (across, down int) { return above(c.width, 8), above(c.height, 8) }

// allocate makes room for the samples. Each block of pixels takes at least a bit of the file (a DC coefficient), so a
// file of few bytes cannot claim much memory.
func (f *frame) allocate(bytes int) error {
	if f.width < 1 || f.height < 1 {
		return errors.Errorf("a JPEG of %d×%d pixels", f.width, f.height)
	}
	least, total := 0, 0
	for i := range f.components {
		c := &f.components[i]
		across, down := c.blocks()
		least += across * down
		c.stride = f.mcusAcross * c.across
		total += c.stride * f.mcusDown * c.down
	}
	if least > 8*bytes {
		return cutOff("its pixels")
	}
	samples := make([]uint8, 64*total)
	for i := range f.components {
		c := &f.components[i]
		n := c.stride * f.mcusDown * c.down
		c.samples, samples = samples[:64*n:64*n], samples[64*n:]
		if f.progressive {
			c.coefficients = make([]int16, 64*n)
		}
	}
	return nil
}

// finish is to be called behind the last scan: it transforms what a progressive frame has gathered.
func (f *frame) finish() error {
	for i := range f.components {
		c := &f.components[i]
		if !c.hasDC {
			return errors.Errorf("a JPEG without pixels of component %d", i+1)
		}
		if !f.progressive {
			continue
		}
		across, down := c.blocks()
		for y := range down {
			for x := range across {
				c.transform(x, y)
			}
		}
		c.coefficients = nil
	}
	return nil
}

// transform gives the samples of a block of a progressive frame.
func (c *component) transform(x, y int) {
	var b block
	for i, v := range c.gathered(x, y) {
		if v != 0 {
			b.set(i, int32(v)*c.quant[i])
		}
	}
	b.inverse(c.place(x, y))
}

// gathered gives the coefficients of a block.
func (c *component) gathered(x, y int) *[64]int16 {
	return (*[64]int16)(c.coefficients[64*(y*c.stride+x):])
}

// place gives the samples from the first of a block on, and their stride.
func (c *component) place(x, y int) (samples []uint8, stride int) {
	return c.samples[8*(8*y*c.stride+x):], 8 * c.stride
}
