package trainer

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"

	"vgg/configs"
	"vgg/history"
	"vgg/weights"
)

// CheckpointDir is the folder of a run directory for its checkpoints. The newest keptCheckpoints are kept.
const (
	CheckpointDir   = "checkpoint"
	keptCheckpoints = 2
)

// checkpointName matches their names: iteration and epoch.
var checkpointName = regexp.MustCompile(`^[0-9]+-[0-9]+\.safetensors$`)

// checkpoints writes checkpoints in the background and reads them.
type checkpoints struct {
	dir     string // "" for none
	write   func(path string, f weights.File) error
	copies  []weights.Tensor // of weights and velocities, for the checkpoint that is being written
	writing chan error       // receives the error of writing it; nil if none is being written
	started time.Time        // when the last one was begun

	restored   string   // the name of the last that training continued from; "" if it began anew
	restoredAt int      // its iteration
	diverged   []string // names of those from which not a single step can be made
}

// start begins a checkpoint: it waits for the one before, whose error it returns, copies the tensors, and writes them
// with the progress in the background.
func (c *checkpoints) start(p progress, tensors []weights.Tensor) error {
	before := c.wait()
	if c.dir == "" {
		return nil
	}
	c.started = time.Now()
	if c.copies == nil {
		for _, t := range tensors {
			t.Data = make([]float32, len(t.Data))
			c.copies = append(c.copies, t)
		}
	}
	for i, t := range tensors {
		copy(c.copies[i].Data, t.Data)
	}
	c.writing = make(chan error, 1)
	go func(done chan<- error) { done <- c.save(p) }(c.writing)
	return before
}

// due tells whether the last checkpoint was begun at least that many minutes ago, and none is being written.
func (c *checkpoints) due(minutes float64) bool {
	return c.dir != "" && len(c.writing) == cap(c.writing) && time.Since(c.started).Minutes() >= minutes
}

// wait waits until no checkpoint is being written and returns the error of the last.
func (c *checkpoints) wait() error {
	if c.writing == nil {
		return nil
	}
	err := <-c.writing
	c.writing = nil
	return err
}

// save writes the copies and removes all but the newest checkpoints. Those beyond this one are damaged, or of a training
// that diverged from them: training has gone on from one before.
func (c *checkpoints) save(p progress) error {
	f, err := p.encode(c.copies)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%09d-%d.safetensors", p.Iteration, p.Epoch)
	if err := c.write(filepath.Join(CheckpointDir, name), f); err != nil {
		return err
	}
	names, err := c.names()
	if err != nil {
		return err
	}
	beyond := max(0, slices.Index(names, name)) // none if someone has just removed the folder
	for _, old := range slices.Concat(names[:beyond], names[min(beyond+keptCheckpoints, len(names)):]) {
		if err := os.Remove(filepath.Join(c.dir, old)); err != nil {
			return errors.Wrap(err, "trainer: cannot remove an old checkpoint")
		}
	}
	return nil
}

// iteration is the part of a checkpoint's name that says it.
func iteration(name string) string {
	iteration, _, _ := strings.Cut(name, "-")
	return iteration
}

// names lists the checkpoints, the newest first.
func (c *checkpoints) names() (names []string, err error) {
	files, err := os.ReadDir(c.dir)
	if err != nil && !os.IsNotExist(err) {
		return nil, errors.Wrap(err, "trainer: cannot list the checkpoints")
	}
	for _, f := range files {
		if checkpointName.MatchString(f.Name()) {
			names = append(names, f.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { // iterations are padded with zeros, epochs are not
		return cmp.Or(cmp.Compare(iteration(b), iteration(a)), cmp.Compare(len(b), len(a)), cmp.Compare(b, a))
	})
	return names, nil
}

// checkpoint is one that was read.
type checkpoint struct {
	name string
	progress
	history history.History
	file    *weights.File // weights and velocities
}

// newest reads the newest checkpoint that is not damaged; notice is told about the damaged ones before it.
func (c *checkpoints) newest(notice func(string)) (*checkpoint, error) {
	names, err := c.names()
	if err != nil {
		return nil, err
	}
	var reasons []error
	for _, name := range names {
		if slices.Contains(c.diverged, name) {
			continue
		}
		path := filepath.Join(c.dir, name)
		f, err := weights.Read(path)
		if err == nil {
			var found checkpoint
			if found.progress, found.history, err = decodeProgress(f); err == nil {
				found.name, found.file = name, f
				for _, reason := range reasons {
					notice(fmt.Sprintf("skipped a checkpoint that cannot be used: %v", reason))
				}
				return &found, nil
			}
			err = errors.Wrap(err, path)
			_ = f.Close() // err matters more
		}
		reasons = append(reasons, err)
	}
	if len(c.diverged) > 0 {
		return nil, errors.Errorf("trainer: training diverges at once from each checkpoint in %s", c.dir)
	}
	if len(reasons) > 0 {
		return nil, marked{errors.Wrapf(reasons[0], "trainer: none of the %d checkpoints in %s can be used: begin a new run in another folder; the newest", len(names), c.dir), ErrNoCheckpoint}
	}
	return nil, marked{errors.Errorf("trainer: no checkpoint in %s: give the directory of a run that has begun", c.dir), ErrNoCheckpoint}
}

// checkSpace refuses a run whose files will not fit on the disk: checkpoints (weights and velocities; while one is
// written, one more than is kept), the weights of the best and the last epoch, and one more while they are written.
func (c *checkpoints) checkSpace(weightBytes int) error {
	var disk unix.Statfs_t
	if err := unix.Statfs(c.dir, &disk); err != nil {
		return nil // the file system does not say
	}
	need := uint64((keptCheckpoints+1)*2+3) * uint64(weightBytes)
	if free := disk.Bavail * uint64(disk.Bsize); free < need {
		return marked{errors.Errorf("trainer: %d MB free for %s, and its files may take %d MB: make room, choose another folder, or set run.on_disk_full = %q", free>>20, filepath.Dir(c.dir), need>>20, configs.OnDiskFullContinue), ErrWrite}
	}
	return nil
}
