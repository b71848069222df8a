package reproduce

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/evaluate"
	"vgg/history"
	"vgg/internal/atomicfile"
	"vgg/internal/kernel"
	"vgg/internal/text"
	"vgg/metrics"
	"vgg/trainer"
)

// record is what is kept of a trained and tested net, or of the nets of a seed together: all that the report needs, in
// a few kilobytes. Where it is, nothing is trained or tested again.
type record struct {
	What    string             `json:"what"`            // in words
	Recipe  string             `json:"recipe_sha256"`   // of the recipe, and of what was tested
	Split   string             `json:"split,omitempty"` // of the pictures: see dataset.Set.SplitID; none of those that come with the program
	Build   string             `json:"build"`
	Kernels string             `json:"kernels"` // the instruction set
	Net     *netRecord         `json:"net,omitempty"`
	Rows    map[string]outcome `json:"rows"` // by key
}

// netRecord is what a training was.
type netRecord struct {
	Epochs       int     `json:"epochs"`
	BestEpoch    int     `json:"best_epoch"`
	ValTop1Error float64 `json:"val_top1_error"` // on the centre crop, in percent
	Seconds      float64 `json:"seconds"`
	TestSeconds  float64 `json:"test_seconds"`
	History      string  `json:"history"` // CSV
}

// check refuses what the training's own history contradicts.
func (n *netRecord) check() error {
	epochs, err := history.Decode(strings.NewReader(n.History), "its history")
	if err != nil {
		return err
	}
	best, ok := epochs.Best()
	if rounding := 1e-3; !ok || len(epochs) != n.Epochs || best.Epoch != n.BestEpoch || !(math.Abs(best.ValTop1Error-n.ValTop1Error) < rounding) {
		return errors.Errorf("%d epochs, epoch %d the best with an error of %g %%: its history has others", n.Epochs, n.BestEpoch, n.ValTop1Error)
	}
	return nil
}

// outcome is that of a row's tests for a seed, packed: no error of a test is to be seen before it is opened.
type outcome struct {
	Ranks     ranking   `json:"ranks"`
	Confusion confusion `json:"confusion,omitempty"` // of several nets together
}

// ranking has for each picture the number of classes that are more probable than its own, 255 for more.
type ranking []uint8

// MarshalText packs a ranking, which is mostly 0.
func (r ranking) MarshalText() ([]byte, error) { return pack(r) }

// UnmarshalText is the inverse.
func (r *ranking) UnmarshalText(text []byte) (err error) {
	*r, err = unpack(text)
	return errors.Wrap(err, "ranks")
}

// confusion is a matrix of counts, by true and by predicted class.
type confusion [][]int

// MarshalText packs a matrix.
func (c confusion) MarshalText() ([]byte, error) {
	plain, err := json.Marshal([][]int(c))
	if err != nil {
		return nil, err
	}
	return pack(plain)
}

// UnmarshalText is the inverse.
func (c *confusion) UnmarshalText(text []byte) error {
	plain, err := unpack(text)
	if err == nil {
		err = json.Unmarshal(plain, (*[][]int)(c))
	}
	return errors.Wrap(err, "confusion matrix")
}

// pack is data compressed, as text.
func pack(data []byte) ([]byte, error) {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := z.Write(data); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return base64.StdEncoding.AppendEncode(nil, packed.Bytes()), nil
}

// unpack is the inverse. Gzip's checksum finds damage.
func unpack(text []byte) ([]byte, error) {
	z, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(text)))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(z, math.MaxInt32))
}

func (r ranking) errors() (e metrics.Errors) {
	for _, rank := range r {
		e.Add(int(rank))
	}
	return e
}

// newOutcome ranks predictions.
func newOutcome(classes []string, predictions []evaluate.Prediction, confused bool) (o outcome) {
	for _, p := range predictions {
		o.Ranks = append(o.Ranks, uint8(min(255, metrics.Rank(p.Probabilities, p.Class))))
	}
	if confused {
		o.Confusion = evaluate.Score(classes, predictions).Confusion
	}
	return o
}

// together names the record of several nets of a seed.
const together = "together"

// key names a row among those of its record.
func (p Plan) key(r row) string {
	if len(r.nets) > 1 {
		return fmt.Sprintf("%s, %s", r.name, r.protocol)
	}
	return fmt.Sprintf("%s, Q = %s", r.protocol, text.List(p.testScales(r.nets[0]), ", "))
}

// holder is the file of the record that has a row of a seed.
func (p Plan) holder(r row, seed uint64) string {
	if len(r.nets) > 1 {
		return p.togetherFile(seed)
	}
	return p.recordFile(training{r.nets[0].Config, r.nets[0].Train, seed})
}

func (p Plan) recordFile(t training) string {
	return filepath.Join(p.Records, seedFolder(t.seed), p.name(t)+".json")
}

func (p Plan) togetherFile(seed uint64) string {
	return filepath.Join(p.Records, seedFolder(seed), together+".json")
}

// rowsIn lists the rows of a seed that a record has.
func (p Plan) rowsIn(file string, seed uint64) (rows []row) {
	for _, r := range p.rows() {
		if p.holder(r, seed) == file {
			rows = append(rows, r)
		}
	}
	return rows
}

// digest is that of the plan's recipe, and of what is tested.
func (p Plan) digest() (string, error) {
	r := p.Recipe
	r.Training.Seed, r.Run = 0, configs.Default().Run
	text, err := r.TOML()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%x", sha256.Sum256(append(text, p.testSpec()...))), nil
}

// testSpec names the data of the tests.
func (p Plan) testSpec() string {
	if p.HeldOut == nil {
		return ""
	}
	return p.HeldOut.Source.Spec
}

// keep writes the record of rows that can be computed now.
func (p Plan) keep(file, what string, net *netRecord, seed uint64, classes []string) error {
	digest, err := p.digest()
	if err != nil {
		return err
	}
	kept := record{What: what, Recipe: digest, Split: p.split, Build: p.Build, Kernels: kernel.ISA(), Net: net, Rows: map[string]outcome{}}
	for _, r := range p.rowsIn(file, seed) {
		var tests [][]evaluate.Prediction
		for _, t := range p.tests(r, seed) {
			predictions, _, err := readPredictions(p.predictions(t))
			if err != nil {
				return err
			}
			tests = append(tests, predictions)
		}
		mean, err := evaluate.Average(tests...)
		if err != nil {
			return err
		}
		kept.Rows[p.key(r)] = newOutcome(classes, mean, net == nil)
	}
	text, err := json.MarshalIndent(kept, "", "\t")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return errors.Wrap(err, "reproduce: folder of the records")
	}
	return errors.Wrap(atomicfile.Write(file, append(text, '\n')), "reproduce: record")
}

// keepNet writes the record of a trained and tested net, unless there is one of this training: that says which build
// trained it.
func (p Plan) keepNet(j job, classes []string) error {
	s, err := trainer.ReadSummary(p.dir(j.training))
	if err != nil {
		return err
	}
	epochs, err := os.ReadFile(filepath.Join(p.dir(j.training), history.FileName))
	if err != nil {
		return errors.Wrap(err, "reproduce: history")
	}
	if j.kept != nil && j.kept.Net.History == string(epochs) {
		return nil
	}
	net := &netRecord{Epochs: s.Epochs, BestEpoch: s.BestEpoch, ValTop1Error: s.ValTop1Error, Seconds: s.Seconds, History: string(epochs)}
	for _, t := range j.tests {
		_, seconds, err := readPredictions(p.predictions(t))
		if err != nil {
			return err
		}
		net.TestSeconds += seconds
	}
	return p.keep(p.recordFile(j.training), p.describe(j.training), net, j.seed, classes)
}

// keepTogether writes the record of the nets of a seed together as soon as all their tests are there, unless there is one
// with all rows of the plan.
func (p Plan) keepTogether(seed uint64, classes []string) error {
	file := p.togetherFile(seed)
	rows := p.rowsIn(file, seed)
	if len(rows) == 0 {
		return nil
	}
	if kept, err := p.readRecord(file, describeTogether(seed), seed); err != nil || kept != nil {
		return err
	}
	for _, r := range rows {
		for _, t := range p.tests(r, seed) {
			if _, err := os.Stat(p.predictions(t)); err != nil {
				return nil
			}
		}
	}
	return p.keep(file, describeTogether(seed), nil, seed, classes)
}

func describeTogether(seed uint64) string { return fmt.Sprintf("seed %d, several nets together", seed) }

// ErrRecords: a record is of another recipe, or of other pictures.
var ErrRecords = errors.New("made by another recipe or with other pictures (recipe_sha256, split): keep the records of each in a folder of its own")

// ErrDamaged: a record is not of the pictures that others are of.
var ErrDamaged = errors.New("one of them is damaged: remove it, and the next run does its work again")

// readRecord reads the record of what is named so; nil if there is none that has all rows of the plan. It refuses one that
// is damaged, is of something else or comes from another recipe.
func (p Plan) readRecord(file, what string, seed uint64) (*record, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var r record
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err == nil && r.What != what {
		err = errors.Errorf("it is of %q, and its name says %q", r.What, what)
	}
	if err == nil && r.Net != nil {
		err = r.Net.check()
	}
	if err != nil {
		return nil, &RecordsError{errors.Wrapf(err, "%s cannot be used: remove it, and the next run does its work again", file)}
	}
	digest, err := p.digest()
	if err != nil {
		return nil, err
	}
	if r.Recipe != digest || r.Split != p.split && r.Split != "" && p.split != "" {
		return nil, errors.Wrapf(ErrRecords, "reproduce: %s", file)
	}
	for _, row := range p.rowsIn(file, seed) {
		if len(r.Rows[p.key(row)].Ranks) == 0 {
			return nil, nil
		}
	}
	return &r, nil
}

// records reads those of all seeds, by file. All tests are of the same pictures.
func (p Plan) records() (map[string]*record, error) {
	all := map[string]*record{}
	tested, of := 0, ""
	for _, seed := range p.Seeds {
		order, _ := p.work(seed)
		files, what := []string{p.togetherFile(seed)}, map[string]string{p.togetherFile(seed): describeTogether(seed)}
		for _, t := range order {
			file := p.recordFile(t)
			files, what[file] = append(files, file), p.describe(t)
		}
		for _, file := range files {
			r, err := p.readRecord(file, what[file], seed)
			if err != nil {
				return nil, err
			}
			if r == nil {
				continue
			}
			all[file] = r
			for _, row := range p.rowsIn(file, seed) {
				n := len(r.Rows[p.key(row)].Ranks)
				if tested == 0 {
					tested, of = n, file
				}
				if n != tested {
					return nil, errors.Wrapf(ErrDamaged, "reproduce: %s has ranks of %d pictures, and %s of %d", file, n, of, tested)
				}
			}
		}
	}
	return all, nil
}

// missing lists what is still to do for records that are not there: trainings, with those that they start from, in the
// order of work.
func (p Plan) missing(kept map[string]*record) (jobs []job) {
	for _, seed := range p.Seeds {
		order, tests := p.work(seed)
		var needed []training
		var need func(t training)
		need = func(t training) {
			needed = append(needed, t)
			if from, ok := t.from(); ok {
				need(from)
			}
		}
		for _, t := range order {
			if kept[p.recordFile(t)] == nil {
				need(t)
			}
		}
		if fused := p.rowsIn(p.togetherFile(seed), seed); len(fused) > 0 && kept[p.togetherFile(seed)] == nil {
			for _, r := range fused {
				for _, t := range p.tests(r, seed) {
					need(t.training)
				}
			}
		}
		for _, t := range order {
			if slices.Contains(needed, t) {
				jobs = append(jobs, job{t, tests[t], kept[p.recordFile(t)]})
			}
		}
	}
	return jobs
}
