package weights

import (
	"bytes"
	"io"
	"os"

	"github.com/pkg/errors"
	"golang.org/x/sys/unix"
)

// Read reads a weights file of any format that is known, told apart by content: safetensors, what PyTorch's torch.save
// writes of a state dict (in a zip archive, or as before version 1.6), and Caffe's .caffemodel. The tensors of the
// paper's nets get torchvision's names and shapes, whoever wrote them, and what names and shapes tell of the net is put
// into metadata that lack it, with the normalisation of pixels that the source is known for. Half and double precision
// become float32. Errors name the file and the tensor; a file is checked against its size before anything in it is
// given memory.
//
// A large file is mapped into memory and not copied where it holds float32: the tensors then are the file's pages,
// copied by the system when written to, so that changing them does not change the file. The file may be renamed,
// replaced or removed meanwhile, but it must not be written to or cut short in place. It stays mapped until Close or
// the end of the process.
func Read(path string) (*File, error) {
	f, err := readPath(path)
	return f, errors.Wrapf(err, "cannot read the weights %s", path)
}

func readPath(path string) (*File, error) {
	b, mapped, err := load(path)
	if err != nil {
		return nil, err
	}
	f, err := decode(b)
	switch {
	case err == nil && mapped:
		f.mapping = b
	case mapped:
		_ = unix.Munmap(b) // the error of reading is the one to tell
	}
	return f, err
}

// Close gives up the memory that a file is mapped to. The tensors' data must not be used afterwards. A program that reads
// a few files need not call it: what is mapped takes no memory that the system could not take back.
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

// load gives a file's bytes, which may be written to, and tells whether they are mapped.
func load(path string) ([]byte, bool, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, false, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, false, err
	}
	if !info.Mode().IsRegular() {
		return nil, false, errors.New("not a regular file")
	}
	if info.Size() >= mapFrom {
		// Where a file system cannot map, reading still may do.
		if b, err := unix.Mmap(int(in.Fd()), 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE); err == nil {
			return b, true, nil
		}
	}
	b := make([]byte, info.Size())
	_, err = io.ReadFull(in, b)
	return b, false, err
}

// formats are the known ones. The first that recognises a file's beginning decodes it.
var formats = []struct {
	name       string
	recognises func(b []byte) bool
	decode     func(b []byte) (*File, error)
}{
	{"safetensors", isSafetensors, decodeSafetensors},
	{"PyTorch zip", isTorchZip, decodeTorchZip},
	{"PyTorch legacy", isTorchLegacy, decodeTorchLegacy},
	{"Caffe", isCaffe, decodeCaffe},
}

// strangers are files that are taken for weights, and what to do instead.
var strangers = []struct{ prefix, what string }{
	{"version https://git-lfs", "a pointer of Git LFS: fetch the file itself with git lfs pull"},
	{"<", "a web page or XML: download the file itself"},
	{"\x89HDF\r\n\x1a\n", "HDF5 (Keras or Caffe), which is not read: convert it to safetensors first"},
	{"\x1f\x8b", "compressed by gzip: unpack it first"},
	{"\x80", "a pickle that is not of torch.save: save model.state_dict() with it"},
}

// decode reads a whole file, whose bytes the tensors may share and change.
func decode(b []byte) (*File, error) {
	for _, format := range formats {
		if !format.recognises(b) {
			continue
		}
		f, err := format.decode(b)
		if err != nil {
			return nil, err
		}
		f.Format = format.name
		return f, nil
	}
	for _, s := range strangers {
		if bytes.HasPrefix(b, []byte(s.prefix)) {
			return nil, errors.Errorf("not a weights file but %s", s.what)
		}
	}
	return nil, errors.New("not a weights file: want safetensors, a .pth of PyTorch or a .caffemodel")
}
