package plots_test

import (
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"vgg/history"
	"vgg/plots"
)

func ExampleCurves() {
	dir, err := os.MkdirTemp("", "curves")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	var h history.History // of a run; or history.Read("run/history.csv")
	for epoch := 1; epoch <= 12; epoch++ {
		rate := 0.01
		if epoch > 8 {
			rate = 0.001
		}
		left := math.Exp(-float64(epoch) / 4)
		h = append(h, history.Epoch{
			Epoch: epoch, LearningRate: rate,
			TrainLoss: 0.3 + 2*left, TrainTop1Error: 10 + 70*left,
			ValLoss: 0.4 + 1.8*left, ValTop1Error: 12 + 60*left,
		})
	}

	figure, err := plots.Curves(h, "A at a quarter of its width")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"curves.png", "curves.svg"} {
		if err := figure.Save(filepath.Join(dir, name)); err != nil {
			log.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(files), "pictures")
	// Output: 2 pictures
}

func ExampleDepth() {
	figure, err := plots.Depth([]plots.DepthSeries{
		{Name: "S = 64", Points: []plots.DepthPoint{
			{Net: "A", Layers: 11, Error: plots.Estimate{Value: 12.4, Low: 11.8, High: 13.0}},
			{Net: "A-LRN", Layers: 11, Error: plots.Estimate{Value: 12.5, Low: 11.9, High: 13.1}},
			{Net: "D", Layers: 16, Error: plots.Estimate{Value: 10.9, Low: 10.3, High: 11.5}},
		}},
		{Name: "S in [64;128]", Points: []plots.DepthPoint{
			{Net: "D", Layers: 16, Error: plots.Estimate{Value: 10.1, Low: 9.5, High: 10.7}},
		}},
	}, "Error against depth")
	save(figure, err, "depth.svg")
	// Output: depth.svg
}

func ExampleBars() {
	figure, err := plots.Bars([]plots.Bar{
		{Label: "D, S = 256", Ours: plots.Estimate{Value: 10.9, Low: 10.3, High: 11.5}, Paper: 27.0},
		{Label: "D, half as wide", Ours: plots.Estimate{Value: 11.8, Low: 11.2, High: 12.4}, Paper: math.NaN()},
	}, "Top-1 error")
	save(figure, err, "bars.pdf")
	// Output: bars.pdf
}

func ExampleConfusion() {
	figure, err := plots.Confusion([]string{"cat", "dog"}, [][]int{{47, 3}, {5, 45}}, "Cats and dogs")
	save(figure, err, "confusion.png")
	// Output: confusion.png
}

// save writes a figure into a folder of its own and says what it finds there.
func save(figure *plots.Figure, err error, name string) {
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "plots")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := figure.Save(filepath.Join(dir, name)); err != nil {
		log.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range files {
		fmt.Println(f.Name())
	}
}
