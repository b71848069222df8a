package plots

import (
	"math"
	"strings"
	"testing"
)

// scaling is a panel in which efficiency falls with hosts, and rises with the rate of the network.
func scaling(label string, loss float64) ScalingPanel {
	p := ScalingPanel{Label: label}
	for i, name := range []string{"1 Gbit/s", "10 Gbit/s", "25 Gbit/s", "100 Gbit/s"} {
		s := ScalingSeries{Name: name}
		for j, hosts := range []int{4, 16, 64, 256} {
			s.Points = append(s.Points, ScalingPoint{hosts, 100 / (1 + loss*float64(j+1)/float64(i+1))})
		}
		p.Series = append(p.Series, s)
	}
	return p
}

func TestScalingGolden(t *testing.T) {
	golden(t, map[string]func() (*Figure, error){
		"scaling": func() (*Figure, error) {
			return Scaling([]ScalingPanel{scaling("efficiency (%)", 0.1), scaling("all-reduced (%)", 1)}, "net D, mini-batch 256")
		},
		"scaling_one": func() (*Figure, error) {
			return Scaling([]ScalingPanel{{"efficiency (%)", []ScalingSeries{{"1 Gbit/s", []ScalingPoint{{4, 50}}}}}}, "")
		},
	})
}

func TestScalingRefuses(t *testing.T) {
	point := func(hosts int, efficiency float64) []ScalingPanel {
		return []ScalingPanel{{"%", []ScalingSeries{{"a", []ScalingPoint{{hosts, efficiency}}}}}}
	}
	for want, panels := range map[string][]ScalingPanel{
		"no point":         nil,
		"0 hosts":          point(0, 50),
		"NaN %":            point(1, math.NaN()),
		"efficiency of -1": point(1, -1),
		"panel 2 has 0":    append(point(1, 50), ScalingPanel{}),
		"b, in the first":  append(point(1, 50), ScalingPanel{"%", []ScalingSeries{{"b", nil}}}),
	} {
		if _, err := Scaling(panels, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
