package graph

import (
	"cmp"
	"math"

	"github.com/pkg/errors"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/internal/memory"
)

// Size counts the weights of a net and the values of its largest feature map for pictures x of shape (N, C, H, W), for
// nets of any size.
func Size(config configs.Config, o Options, x ...int) (weights, largest float64) {
	o = o.withDefaults()
	n, in, h, w := float64(x[0]), float64(x[1]), float64(x[2]), float64(x[3])
	window := float64(o.Dense) / float64(config.Stride()) // side of the first fully connected layer's kernel in a dense net
	for _, l := range config.Layers() {
		out, kernel := cmp.Or(o.outputs(l), in), 0.0
		switch l.Kind {
		case configs.MaxPool:
			h, w = math.Ceil(h/float64(l.Kernel)), math.Ceil(w/float64(l.Kernel))
		case configs.Convolution:
			kernel = float64(l.Kernel * l.Kernel)
		case configs.FullyConnected:
			side := [2]float64{h, w}
			if o.Dense > 0 {
				side = [2]float64{window, window}
				window = 1
			}
			h, w, kernel = max(1, h-side[0]+1), max(1, w-side[1]+1), side[0]*side[1]
		}
		weights += kernel * in * out
		largest = max(largest, n*h*w*out)
		in = out
	}
	return weights, largest
}

// checkSize refuses a net for pictures x whose new weights and largest feature map, the least that it takes, are more
// than the memory. Weights that are given are there already.
func checkSize(config configs.Config, o Options, x tensor.Shape) error {
	weights, largest := Size(config, o, x...)
	if o.From != nil || o.Weights != nil {
		weights = 0
	}
	if need, limit := 4*(weights+largest), float64(memory.Limit()); !(need <= limit) {
		return errors.Errorf("graph: this net takes at least %.3g GB of memory for pictures (N, C, H, W) = %v, and there are %.3g: lower its width, fully connected units or classes, or the number or size of the pictures",
			need/1e9, x, limit/1e9)
	}
	return nil
}
