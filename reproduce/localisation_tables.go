package reproduce

import (
	"fmt"
	"math"
	"strings"

	"vgg/configs"
	"vgg/internal/text"
)

// boxNet is a localisation net and the scales at which it is tested.
type boxNet struct {
	boxTraining       // without its seed
	test        []int // the paper's Q; nil for test 1
}

// boxRow is a line of Table 8 or 9: a test of one net or several.
type boxRow struct {
	nets     []boxNet         // none for the mean box of the training pictures
	protocol configs.Protocol // of test 2; "" for test 1
	paper    float64          // the error in percent, or configs.NotGiven
}

// table8 are the rows of Table 8, the one that the paper leaves out, and the least that a net must beat.
func table8() (rows []boxRow) {
	for _, t := range configs.Table8() {
		rows = append(rows, test1(t.AllLayers, t.Regression, t.Error))
	}
	return append(rows, test1(true, configs.RegressSingle, configs.NotGiven), boxRow{})
}

func test1(all bool, r configs.Regression, paper float64) boxRow {
	return boxRow{nets: []boxNet{{boxTraining: boxTraining{scale: configs.S384, regression: r, all: all}}}, paper: paper}
}

// table9 are the rows of Table 9, and first the central crop, which the paper has only with the true class, and many crops.
func table9() []boxRow {
	net := func(n configs.TestedNet) boxNet {
		return boxNet{boxTraining{scale: n.Train, regression: configs.RegressPerClass, all: true}, n.Test}
	}
	centre := configs.TestedNet{Train: configs.S384, Test: []int{384}}
	rows := []boxRow{
		{nets: []boxNet{net(centre)}, protocol: configs.Center, paper: configs.NotGiven},
		{nets: []boxNet{net(centre)}, protocol: configs.MultiCrop, paper: configs.NotGiven},
	}
	for _, e := range configs.Table9() {
		row := boxRow{protocol: configs.Dense, paper: e.Val}
		for _, n := range e.Nets {
			row.nets = append(row.nets, net(n))
		}
		rows = append(rows, row)
	}
	return rows
}

// boxClaims are the statements of appendix A about the rows of its tables.
func boxClaims() []boxClaim {
	eight, nine := table8(), table9()
	single, perClass, all, singleAll := eight[0], eight[1], eight[2], eight[3]
	centre, crops, small, one, several, fused := nine[0], nine[1], nine[2], nine[3], nine[4], nine[5]
	claims := []boxClaim{
		{text: "Table 8: PCR is better than SCR, fully connected layers alone", candidate: perClass, baseline: single},
		{text: "Table 8: training all layers is better than the fully connected ones alone, PCR", candidate: all, baseline: perClass},
		{text: "PCR is better than SCR, all layers (not in the paper)", candidate: all, baseline: singleAll},
		{text: "Table 9: the whole procedure, though it must find the class, is better than the central crop with the true class", candidate: one, baseline: all},
		{text: "Boxes of 5×5 crops are better than those of the central crop, with the same classes (not in the paper)", candidate: crops, baseline: centre},
		{text: "Dense boxes are better than those of the central crop, with the same classes (not in the paper)", candidate: one, baseline: centre},
		{text: "Table 9: a larger scale is better", candidate: one, baseline: small},
		{text: "Table 9: several scales are better than one", candidate: several, baseline: one},
		{text: "Table 9: two nets are better than one", candidate: fused, baseline: several},
	}
	for i := range claims {
		c := &claims[i]
		c.paper = math.NaN()
		if c.candidate.paper != configs.NotGiven && c.baseline.paper != configs.NotGiven {
			c.paper = c.baseline.paper - c.candidate.paper
		}
	}
	return claims
}

// boxClaim says that one row is better than another.
type boxClaim struct {
	text                string
	candidate, baseline boxRow
	paper               float64 // points; NaN where the paper does not give them
}

// rows are all that are tested.
func (p BoxPlan) rows() []boxRow { return append(table8(), table9()...) }

// work lists the trainings of a seed, each after the one that it starts from.
func (p BoxPlan) work(seed uint64) (order []boxTraining) {
	var need func(t boxTraining)
	need = func(t boxTraining) {
		if from, ok := t.from(); ok {
			need(from)
		}
		for _, done := range order {
			if done == t {
				return
			}
		}
		order = append(order, t)
	}
	for _, r := range p.rows() {
		for _, n := range r.nets {
			t := n.boxTraining
			t.seed = seed
			need(t)
		}
	}
	return order
}

// rowName is the file of a row's test, without its ending.
func (p BoxPlan) rowName(r boxRow) string {
	if len(r.nets) == 0 {
		return "mean-box"
	}
	parts := []string{"test1"}
	if r.protocol != "" {
		parts[0] = "test2-" + string(r.protocol)
	}
	for _, n := range r.nets {
		part := p.name(n.boxTraining)
		for _, q := range n.test {
			part += fmt.Sprintf("-Q%d", p.testScale(q))
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "_")
}

// label names the nets of a row of Table 9 by S and Q, ours or the paper's.
func (p BoxPlan) label(r boxRow, paper bool) string {
	var parts []string
	for _, n := range r.nets {
		s, q := p.scale(n.scale), make([]int, len(n.test))
		for i := range q {
			q[i] = p.testScale(n.test[i])
		}
		if paper {
			s, q = n.scale, n.test
		}
		parts = append(parts, fmt.Sprintf("%v / %s", s, text.List(q, ", ")))
	}
	return strings.Join(parts, " and ")
}
