package dataset

import (
	"os"
	"path/filepath"
	"testing"
)

// TestSample: folders of the same paths have the same fingerprint, and another sample if the pictures are others.
func TestSample(t *testing.T) {
	var fingerprints, samples []string
	for _, content := range []string{"one", "one", "other"} {
		dir := t.TempDir()
		for _, file := range []string{"train/a/1.png", "train/b/2.png", "val/a/3.png", "val/b/4.png"} {
			path := filepath.Join(dir, file)
			if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte("\x89PNG\r\n\x1a\n"+content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		fingerprints, samples = append(fingerprints, s.Fingerprint()), append(samples, s.Sample())
	}
	if f := fingerprints; f[0] != f[1] || f[0] != f[2] {
		t.Errorf("fingerprints %q", f)
	}
	if s := samples; s[0] != s[1] || s[0] == s[2] {
		t.Errorf("samples %q", s)
	}
}

// TestFingerprintOfScenes: every setting tells scenes apart.
func TestFingerprintOfScenes(t *testing.T) {
	seen := map[string]string{}
	for _, spec := range []string{
		"embedded-scenes", "embedded-scenes:side=64", "embedded-scenes:difficulty=0.5", "embedded-scenes:pictures=50", "embedded-scenes:val_pictures=50",
	} {
		var prints [2]string
		for i := range prints {
			s, err := Open(spec, Options{})
			if err != nil {
				t.Fatal(err)
			}
			prints[i] = s.Fingerprint()
		}
		if prints[0] != prints[1] {
			t.Errorf("%s has the fingerprints %q", spec, prints)
		}
		if other, ok := seen[prints[0]]; ok {
			t.Errorf("%s and %s have the same fingerprint", spec, other)
		}
		seen[prints[0]] = spec
	}
}
