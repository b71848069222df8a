package op

import (
	"fmt"

	"github.com/chewxy/hm"
	"github.com/pkg/errors"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/internal/kernel"
)

// ToNHWC turns pictures (N, C, H, W) into feature maps (N, H, W, C).
func ToNHWC(x *gorgonia.Node) (*gorgonia.Node, error) { return layout(toNHWC, x) }

// ToNCHW turns feature maps (N, H, W, C) into the layout that Gorgonia's own ops expect, (N, C, H, W).
func ToNCHW(x *gorgonia.Node) (*gorgonia.Node, error) { return layout(toNCHW, x) }

// Flatten turns feature maps (N, H, W, C) into vectors (N, C·H·W), channel by channel, which is the order in which
// the weights of the first fully connected layer are commonly stored.
func Flatten(x *gorgonia.Node) (*gorgonia.Node, error) { return layout(flatten, x) }

const (
	toNHWC = iota
	toNCHW
	flatten
	unflatten
)

// relayout moves the channels; h and w are the map's size, c its channels.
type relayout struct{ kind, c, h, w int }

func layout(kind int, x *gorgonia.Node) (*gorgonia.Node, error) {
	s := x.Shape()
	if s.Dims() != 4 {
		return nil, errors.Errorf("op: cannot change the layout of shape %v: want four dimensions", s)
	}
	if kind == toNHWC {
		return apply(relayout{kind, s[1], s[2], s[3]}, x)
	}
	return apply(relayout{kind, s[3], s[1], s[2]}, x)
}

func (c relayout) String() string {
	return fmt.Sprintf("%s{C:%d H:%d W:%d}", [...]string{"toNHWC", "toNCHW", "flatten", "unflatten"}[c.kind], c.c, c.h, c.w)
}

func (c relayout) signature() []hm.Type {
	in, out := 4, 4
	switch c.kind {
	case flatten:
		out = 2
	case unflatten:
		in = 2
	}
	return []hm.Type{float(in), float(out)}
}

func (c relayout) infer(in []tensor.Shape) (tensor.Shape, error) {
	n := in[0][0]
	if in[0].TotalSize() != n*c.c*c.h*c.w {
		return nil, errors.Errorf("shape %v does not fit", in[0])
	}
	switch c.kind {
	case toNCHW:
		return tensor.Shape{n, c.c, c.h, c.w}, nil
	case flatten:
		return tensor.Shape{n, c.c * c.h * c.w}, nil
	}
	return tensor.Shape{n, c.h, c.w, c.c}, nil
}

func (c relayout) run(out []float32, a arguments) error {
	convert := kernel.ToNCHW
	if c.kind == toNHWC || c.kind == unflatten {
		convert = kernel.ToNHWC
	}
	convert(out, a.data[0], a.shape(0)[0], c.c, c.h, c.w)
	return nil
}

func (c relayout) wrt() []bool { return []bool{true} }

func (c relayout) gradient(_ gorgonia.Nodes, _, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	back := c
	back.kind = [...]int{toNHWC: toNCHW, toNCHW: toNHWC, flatten: unflatten, unflatten: flatten}[c.kind]
	dx, err := apply(back, grad)
	return gorgonia.Nodes{dx}, err
}
