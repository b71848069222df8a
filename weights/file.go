package weights

import (
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"

	"vgg/internal/finite"
	"vgg/internal/kernel"
	"vgg/internal/text"
)

// Tensor is one named array of a net, row-major, with torchvision's names and shapes: features.0.weight is (out, in, 3,
// 3), classifier.0.weight (out, in).
type Tensor struct {
	Name  string
	Shape []int // no dimension at all is a scalar
	Data  []float32
	DType string // of the file that it was read from: F32, F16, BF16, F64; Write ignores it
}

// File is a whole weights file.
type File struct {
	Metadata map[string]string
	Tensors  []Tensor // in the order of their data in the file, or of the layers if package foreign read it
	Format   string   // of the file that it was read from: safetensors, PyTorch zip, PyTorch legacy, Caffe

	Notes   []string      // what was decided in reading it, for the user: a line each
	Assumed Normalisation // "" unless the file does not tell how pixels are normalised, and that of its source was taken

	mapping []byte // what Close unmaps
}

// Note adds a line to Notes.
func (f *File) Note(format string, args ...any) {
	f.Notes = append(f.Notes, fmt.Sprintf(format, args...))
}

// Tensor finds a tensor by its name.
func (f *File) Tensor(name string) (Tensor, bool) {
	i := slices.IndexFunc(f.Tensors, func(t Tensor) bool { return t.Name == name })
	if i < 0 {
		return Tensor{}, false
	}
	return f.Tensors[i], true
}

// Read reads a safetensors file. Half and double precision become float32. NaN and infinity are errors. Errors name the
// file and the tensor.
//
// A large file is mapped into memory and not copied where it holds float32: the tensors then are the file's pages,
// copied by the system when written to, so that changing them does not change the file. The file may be renamed,
// replaced or removed meanwhile, but it must not be written to or cut short in place. It stays mapped until Close or
// the end of the process.
func Read(path string) (*File, error) { return ReadWith(path, Decode) }

// ReadWith reads a file of any format as Read does: decode gets its bytes, which the tensors may share and change.
func ReadWith(path string, decode func(b []byte) (*File, error)) (*File, error) {
	f, err := read(path, decode)
	return f, errors.Wrapf(err, "cannot read the weights %s", path)
}

func read(path string, decode func(b []byte) (*File, error)) (*File, error) {
	b, mapped, err := load(path)
	if err != nil {
		return nil, err
	}
	f, err := decode(b)
	if err == nil {
		err = f.checkFinite()
	}
	if err != nil {
		if mapped {
			_ = unix.Munmap(b) // the error of reading is the one to report
		}
		return nil, err
	}
	if mapped {
		f.mapping = b
	}
	return f, nil
}

// checkFinite refuses NaN and infinity, which a training that diverged leaves.
func (f *File) checkFinite() error {
	var faults []string
	for _, t := range f.Tensors {
		if finite.Is(float64(kernel.Largest(t.Data))) {
			continue
		}
		n := 0
		for _, v := range t.Data {
			if !finite.Is(float64(v)) {
				n++
			}
		}
		faults = append(faults, fmt.Sprintf("%s (%d of %d values)", t.Name, n, len(t.Data)))
	}
	if faults == nil {
		return nil
	}
	return errors.Errorf("NaN or infinity in %s: a training that diverged leaves such weights (take those of an earlier epoch), and so do numbers too large for float32", text.FirstFew(faults, 4))
}

// Close unmaps a file that is mapped into memory. The tensors' data must not be used afterwards. A program that reads a
// few files need not call it: the system takes mapped memory back where it needs it.
func (f *File) Close() error {
	b := f.mapping
	if b == nil {
		return nil
	}
	f.mapping, f.Tensors = nil, nil
	return errors.Wrap(unix.Munmap(b), "cannot unmap the weights")
}

// mapFrom is the size in bytes from which files are mapped; smaller ones are read faster.
const mapFrom = 1 << 20

// load gives a file's bytes, which may be written to, and says whether they are mapped.
func load(path string) ([]byte, bool, error) {
	info, err := os.Stat(path) // before it is opened: a pipe waits for who writes
	switch {
	case err != nil:
		return nil, false, err
	case info.IsDir():
		return nil, false, errors.New("is a folder: give the name of a file in it")
	case !info.Mode().IsRegular():
		return nil, false, errors.New("is a pipe or a device: save it to a file first")
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer in.Close()
	if info, err = in.Stat(); err != nil {
		return nil, false, err
	}
	if info.Size() >= mapFrom {
		// A file system that cannot map may still read.
		if b, err := unix.Mmap(int(in.Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE); err == nil {
			return b, true, nil
		}
	}
	b := make([]byte, info.Size())
	_, err = io.ReadFull(in, b)
	return b, false, err
}
