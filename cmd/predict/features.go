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

	"github.com/google/renameio/v2"
	"github.com/pkg/errors"
)

func ending(file string) string { return strings.ToLower(filepath.Ext(file)) }

// featureWriters encode the features of pictures, by the ending of the file's name.
var featureWriters = map[string]func([]result) ([]byte, error){".csv": encodeCSV, ".npy": encodeNPY}

// writeFeatures writes the features of pictures, whole or not at all. Beside an .npy file, whose rows have no names, lies
// a text with a line for each.
func writeFeatures(file string, results []result) error {
	data, err := featureWriters[ending(file)](results)
	if err != nil {
		return err
	}
	if ending(file) == ".npy" {
		var names strings.Builder
		for _, r := range results {
			fmt.Fprintln(&names, r.name)
		}
		if err := renameio.WriteFile(file+".txt", []byte(names.String()), 0o644); err != nil {
			return errors.Wrap(err, "cannot write the pictures' names")
		}
	}
	return errors.Wrap(renameio.WriteFile(file, data, 0o644), "cannot write the features")
}

// encodeCSV makes a table of pictures with a column a feature.
func encodeCSV(results []result) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	header := []string{"picture"}
	for i := range results[0].Features {
		header = append(header, fmt.Sprintf("feature_%d", i))
	}
	// The writer keeps its first error for Error.
	_ = w.Write(header)
	for _, r := range results {
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
func encodeNPY(results []result) ([]byte, error) {
	const magic, aligned = "\x93NUMPY\x01\x00", 64
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(results), len(results[0].Features))
	padding := aligned - (len(magic)+2+len(header)+1)%aligned
	header += strings.Repeat(" ", padding) + "\n"
	out := binary.LittleEndian.AppendUint16([]byte(magic), uint16(len(header)))
	out = append(out, header...)
	for _, r := range results {
		for _, v := range r.Features {
			out = binary.LittleEndian.AppendUint32(out, math.Float32bits(float32(v)))
		}
	}
	return out, nil
}
