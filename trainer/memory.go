package trainer

import (
	"math"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/internal/memory"
)

// checkMemory refuses a net that cannot fit in memory: its weights, their gradients and velocities, and the largest
// feature maps of a micro-batch are the least that training takes.
func checkMemory(r configs.Recipe, config configs.Config, channels, outputs int) error {
	weights, largest := 0.0, 0.0
	in, side := float64(channels), float64(r.Net.Input)
	for _, l := range config.Layers() {
		out, kernel := in, 0.0
		switch {
		case l.Kind == configs.MaxPool:
			side /= 2
		case l.Kind == configs.Convolution:
			out, kernel = max(1, math.Round(r.Net.Width*float64(l.Channels))), float64(l.Kernel)
		case l.Hidden:
			out, kernel, side = float64(r.Net.FC), side, 1
		case l.Kind == configs.FullyConnected:
			out, kernel, side = float64(outputs), side, 1
		}
		weights += kernel * kernel * in * out
		largest = max(largest, side*side*out)
		in = out
	}
	need, limit := 4*(3*weights+float64(r.MicroBatch())*largest), float64(memory.Limit())
	if need > limit {
		return errors.Errorf("trainer: training this net takes at least %.3g GB of memory, and there are %.3g: lower net.width, net.fc, net.input or training.micro_batch", need/1e9, limit/1e9)
	}
	return nil
}
