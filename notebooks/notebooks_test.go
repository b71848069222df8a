package notebooks

import (
	"bytes"
	"encoding/json"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// notebook is the part of a file of Jupyter's format 4 that the test checks.
type notebook struct {
	Cells []struct {
		Type    string            `json:"cell_type"`
		Count   int               `json:"execution_count"`
		Source  []string          `json:"source"`
		Outputs []json.RawMessage `json:"outputs"`
	} `json:"cells"`
	Metadata struct {
		Kernel struct{ Name string } `json:"kernelspec"`
	} `json:"metadata"`
	Format int `json:"nbformat"`
}

type output struct {
	Type   string `json:"output_type"`
	Stream string `json:"name"`
	Text   json.RawMessage
	Data   map[string]json.RawMessage
}

// mostBytes is the largest size of a stored notebook.
const mostBytes = 1 << 20

// machinePath finds paths of the machine on which a notebook was run.
var machinePath = regexp.MustCompile(`/(work|root|home|tmp|Users|private)/`)

// The notebooks are stored as notebooks/run leaves them: run from top to bottom without an error, with outputs that do
// not name files of the machine, and with code formatted by gofmt.
func TestStored(t *testing.T) {
	files, err := filepath.Glob("*.ipynb")
	if err != nil || len(files) == 0 {
		t.Fatalf("no notebooks: %v", err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, fault := range faults(data) {
				t.Error(fault, "(run notebooks/run)")
			}
		})
	}
}

// TestFaults checks that each kind of fault is found.
func TestFaults(t *testing.T) {
	const good = `{"nbformat": 4, "metadata": {"kernelspec": {"name": "gonb"}}, "cells": [{"cell_type": "code", "execution_count": 1,
		"source": ["%%\n", "f(1)"], "outputs": [{"output_type": "display_data", "data": {"image/png": "a/tmp/b"}}]}]}`
	if found := faults([]byte(good)); len(found) > 0 {
		t.Fatalf("faults in a good notebook: %q", found)
	}
	for _, c := range []struct{ before, after, want string }{
		{`"cells"`, `cells`, "not JSON"},
		{`"gonb"`, `"python"`, "kernel"},
		{`"execution_count": 1`, `"execution_count": 3`, "not run from top to bottom"},
		{`f(1)`, `f( 1 )`, "gofmt"},
		{`f(1)`, `f(`, "not Go"},
		{`"display_data"`, `"error"`, "error"},
		{`"output_type": "display_data"`, `"output_type": "stream", "name": "stderr"`, "error"},
		{`"image/png"`, `"text/plain"`, "path"},
		{`[{"output_type": "display_data", "data": {"image/png": "a/tmp/b"}}]`, `[]`, "no outputs"},
	} {
		found := faults([]byte(strings.Replace(good, c.before, c.after, 1)))
		if len(found) != 1 || !strings.Contains(found[0], c.want) {
			t.Errorf("with %s for %s: faults %q, want one with %q", c.after, c.before, found, c.want)
		}
	}
}

// faults lists what is wrong with a stored notebook.
func faults(data []byte) (found []string) {
	var n notebook
	if err := json.Unmarshal(data, &n); err != nil {
		return []string{"not JSON: " + err.Error()}
	}
	if n.Format != 4 || n.Metadata.Kernel.Name != "gonb" {
		found = append(found, "not a notebook of format 4 for the kernel gonb")
	}
	if len(data) > mostBytes {
		found = append(found, "larger than 1 MiB")
	}
	outputs, cells := 0, 0
	for _, cell := range n.Cells {
		if cell.Type != "code" {
			continue
		}
		source := strings.Join(cell.Source, "")
		if cells++; cell.Count != cells {
			found = append(found, "not run from top to bottom: "+source)
		}
		found = append(found, codeFaults(source)...)
		for _, o := range cell.Outputs {
			outputs++
			found = append(found, outputFaults(o)...)
		}
	}
	if outputs == 0 {
		found = append(found, "no outputs")
	}
	return found
}

// codeFaults checks the declarations of a cell and, below %%, its statements. The first cell, which begins with
// %noautoget, has only commands of the kernel.
func codeFaults(source string) (found []string) {
	if strings.HasPrefix(source, "%noautoget") {
		return nil
	}
	declarations, statements, _ := strings.Cut(source, "%%\n")
	for _, code := range []string{declarations, statements} {
		code = strings.TrimRight(code, "\n")
		formatted, err := format.Source([]byte(code))
		switch {
		case err != nil:
			found = append(found, "not Go: "+err.Error()+": "+code)
		case string(formatted) != code:
			found = append(found, "not as gofmt writes it: "+code)
		}
	}
	return found
}

func outputFaults(raw json.RawMessage) []string {
	var o output
	if err := json.Unmarshal(raw, &o); err != nil {
		return []string{"not an output: " + err.Error()}
	}
	if o.Type == "error" || o.Stream == "stderr" {
		return []string{"an error is stored: " + string(raw)}
	}
	texts := [][]byte{o.Text}
	for kind, content := range o.Data {
		if !strings.HasPrefix(kind, "image/") {
			texts = append(texts, content)
		}
	}
	if path := machinePath.Find(bytes.Join(texts, nil)); path != nil {
		return []string{"a path of a machine is stored: " + string(path)}
	}
	return nil
}
