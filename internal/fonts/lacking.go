package fonts

import (
	"fmt"
	"slices"
	"strings"

	"vgg/internal/text"
)

// Lacking are letters that were to be written and that no font has, each once. The zero value has none.
type Lacking []rune

// Add adds letters that are not among them yet.
func (l *Lacking) Add(letters ...rune) {
	for _, letter := range letters {
		if !slices.Contains(*l, letter) {
			*l = append(*l, letter)
		}
	}
}

// Notes say it in one line; nil if no letter is lacking.
func (l Lacking) Notes() []string {
	if len(l) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("no font of this system has the letters %s, which are missing in what is drawn: install one that has, such as Noto Sans or Noto Sans CJK",
		text.FirstFew(strings.Split(string(l), ""), 10))}
}
