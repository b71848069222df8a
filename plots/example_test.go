package plots_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"log"
	"math"
	"net/http"
	"os"
	"path/filepath"

	"gonum.org/v1/plot/plotter"

	"vgg/history"
	"vgg/plots"
	"vgg/weights"
)

// falling is a history of 12 epochs; that of a run comes from history.Read("run/history.csv").
func falling(from, to float64) (h history.History) {
	for epoch := 1; epoch <= 12; epoch++ {
		rate := 0.01
		if epoch > 8 {
			rate = 0.001
		}
		left := math.Exp(-float64(epoch) / 4)
		h = append(h, history.Epoch{
			Epoch: epoch, LearningRate: rate,
			TrainLoss: 0.3 + 2*left, TrainTop1Error: to + (from-to)*left,
			ValLoss: 0.4 + 1.8*left, ValTop1Error: to + (from-to)*0.9*left,
		})
	}
	return h
}

func ExampleCurves() {
	figure, err := plots.Curves(falling(80, 10), "A at a quarter of its width")
	if err != nil {
		log.Fatal(err)
	}
	var picture bytes.Buffer // or a file, or an http.ResponseWriter
	if err := figure.Encode(&picture, "png"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(http.DetectContentType(picture.Bytes()))
	// Output: image/png
}

func ExampleFigure_Save() {
	figure, err := plots.Curves(falling(80, 10), "A at a quarter of its width")
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "curves")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	for _, name := range []string{"curves.png", "curves.svg", "curves.pdf"} {
		if err := figure.Save(filepath.Join(dir, name)); err != nil {
			log.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		log.Fatal(err)
	}
	for _, file := range files {
		fmt.Println(file.Name())
	}
	// Output:
	// curves.pdf
	// curves.png
	// curves.svg
}

// A figure's panels are gonum plots. Here a line at the paper's top-1 error of net A joins the error curves, whose
// panel is the second.
func ExampleFigure_panels() {
	figure, err := plots.Curves(falling(80, 10), "A")
	if err != nil {
		log.Fatal(err)
	}
	paper, err := plotter.NewLine(plotter.XYs{{X: 1, Y: 29.6}, {X: 12, Y: 29.6}})
	if err != nil {
		log.Fatal(err)
	}
	panel := figure.Panels[1][0]
	panel.Add(paper)

	var picture bytes.Buffer
	if err := figure.Encode(&picture, "svg"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(panel.X.Label.Text)
	// Output: epoch
}

func ExampleCompare() {
	figure, err := plots.Compare([]plots.Run{
		{Name: "A", History: falling(80, 30)},
		{Name: "D", History: falling(85, 27)},
	}, "Deeper is better")
	if err != nil {
		log.Fatal(err)
	}
	var picture bytes.Buffer
	if err := figure.Encode(&picture, "png"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(figure.Panels), "panels")
	// Output: 2 panels
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
	if err != nil {
		log.Fatal(err)
	}
	var picture bytes.Buffer
	if err := figure.Encode(&picture, "pdf"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(http.DetectContentType(picture.Bytes()))
	// Output: application/pdf
}

func ExampleBars() {
	figure, err := plots.Bars([]plots.Bar{
		{Label: "D, S = 256", Ours: plots.Estimate{Value: 10.9, Low: 10.3, High: 11.5}, Paper: 27.0},
		{Label: "D, half as wide", Ours: plots.Estimate{Value: 11.8, Low: 11.2, High: 12.4}, Paper: math.NaN()},
	}, "Top-1 error")
	if err != nil {
		log.Fatal(err)
	}
	var picture bytes.Buffer
	if err := figure.Encode(&picture, "png"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(figure.Panels[0]), "panels side by side")
	// Output: 2 panels side by side
}

func ExampleConfusion() {
	figure, err := plots.Confusion([]string{"cat", "dog"}, [][]int{{47, 3}, {5, 45}}, "Cats and dogs")
	if err != nil {
		log.Fatal(err)
	}
	var picture bytes.Buffer
	if err := figure.Encode(&picture, "png"); err != nil {
		log.Fatal(err)
	}
	width, height := figure.Size()
	fmt.Printf("%.1f × %.1f inches\n", width.Points()/72, height.Points()/72)
	// Output: 3.5 × 1.8 inches
}

func ExampleFilters() {
	first := weights.Tensor{Name: "features.0.weight", Shape: []int{8, 1, 3, 3}} // of a weights.File
	for i := range 8 * 3 * 3 {
		first.Data = append(first.Data, float32(math.Sin(float64(i))))
	}
	figure, err := plots.Filters(first)
	if err != nil {
		log.Fatal(err)
	}
	var picture bytes.Buffer
	if err := figure.Encode(&picture, "png"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(http.DetectContentType(picture.Bytes()))
	// Output: image/png
}

func ExampleSheet() {
	plain := func(c color.Color) image.Image {
		picture := image.NewRGBA(image.Rect(0, 0, 32, 32))
		draw.Draw(picture, picture.Rect, image.NewUniform(c), image.Point{}, draw.Src)
		return picture
	}
	figure, err := plots.Sheet([]plots.SheetRow{
		{Label: "dark", Pictures: []image.Image{plain(color.Black), plain(color.Gray{60})}},
		{Label: "bright", Pictures: []image.Image{plain(color.White)}},
	}, "Two classes", "the first pictures of each")
	if err != nil {
		log.Fatal(err)
	}
	var picture bytes.Buffer
	if err := figure.Encode(&picture, "png"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(http.DetectContentType(picture.Bytes()))
	// Output: image/png
}
