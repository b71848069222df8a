package trainer_test

import (
	"context"
	"fmt"

	"vgg/configs"
	"vgg/dataset"
	"vgg/trainer"
)

// A narrow net A on a part of the embedded pictures, without a run directory.
func ExampleTrain() {
	recipe, err := configs.LoadRecipe("quick")
	if err != nil {
		fmt.Println(err)
		return
	}
	recipe.Net.Width, recipe.Net.FC, recipe.Net.Dropout = 0.125, 64, 0
	recipe.Training.Limit, recipe.Training.Epochs = 5000, 2
	set, err := dataset.Open(recipe.Data, dataset.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close()
	history, err := trainer.Train(context.Background(), trainer.Job{Recipe: recipe, Set: set})
	if err != nil {
		fmt.Println(err)
		return
	}
	best, _ := history.Best()
	fmt.Println(len(history), "epochs; better than half right:", best.ValTop1Error < 50)
	// Output: 2 epochs; better than half right: true
}
