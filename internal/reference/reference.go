package reference

import "math"

// Tensor is a dense array in row-major order.
type Tensor struct {
	Shape []int
	Data  []float64
}

// New makes a tensor of zeros.
func New(shape ...int) Tensor {
	size := 1
	for _, d := range shape {
		size *= d
	}
	return Tensor{shape, make([]float64, size)}
}

// Conv is a convolution of stride 1 that keeps the resolution, plus a bias.
func Conv(x, w, b Tensor, relu bool) Tensor {
	n, height, width, in := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	out, k := w.Shape[0], w.Shape[2]
	y := New(n, height, width, out)
	i := 0
	for p := range n {
		for row := range height {
			for column := range width {
				for o := range out {
					sum := b.Data[o]
					for r := range k {
						for s := range k {
							xr, xs := row+r-k/2, column+s-k/2
							if xr < 0 || xr >= height || xs < 0 || xs >= width {
								continue
							}
							for c := range in {
								sum += x.Data[((p*height+xr)*width+xs)*in+c] * w.Data[((o*in+c)*k+r)*k+s]
							}
						}
					}
					y.Data[i] = rectify(sum, relu)
					i++
				}
			}
		}
	}
	return y
}

func rectify(v float64, relu bool) float64 {
	if relu {
		return math.Max(0, v)
	}
	return v
}

// MaxPool takes the maximum of each 2×2 window, stride 2; the last windows of an odd side have only the pixels inside.
func MaxPool(x Tensor) Tensor {
	n, height, width, c := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	rows, columns := (height+1)/2, (width+1)/2
	y := New(n, rows, columns, c)
	for i := range y.Data {
		channel, column, row, p := i%c, i/c%columns, i/c/columns%rows, i/c/columns/rows
		y.Data[i] = math.Inf(-1)
		for h := 2 * row; h < min(2*row+2, height); h++ {
			for w := 2 * column; w < min(2*column+2, width); w++ {
				y.Data[i] = max(y.Data[i], x.Data[((p*height+h)*width+w)*c+channel])
			}
		}
	}
	return y
}

// LRN is b = a / (k + alpha Σ a²)^beta over size neighbouring channels.
func LRN(x Tensor, size int, alpha, beta, k float64) Tensor {
	c := x.Shape[len(x.Shape)-1]
	y := New(x.Shape...)
	for i, a := range x.Data {
		channel := i % c
		sum := 0.0
		for j := max(0, channel-size/2); j <= min(c-1, channel+size/2); j++ {
			sum += x.Data[i-channel+j] * x.Data[i-channel+j]
		}
		y.Data[i] = a / math.Pow(k+alpha*sum, beta)
	}
	return y
}

// Linear is a fully connected layer.
func Linear(x, w, b Tensor, relu bool) Tensor {
	n, in, out := x.Shape[0], x.Shape[1], w.Shape[0]
	y := New(n, out)
	for i := range y.Data {
		p, o := i/out, i%out
		sum := b.Data[o]
		for j := range in {
			sum += x.Data[p*in+j] * w.Data[o*in+j]
		}
		y.Data[i] = rectify(sum, relu)
	}
	return y
}

// ToNHWC turns (N, C, H, W) into (N, H, W, C).
func ToNHWC(x Tensor) Tensor {
	n, c, h, w := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	y := New(n, h, w, c)
	for i := range y.Data {
		channel, pixel, p := i%c, i/c%(h*w), i/c/(h*w)
		y.Data[i] = x.Data[(p*c+channel)*h*w+pixel]
	}
	return y
}

// ToNCHW turns (N, H, W, C) into (N, C, H, W).
func ToNCHW(x Tensor) Tensor {
	n, h, w, c := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	y := New(n, c, h, w)
	for i := range y.Data {
		pixel, channel, p := i%(h*w), i/(h*w)%c, i/(h*w)/c
		y.Data[i] = x.Data[(p*h*w+pixel)*c+channel]
	}
	return y
}

// Flatten turns (N, H, W, C) into (N, C·H·W).
func Flatten(x Tensor) Tensor {
	y := ToNCHW(x)
	y.Shape = []int{x.Shape[0], x.Shape[1] * x.Shape[2] * x.Shape[3]}
	return y
}

// Windows are all parts of size × size, stride 1, each flattened as Flatten does: (N·windows, C·size·size).
func Windows(x Tensor, size int) Tensor {
	n, h, w, c := x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3]
	y := New(n*(h-size+1)*(w-size+1), c*size*size)
	i := 0
	for p := range n {
		for top := range h - size + 1 {
			for left := range w - size + 1 {
				for channel := range c {
					for row := range size {
						for column := range size {
							y.Data[i] = x.Data[((p*h+top+row)*w+left+column)*c+channel]
							i++
						}
					}
				}
			}
		}
	}
	return y
}

// MeanRows is the mean of each count consecutive rows.
func MeanRows(x Tensor, count int) Tensor {
	columns := x.Shape[1]
	y := New(x.Shape[0]/count, columns)
	for i, v := range x.Data {
		y.Data[i/columns/count*columns+i%columns] += v / float64(count)
	}
	return y
}

// CrossEntropy is the mean of -log softmax(row)[label] over the rows whose label is not -1.
func CrossEntropy(logits Tensor, labels []int) float64 {
	classes := logits.Shape[1]
	loss, rows := 0.0, 0
	for i, label := range labels {
		if label < 0 {
			continue
		}
		rows++
		row := logits.Data[i*classes : (i+1)*classes]
		top, sum := math.Inf(-1), 0.0
		for _, l := range row {
			top = max(top, l)
		}
		for _, l := range row {
			sum += math.Exp(l - top)
		}
		loss += top + math.Log(sum) - row[label]
	}
	return loss / float64(max(1, rows))
}

// Euclidean is the mean over the rows whose label is not -1 of factor times the sum of the squared differences between
// targets (N, 4) and boxes (N, 4), or those four of boxes (N, 4 · classes) that are the label's.
func Euclidean(boxes, targets Tensor, labels []int, factor float64) float64 {
	width := boxes.Shape[1]
	loss, rows := 0.0, 0
	for i, label := range labels {
		if label < 0 {
			continue
		}
		rows++
		for k := range 4 {
			d := boxes.Data[i*width+(4*label+k)%width] - targets.Data[4*i+k]
			loss += factor * d * d
		}
	}
	return loss / float64(max(1, rows))
}
