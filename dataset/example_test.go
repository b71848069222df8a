package dataset_test

import (
	"context"
	"fmt"

	"vgg/augment"
	"vgg/dataset"
)

func ExampleLoader() {
	set, err := dataset.Open("embedded", dataset.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer set.Close()
	transform := augment.Transform{Size: 32, Flip: true, Mean: []float64{73}, Std: []float64{90}}
	loader, err := dataset.NewLoader(set.Train, set.Channels, dataset.LoaderOptions{Batch: 32, Transform: transform, Seed: 1, Training: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	pictures := 0
	for batch, err := range loader.Epoch(context.Background(), 1) {
		if err != nil {
			fmt.Println(err)
			return
		}
		pictures += batch.Pictures // batch.Pixels is (32, 1, 32, 32)
	}
	fmt.Println(loader.Len(), "batches,", pictures, "pictures")
	// Output: 312 batches, 9984 pictures
}
