package main

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
)

func ending(file string) string { return strings.ToLower(filepath.Ext(file)) }

// featureWriters encode the features of pictures, by the ending of the file's name.
var featureWriters = map[string]func([]prediction) ([]byte, error){".csv": encodeCSV, ".npy": encodeNPY}

// namesFile is the file of the pictures' names beside an .npy file.
func namesFile(npy string) string { return npy + ".txt" }

// writeFeatures writes the features of pictures, whole or not at all. An .npy file has no names of pictures: a text
// file beside it has one in each line.
func writeFeatures(file string, predictions []prediction) error {
	data, err := featureWriters[ending(file)](predictions)
	if err != nil {
		return err
	}
	if ending(file) == ".npy" {
		var names strings.Builder
		for _, r := range predictions {
			fmt.Fprintln(&names, r.name)
		}
		if err := atomicfile.Write(namesFile(file), []byte(names.String())); err != nil {
			return errors.Wrap(err, "cannot write the pictures' names")
		}
	}
	return errors.Wrap(atomicfile.Write(file, data), "cannot write the features")
}

// encodeCSV makes a table of pictures with a column a feature.
func encodeCSV(predictions []prediction) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	header := []string{"picture"}
	for i := range predictions[0].Features {
		header = append(header, fmt.Sprintf("feature_%d", i))
	}
	// The writer keeps its first error for Error.
	_ = w.Write(header)
	for _, r := range predictions {
		row := []string{r.name}
		for _, v := range r.Features {
			row = append(row, strconv.FormatFloat(v, 'g', 9, 32))
		}
		_ = w.Write(row)
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// encodeNPY makes a float32 array (pictures, features) in version 1.0 of NumPy's format: a header in Python's syntax,
// padded so that the data begin at a multiple of 64 bytes.
func encodeNPY(predictions []prediction) ([]byte, error) {
	const magic, aligned = "\x93NUMPY\x01\x00", 64
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(predictions), len(predictions[0].Features))
	padding := aligned - (len(magic)+2+len(header)+1)%aligned
	header += strings.Repeat(" ", padding) + "\n"
	out := binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(header)))
	out = append(out, header...)
	for _, r := range predictions {
		for _, v := range r.Features {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(v)))
		}
	}
	return out, nil
}
