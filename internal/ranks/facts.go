package ranks

import (
	"fmt"
	"os"

	"vgg/dataset"
	"vgg/internal/kernel"
	"vgg/internal/mpi"
)

// Compare refuses ranks whose program, kernels or pictures differ, or one of further facts.
func Compare(w *mpi.World, set *dataset.Set, further ...mpi.Fact) error {
	if w.Size() == 1 {
		return nil
	}
	build, err := mpi.Build()
	if err != nil {
		return err
	}
	return w.Compare(append([]mpi.Fact{
		{Name: "the program", Value: build, Remedy: "copy one build to all hosts"},
		{Name: "the kernels", Value: kernel.ISA(), Remedy: "set the environment variable VGG_CPU to one that all have"},
		{Name: "VGG_CONV", Value: "convolutions by \"" + os.Getenv("VGG_CONV") + "\"", Remedy: "set the environment variable VGG_CONV alike"},
		{Name: "the pictures", Value: fmt.Sprintf("%d + %d pictures (%s)", set.Train.Len(), set.Val.Len(), set.Fingerprint()), Remedy: "give all ranks the same data set"},
	}, further...)...)
}
