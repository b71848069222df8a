package trainer

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime/metrics"

	"github.com/pkg/errors"
)

// logLine is a line of log.jsonl.
type logLine struct {
	Iteration    int     `json:"iteration"`
	Epoch        int     `json:"epoch"`
	LearningRate float64 `json:"learning_rate"`
	Loss         float64 `json:"loss"` // of the step
	ImagesPerSec float64 `json:"images_per_second"`
	LoaderWait   float64 `json:"loader_wait_percent"`
	MemoryBytes  uint64  `json:"memory_bytes"` // that the process has from the system
	SecondsOfRun float64 `json:"seconds"`
}

// log adds a line to log.jsonl, every run.log_every steps.
func (s *session) log(loss float64) error {
	every := s.job.Recipe.Run.LogEvery
	if s.files == nil || every == 0 || s.progress.Iteration%every != 0 {
		return nil
	}
	memory := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(memory)
	line, err := json.Marshal(logLine{
		Iteration: s.progress.Iteration, Epoch: s.progress.Epoch, LearningRate: s.progress.Schedule.LearningRate, Loss: loss,
		ImagesPerSec: float64(s.progress.Pass.Pictures) / s.progress.PassSeconds, LoaderWait: 100 * s.progress.PassWaited / s.progress.PassSeconds,
		MemoryBytes: memory[0].Value.Uint64(), SecondsOfRun: s.elapsed(),
	})
	if err != nil {
		return errors.Wrap(err, "trainer: log")
	}
	path := filepath.Join(s.job.Dir, LogFile)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = f.Write(append(line, '\n'))
		if closing := f.Close(); err == nil {
			err = closing
		}
	}
	if err != nil {
		return marked{errors.Wrapf(err, "trainer: cannot write %s", path), ErrWrite}
	}
	return nil
}

// trimLog removes the lines after the checkpoint, which a resumed run writes again, and an incomplete last line.
func (s *session) trimLog() error {
	data, err := os.ReadFile(filepath.Join(s.job.Dir, LogFile))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return errors.Wrap(err, "trainer: log")
	}
	var kept bytes.Buffer
	for one := range bytes.Lines(data) {
		var line logLine
		if json.Unmarshal(one, &line) == nil && line.Iteration <= s.progress.Iteration {
			kept.Write(append(bytes.TrimRight(one, "\n"), '\n'))
		}
	}
	return s.files.writeBytes(LogFile, kept.Bytes())
}
