package dataset

import (
	"path"
	"strings"

	"vgg/internal/archive"
	"vgg/internal/text"
)

// treePart is some files and folders of a tree, in their order.
type treePart struct {
	archive.Tree
	at []int
}

func (t *treePart) Len() int                          { return len(t.at) }
func (t *treePart) Path(i int) string                 { return t.Tree.Path(t.at[i]) }
func (t *treePart) Read(i, limit int) ([]byte, error) { return t.Tree.Read(t.at[i], limit) }

// What trainings leave in a folder: a run directory has a recipe, and checkpoints or a history.
const (
	runRecipe      = "recipe.toml"
	runCheckpoints = "checkpoint/"
	runHistory     = "history.csv"
	runsFolder     = "runs/" // the usual place of run directories
)

// withoutRuns leaves out the trainings that were begun in a folder of pictures, whose figures would be taken for pictures
// of a class.
func (o *opener) withoutRuns(t archive.Tree) archive.Tree {
	var runs []string
	for i := range t.Len() {
		folder, file := path.Split(t.Path(i))
		if file != runRecipe || folder == "" {
			continue
		}
		_, history := archive.Find(t, folder+runHistory)
		_, checkpoints := archive.Find(t, folder+runCheckpoints)
		if history || checkpoints {
			runs = append(runs, folder)
		}
	}
	within := func(file string) bool {
		for _, run := range runs {
			if strings.HasPrefix(file, run) {
				return true
			}
		}
		return false
	}
	part := &treePart{Tree: t}
	others := false // in the folder of runs
	for i := range t.Len() {
		if file := t.Path(i); !within(file) {
			part.at = append(part.at, i)
			others = others || strings.HasPrefix(file, runsFolder) && !strings.HasSuffix(file, "/")
		}
	}
	if !others {
		first, end := archive.Below(part, runsFolder)
		part.at = append(part.at[:first], part.at[end:]...)
	}
	if part.Len() == t.Len() {
		return t
	}
	if len(runs) > 0 {
		o.note("trainings in it are no pictures: %s", text.FirstFew(runs, fewNames))
	}
	return part
}
