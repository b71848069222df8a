package cli

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
)

// standardInput is the argument that means standard input.
const standardInput = "-"

// PictureFile is a file to read as a picture.
type PictureFile struct {
	Name     string
	InFolder bool // rather than named itself
}

// FindPictures lists the files that the arguments name, those of folders in the order of their names. It leaves out hidden
// files. Links to files and folders count as these.
func FindPictures(arguments []string) (list []PictureFile, err error) {
	for i, a := range arguments {
		if a == standardInput {
			if slices.Contains(arguments[:i], standardInput) {
				return nil, errors.New("standard input (-) can be read only once")
			}
			list = append(list, PictureFile{Name: a})
			continue
		}
		info, err := os.Stat(a)
		if err != nil {
			return nil, errors.Wrap(err, "no picture")
		}
		if !info.IsDir() {
			list = append(list, PictureFile{Name: a})
			continue
		}
		found, err := findIn(a, nil)
		if err != nil {
			return nil, errors.Wrapf(err, "folder %s", a)
		}
		if len(found) == 0 {
			return nil, errors.Errorf("folder %s: no files in it", a)
		}
		list = append(list, found...)
	}
	return list, nil
}

// findIn lists the files of a folder, which is in the folders around it.
func findIn(folder string, around []fs.FileInfo) (list []PictureFile, err error) {
	here, err := os.Stat(folder)
	if err != nil {
		return nil, err
	}
	if slices.ContainsFunc(around, func(outer fs.FileInfo) bool { return os.SameFile(outer, here) }) {
		return nil, errors.Errorf("%s is a link that leads in a circle: remove it", folder)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		file, mode := filepath.Join(folder, e.Name()), e.Type()
		if strings.HasPrefix(e.Name(), ".") {
			continue
		}
		if mode&fs.ModeSymlink != 0 {
			mode = 0 // of a link to nowhere, reading it says so
			if info, err := os.Stat(file); err == nil {
				mode = info.Mode()
			}
		}
		switch {
		case mode.IsRegular():
			list = append(list, PictureFile{file, true})
		case mode.IsDir():
			inner, err := findIn(file, append(slices.Clone(around), here))
			if err != nil {
				return nil, err
			}
			list = append(list, inner...)
		}
	}
	return list, nil
}

// PictureFiles are files as a dataset.Split of unknown classes.
type PictureFiles struct {
	list         []PictureFile
	stdin        func() (stored, error) // reads it the first time, and returns the same again
	channels     int                    // that the net needs
	orientations []uint16               // EXIF's, of the pictures that were read
	greyed       []bool                 // whether their colours were left out
}

// NewPictureFiles makes a split of files, for a net of 1 or 3 channels.
func NewPictureFiles(list []PictureFile, stdin io.Reader, channels int) *PictureFiles {
	once := sync.OnceValues(func() (stored, error) { return readStored(stdin) })
	return &PictureFiles{list: list, stdin: once, channels: channels, orientations: make([]uint16, len(list)), greyed: make([]bool, len(list))}
}

// stored is a picture as its file holds it.
type stored struct {
	picture     augment.Picture
	orientation uint16
}

func readStored(in io.Reader) (s stored, err error) {
	s.picture, s.orientation, err = dataset.DecodeStored(in)
	return s, err
}

// Len, Label and Name are part of dataset.Split.
func (p *PictureFiles) Len() int          { return len(p.list) }
func (p *PictureFiles) Label(int) int     { return -1 }
func (p *PictureFiles) Name(i int) string { return p.list[i].Name }

// Orientation is EXIF's of a picture that was read.
func (p *PictureFiles) Orientation(i int) uint16 { return p.orientations[i] }

// Skip is the record of a file that cannot be read, which it prints, or the error to stop with if badPictures is
// "stop". Files of a folder that are not pictures at all are always skipped.
func (p *PictureFiles) Skip(i int, reason error, badPictures string) (dataset.Skip, error) {
	f := p.list[i]
	why := strings.TrimPrefix(reason.Error(), f.Name+": ")
	if badPictures == "stop" && !(f.InFolder && errors.Is(reason, dataset.ErrFormat)) {
		return dataset.Skip{}, errors.Errorf("%s cannot be read (--bad-pictures skip goes on without): %s", f.Name, why)
	}
	Say(fmt.Sprintf("skipped: %s: %s", f.Name, why))
	return dataset.Skip{Picture: f.Name, Reason: why}, nil
}

// NoteGreyed notes how many pictures lost their colours, which the net does not take.
func (p *PictureFiles) NoteGreyed(notes *Notes) {
	greyed := 0
	for _, one := range p.greyed {
		if one {
			greyed++
		}
	}
	if greyed > 0 {
		notes.Add(fmt.Sprintf("the net is for grey pictures: the colours of %d of %d were left out", greyed, len(p.list)))
	}
}

// CheckRead is an error if all files were skipped.
func (p *PictureFiles) CheckRead(skipped []dataset.Skip) error {
	if len(skipped) < len(p.list) {
		return nil
	}
	last := skipped[len(skipped)-1]
	return errors.Errorf("none of %d files could be read as a picture; the last, %s: %s", len(p.list), last.Picture, last.Reason)
}

// Picture reads a file. What is on standard input can be read once: it is kept, or the error is.
func (p *PictureFiles) Picture(i int) (augment.Picture, error) {
	read := p.stdin
	if name := p.list[i].Name; name != standardInput {
		file, err := os.Open(name)
		if err != nil {
			return augment.Picture{}, err
		}
		defer file.Close()
		read = func() (stored, error) { return readStored(file) }
	}
	s, err := read()
	if p.orientations[i] = s.orientation; err != nil {
		return augment.Picture{}, err
	}
	p.greyed[i] = p.channels == 1 && s.picture.Coloured()
	return s.picture.WithChannels(p.channels), nil
}
