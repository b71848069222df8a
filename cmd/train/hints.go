package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/pkg/errors"

	"vgg/configs"
	"vgg/dataset"
	"vgg/internal/progress"
	"vgg/trainer"
	"vgg/weights/foreign"
)

// errorFlags are the flags that help with an error of the trainer.
var errorFlags = []struct {
	err  error
	hint string
}{
	{trainer.ErrRunExists, "--out DIR for another folder"},
	{trainer.ErrInUse, "--out DIR for another folder"},
	{trainer.ErrWrite, "--out DIR for another folder"},
	{trainer.ErrNoCheckpoint, "--resume takes the --out of a run; another --out begins a new one"},
	{trainer.ErrScheduleEnded, "--set max_divisions=N --force max_divisions lets it divide the learning rate further; --set patience=N --force patience lets it wait longer"},
	{trainer.ErrFinished, "--epochs N --force epochs for more"},
	{foreign.ErrSeveral, "go run ./cmd/weights convert IN OUT.safetensors --state-dict NAME takes one of them"},
	{dataset.ErrBadPicture, "--set bad_pictures=skip goes on without such pictures"},
	{dataset.ErrUnreadable, "--set skip_share=SHARE skips more"},
}

// keyFlags are the flags that set a key of the recipe; --set sets the others.
var keyFlags = map[string]string{
	"config":                 "--config",
	"data":                   "--data",
	"weights":                "--weights",
	"init_from":              "--init-from",
	"net.init":               "--init",
	"net.width":              "--width",
	"net.fc":                 "--fc",
	"augment.pixel_mean":     "--mean",
	"augment.pixel_std":      "--std",
	"training.epochs":        "--epochs",
	"training.batch":         "--batch",
	"training.micro_batch":   "--micro-batch",
	"training.learning_rate": "--lr",
	"training.seed":          "--seed",
}

// namedKey finds the keys of a recipe that a message names: those in a table, such as net.init, and the others with a
// value, such as data = "embedded".
var namedKey = regexp.MustCompile(`\b(?:(config|data|weights|init_from) = |((?:pictures|net|boxes|augment|training|schedule|run)\.[a-z_]+)\b(?: = "(.*?)")?)`)

// withFlags adds to a message of the trainer how the command line sets the keys that it names, for a run that is
// resumed with the flag that allows it.
func withFlags(message string, resumed bool, hints ...string) string {
	for _, match := range namedKey.FindAllStringSubmatch(message, -1) {
		key, value := match[1]+match[2], match[3]
		if configs.CheckKeys(key) != nil {
			continue // a file's name, such as boxes.csv
		}
		if value == "" {
			value = "VALUE"
		}
		hint := "--set " + key + "=" + value
		if flag, ok := keyFlags[key]; ok {
			hint = flag + " for " + key
		}
		switch {
		case resumed && key == "data":
			hint = "--data SPEC if the pictures moved, with --force data if they are others"
		case resumed && !strings.HasPrefix(key, "run."):
			hint += " with --force " + key
		}
		if !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	}
	if len(hints) == 0 {
		return message
	}
	return message + " (" + strings.Join(hints, "; ") + ")"
}

// netKeys are those that the shapes of weights depend on.
var netKeys = []string{"config", "net.width", "net.fc", "net.input", "boxes.regression"}

// hinted is an error of the trainer that says which flags help.
type hinted struct {
	error
	dir     string // of the run
	resumed bool
}

// Interrupted is what is said of an interrupted training.
func (h hinted) Interrupted() string {
	said := strings.TrimPrefix(h.Error(), "trainer: ")
	return strings.Replace(said, ": "+context.Canceled.Error(), "", 1)
}

func (h hinted) Error() string {
	var changed *trainer.ChangedError
	if errors.As(h.error, &changed) { // it names keys, but their flags do not help
		var keys []string
		for _, c := range changed.Changes {
			if slices.Contains(netKeys, c.Key) {
				return fmt.Sprintf("%v (the run's weights do not fit another %s: another --out begins a new run)", h.error, c.Key)
			}
			if !slices.Contains(keys, c.Key) {
				keys = append(keys, c.Key)
			}
		}
		return fmt.Sprintf("%v (--force %s allows it; another --out begins a new run)", h.error, strings.Join(keys, ","))
	}
	var hints []string
	exists, stuck := errors.Is(h.error, trainer.ErrRunExists), errors.Is(h.error, trainer.ErrNoCheckpoint)
	if errors.Is(h.error, trainer.ErrInterrupted) || exists && !stuck {
		hints = append(hints, "--resume "+quoted(h.dir)+" to go on")
	}
	for _, e := range errorFlags {
		if errors.Is(h.error, e.err) {
			hints = append(hints, e.hint)
			break
		}
	}
	return withFlags(h.error.Error(), h.resumed, hints...)
}

// quoted is an argument as a shell takes it.
func quoted(arg string) string {
	if strings.IndexFunc(arg, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("-_./+,:@%", c)
	}) < 0 {
		return arg
	}
	return "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
}

func (h hinted) Unwrap() error { return h.error }

// observer reports on a training, with the flags that help in its notices.
type observer struct{ *progress.Reporter }

func (o observer) Notice(message string) { o.Reporter.Notice(withFlags(message, false)) }
