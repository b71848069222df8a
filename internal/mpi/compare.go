package mpi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/pkg/errors"
)

// SharedError is an error that all ranks have: each can end by itself, and one of them may say it. After any other
// error of several ranks, Abort ends those that do not know of it.
type SharedError struct{ error }

// Unwrap gives what all share.
func (e SharedError) Unwrap() error { return e.error }

// Share marks an error as one that all ranks have.
func Share(err error) error { return SharedError{err} }

// Fact is something that must be the same on all ranks, such as their build.
type Fact struct {
	Name, Value string
	Remedy      string // if it differs
}

// Compare tells all ranks in which facts they differ: a SharedError lists them by rank and host. Each rank gives the
// same facts in the same order.
func (w *World) Compare(facts ...Fact) error {
	if w.Size() == 1 {
		return nil
	}
	own, err := json.Marshal(facts)
	if err != nil {
		return errors.Wrap(err, "mpi: facts to compare")
	}
	all, err := w.AllGather("the others, to compare with", own)
	if err != nil {
		return err
	}
	var differences []string
	for i, fact := range facts {
		values := map[string][]string{} // the ranks that have each
		var order []string
		for rank, message := range all {
			var theirs []Fact
			if err := json.Unmarshal(message, &theirs); err != nil || i >= len(theirs) {
				return errors.Errorf("mpi: %s compares other things (%q)", w.Name(rank), message)
			}
			value := theirs[i].Value
			if !slices.Contains(order, value) {
				order = append(order, value)
			}
			values[value] = append(values[value], w.Name(rank))
		}
		if len(order) == 1 {
			continue
		}
		var parts []string
		for _, value := range order {
			parts = append(parts, fmt.Sprintf("%s has %s", strings.Join(values[value], ", "), value))
		}
		differences = append(differences, fmt.Sprintf("%s (%s): %s", fact.Name, strings.Join(parts, "; "), fact.Remedy))
	}
	if len(differences) == 0 {
		return nil
	}
	return Share(errors.Errorf("the ranks differ in %s", strings.Join(differences, ", and in ")))
}

// Build names the program that runs, by a hash of its file.
func Build() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", errors.Wrap(err, "mpi: this program's file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", errors.Wrap(err, "mpi: this program's file")
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", errors.Wrap(err, "mpi: this program's file")
	}
	return hex.EncodeToString(sum.Sum(nil)[:6]), nil
}
