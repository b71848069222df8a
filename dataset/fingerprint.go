package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"vgg/internal/archive"
)

// Fingerprint tells sets apart by the classes and, picture by picture, by the label and the path inside the folder or
// archive, the pixels of sets that are held in memory, or those of a few scenes. A folder or archive that moved as a
// whole keeps its fingerprint.
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
		case *sceneSplit:
			writeAll(sum, own.labels)
			for n, i := min(sampled, own.Len()), 0; i < n; i++ {
				writeAll(sum, own.scene(own.places[i*own.Len()/n]).picture.Pix)
			}
		default:
			for i := range split.Len() {
				fmt.Fprintf(sum, "%d %q\n", split.Label(i), split.Name(i))
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}

// sampled is the number of pictures of each split that stand for all: the files that Sample reads, and drawn scenes.
const sampled = 8

// Sample tells sets apart whose paths are the same, and whose pictures were made otherwise, such as at another size, by
// what the files of a few pictures hold, evenly spaced. It is "none" for sets that are held in
// memory, whose fingerprint says it.
func (s *Set) Sample() string {
	sum, files := sha256.New(), 0
	for _, split := range []Split{s.Train, s.Val} {
		own, ok := split.(*classSplit)
		if !ok {
			continue
		}
		n := min(sampled, own.Len())
		for i := range n {
			data, err := archive.ReadFile(own.files, int(own.entries[i*own.Len()/n]), largestPicture)
			fmt.Fprintf(sum, "%d %t\n", len(data), err == nil) // who needs the picture says what ails it
			sum.Write(data)
			files++
		}
	}
	if files == 0 {
		return "none"
	}
	return hex.EncodeToString(sum.Sum(nil)[:6])
}

func writeAll(sum io.Writer, parts ...[]byte) {
	for _, part := range parts {
		sum.Write(part) // a hash takes everything
	}
}
