package main

import (
	"regexp"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/progress"
	"vgg/trainer"
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
	{trainer.ErrFinished, "--epochs N --force epochs for more"},
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
	"training.epochs":        "--epochs",
	"training.batch":         "--batch",
	"training.micro_batch":   "--micro-batch",
	"training.learning_rate": "--lr",
	"training.seed":          "--seed",
}

// namedKey finds the keys of a recipe that a message names: those in a table, such as net.init, and the others with a
// value, such as data = "embedded".
var namedKey = regexp.MustCompile(`\b(?:(config|data|weights|init_from) = |((?:pictures|net|augment|training|schedule|run)\.[a-z_]+)\b(?: = "(.*?)")?)`)

// withFlags adds to a message of the trainer how the command line sets the keys that it names.
func withFlags(message string, hints ...string) string {
	for _, match := range namedKey.FindAllStringSubmatch(message, -1) {
		key, value := match[1]+match[2], match[3]
		if value == "" {
			value = "VALUE"
		}
		hint := "--set " + key + "=" + value
		if flag, ok := keyFlags[key]; ok {
			hint = flag + " for " + key
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

// hinted is an error of the trainer that says which flags help.
type hinted struct {
	error
	dir string // of the run
}

func (h hinted) Error() string {
	if errors.Is(h.error, trainer.ErrChanged) { // which names keys, but their flags do not help
		return h.error.Error() + " (--force KEY allows it; another --out begins a new run)"
	}
	var hints []string
	if errors.Is(h.error, trainer.ErrInterrupted) || errors.Is(h.error, trainer.ErrRunExists) {
		hints = append(hints, "--resume "+h.dir+" to go on")
	}
	for _, e := range errorFlags {
		if errors.Is(h.error, e.err) {
			hints = append(hints, e.hint)
		}
	}
	return withFlags(h.error.Error(), hints...)
}

func (h hinted) Unwrap() error { return h.error }

// observer reports on a training, with the flags that help in its notices.
type observer struct{ *progress.Reporter }

func (o observer) Notice(message string) { o.Reporter.Notice(withFlags(message)) }
