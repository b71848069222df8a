package ranks

import (
	"fmt"

	"vgg/dataset"
	"vgg/internal/kernel"
	"vgg/internal/mpi"
)

// Compare refuses ranks whose kernels or pictures differ, or one of further facts.
func Compare(w *mpi.World, set *dataset.Set, further ...mpi.Fact) error {
	if w.Size() == 1 {
		return nil
	}
	return w.Compare(append([]mpi.Fact{
		{Name: "the kernels", Value: kernel.ISA(), Remedy: "set the environment variable VGG_CPU to one that all have"},
		{Name: "VGG_CONV", Value: "convolutions by \"" + kernel.Algorithm() + "\"", Remedy: "set the environment variable VGG_CONV alike"},
		{Name: "the pictures", Value: fmt.Sprintf("%d + %d pictures (%s, files %s)", set.Train.Len(), set.Val.Len(), set.Fingerprint(), set.Sample()), Remedy: "give all ranks the same data set"},
	}, further...)...)
}
