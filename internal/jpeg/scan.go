package jpeg

import (
	"github.com/pkg/errors"
)

// scan is a part of the coefficients of some components (section B.2.3).
type scan struct {
	bitReader
	components  []scanned
	first, last int  // coefficients, in the order of a file
	low         int  // bits of the coefficients that are still left out
	refines     bool // gives a bit more of coefficients
	run         int  // blocks without further coefficients (EOBRUN, section G.1.2.2)
	block       block
}

// scanned is a component in a scan.
type scanned struct {
	*component
	dc, ac *huffman
	sum    int // of the DC coefficients' differences
}

// readScan takes a scan: its header, and the data behind it.
func (d *decoder) readScan(header []byte) error {
	f := d.frame
	if f == nil {
		return errNoFrame
	}
	s, err := d.newScan(header)
	if err != nil {
		return err
	}
	if f.components[0].samples == nil {
		if err := f.allocate(len(d.data)); err != nil {
			return err
		}
	}
	s.data = d.data
	if err := s.read(f, d.restart); err != nil {
		return err
	}
	d.data = d.data[s.at:]
	return nil
}

// newScan reads the header of a scan.
func (d *decoder) newScan(header []byte) (*scan, error) {
	f := d.frame
	if len(header) < 1 || header[0] < 1 || int(header[0]) > len(f.components) || len(header) != 4+2*int(header[0]) {
		return nil, errors.Errorf("a JPEG whose scan header is damaged (%d bytes)", len(header))
	}
	n := int(header[0])
	spectrum := header[1+2*n:]
	s := &scan{last: 63}
	if f.progressive {
		s.first, s.last = int(spectrum[0]), int(spectrum[1])
		high := int(spectrum[2] >> 4)
		s.low, s.refines = int(spectrum[2]&15), high > 0
		if s.first > s.last || s.last > 63 || s.first == 0 && s.last > 0 || s.first > 0 && n > 1 || s.low > 13 || s.refines && high != s.low+1 {
			return nil, errors.Errorf("a JPEG with a scan of coefficients %d to %d, bits %d to %d", s.first, s.last, high, s.low)
		}
	}
	blocks := 0
	for i := range n {
		c := f.component(header[1+2*i])
		dc, ac := header[2+2*i]>>4, header[2+2*i]&15
		if c == nil || dc > 3 || ac > 3 {
			return nil, errors.Errorf("a JPEG with a damaged scan of component %d", header[1+2*i])
		}
		for _, other := range s.components {
			if other.component == c {
				return nil, errors.Errorf("a JPEG with component %d twice in a scan", c.id)
			}
		}
		if c.quant == nil {
			c.quant = d.quant[c.selector]
		}
		part := scanned{component: c, dc: d.huff[0][dc], ac: d.huff[1][ac]}
		if c.quant == nil || part.dc == nil && s.first == 0 && !s.refines || part.ac == nil && s.last > 0 {
			return nil, errors.New("a JPEG with a scan before its tables")
		}
		c.hasDC = c.hasDC || s.first == 0
		s.components = append(s.components, part)
		blocks += c.across * c.down
	}
	if n > 1 && blocks > 10 { // section B.2.3
		return nil, errors.Errorf("a JPEG with %d blocks in an MCU: want at most 10", blocks)
	}
	return s, nil
}

// read reads the blocks of a scan, MCU for MCU (section A.2).
func (s *scan) read(f *frame, restart int) error {
	read := s.sequential
	switch {
	case !f.progressive:
	case s.first == 0 && s.refines:
		read = s.refineDC
	case s.first == 0:
		read = s.firstDC
	case s.refines:
		read = s.refineAC
	default:
		read = s.firstAC
	}
	across, down := f.mcusAcross, f.mcusDown
	alone := len(s.components) == 1
	if alone {
		across, down = s.components[0].blocks()
	}
	for mcu := range across * down {
		if restart > 0 && mcu > 0 && mcu%restart == 0 {
			if err := s.restart(mcu/restart - 1); err != nil {
				return err
			}
		}
		for i := range s.components {
			c := &s.components[i]
			wide, high := c.across, c.down
			if alone {
				wide, high = 1, 1
			}
			for at := range wide * high {
				err := read(c, mcu%across*wide+at%wide, mcu/across*high+at/wide)
				if s.n < s.none {
					return s.ended()
				}
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// restart steps over a restart marker (sections F.2.1.3.1 and G.1.2.2).
func (s *scan) restart(number int) error {
	for i := range s.components {
		s.components[i].sum = 0
	}
	s.run = 0
	return s.bitReader.restart(number % 8)
}

// difference reads a DC coefficient (section F.2.2.1).
func (s *scan) difference(c *scanned) error {
	n, err := s.symbol(c.dc)
	if err != nil {
		return err
	}
	if n > 15 {
		return errors.Errorf("a JPEG with a coefficient of %d bits", n)
	}
	c.sum += s.extended(int(n))
	return nil
}

var errTooMany = errors.New("a JPEG with more coefficients than a block has")

// sequential reads a whole block (section F.2.2) and transforms it.
func (s *scan) sequential(c *scanned, x, y int) error {
	if err := s.difference(c); err != nil {
		return err
	}
	b := &s.block
	b.set(0, int32(int16(c.sum))*c.quant[0])
	acc, ready := s.acc, s.n
	for i := 1; i < 64; i++ {
		if ready < 32 {
			s.acc, s.n = acc, ready
			s.fill()
			acc, ready = s.acc, s.n
		}
		code := int(c.ac.fast[acc>>(64-lookahead)])
		symbol, length := byte(code>>8), code&255
		if length == 0 {
			if symbol, length = c.ac.long(uint32(acc >> 48)); length == 0 {
				s.acc, s.n = acc, ready
				return s.noCode()
			}
		}
		acc <<= length & 63
		zeros, bits := int(symbol>>4), int(symbol&15)
		ready -= length + bits
		i += zeros
		if bits == 0 {
			if zeros < 15 {
				break
			}
			continue
		}
		if i > 63 {
			s.acc, s.n = acc, ready
			return errors.WithStack(errTooMany)
		}
		v := int32(acc >> (64 - bits))
		v -= (1<<bits - 1) &^ int32(int64(acc)>>63)
		acc <<= bits & 63
		b.set(i, v*c.quant[i])
	}
	s.acc, s.n = acc, ready
	b.inverse(c.place(x, y))
	return nil
}
