package reproduce

import "vgg/configs"

// row is a line of a table: tests whose soft-max outputs are averaged.
type row struct {
	name       string // of several nets together
	nets       []configs.TestedNet
	protocol   configs.Protocol
	top1, top5 float64 // the paper's errors in percent, or configs.NotGiven
}

// paperTable is a table of section 4.
type paperTable struct {
	number    int
	title     string
	section   string
	note      string // under the title
	rows      []row
	protocols bool // whether the rows differ in the protocol
	fused     bool // whether the rows are of several nets
}

// tables are the paper's Tables 3 to 6.
func tables() []paperTable {
	return []paperTable{
		{number: 3, title: "Single test scale", section: "4.1", note: "Dense evaluation.", rows: rowsOf(configs.Table3())},
		{number: 4, title: "Several test scales", section: "4.2", note: "Dense evaluation.", rows: rowsOf(configs.Table4())},
		{number: 5, title: "Dense and multi-crop evaluation", section: "4.3", rows: rowsOf(configs.Table5()), protocols: true},
		{number: 6, title: "Several nets together", section: "4.4", rows: fusions(), protocols: true, fused: true,
			note: "The submission is the fusion of C, D and E at the fixed scales and D with jittering, each at several test scales; " +
				"D+E are the two nets trained with jittering."},
	}
}

func rowsOf(evaluations []configs.Evaluation) (rows []row) {
	for _, e := range evaluations {
		rows = append(rows, row{nets: []configs.TestedNet{e.TestedNet}, protocol: e.Protocol, top1: e.Top1, top5: e.Top5})
	}
	return rows
}

// fusions are the rows of Table 6. The last is the paper's best.
func fusions() (rows []row) {
	for _, f := range configs.Table6() {
		rows = append(rows, row{name: f.Name, nets: f.Nets, protocol: f.Protocol, top1: f.Top1, top5: f.Top5})
	}
	return rows
}

// ablation is B and the shallow net of section 4.1 on a centre crop. The paper gives only their difference.
func ablation() []row {
	centre := func(config string) row {
		return row{nets: []configs.TestedNet{{Config: config, Train: configs.S256, Test: []int{256}}}, protocol: configs.Center}
	}
	return []row{centre(configs.B.Name), centre(configs.B5.Name)}
}
