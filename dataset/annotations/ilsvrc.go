package annotations

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/pkg/errors"

	"vgg/boxes"
)

// ParseBlacklist reads the list of ILSVRC's validation pictures that do not count for localisation: a number a line,
// from 1 in the order of the pictures' names, up to most.
func ParseBlacklist(data []byte, most int) (numbers []int, err error) {
	line := 0
	for raw := range bytes.Lines(data) {
		line++
		word := strings.TrimSpace(string(raw))
		if word == "" {
			continue
		}
		n, err := strconv.Atoi(word)
		if err != nil || n < 1 || n > most {
			return nil, errors.Errorf("line %d: %.40q is no number from 1 to %d", line, word, most)
		}
		numbers = append(numbers, n)
	}
	return numbers, nil
}

// Guess is a class, from 0, and a box, in pixels of the picture as stored.
type Guess struct {
	Class int
	Box   boxes.Box
}

// MostGuesses is the number of guesses for a picture that ILSVRC counts.
const MostGuesses = 5

// WriteResults writes a result file of ILSVRC's localisation task: a line a picture, in the order of their names, with
// up to five times label, xmin, ymin, xmax and ymax. Labels are 1 + Class, in whatever order the reader expects of
// them; corners are those of pixels, counted from 1, the last inclusive.
func WriteResults(w io.Writer, pictures [][]Guess) error {
	to := bufio.NewWriter(w)
	for i, guesses := range pictures {
		if len(guesses) > MostGuesses {
			return errors.Errorf("%d guesses for picture %d: a result file has up to %d", len(guesses), i+1, MostGuesses)
		}
		for k, g := range guesses {
			if k > 0 {
				to.WriteByte(' ')
			}
			xmin, ymin, xmax, ymax := g.Box.Pixels()
			fmt.Fprintf(to, "%d %.0f %.0f %.0f %.0f", g.Class+1, math.Round(xmin), math.Round(ymin), math.Round(xmax), math.Round(ymax))
		}
		to.WriteByte('\n')
	}
	return to.Flush()
}

// ReadResults reads a result file. Labels are 1 to classes. Errors give the line.
func ReadResults(data []byte, classes int) (pictures [][]Guess, err error) {
	for raw := range bytes.Lines(data) {
		words := strings.Fields(string(raw))
		line := len(pictures) + 1
		if len(words)%5 != 0 || len(words) > 5*MostGuesses {
			return nil, errors.Errorf("line %d: %d words: want up to %d times label, xmin, ymin, xmax, ymax", line, len(words), MostGuesses)
		}
		var guesses []Guess
		for ; len(words) > 0; words = words[5:] {
			label, err := strconv.Atoi(words[0])
			if err != nil || label < 1 || label > classes {
				return nil, errors.Errorf("line %d: label %.40q: want 1 to %d", line, words[0], classes)
			}
			c, err := numbers(words[1:5]...)
			if err != nil {
				return nil, errors.Wrapf(err, "line %d", line)
			}
			guesses = append(guesses, Guess{label - 1, boxes.FromPixels(c[0], c[1], c[2], c[3])})
		}
		pictures = append(pictures, guesses)
	}
	return pictures, nil
}
