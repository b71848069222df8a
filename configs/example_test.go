package configs_test

import (
	"fmt"

	"vgg/configs"
)

func ExampleByName() {
	d, err := configs.ByName("d")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Name, d.WeightLayers(), d.Stages[2])

	_, err = configs.ByName("A-LNR")
	fmt.Println(err)
	// Output:
	// D 16 [conv3-256 conv3-256 conv3-256]
	// unknown config "A-LNR"; did you mean "A-LRN"? Known, with their weight layers and other names, are A (11, vgg11), A-LRN (11), B (13, vgg13), C (16), D (16, vgg16), E (19, vgg19), B-5x5 (8)
}

// A net of one's own is a literal of the same type.
func ExampleConfig() {
	small := configs.Config{Name: "small", Stages: [][]configs.Row{
		{configs.Conv(3, 16), {Kind: configs.LRN}},
		{configs.Conv(3, 32), configs.Conv(1, 32)},
	}}
	fmt.Println(small.WeightLayers(), small.Validate())

	small.Stages[1][0].Kernel = 2
	fmt.Println(small.Validate())
	// Output:
	// 6 <nil>
	// config "small": stage 2, layer 1: kernel 2 must be odd and positive, so that padding keeps the resolution
}

func ExampleLoadRecipe() {
	r, err := configs.LoadRecipe("paper-256")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Config, r.Training.Batch, r.Training.Epochs, r.Training.LearningRate)

	fmt.Println(r.Set("training.learning_rate", "0.02"))
	fmt.Println(r.Set("lerning_rate", "0.02"))
	fmt.Println(r.Set("input", "100"))
	fmt.Println(r.Validate())
	// Output:
	// A 256 74 0.01
	// <nil>
	// unknown key "lerning_rate"; did you mean "training.learning_rate"?
	// <nil>
	// recipe "paper-256": net.input = 100 must be a positive multiple of 32, such as 96 or 128
}
