package trainer

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vgg/augment"
	"vgg/configs"
	"vgg/dataset"
	"vgg/weights"
)

// broken is a split some of whose pictures cannot be read.
type broken struct {
	dataset.Split
	unreadable []int
}

func (b broken) Name(i int) string { return b.Split.Name(i) + string(rune('0'+i)) }

func (b broken) Picture(i int) (augment.Picture, error) {
	if slices.Contains(b.unreadable, i) {
		return augment.Picture{}, errors.New("broken")
	}
	return b.Split.Picture(i)
}

// TestMicroBatchesWithSkips: each picture of a mini-batch counts alike, however many of its micro-batch are skipped.
func TestMicroBatchesWithSkips(t *testing.T) {
	const batch = 32
	first := rand.New(rand.NewPCG(1, 1)).Perm(batch) // the order of the first epoch
	for name, unreadable := range map[string][]int{
		"none":                   nil,
		"one":                    first[3:4],
		"all but one of a micro": first[8:15],
		"a whole micro-batch":    first[16:24],
		"all but one":            first[:31],
	} {
		run := func(micro int) (loss float64, values []float32) {
			r := quick(t)
			r.Training.Batch, r.Training.MicroBatch, r.Training.Epochs, r.Net.Dropout = batch, micro, 1, 0
			r.Pictures.Bad, r.Pictures.SkipShare = configs.BadSkip, 1
			pictures := set(batch, 3)
			pictures.Train = broken{pictures.Train, unreadable}
			dir := t.TempDir()
			h, err := Train(context.Background(), Job{Recipe: r, Set: pictures, Dir: dir})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			f, err := weights.Read(filepath.Join(dir, LastFile))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			for _, tensor := range f.Tensors {
				values = append(values, tensor.Data...)
			}
			return h[0].TrainLoss, values
		}
		loss, want := run(batch)
		for _, micro := range []int{1, 4, 8} {
			got, values := run(micro)
			if math.Abs(got-loss) > 1e-6*loss {
				t.Errorf("%s skipped, micro-batches of %d: loss %v, want %v", name, micro, got, loss)
			}
			for i, v := range values {
				if math.Abs(float64(v-want[i])) > 1e-6 {
					t.Errorf("%s skipped, micro-batches of %d: weight %d is %v, want %v", name, micro, i, v, want[i])
					break
				}
			}
		}
	}
}

// TestNothingReadable: a run ends if none of its training pictures, or of its validation pictures, can be read.
func TestNothingReadable(t *testing.T) {
	all := rand.Perm(64)
	for want, change := range map[string]func(*dataset.Set){
		"0 validation pictures":         func(s *dataset.Set) { s.Val = broken{s.Val, all} },
		"none of the training pictures": func(s *dataset.Set) { s.Train = broken{s.Train, all} },
	} {
		r := quick(t)
		r.Pictures.Bad, r.Pictures.SkipShare = configs.BadSkip, 1
		pictures := set(64, 3)
		change(pictures)
		if _, err := Train(context.Background(), Job{Recipe: r, Set: pictures}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
