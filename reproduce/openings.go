package reproduce

import (
	"encoding/csv"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/pkg/errors"

	"vgg/internal/atomicfile"
	"vgg/internal/text"
)

// OpeningsFile is the file, among the records, of all openings of the tests on held-out pictures.
const OpeningsFile = "openings.csv"

// Opening is one time that the tests on held-out pictures were looked at.
type Opening struct {
	Time, Seeds, Recipe, Build, Why string
}

func (o *Opening) fields() []*string {
	return []*string{&o.Time, &o.Seeds, &o.Recipe, &o.Build, &o.Why}
}

// open reads the openings, after adding this one if the plan is one.
func (p Plan) open() ([]Opening, error) {
	file := filepath.Join(p.Records, OpeningsFile)
	all, err := readOpenings(file)
	if err != nil || p.Opening == "" {
		return all, err
	}
	digest, err := p.digest()
	if err != nil {
		return nil, err
	}
	all = append(all, Opening{time.Now().UTC().Format(time.DateTime), text.List(p.Seeds, ", "), digest, p.Build, p.Opening})
	return all, errors.Wrap(atomicfile.Encode(file, func(w io.Writer) error {
		lines := csv.NewWriter(w)
		for _, o := range append([]Opening{openingTitles}, all...) {
			var line []string
			for _, f := range o.fields() {
				line = append(line, *f)
			}
			_ = lines.Write(line) // the writer keeps its first error
		}
		lines.Flush()
		return lines.Error()
	}), "reproduce: openings")
}

// keepsOpened tells whether the folder has a report of opened tests, which one without their errors is not to replace.
func (p Plan) keepsOpened(openings []Opening) bool {
	_, err := os.Stat(filepath.Join(p.Dir, MarkdownFile))
	return p.sealed() && len(openings) > 0 && err == nil
}

var openingTitles = Opening{"time", "seeds", "recipe_sha256", "build", "why"}

func readOpenings(file string) (all []Opening, err error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, errors.Wrap(err, "reproduce: openings")
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, errors.Wrapf(err, "reproduce: openings: %s", file)
	}
	for i, line := range lines {
		var o Opening
		fields := o.fields()
		if len(line) != len(fields) {
			return nil, errors.Errorf("reproduce: openings: %s: line %d has %d fields, not %d", file, i+1, len(line), len(fields))
		}
		for k, text := range line {
			*fields[k] = text
		}
		if i > 0 {
			all = append(all, o)
		}
	}
	return all, nil
}
