package dataset

import (
	"archive/zip"
	"bytes"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/pkg/errors"
	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"

	"vgg/augment"
)

// largest is the size in pixels above which a picture is refused before it is decoded.
const largest = 100_000_000

// format decodes one kind of picture, known by its first bytes.
type format struct {
	magic  string // ? stands for any byte
	config func(io.Reader) (image.Config, error)
	decode func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"\xff\xd8\xff", jpeg.DecodeConfig, jpeg.Decode},
	{"\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"GIF8?a", gif.DecodeConfig, gif.Decode},
	{"RIFF????WEBPVP8", webp.DecodeConfig, webp.Decode},
	{"BM", bmp.DecodeConfig, bmp.Decode},
}

func (f format) matches(data []byte) bool {
	if len(data) < len(f.magic) {
		return false
	}
	for i := range f.magic {
		if f.magic[i] != '?' && f.magic[i] != data[i] {
			return false
		}
	}
	return true
}

// decode turns a file's contents into a picture of 3 channels. What it is decides the content, not the name.
func decode(data []byte) (augment.Picture, error) {
	for _, f := range formats {
		if !f.matches(data) {
			continue
		}
		config, err := f.config(bytes.NewReader(data))
		if err != nil {
			return augment.Picture{}, err
		}
		if config.Width < 1 || config.Height < 1 || config.Width > largest/config.Height {
			return augment.Picture{}, errors.Errorf("a picture of %d×%d: want at most %d pixels", config.Width, config.Height, largest)
		}
		img, err := f.decode(bytes.NewReader(data))
		if err != nil {
			return augment.Picture{}, err
		}
		return augment.FromImage(img, 3), nil
	}
	return augment.Picture{}, errors.New("not a JPEG, PNG, GIF, WebP or BMP picture")
}

// extensions of the files in class folders that are taken for pictures; others are passed over.
var extensions = []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"}

func isPicture(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains(extensions, strings.ToLower(path.Ext(name)))
}

func openZip(file string) (*Set, error) {
	archive, err := zip.OpenReader(file)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s: want a folder or a zip archive of pictures", file)
	}
	set, err := openClasses(file, archive, archive)
	if err != nil {
		archive.Close()
		return nil, err
	}
	return set, nil
}

// openClasses lists train/CLASS/* and val/CLASS/*, which may stand in one folder above them.
func openClasses(name string, files fs.FS, closer io.Closer) (*Set, error) {
	root, err := rootOf(files)
	if err != nil {
		return nil, errors.Wrapf(err, "dataset %s", name)
	}
	train, classes, err := listClasses(name, files, path.Join(root, "train"))
	if err != nil {
		return nil, err
	}
	val, valClasses, err := listClasses(name, files, path.Join(root, "val"))
	if err != nil {
		return nil, err
	}
	if !slices.Equal(classes, valClasses) {
		return nil, errors.Errorf("dataset %s: train and val have different classes: %s only in one of them", name, list(difference(classes, valClasses)))
	}
	return &Set{Name: name, Channels: 3, Classes: classes, Train: train, Val: val, closer: closer}, nil
}

// rootOf finds the folder that holds train and val.
func rootOf(files fs.FS) (string, error) {
	has := func(folder string) bool {
		info, err := fs.Stat(files, path.Join(folder, "train"))
		return err == nil && info.IsDir()
	}
	if has(".") {
		return ".", nil
	}
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if e.IsDir() && has(e.Name()) {
			return e.Name(), nil
		}
	}
	return "", errors.New("no folder train in it: want train/CLASS/* and val/CLASS/*, or IDX files (train-images-idx3-ubyte …)")
}

func listClasses(name string, files fs.FS, folder string) (*classSplit, []string, error) {
	entries, err := fs.ReadDir(files, folder)
	if err != nil {
		return nil, nil, errors.Wrapf(err, "dataset %s: want class folders in %s", name, folder)
	}
	s := &classSplit{set: name, files: files}
	var classes []string
	for _, class := range entries {
		if !class.IsDir() || strings.HasPrefix(class.Name(), ".") {
			continue
		}
		inside, err := fs.ReadDir(files, path.Join(folder, class.Name()))
		if err != nil {
			return nil, nil, errors.Wrapf(err, "dataset %s", name)
		}
		before := len(s.paths)
		for _, f := range inside {
			if !f.IsDir() && isPicture(f.Name()) {
				s.paths = append(s.paths, path.Join(folder, class.Name(), f.Name()))
				s.labels = append(s.labels, int32(len(classes)))
			}
		}
		if len(s.paths) == before {
			return nil, nil, errors.Errorf("dataset %s: class %s has no picture (%s) in %s: add some or remove the folder", name, class.Name(), list(extensions), folder)
		}
		classes = append(classes, class.Name())
	}
	if len(classes) == 0 {
		return nil, nil, errors.Errorf("dataset %s: no class folders in %s: want %[2]s/CLASS/*", name, folder)
	}
	return s, classes, nil
}

func difference(a, b []string) (only []string) {
	for _, pair := range [][2][]string{{a, b}, {b, a}} {
		for _, name := range pair[0] {
			if !slices.Contains(pair[1], name) {
				only = append(only, name)
			}
		}
	}
	return only
}

// classSplit reads and decodes a file whenever its picture is asked for.
type classSplit struct {
	set    string
	files  fs.FS
	paths  []string
	labels []int32
}

func (s *classSplit) Len() int          { return len(s.paths) }
func (s *classSplit) Label(i int) int   { return int(s.labels[i]) }
func (s *classSplit) Name(i int) string { return s.set + ": " + s.paths[i] }

func (s *classSplit) Picture(i int) (augment.Picture, error) {
	data, err := fs.ReadFile(s.files, s.paths[i])
	if err != nil {
		return augment.Picture{}, errors.Wrapf(err, "dataset %s", s.Name(i))
	}
	p, err := decode(data)
	return p, errors.Wrapf(err, "dataset %s: cannot decode the picture (remove or replace it)", s.Name(i))
}
