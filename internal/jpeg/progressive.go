package jpeg

import "github.com/pkg/errors"

// The scans of a progressive frame (annex G): each gives some bits of some coefficients.

// firstDC reads a DC coefficient without its lowest bits.
func (s *scan) firstDC(c *scanned, x, y int) error {
	if err := s.difference(c); err != nil {
		return err
	}
	c.gathered(x, y)[0] = int16(c.sum << s.low)
	return nil
}

// refineDC reads a further bit of a DC coefficient.
func (s *scan) refineDC(c *scanned, x, y int) error {
	if s.bit() {
		c.gathered(x, y)[0] |= 1 << s.low
	}
	return nil
}

// firstAC reads AC coefficients without their lowest bits (section G.1.2.2).
func (s *scan) firstAC(c *scanned, x, y int) error {
	if s.run > 0 {
		s.run--
		return nil
	}
	b := c.gathered(x, y)
	for i := s.first; i <= s.last; i++ {
		symbol, err := s.symbol(c.ac)
		if err != nil {
			return err
		}
		zeros, bits := int(symbol>>4), int(symbol&15)
		i += zeros
		switch {
		case bits > 0 && i > s.last:
			return errors.WithStack(errTooMany)
		case bits > 0:
			b[i] = int16(s.extended(bits) << s.low)
		case zeros < 15:
			s.run = 1<<zeros + s.take(zeros) - 1
			return nil
		}
	}
	return nil
}

// refineAC reads a further bit of AC coefficients, and those that had no bits (section G.1.2.3).
func (s *scan) refineAC(c *scanned, x, y int) error {
	b := c.gathered(x, y)
	i := s.first
	for s.run == 0 && i <= s.last {
		symbol, err := s.symbol(c.ac)
		if err != nil {
			return err
		}
		zeros, bits := int(symbol>>4), int(symbol&15)
		fresh := int16(0)
		switch {
		case bits > 1:
			return errors.New("a JPEG with a new coefficient of more than one bit in a scan that refines")
		case bits == 1:
			fresh = -1 << s.low
			if s.bit() {
				fresh = 1 << s.low
			}
		case zeros < 15:
			s.run = 1<<zeros + s.take(zeros)
			continue
		}
		if i = s.refine(b, i, zeros); fresh != 0 {
			if i > s.last {
				return errors.WithStack(errTooMany)
			}
			b[i] = fresh
		}
		i++
	}
	if s.run > 0 {
		s.run--
		s.refine(b, i, 64)
	}
	return nil
}

// refine reads a further bit of each coefficient that has some, from i on, until it has stepped over a number of zeros
// and stands at another.
func (s *scan) refine(b *[64]int16, i, zeros int) int {
	for ; i <= s.last; i++ {
		switch v := b[i]; {
		case v == 0 && zeros == 0:
			return i
		case v == 0:
			zeros--
		case s.bit() && v>>s.low&1 == 0:
			b[i] = v + 1<<s.low
			if v < 0 {
				b[i] = v - 1<<s.low
			}
		}
	}
	return i
}
