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
	print := func(settings string) string {
		t.Helper()
		s, err := Open("embedded-scenes:pictures=40,val_pictures=40"+settings, Options{})
		if err != nil {
			t.Fatal(err)
		}
		return s.Fingerprint()
	}
	seen := map[string]string{print(""): ""}
	for _, settings := range []string{",side=64", ",difficulty=0.5", ",pictures=50", ",val_pictures=50", ",val=test", ",val=development", ",Bag,Sandal"} {
		own := print(settings)
		if other, ok := seen[own]; ok {
			t.Errorf("%q and %q have the same fingerprint", settings, other)
		}
		seen[own] = settings
	}
	if _, ok := seen[print("")]; !ok {
		t.Error("the same scenes have two fingerprints")
	}
}
