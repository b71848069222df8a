package dataset

import (
	"bytes"
	"errors"
	"testing"
)

// TestOtherJPEGs: JPEG-LS counts as another format, but a JPEG that is damaged or of another kind does not.
func TestOtherJPEGs(t *testing.T) {
	data := samples(t)["420.jpg"].data
	at := bytes.Index(data, []byte{0xff, 0xc0}) + 1
	for marker, isOther := range map[byte]bool{0xf7: true, 0xc3: false, 0xc9: false} {
		other := bytes.Clone(data)
		other[at] = marker
		if _, err := decode(other); err == nil || errors.Is(err, ErrFormat) != isOther {
			t.Errorf("frame %x: %v", marker, err)
		}
		if _, _, err := header(other); err == nil || errors.Is(err, ErrFormat) != isOther {
			t.Errorf("frame %x: header: %v", marker, err)
		}
	}
	if _, err := decode(data[:len(data)*2/3]); err == nil || errors.Is(err, ErrFormat) {
		t.Errorf("cut off: %v", err)
	}
}
