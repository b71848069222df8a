package evaluate

import (
	"context"
	"testing"
	"time"

	"vgg/augment"
	"vgg/configs"
	"vgg/graph"
	"vgg/weights"
)

// BenchmarkLocalise compares test 2's boxes by a per-class net D at Q = 384 and full width, of 1,000 classes, with
// plain inference of net D on batches of 8 crops, in turns: GFLOP/s, two operations a multiply-add of direct
// convolution. The test reads JPEGs of 500×375, which become 512×384, and views each also mirrored. The test of the
// class scores of the same windows, by a net D that classifies, is the second one.
//
//	go test -run x -bench Localise -benchtime 3x ./evaluate
func BenchmarkLocalise(b *testing.B) {
	const pictures = 8
	boxes := newTestModel(b, configs.D, graph.Options{Seed: 1, Boxes: configs.RegressPerClass},
		weights.Info{Input: 224, Channels: 3, Classes: names(1000), Boxes: configs.RegressPerClass})
	classes := untrainedModel(b, configs.D, 224)
	split := writeFiles(b, "jpeg", pictures)
	for _, c := range []struct {
		name        string
		classifiers []*Model
	}{{"boxes", nil}, {"boxes and classes", []*Model{classes}}} {
		b.Run(c.name, func(b *testing.B) {
			o := BoxOptions{Options: Options{Protocol: configs.Dense, Scales: []int{384}}}
			turns(b, classes, 2*pictures, func() (operations int) {
				l, err := newLocalisation(c.classifiers, []Localiser{{boxes, []int{384}}}, unlabelledFiles{split}, o)
				if err != nil {
					b.Fatal(err)
				}
				l.engine.prepared, l.engine.kept = true, true // as in a test of more pictures
				err = run(context.Background(), l.engine, l.find, func(Localisation) error {
					operations += 2 * 2 * densely(b, boxes, 384, 512)
					if c.classifiers != nil {
						operations += 2 * 2 * densely(b, classes, 384, 512)
					}
					return nil
				})
				if err != nil {
					b.Fatal(err)
				}
				return operations
			})
		})
	}
}

// BenchmarkFeatures compares the features fc7 of net D at full width, dense at five scales and mirrored, of JPEGs of
// 500×375, with plain inference of the same net, in turns, as BenchmarkLocalise does.
//
//	go test -run x -bench Features -benchtime 3x ./evaluate
func BenchmarkFeatures(b *testing.B) {
	const pictures = 4
	m := untrainedModel(b, configs.D, 224)
	split := writeFiles(b, "jpeg", pictures)
	o := Options{Protocol: configs.Dense, Features: "fc7", Scales: []int{256, 384, 512, 640, 768}}
	p := augment.Picture{Width: 500, Height: 375}
	perPicture := 0
	for _, q := range o.Scales {
		width, height := p.Resized(q)
		perPicture += 2 * 2 * densely(b, m, height, width)
	}
	turns(b, m, 32*pictures, func() (operations int) {
		err := Predict(context.Background(), []*Model{m}, split, o, func(Prediction) error { operations += perPicture; return nil })
		if err != nil {
			b.Fatal(err)
		}
		return operations
	})
}

// turns runs a test, which returns its floating-point operations, and plain inference of net D on as many crops of
// 224×224 in batches of 8, in turns, so that both see the same load of the machine, and reports the GFLOP/s of both.
func turns(b *testing.B, net *Model, crops int, test func() (operations int)) {
	const rows = 8
	plain := net.Share()
	defer plain.Close()
	batch := noiseCrops(rows, 224, 224)
	r, err := plain.runner(purpose{rows: rows, height: 224, width: 224, prepared: true, kept: true})
	if err != nil {
		b.Fatal(err)
	}
	infer := func() {
		for range crops / rows {
			if err := r.run(batch); err != nil {
				b.Fatal(err)
			}
		}
	}
	test()
	infer()
	var tested, inferred time.Duration
	operations := 0
	for b.Loop() {
		began := time.Now()
		operations += test()
		tested += time.Since(began)
		began = time.Now()
		infer()
		inferred += time.Since(began)
	}
	rate := 1e-9 * float64(operations) / tested.Seconds()
	plainRate := 2e-9 * float64(b.N*(crops/rows)*rows*multiplyAdds(r)) / inferred.Seconds()
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(rate, "GFLOP/s")
	b.ReportMetric(plainRate, "plain-GFLOP/s")
	b.ReportMetric(rate/plainRate, "of-plain")
}

// unlabelledFiles are files whose classes are not known, so that there is no test 1.
type unlabelledFiles struct{ files }

func (unlabelledFiles) Label(int) int { return -1 }

// multiplyAdds are those of one crop.
func multiplyAdds(r *runner) (sum int) {
	for _, l := range r.net.Summary() {
		sum += l.MultiplyAdds
	}
	return sum
}

// densely is the number of multiply-adds of a dense net.
func densely(b *testing.B, m *Model, height, width int) int {
	b.Helper()
	r, err := m.newRunner(purpose{rows: 1, height: height, width: width, dense: true, layer: m.last()})
	if err != nil {
		b.Fatal(err)
	}
	return multiplyAdds(r)
}
