package reproduce

import (
	"bytes"
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

// open reads the openings, after adding this one if the plan is one, and not the last one again after its report failed.
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
	this := Opening{time.Now().UTC().Format(time.DateTime), text.List(p.Seeds, ", "), digest, p.Build, p.Opening}
	if len(all) > 0 {
		if last := all[len(all)-1]; last.same(this) && !p.hasOpened() {
			return all, nil
		}
	}
	all = append(all, this)
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

// same tells whether one opening differs from another in its time alone.
func (o Opening) same(other Opening) bool {
	o.Time = other.Time
	return o == other
}

// keepsOpened tells whether the folder has a report of opened tests, which one without their errors is not to replace.
func (p Plan) keepsOpened() bool { return p.sealed() && p.hasOpened() }

// hasOpened tells whether the report in the folder is of opened tests.
func (p Plan) hasOpened() bool {
	report, err := os.ReadFile(filepath.Join(p.Dir, MarkdownFile))
	return err == nil && !bytes.Contains(report, []byte(sealedWords)) && bytes.Contains(report, []byte(openingsWords))
}

// What a report says if its tests are sealed, and if they were ever opened.
const (
	sealedWords   = "no error of these tests is shown until they are opened"
	openingsWords = "The tests on held-out pictures were opened"
)

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
