package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"vgg/configs"
)

// paper is the net as the paper has it.
func paper(config string) flags {
	return flags{Config: config, Input: 224, Channels: 3, Classes: 1000, Width: 1, FC: 4096}
}

// TestParameters holds the JSON of each net against Table 2.
func TestParameters(t *testing.T) {
	for _, row := range configs.Table2() {
		f := paper(row.Config)
		f.JSON = true
		var out strings.Builder
		if err := inspect(&out, f); err != nil {
			t.Fatal(err)
		}
		var got struct{ Parameters int }
		if err := json.Unmarshal([]byte(out.String()), &got); err != nil {
			t.Fatal(err)
		}
		if got.Parameters != row.Exact {
			t.Errorf("net %s: %d parameters, Table 2 has %d", row.Config, got.Parameters, row.Exact)
		}
	}
}

// TestTables: the printed table of net D has the course's rows with true sums, and Table 1 all layers of all nets.
func TestTables(t *testing.T) {
	var out strings.Builder
	if err := inspect(&out, paper("d")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"conv1_1", "224×224×64", "3,211,264", "12.85", "1,728", "102,760,448", "15,237,608", "60.95", "138,357,544"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
	out.Reset()
	if err := tables(&out, paper("")); err != nil {
		t.Fatal(err)
	}
	for want, count := range map[string]int{"conv3-512": 2 * (4 + 4 + 4 + 4 + 6 + 8) / 2, "conv1-": 3, "LRN": 2, "FC-4096": 12, "FC-1000": 6, "maxpool": 30, "143,667,240": 1} {
		// "LRN" stands in the name of A-LRN too.
		if got := strings.Count(out.String(), want); got != count {
			t.Errorf("%s stands %d times, want %d:\n%s", want, got, count, out.String())
		}
	}
}

func TestBadInput(t *testing.T) {
	for want, change := range map[string]func(*flags){
		"unknown config": func(f *flags) { f.Config = "F" },
		"--input: ":      func(f *flags) { f.Input = 100 },
		"--channels":     func(f *flags) { f.Channels = 0 },
		"width":          func(f *flags) { f.Width = -1 },
		"classes":        func(f *flags) { f.Classes = -1 },
	} {
		f := paper("A")
		change(&f)
		if err := inspect(&strings.Builder{}, f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	f := paper("A")
	f.Width, f.FC, f.Dot = 0.1, 8, t.TempDir()+"/missing/graph.dot"
	if err := dot(f); err == nil || !strings.Contains(err.Error(), "--dot") {
		t.Errorf("unwritable file: %v", err)
	}
	f.Dot = t.TempDir() + "/graph.dot"
	if err := dot(f); err != nil {
		t.Error(err)
	}
	if drawn, err := os.ReadFile(f.Dot); err != nil || len(drawn) > 40000 || strings.Count(string(drawn), "not shown") != 2*11 {
		t.Errorf("%d bytes, %d weights and biases without numbers, %v", len(drawn), strings.Count(string(drawn), "not shown"), err)
	}
}
