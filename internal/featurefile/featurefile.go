package featurefile

import (
	"bufio"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
	"vgg/internal/text"
)

// Table is features, a row a picture, all of the same number.
type Table[F float32 | float64] struct {
	Rows int
	Name func(row int) string // of the picture
	Row  func(row int) []F
}

func ending(file string) string { return strings.ToLower(filepath.Ext(file)) }

// Known tells whether the name of a file ends in that of a format: .csv or .npy.
func Known(file string) bool { return ending(file) == ".csv" || ending(file) == ".npy" }

// Files are those that Write writes.
func Files(file string) []string {
	if ending(file) == ".npy" {
		return []string{file, file + ".txt"}
	}
	return []string{file}
}

// Write writes features, whole or not at all, in the format that the file's name ends in. The names of the pictures are
// the first column of a table; an array has a text file beside it with one in each line.
func (t Table[F]) Write(file string) error {
	if ending(file) == ".csv" {
		return errors.Wrap(atomicfile.Encode(file, t.csv), "cannot write the features")
	}
	if ending(file) != ".npy" {
		return errors.Errorf("%s: want a name that ends in .csv or .npy", file)
	}
	var names strings.Builder
	for i := range t.Rows {
		fmt.Fprintln(&names, t.Name(i))
	}
	if err := atomicfile.Write(file+".txt", []byte(names.String())); err != nil {
		return errors.Wrap(err, "cannot write the pictures' names")
	}
	return errors.Wrap(atomicfile.Encode(file, t.npy), "cannot write the features")
}

// csv writes a table of pictures with a column a feature.
func (t Table[F]) csv(out io.Writer) error {
	w := csv.NewWriter(out)
	header := []string{"picture"}
	for i := range t.Row(0) {
		header = append(header, fmt.Sprintf("feature_%d", i))
	}
	// The writer keeps its first error for Error.
	_ = w.Write(header)
	for i := range t.Rows {
		row := []string{t.Name(i)}
		for _, v := range t.Row(i) {
			row = append(row, strconv.FormatFloat(float64(v), 'g', 9, 32))
		}
		_ = w.Write(row)
	}
	w.Flush()
	return w.Error()
}

// npy writes an array (pictures, features).
func (t Table[F]) npy(w io.Writer) error {
	return array(w, []int{t.Rows, len(t.Row(0))}, func(yield func(float32) bool) {
		for i := range t.Rows {
			for _, v := range t.Row(i) {
				if !yield(float32(v)) {
					return
				}
			}
		}
	})
}

// WriteArray writes values of two or more dimensions as an array of NumPy, whole or not at all.
func WriteArray(file string, shape []int, values []float32) error {
	err := atomicfile.Encode(file, func(w io.Writer) error { return array(w, shape, slices.Values(values)) })
	return errors.Wrap(err, "cannot write the array")
}

// array writes a float32 array in version 1.0 of NumPy's format: a header in Python's syntax, padded so that the data
// begin at a multiple of 64 bytes.
func array(w io.Writer, shape []int, values iter.Seq[float32]) error {
	const magic, aligned = "\x93NUMPY\x01\x00", 64
	sides := text.List(shape, ", ")
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }", sides)
	padding := aligned - (len(magic)+2+len(header)+1)%aligned
	header += strings.Repeat(" ", padding) + "\n"
	out := bufio.NewWriter(w)
	// The writer keeps its first error for Flush.
	_, _ = out.Write(binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(header))))
	_, _ = out.WriteString(header)
	for v := range values {
		_, _ = out.Write(binary.LittleEndian.AppendUint32(nil, math.Float32bits(v)))
	}
	return out.Flush()
}
