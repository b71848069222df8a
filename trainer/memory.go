package trainer

import (
	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/graph"
	"vgg/internal/memory"
)

// checkMemory refuses a net that cannot fit in memory: its weights, their gradients and velocities, and the largest
// feature maps of a micro-batch are the least that training takes.
func checkMemory(r configs.Recipe, config configs.Config, channels, classes int) error {
	o := graph.Options{Classes: classes, Boxes: r.Boxes.Regression, Width: r.Net.Width, FC: r.Net.FC}
	weights, largest := graph.Size(config, o, r.MicroBatch(), channels, r.Net.Input, r.Net.Input)
	need, limit := 4*(3*weights+largest), float64(memory.Limit())
	if need > limit {
		return errors.Errorf("trainer: training this net takes at least %.3g GB of memory, and there are %.3g: lower net.width, net.fc, net.input or training.micro_batch", need/1e9, limit/1e9)
	}
	return nil
}
