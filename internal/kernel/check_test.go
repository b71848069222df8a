package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMain refuses to test anything else than what VGG_CPU and VGG_CONV ask for.
func TestMain(m *testing.M) {
	if err := Check(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func TestChooseISA(t *testing.T) {
	wide, narrow := isa{set: avx512}, isa{set: avx2}
	for _, c := range []struct {
		name      string
		available []isa
		want      string
		refusal   []string // what the error has to say; none for no error
	}{
		{"", []isa{wide, narrow, portable}, "avx512", nil},
		{"", []isa{narrow, portable}, "avx2", nil},
		{"", []isa{portable}, "go", nil},
		{"avx512", []isa{wide, narrow, portable}, "avx512", nil},
		{"avx2", []isa{wide, narrow, portable}, "avx2", nil},
		{"go", []isa{wide, narrow, portable}, "go", nil},
		{"avx512", []isa{narrow, portable}, "avx2", []string{"VGG_CPU=avx512", "processor lacks", "avx2, go"}},
		{"avx2", []isa{portable}, "go", []string{"VGG_CPU=avx2", "processor lacks", "go"}},
		{"AVX2", []isa{wide, narrow, portable}, "avx512", []string{"VGG_CPU=AVX2", "no such", "avx512, avx2, go"}},
		{"sse", []isa{portable}, "go", []string{"VGG_CPU=sse", "no such", "avx512, avx2, go"}},
	} {
		got, err := chooseISA(c.name, c.available)
		if got.set.String() != c.want {
			t.Errorf("VGG_CPU=%q with %d available: %s, want %s", c.name, len(c.available), got.set.String(), c.want)
		}
		checkRefusal(t, err, c.refusal)
	}
	for _, s := range append(detected(), portable) {
		if _, err := chooseISA(s.set.String(), append(detected(), portable)); err != nil {
			t.Errorf("%s is detected, but: %v", s.set, err)
		}
	}
}

func TestChooseAlgorithm(t *testing.T) {
	for _, c := range []struct {
		name, want string
		refusal    []string
	}{
		{"", fastest, nil}, {"direct", direct, nil}, {"winograd2", winograd2, nil}, {"winograd4", winograd4, nil}, {"winograd5", winograd5, nil}, {"winograd7", winograd7, nil},
		{"winograd3", fastest, []string{"VGG_CONV=winograd3", "no such", "direct, winograd2, winograd4, winograd5, winograd7"}},
	} {
		got, err := chooseAlgorithm(c.name)
		if got != c.want {
			t.Errorf("VGG_CONV=%q: %q, want %q", c.name, got, c.want)
		}
		checkRefusal(t, err, c.refusal)
	}
}

func checkRefusal(t *testing.T, err error, parts []string) {
	t.Helper()
	if (err != nil) != (parts != nil) {
		t.Fatalf("error %v, want one: %t", err, parts != nil)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the error %q lacks %q", err, part)
		}
	}
}

// TestRefusedTests starts these tests with variables that are refused.
func TestRefusedTests(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, variable := range []string{"VGG_CPU=nonsense", "VGG_CONV=nonsense"} {
		cmd := exec.Command(exe, "-test.run=^TestValidate$")
		cmd.Env = append(os.Environ(), variable)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), variable) {
			t.Errorf("tests with %s: error %v, output %q", variable, err, out)
		}
	}
}
