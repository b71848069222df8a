package trainer_test

import (
	"context"
	"fmt"

	"vgg/configs"
	"vgg/trainer"
)

// A narrow net A on some of the embedded pictures, without a run directory.
func ExampleTrain() {
	recipe, err := configs.LoadRecipe("quick")
	if err != nil {
		fmt.Println(err)
		return
	}
	recipe.Net.Width, recipe.Net.FC, recipe.Net.Dropout = 0.125, 64, 0
	recipe.Training.Limit, recipe.Training.Epochs = 1500, 2
	h, err := trainer.Train(context.Background(), trainer.Job{Recipe: recipe})
	if err != nil {
		fmt.Println(err)
		return
	}
	best, _ := h.Best()
	fmt.Println(len(h), "epochs; better than half right:", best.ValTop1Error < 50)
	// Output: 2 epochs; better than half right: true
}
