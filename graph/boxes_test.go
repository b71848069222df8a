package graph

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"vgg/configs"
	"vgg/graph/machine"
)

// fullyConnectedOnly freezes all but the fully connected layers.
var fullyConnectedOnly = []string{"conv1", "conv2", "conv3", "conv4", "conv5"}

// TestBoxHead: four outputs for each class or four; of those for each class only the label's are trained; and with
// frozen convolutions no gradient is declared below the fully connected layers.
func TestBoxHead(t *testing.T) {
	const n = 3
	r := rand.New(rand.NewPCG(3, 0))
	pictures, _ := batch(r, n)
	for _, regression := range []configs.Regression{configs.RegressPerClass, configs.RegressSingle} {
		for _, freeze := range [][]string{nil, fullyConnectedOnly} {
			o := mini
			o.Boxes, o.Freeze = regression, freeze
			g := gorgonia.NewGraph()
			x, labels, targets := NewInput(g, n, 3, 32, 32), NewLabels(g, n), NewTargets(g, n)
			net, err := Build(x, configs.A, o)
			if err != nil {
				t.Fatal(err)
			}
			outputs := regression.Outputs(mini.Classes)
			if !net.Boxes.Shape().Eq(tensor.Shape{n, outputs}) || net.Logits != nil {
				t.Fatalf("%s: boxes %v, logits %v", regression, net.Boxes.Shape(), net.Logits)
			}
			loss, err := net.BoxLoss(labels, targets)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := gorgonia.Grad(loss, net.Learnables()...); err != nil {
				t.Fatal(err)
			}
			count := gradientOps(g)
			if freeze != nil && (count["convWeightGradient"]+count["convDataGradient"] > 0 || count["linearWeightGradient"] != 3 || count["linearDataGradient"] != 2) {
				t.Errorf("%s, frozen convolutions: %v", regression, count)
			}
			vm, err := machine.New(g, machine.Outputs(loss, net.Boxes), machine.Gradients(net.Learnables()...))
			if err != nil {
				t.Fatal(err)
			}
			want := make([]float32, 4*n)
			for i := range want {
				want[i] = r.Float32()
			}
			let(t, x, tensor.New(tensor.WithShape(n, 3, 32, 32), tensor.WithBacking(pictures)))
			let(t, labels, tensor.New(tensor.WithShape(n), tensor.WithBacking([]int{2, -1, 5})))
			let(t, targets, tensor.New(tensor.WithShape(n, 4), tensor.WithBacking(want)))
			if err := vm.RunAll(); err != nil {
				t.Fatal(err)
			}
			boxes, sum := net.Boxes.Value().Data().([]float32), 0.0
			trained := map[int]bool{}
			for row, label := range []int{2, -1, 5} {
				for k := range 4 {
					if at := (4*label + k) % outputs; label >= 0 {
						trained[at] = true
						d := float64(boxes[row*outputs+at] - want[4*row+k])
						sum += d * d
					}
				}
			}
			if got := float64(loss.Value().Data().(float32)); math.Abs(got-sum/4) > 1e-5*sum {
				t.Errorf("%s: loss %v, want half the mean of two rows, %v", regression, got, sum/4)
			}
			bias, err := net.Parameters()[len(net.Parameters())-1].Node.Grad()
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range bias.Data().([]float32) {
				if (v != 0) != trained[i] {
					t.Errorf("%s: output %d has the gradient %v", regression, i, v)
				}
			}
			vm.Close()
		}
	}
}

// TestDenseBoxes: a dense net gives the boxes of each position, row by row; their mean is what the same weights give as
// class scores.
func TestDenseBoxes(t *testing.T) {
	const height, width = 96, 128
	r := rand.New(rand.NewPCG(1, 2))
	pictures := make([]float32, 2*3*height*width)
	for i := range pictures {
		pictures[i] = float32(r.NormFloat64())
	}
	o := mini64()
	o.Dense, o.Classes, o.Boxes = 64, 3, configs.RegressSingle
	g := gorgonia.NewGraph()
	x := NewInput(g, 2, 3, height, width)
	let(t, x, tensor.New(tensor.WithShape(2, 3, height, width), tensor.WithBacking(pictures)))
	net, err := Build(x, configs.A, o)
	if err != nil {
		t.Fatal(err)
	}
	rows, columns := net.Positions()
	if rows != 2 || columns != 3 || !net.Boxes.Shape().Eq(tensor.Shape{2 * rows * columns, 4}) {
		t.Fatalf("%d×%d positions, boxes %v", rows, columns, net.Boxes.Shape())
	}
	vm, err := machine.New(g, machine.Outputs(net.Boxes))
	if err != nil {
		t.Fatal(err)
	}
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		t.Fatal(err)
	}
	boxes := net.Boxes.Value().Data().([]float32)
	scores := mini64()
	scores.Dense, scores.Classes, scores.From = 64, 4, net.Tensors()
	want := logits(t, configs.A, scores, 2, height, width, pictures)
	for picture := range 2 {
		means := make([]float32, 4)
		for i, v := range boxes[picture*6*4:][:6*4] {
			means[i%4] += v / 6
		}
		if d := largestDifference(means, want[4*picture:][:4]); d > 1e-5 {
			t.Errorf("picture %d: mean box %v, class scores %v", picture, means, want[4*picture:][:4])
		}
	}
	if slices.Equal(boxes[:4], boxes[4:8]) {
		t.Error("two positions have the same box")
	}
}

// TestBoxErrors: each kind of net has its own loss, and weights of the other kind are refused.
func TestBoxErrors(t *testing.T) {
	g := gorgonia.NewGraph()
	x, labels := NewInput(g, 1, 3, 32, 32), NewLabels(g, 1)
	classifier, err := Build(x, configs.A, mini)
	if err != nil {
		t.Fatal(err)
	}
	o := mini
	o.Boxes = configs.RegressPerClass
	boxes, err := Build(x, configs.A, o)
	if err != nil {
		t.Fatal(err)
	}
	unknown := mini
	unknown.Boxes = "all"
	_, failed := Build(x, configs.A, unknown)
	loss := mini
	loss.BoxLoss = "all"
	_, unknownLoss := Build(x, configs.A, loss)
	_, noBoxes := classifier.BoxLoss(labels, NewTargets(g, 1))
	_, noScores := boxes.Loss(labels)
	for want, err := range map[string]error{
		`boxes "all": want "per-class" or "single"`:                      failed,
		`loss of boxes is "all": want "sum" or "mean"`:                   unknownLoss,
		"has no boxes: set Options.Boxes":                                noBoxes,
		"its loss is BoxLoss":                                            noScores,
		"config A with a box for each of 7 classes: classifier.6.weight": boxes.Load(classifier.Tensors()),
		"config A with 7 classes: classifier.6.weight":                   classifier.Load(boxes.Tensors()),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
