package reproduce

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vgg/configs"
	"vgg/trainer"
)

// TestRunFeatures: the net is trained once, and the report says what its features reach on classes that it has not seen.
func TestRunFeatures(t *testing.T) {
	r, err := configs.LoadRecipe("miniature")
	if err != nil {
		t.Fatal(err)
	}
	const other = "embedded:Trouser,Bag"
	if err := r.Apply("data=embedded:Shirt,Sneaker", "net.width=0.0625", "net.fc=16", "training.epochs=1", "training.limit=64"); err != nil {
		t.Fatal(err)
	}
	set, err := trainer.OpenData(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := FeaturePlan{Recipe: r, Other: other, Seeds: []uint64{1, 2}, Dir: filepath.Join(t.TempDir(), "out")}
	var observer silent
	first, err := RunFeatures(context.Background(), p, set, &observer)
	if err != nil {
		t.Fatal(err)
	}
	if observer.trainings != 2 || len(first.Findings) != 2 || len(first.Classes) != 2 || len(first.Notes) < 2 {
		t.Errorf("%d trainings, %+v", observer.trainings, first)
	}
	page, err := os.ReadFile(filepath.Join(p.Dir, HTMLFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"raw pixels", "features of a net of random weights", "Caltech’s protocol", other, "data:image/png;base64,"} {
		if !strings.Contains(string(page), want) && !strings.Contains(string(page), strings.ReplaceAll(want, "’", "'")) {
			t.Errorf("the page has no %q", want)
		}
	}
	again, err := RunFeatures(context.Background(), p, set, &observer)
	if err != nil || observer.trainings != 2 || again.Values != first.Values {
		t.Errorf("again: %d trainings, %v: %s", observer.trainings, err, again.Values)
	}
	p.Recipe.Training.Momentum = 0.5
	if _, err := RunFeatures(context.Background(), p, set, nil); err == nil || !strings.Contains(err.Error(), "begun otherwise") {
		t.Errorf("another recipe: %v", err)
	}
}
