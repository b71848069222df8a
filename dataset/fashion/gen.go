//go:build ignore

// Command gen cuts the first pictures out of the full Fashion-MNIST: go run gen.go SOURCE-FOLDER.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"log"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run gen.go FOLDER (of the four .gz files)")
	}
	for _, f := range []struct {
		name            string
		pictures        uint32
		header, picture int // bytes
	}{
		{"train-images-idx3-ubyte.gz", 10000, 16, 28 * 28},
		{"train-labels-idx1-ubyte.gz", 10000, 8, 1},
		{"t10k-images-idx3-ubyte.gz", 2000, 16, 28 * 28},
		{"t10k-labels-idx1-ubyte.gz", 2000, 8, 1},
	} {
		if err := cut(filepath.Join(os.Args[1], f.name), f.name, f.pictures, f.header, f.picture); err != nil {
			log.Fatalf("%s: %v", f.name, err)
		}
	}
}

func cut(from, to string, pictures uint32, header, picture int) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return err
	}
	data := make([]byte, header+int(pictures)*picture)
	if _, err := io.ReadFull(unzipped, data); err != nil {
		return err
	}
	binary.BigEndian.PutUint32(data[4:], pictures)
	var zipped bytes.Buffer
	w, err := gzip.NewWriterLevel(&zipped, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return os.WriteFile(to, zipped.Bytes(), 0o644)
}
