// Command feed prints the mini-batches that a training sees, so that another framework can train on the same.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"path/filepath"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/cli"
	"vgg/trainer"
)

type flags struct {
	Run    string `arg:"" help:"Run directory of a net that predicts boxes."`
	Epochs int    `help:"Number of epochs." default:"1"`
	Seed   uint64 `help:"Seed of the crops and of the order of the pictures." default:"1"`
}

func main() {
	var f flags
	cli.Main("feed", "Print the mini-batches that a training on boxes sees, each epoch's and then the validation pictures, as binary numbers.", &f, func(ctx context.Context) error {
		out := bufio.NewWriterSize(cli.Stdout, 1<<20)
		if err := feed(ctx, out, f); err != nil {
			return err
		}
		return out.Flush()
	})
}

// feed writes for each mini-batch, little-endian: 1 in training and 0 in validation, N, C, H and W as int32, the pixels
// as float32, the labels as int32, the targets as float32, and for each row the number of instances as int32 and their
// edges as float64.
func feed(ctx context.Context, w io.Writer, f flags) error {
	r, err := configs.LoadRecipe(filepath.Join(f.Run, trainer.RecipeFile))
	if err != nil {
		return err
	}
	set, err := trainer.OpenData(r, nil)
	if err != nil {
		return err
	}
	defer set.Close()
	var loaders []*dataset.Loader
	for _, training := range []bool{true, false} {
		split := set.Val
		if training {
			split = set.Train
		}
		with, _, err := dataset.WithBoxes(split)
		if err != nil {
			return err
		}
		split = with
		if training && r.Training.Limit > 0 {
			split = dataset.Subset(split, r.Training.Limit)
		}
		l, err := dataset.NewLoader(split, set.Channels, dataset.LoaderOptions{
			Batch: r.Training.Batch, Transform: trainer.Transform(r, set.Channels), Seed: f.Seed, Training: training,
			Boxes: &r.Boxes,
		})
		if err != nil {
			return err
		}
		loaders = append(loaders, l)
	}
	for epoch := 1; epoch <= f.Epochs; epoch++ {
		for i, l := range loaders {
			for batch, err := range l.Epoch(ctx, epoch) {
				if err != nil {
					return err
				}
				if err := write(w, batch, 1-i, set.Channels, r.Net.Input); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func write(w io.Writer, b *dataset.Batch, training, channels, side int) error {
	labels := make([]int32, len(b.Labels))
	for i, label := range b.Labels {
		labels[i] = int32(label)
	}
	parts := []any{[]int32{int32(training), int32(len(labels)), int32(channels), int32(side), int32(side)}, b.Pixels, labels, b.Boxes}
	for _, instances := range b.Instances {
		parts = append(parts, int32(len(instances)))
		if len(instances) > 0 {
			parts = append(parts, append([]boxes.Box(nil), instances...))
		}
	}
	for _, part := range parts {
		if err := binary.Write(w, binary.LittleEndian, part); err != nil {
			return errors.Wrap(err, "cannot print")
		}
	}
	return nil
}
