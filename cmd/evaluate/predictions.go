package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/evaluate"
	"vgg/internal/atomicfile"
)

// predictions is a table of the most probable classes of each picture.
type predictions struct {
	file    string // "" writes none
	split   dataset.Split
	classes []string
	data    *bytes.Buffer
	out     *csv.Writer // keeps its first error for Error
}

func newPredictions(file string, split dataset.Split, classes []string) predictions {
	data := new(bytes.Buffer)
	p := predictions{file, split, classes, data, csv.NewWriter(data)}
	header := []string{"picture", "class"}
	for i := range p.listed() {
		header = append(header, fmt.Sprintf("class_%d", i+1), fmt.Sprintf("probability_%d", i+1))
	}
	_ = p.out.Write(header)
	return p
}

// listed is how many classes a row has.
func (p predictions) listed() int { return min(5, len(p.classes)) }

// add adds a row.
func (p predictions) add(of evaluate.Prediction) error {
	if p.file == "" {
		return nil
	}
	row := []string{p.split.Name(of.Picture), p.classes[of.Class]}
	for _, class := range of.Ranking()[:p.listed()] {
		row = append(row, p.classes[class], probability(of.Probabilities[class]))
	}
	return errors.Wrap(p.out.Write(row), "--predictions")
}

func (p predictions) write() error {
	if p.file == "" {
		return nil
	}
	p.out.Flush()
	if err := p.out.Error(); err != nil {
		return errors.Wrap(err, "--predictions")
	}
	return errors.Wrap(atomicfile.Write(p.file, p.data.Bytes()), "--predictions")
}

// probability is one as a table has it.
func probability(p float64) string { return strconv.FormatFloat(p, 'f', 6, 64) }
