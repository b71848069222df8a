package plots_test

import (
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"vgg/plots"
	"vgg/trainer"
)

func ExampleCurves() {
	dir, err := os.MkdirTemp("", "curves")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	var history trainer.History // of a run; or trainer.ReadHistory("run/history.csv")
	for epoch := 1; epoch <= 12; epoch++ {
		rate := 0.01
		if epoch > 8 {
			rate = 0.001
		}
		left := math.Exp(-float64(epoch) / 4)
		history = append(history, trainer.Epoch{
			Epoch: epoch, LearningRate: rate,
			TrainLoss: 0.3 + 2*left, TrainTop1Error: 10 + 70*left,
			ValLoss: 0.4 + 1.8*left, ValTop1Error: 12 + 60*left,
		})
	}

	figure, err := plots.Curves(history, "A at a quarter of its width")
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
