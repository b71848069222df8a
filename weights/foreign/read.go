package foreign

import (
	"bytes"

	"github.com/pkg/errors"

	"vgg/weights"
)

// Read is ReadNet for a file of one net.
func Read(path string) (*weights.File, error) { return ReadNet(path, "") }

// ReadNet reads a weights file of any known format, which it recognises by content: safetensors, what PyTorch's
// torch.save writes of a state dict (a zip archive, or the format before version 1.6), and Caffe's .caffemodel. The
// tensors of the paper's nets get torchvision's names and shapes. Missing metadata are filled in where names and shapes
// determine them, with the normalisation of pixels that the source uses. Half and double precision become float32.
// Errors name the file and the tensor. Sizes are checked against the file's before memory is allocated.
//
// A file may hold more than a net: what a training program keeps beside it, prefixes before the names, or several nets,
// each in a dict or with a prefix of its own. Nothing in a pickle is executed. Of several nets, net names the one to
// take, by its dict, its prefix, or both with a dot between. Without a name, that of the usual dict is taken
// (state_dict, model_state_dict, model, net, network, params, weights, in this order) before one of another name, and
// that before averages of weights (ema, swa); nets that are equally good are ErrSeveral. File.Notes says what was
// decided.
//
// As with weights.Read, large files are mapped, and NaN and infinity are errors.
func ReadNet(path, net string) (*weights.File, error) {
	return weights.ReadWith(path, func(b []byte) (*weights.File, error) { return decodeNet(b, net) })
}

// formats are the known ones. The first that recognises a file's beginning decodes it.
var formats = []struct {
	name       string
	recognises func(b []byte) bool
	decode     func(b []byte, net string) (*weights.File, error)
}{
	{"safetensors", weights.IsSafetensors, decodeSafetensors},
	{"PyTorch zip", isTorchZip, decodeTorchZip},
	{"PyTorch legacy", isTorchLegacy, decodeTorchLegacy},
	{"Caffe", isCaffe, decodeCaffe},
}

// notWeights are files that are mistaken for weights, and what to do instead.
var notWeights = []struct{ prefix, what string }{
	{"version https://git-lfs", "a pointer of Git LFS: fetch the file itself with git lfs pull"},
	{"<", "a web page or XML: download the file itself"},
	{"\x89HDF\r\n\x1a\n", "HDF5 (Keras or Caffe), which is not read: convert it to safetensors first"},
	{"\x1f\x8b", "compressed by gzip: unpack it first"},
	{"\x80", "a pickle that is not of torch.save: save model.state_dict() with it"},
}

// decodeNet reads a whole file, whose bytes the tensors may share and change.
func decodeNet(b []byte, net string) (*weights.File, error) {
	for _, format := range formats {
		if !format.recognises(b) {
			continue
		}
		f, err := format.decode(b, net)
		if err != nil {
			return nil, err
		}
		f.Format = format.name
		return f, nil
	}
	for _, s := range notWeights {
		if bytes.HasPrefix(b, []byte(s.prefix)) {
			return nil, errors.Errorf("not a weights file but %s", s.what)
		}
	}
	return nil, errors.New("not a weights file: want safetensors, a .pth of PyTorch or a .caffemodel")
}

// decodeSafetensors reads checkpoints of this program as they are, and all other files as those of torchvision or timm.
func decodeSafetensors(b []byte, net string) (*weights.File, error) {
	f, err := weights.Decode(b)
	if err != nil || f.Sealed() {
		return f, err
	}
	return fromLeaves(leavesOfFile(f), net, f, weights.TorchVision)
}
