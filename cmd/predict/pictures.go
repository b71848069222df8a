package main

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
)

// standardInput is the argument that means standard input.
const standardInput = "-"

// found is a file to read as a picture.
type found struct {
	name     string
	inFolder bool // rather than named itself
}

// find lists the files that the arguments name, those of folders in the order of their names. It leaves out hidden
// files, and links to folders inside folders, which may lead in circles.
func find(arguments []string) (list []found, err error) {
	for i, a := range arguments {
		if a == standardInput {
			if slices.Contains(arguments[:i], standardInput) {
				return nil, errors.New("standard input (-) can be read only once")
			}
			list = append(list, found{name: a})
			continue
		}
		info, err := os.Stat(a)
		if err != nil {
			return nil, errors.Wrap(err, "no picture")
		}
		if !info.IsDir() {
			list = append(list, found{name: a})
			continue
		}
		before := len(list)
		root := a + string(filepath.Separator) // which also leads through a link
		err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
			switch hidden := file != root && strings.HasPrefix(d.Name(), "."); {
			case err != nil:
				return err
			case hidden && d.IsDir():
				return filepath.SkipDir
			case !hidden && isFile(file, d):
				list = append(list, found{file, true})
			}
			return nil
		})
		if err != nil {
			return nil, errors.Wrapf(err, "folder %s", a)
		}
		if len(list) == before {
			return nil, errors.Errorf("folder %s: no files in it", a)
		}
	}
	return list, nil
}

// isFile says whether an entry is a file, or a link to one or to nowhere, rather than a folder, pipe or device.
func isFile(file string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink != 0 {
		info, err := os.Stat(file)
		return err != nil || info.Mode().IsRegular()
	}
	return d.Type().IsRegular()
}

// pictureFiles are the files as a dataset.Split of unknown classes.
type pictureFiles struct {
	list         []found
	stdin        io.Reader
	channels     int              // that the net needs
	orientations []uint16         // EXIF's, of the pictures that were read
	standard     *augment.Picture // the one that was read from stdin
}

func newPictureFiles(list []found, stdin io.Reader, channels int) *pictureFiles {
	return &pictureFiles{list: list, stdin: stdin, channels: channels, orientations: make([]uint16, len(list))}
}

func (p *pictureFiles) Len() int          { return len(p.list) }
func (p *pictureFiles) Label(int) int     { return -1 }
func (p *pictureFiles) Name(i int) string { return p.list[i].name }

// Picture reads a file. The one on standard input can be read once: it is kept.
func (p *pictureFiles) Picture(i int) (picture augment.Picture, err error) {
	in := p.stdin
	if name := p.list[i].name; name != standardInput {
		file, err := os.Open(name)
		if err != nil {
			return picture, err
		}
		defer file.Close()
		in = file
	} else if p.standard != nil {
		return *p.standard, nil
	}
	if picture, p.orientations[i], err = dataset.DecodeStored(in); err != nil {
		return picture, err
	}
	picture = picture.WithChannels(p.channels)
	if p.list[i].name == standardInput {
		p.standard = &picture
	}
	return picture, nil
}
