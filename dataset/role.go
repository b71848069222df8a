package dataset

import (
	"slices"
	"strings"
	"unicode"
)

// role is what the pictures in a folder or an archive are for, as its name tells.
type role int

const (
	noRole role = iota
	forTraining
	forValidation
	forTest
)

var roleWords = map[string]role{
	"train": forTraining, "training": forTraining,
	"val": forValidation, "valid": forValidation, "validation": forValidation,
	"test": forTest, "testing": forTest,
}

// plainWords say nothing about what pictures are for.
var plainWords = []string{"set", "data", "dataset", "images", "image", "img", "imgs", "pictures", "photos", "split"}

// words are the words of a name, in small letters, without numbers: "Train_Set2" has "train" and "set".
func words(name string) []string {
	return strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) })
}

// roleOfWord knows "train", "trainset" and "traindata".
func roleOfWord(word string) role {
	if r := roleWords[word]; r != noRole {
		return r
	}
	return roleWords[strings.TrimSuffix(strings.TrimSuffix(word, "set"), "data")]
}

// roleOf is the role of a name that says nothing else, such as "Train" or "validation_set".
func roleOf(name string) (found role) {
	for _, word := range words(name) {
		r := roleOfWord(word)
		switch {
		case r == noRole && slices.Contains(plainWords, word):
		case r == noRole, found != noRole:
			return noRole
		default:
			found = r
		}
	}
	return found
}

// roleIn is the role that a longer name speaks of first, such as "ILSVRC2012_img_val".
func roleIn(name string) role {
	for _, word := range words(name) {
		if r := roleOfWord(word); r != noRole {
			return r
		}
	}
	return noRole
}
