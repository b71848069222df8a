package configs

import (
	"fmt"
	"strings"
	"testing"
)

// printed writes a number as the tables print it.
func printed(v float64) string {
	if v == NotGiven {
		return "–"
	}
	return fmt.Sprintf("%.1f", v)
}

func (r Recall) printed() string {
	if r.Mean == NotGiven {
		return printed(r.Mean)
	}
	return printed(r.Mean) + " ± " + printed(r.Deviation)
}

// Tables 11 and 12, as the paper prints them but for the names of the nets and the two results of Wei et al.
func TestGeneralisationAsPrinted(t *testing.T) {
	const want = `Zeiler & Fergus | – | 79.0 | 86.5 ± 0.5 | 74.2 ± 0.3
Chatfield et al. | 82.4 | 83.2 | 88.4 ± 0.6 | 77.6 ± 0.1
He et al. | 82.4 | – | 93.4 ± 0.5 | –
Wei et al. | 81.5 | 81.7 | – | –
Wei et al. 2000 | 85.2 | 90.3 | – | –
VGG D | 89.3 | 89.0 | 91.8 ± 1.0 | 85.0 ± 0.2
VGG E | 89.3 | 89.0 | 92.3 ± 0.5 | 85.1 ± 0.3
VGG D&E | 89.7 | 89.3 | 92.7 ± 0.5 | 86.2 ± 0.3
Oquab et al. 1512 | 70.2
Gkioxari et al. | 73.6
Hoai | 76.3
VGG D&E | 79.2
VGG D&E box | 84.0
`
	var got strings.Builder
	name := func(method string, nets []string, classes int) {
		got.WriteString(method)
		if nets != nil {
			got.WriteString(" " + strings.Join(nets, "&"))
		}
		if classes != NotGiven {
			fmt.Fprintf(&got, " %d", classes)
		}
	}
	for _, r := range Table11() {
		name(r.Method, r.Nets, r.Classes)
		fmt.Fprintf(&got, " | %s | %s | %s | %s\n", printed(r.VOC2007), printed(r.VOC2012), r.Caltech101.printed(), r.Caltech256.printed())
	}
	for _, r := range Table12() {
		name(r.Method, r.Nets, r.Classes)
		if r.Box {
			got.WriteString(" box")
		}
		fmt.Fprintf(&got, " | %s\n", printed(r.MeanAP))
	}
	if got.String() != want {
		t.Errorf("the tables are\n%s\nwant\n%s", got.String(), want)
	}
}

// What appendix B concludes must follow from the tables as typed in.
func TestGeneralisationFindings(t *testing.T) {
	d, e, both := Table11()[5], Table11()[6], Table11()[7]
	for _, one := range []Generalisation{d, e} {
		if both.VOC2007 <= one.VOC2007 || both.VOC2012 <= one.VOC2012 || both.Caltech101.Mean <= one.Caltech101.Mean || both.Caltech256.Mean <= one.Caltech256.Mean {
			t.Errorf("both nets are not better than %v", one.Nets)
		}
	}
	for _, r := range append(Table11()[5:], Generalisation{Nets: Table12()[3].Nets}) {
		for _, net := range r.Nets {
			if _, err := ByName(net); err != nil {
				t.Error(err)
			}
		}
	}
	actions := Table12()
	for _, other := range actions[:4] {
		if actions[4].MeanAP <= other.MeanAP {
			t.Errorf("picture and box are not better than %s", other.Method)
		}
	}
}
