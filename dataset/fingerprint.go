package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
)

// Fingerprint tells sets apart by the classes and, picture by picture, by the label and the path inside the folder or
// archive, or the pixels of sets that are held in memory. A folder or archive that moved as a whole keeps its
// fingerprint.
func (s *Set) Fingerprint() string {
	sum := sha256.New()
	fmt.Fprintf(sum, "%d %q\n", s.Channels, s.Classes)
	for _, split := range []Split{s.Train, s.Val} {
		fmt.Fprintln(sum, split.Len())
		switch own := split.(type) {
		case *classSplit:
			for i, entry := range own.entries {
				fmt.Fprintf(sum, "%d %q\n", own.labels[i], own.files.Path(int(entry)))
			}
		case *idxSplit:
			writeAll(sum, own.labels, own.pixels)
		case *cifarSplit:
			writeAll(sum, own.records...)
		default:
			for i := range split.Len() {
				fmt.Fprintf(sum, "%d %q\n", split.Label(i), split.Name(i))
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

func writeAll(sum io.Writer, parts ...[]byte) {
	for _, part := range parts {
		sum.Write(part) // a hash takes everything
	}
}
