package main

import (
	"context"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/pkg/errors"

	"vgg/augment"
	"vgg/dataset"
)

// standardInput is the argument that stands for it.
const standardInput = "-"

// found is a file that is to be read as a picture.
type found struct {
	name     string
	inFolder bool // rather than named itself
}

// find lists the files that the arguments name, those of folders in the order of their names. Hidden ones are left out,
// and so are links to folders inside folders, which may lead in circles.
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

// isFile tells files, and links to them or to nowhere, from folders, pipes and devices.
func isFile(file string, d fs.DirEntry) bool {
	if d.Type()&fs.ModeSymlink != 0 {
		info, err := os.Stat(file)
		return err != nil || info.Mode().IsRegular()
	}
	return d.Type().IsRegular()
}

// decodedPicture is a file's picture, or why there is none.
type decodedPicture struct {
	found
	picture augment.Picture
	err     error
}

// decoded gives the pictures in their order, so many at a time, decoded by as many goroutines; the next ones while the
// last ones are looked at.
func decoded(ctx context.Context, list []found, batch int, stdin io.Reader) iter.Seq[[]decodedPicture] {
	return func(yield func([]decodedPicture) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		next := make(chan []decodedPicture)
		go func() {
			defer close(next)
			for files := range slices.Chunk(list, batch) {
				var running sync.WaitGroup
				pictures := make([]decodedPicture, len(files))
				for i, f := range files {
					running.Go(func() { pictures[i] = decode(f, stdin) })
				}
				running.Wait()
				select {
				case next <- pictures:
				case <-ctx.Done():
					return
				}
			}
		}()
		for pictures := range next {
			if ctx.Err() != nil || !yield(pictures) {
				return
			}
		}
	}
}

func decode(f found, stdin io.Reader) (d decodedPicture) {
	d.found = f
	in := stdin
	if f.name != standardInput {
		file, err := os.Open(f.name)
		if err != nil {
			d.err = err
			return d
		}
		defer file.Close()
		in = file
	}
	d.picture, d.err = dataset.Decode(in)
	return d
}
