package main

import (
	"regexp"
	"strings"
)

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

// namedKey finds the keys of a recipe in a message: "data = …", and those in a table, such as net.init.
var namedKey = regexp.MustCompile(`\b(?:(config|data|weights|init_from) = |((?:pictures|net|augment|training|schedule|run)\.[a-z_]+)\b)`)

// withFlags adds to a message of the trainer how the command line sets the keys that it names.
func withFlags(message string, hints ...string) string {
	for _, match := range namedKey.FindAllStringSubmatch(message, -1) {
		key := match[1] + match[2]
		hint := "--set " + key + "=VALUE"
		if flag, ok := keyFlags[key]; ok {
			hint = flag + " for " + key
		}
		if !strings.Contains(strings.Join(hints, "; "), hint) {
			hints = append(hints, hint)
		}
	}
	if len(hints) == 0 {
		return message
	}
	return message + " (" + strings.Join(hints, "; ") + ")"
}

// hinted is an error of the trainer whose message says which flags help.
type hinted struct{ error }

func (h hinted) Error() string { return withFlags(h.error.Error()) }
func (h hinted) Unwrap() error { return h.error }
