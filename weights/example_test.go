package weights_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"vgg/weights"
)

func Example() {
	dir, err := os.MkdirTemp("", "weights")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "best.safetensors")

	info := weights.Info{
		Config: "A", Width: 0.25, FC: 256, Input: 32, Channels: 1, Classes: []string{"shirt", "coat"},
		Mean: []float64{72.9}, Std: []float64{1}, Recipe: "quick", Epoch: 12, ValTop1Error: 12.1,
	}
	err = weights.Write(path, weights.File{
		Metadata: info.Metadata(),
		Tensors:  []weights.Tensor{{Name: "features.0.weight", Shape: []int{1, 1, 3, 3}, Data: make([]float32, 9)}},
	})
	if err != nil {
		log.Fatal(err)
	}

	file, err := weights.Read(path)
	if err != nil {
		log.Fatal(err)
	}
	info, err = weights.ParseInfo(file.Metadata)
	if err != nil {
		log.Fatal(err)
	}
	conv, _ := file.Tensor("features.0.weight")
	fmt.Println(info.Config, info.Classes, conv.Shape)
	// Output: A [shirt coat] [1 1 3 3]
}
