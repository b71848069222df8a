package plots

import (
	"strings"
	"testing"
)

// netD is the paper's net D at 224×224, stage by stage.
func netD() []Part {
	stage := func(side, convolutions, channels int, lines string, memory, parameters int) Part {
		p := Part{Lines: []string{lines, "maxpool"}, Size: lines, Memory: memory, Parameters: parameters}
		for range convolutions {
			p.Slabs = append(p.Slabs, Slab{side, channels, false})
		}
		p.Slabs = append(p.Slabs, Slab{side / 2, channels, true})
		return p
	}
	full := func(outputs, parameters int) Part {
		return Part{Size: "FC", Slabs: []Slab{{1, outputs, false}}, Memory: 4 * outputs, Parameters: parameters}
	}
	return []Part{
		{Size: "224×224×3", Lines: []string{"input"}, Slabs: []Slab{{224, 3, false}}, Memory: 602112},
		stage(224, 2, 64, "conv3-64 ×2", 28901376, 38720),
		stage(112, 2, 128, "conv3-128 ×2", 14450688, 221440),
		stage(56, 3, 256, "conv3-256 ×3", 10436608, 1475328),
		stage(28, 3, 512, "conv3-512 ×3", 5218304, 5899776),
		stage(14, 3, 512, "conv3-512 ×3", 1304576, 7079424),
		full(4096, 102764544), full(4096, 16781312), full(1000, 4097000),
		{Size: "soft-max", Slabs: []Slab{{1, 1000, true}}},
	}
}

// pairs are those of section 2.3.
func pairs() [][2]Stack {
	return [][2]Stack{{{7, 1, 7, 49, 1}, {3, 3, 7, 27, 3}}, {{5, 1, 5, 25, 1}, {3, 2, 5, 18, 2}}}
}

func TestArchitectureGolden(t *testing.T) {
	golden(t, map[string]func() (*Figure, error){
		"architecture": func() (*Figure, error) { return Architecture(netD(), "Net D") },
		"stacks":       func() (*Figure, error) { return Stacks(pairs(), "Section 2.3") },
	})
}

func TestArchitectureTexts(t *testing.T) {
	figure, err := Architecture(netD(), "Net D")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := svg(t, figure)
	for _, want := range []string{"28.9 MB", "14.5 MB", "103 M", "38.7 K", "conv3-256 ×3", "138 M", "61.0 MB", "soft-max", "4.00 KB"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if figure, err = Stacks(pairs(), ""); err != nil {
		t.Fatal(err)
	}
	text, _ = svg(t, figure)
	for _, want := range []string{"three 3×3, sees 7×7", "27 C² weights, 3 ReLUs", "49 C² weights, 1 ReLU\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestNoArchitecture(t *testing.T) {
	if _, err := Architecture(nil, ""); err == nil {
		t.Error("no part is drawn")
	}
	if _, err := Architecture([]Part{{Memory: -1}}, ""); err == nil {
		t.Error("memory below 0 is drawn")
	}
	if _, err := Architecture([]Part{{Slabs: []Slab{{Side: -1, Channels: 3}}}}, ""); err == nil {
		t.Error("a block of side -1 is drawn")
	}
	for _, bad := range [][][2]Stack{nil, {{{3, 4, 9, 36, 4}, {9, 1, 9, 81, 1}}}, {{{3, 2, 6, 18, 2}, {5, 1, 5, 25, 1}}}} {
		if _, err := Stacks(bad, ""); err == nil {
			t.Errorf("%v is drawn", bad)
		}
	}
}
