package foreign

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/internal/text"
	"vgg/weights"
	"vgg/weights/internal/element"
)

// wrappers are what PyTorch's wrappers of modules put into names, in front or in between: DataParallel and
// DistributedDataParallel, torch.compile, FSDP, and activation checkpointing.
var wrappers = []string{"module", "_orig_mod", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}

// layerKey is the name of weights or biases in torchvision or timm: what is in front, layer, and which of the two.
var layerKey = regexp.MustCompile(
	`^(?:(.*)\.)?(features\.[0-9]+|classifier(?:\.[0-9]+)+|pre_logits\.fc1|pre_logits\.fc2|head\.fc)\.(weight|bias)$`)

// isLayer tells whether a name is that of the weights or biases of a layer.
func isLayer(key string) bool {
	name, _ := unwrap(key)
	return layerKey.MatchString(name)
}

// unwrap cuts wrappers from a name, and tells which.
func unwrap(key string) (name string, cut []string) {
	var kept []string
	for _, part := range strings.Split(key, ".") {
		if slices.Contains(wrappers, part) {
			cut = append(cut, part)
		} else {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "."), cut
}

// net is a net that was found in a file: layers in the same dict whose names begin alike.
type net struct {
	dict       string
	prefix     string // of the convolutions
	classifier string // prefix of the fully connected layers, which may be another
}

// name is the path of the net in the file, "" if it has none.
func (n net) name() string { return strings.Trim(n.dict+"."+n.prefix, ".") }

func (n net) String() string {
	if n.name() == "" {
		return "the net without a prefix"
	}
	return n.name()
}

// netsOf finds the nets among leaves: where some convolutions and fully connected layers have the same prefix, these;
// else the only convolutions of a dict with the only fully connected layers there.
func netsOf(leaves []leaf) []net {
	var features, classifiers []net
	for _, l := range leaves {
		name, _ := unwrap(l.key)
		m := layerKey.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		list := &classifiers
		if strings.HasPrefix(m[2], "features.") {
			list = &features
		}
		if n := (net{l.dict, m[1], m[1]}); !slices.Contains(*list, n) {
			*list = append(*list, n)
		}
	}
	var whole []net
	for _, n := range features {
		if slices.Contains(classifiers, n) {
			whole = append(whole, n)
		}
	}
	if len(whole) > 0 {
		return whole
	}
	if len(features) == 1 && len(classifiers) == 1 && features[0].dict == classifiers[0].dict {
		features[0].classifier = classifiers[0].classifier
	}
	return features
}

// Where a file has several nets, these say which is taken: the first of preferred that is the outermost key, then the
// only one of another name, then the only average of weights.
var (
	preferred = []string{"", "state_dict", "model_state_dict", "model", "net", "network", "params", "weights"}
	averaged  = regexp.MustCompile(`(?i)(^|[._])(ema|swa|avg|averaged?|shadow)(model|net|params|weights)?([._]|$)`)
)

// rank orders nets by preference.
func (n net) rank() int {
	if averaged.MatchString(n.name()) {
		return len(preferred) + 1
	}
	key, _, _ := strings.Cut(n.dict, ".")
	if i := slices.Index(preferred, key); i >= 0 {
		return i
	}
	return len(preferred)
}

// ErrSeveral is that a file holds several nets, and no rule tells which is meant.
var ErrSeveral = errors.New("several nets in one file: say which to take")

// pick takes one of several nets: that of the given name, or the one to be preferred.
func pick(nets []net, name string) (net, error) {
	if name != "" {
		called := named(nets, name)
		if len(called) == 0 {
			return net{}, errors.Errorf("no net %q in the file: it has %s", name, text.FirstFew(namesOf(nets), 4))
		}
		nets = called
	}
	best := slices.MinFunc(nets, func(a, b net) int { return a.rank() - b.rank() })
	equal := slices.DeleteFunc(slices.Clone(nets), func(n net) bool { return n.rank() != best.rank() })
	if len(equal) > 1 {
		return net{}, errors.WithMessage(ErrSeveral, text.FirstFew(namesOf(equal), 4))
	}
	return best, nil
}

// named lists the nets of a name: the whole path, or else the dict or the prefix.
func named(nets []net, name string) (called []net) {
	name = strings.Trim(name, ".")
	for _, n := range nets {
		if n.name() == name {
			return []net{n}
		}
		if n.dict == name || n.prefix == name {
			called = append(called, n)
		}
	}
	return called
}

func namesOf(nets []net) (names []string) {
	for _, n := range nets {
		names = append(names, n.String())
	}
	return names
}

// fromLeaves puts the tensors of one of the nets among leaves into a file: of the one with the given name if that is
// not "".
func fromLeaves(leaves []leaf, name string, f *weights.File, n weights.Normalisation) (*weights.File, error) {
	nets := netsOf(leaves)
	if len(nets) == 0 {
		return nil, noNet(leaves)
	}
	taken, err := pick(nets, name)
	if err != nil {
		return nil, err
	}
	f.Tensors = nil
	if others := slices.DeleteFunc(nets, func(n net) bool { return n == taken }); len(others) > 0 {
		f.Note("of the nets in the file, %s is taken; it also has %s", taken, text.FirstFew(namesOf(others), 4))
	}
	if err := taken.read(f, leaves); err != nil {
		return nil, err
	}
	return f, adopt(f, n)
}

// noNet says what a file holds instead of a net.
func noNet(leaves []leaf) error {
	if len(leaves) == 0 {
		return errors.New("it holds no tensors: save model.state_dict()")
	}
	var keys []string
	for _, l := range leaves {
		keys = append(keys, fmt.Sprintf("%.80s", strings.Trim(l.dict+"."+l.key, ".")))
	}
	if err := weights.CheckNames(keys); err != nil {
		return err
	}
	return errors.Errorf("not a net of the paper: it has no %s; its tensors are %s", weights.FirstLayer, text.FirstFew(keys, 4))
}

// read adds the tensors of the net to a file, by their names without what is in front of them. Counters beside them,
// and tensors under other names, are left out.
func (n net) read(f *weights.File, leaves []leaf) error {
	var names, ignored, cut []string
	model := ""
	for _, l := range leaves {
		if l.dict != n.dict {
			continue
		}
		name, before, keep := n.place(l)
		if !keep {
			ignored = append(ignored, fmt.Sprintf("%.80s", l.key))
			continue
		}
		if name == "" {
			continue
		}
		if l.what != "" {
			return errors.Errorf("%.80s is %s: want a tensor of float32, float64, float16 or bfloat16", l.key, l.what)
		}
		data, err := l.read()
		if err != nil {
			return errors.Wrapf(err, "tensor %s", l.key)
		}
		f.Tensors = append(f.Tensors, weights.Tensor{Name: name, Shape: l.shape, Data: data, DType: l.dtype})
		names, model = append(names, name), l.model
		for _, part := range before {
			if !slices.Contains(cut, part+".") {
				cut = append(cut, part+".")
			}
		}
	}
	if model != "" {
		f.Note("a whole model, %.80s: its parameters are taken, and nothing of its program", model)
	}
	if len(cut) > 0 {
		f.Note("cut from the names of the tensors: %s", text.FirstFew(cut, 4))
	}
	if len(ignored) > 0 {
		f.Note("not of the net, and left out: %s", text.FirstFew(ignored, 4))
	}
	return weights.CheckNames(names)
}

// place says which name a leaf has in the net, and what was cut from it; "" is the name of a leaf of another net. keep
// is false where it is none of a net.
func (n net) place(l leaf) (name string, cut []string, keep bool) {
	key, cut := unwrap(l.key)
	if m := layerKey.FindStringSubmatch(key); m != nil {
		prefix := n.classifier
		if strings.HasPrefix(m[2], "features.") {
			prefix = n.prefix
		}
		if m[1] != prefix {
			return "", nil, true
		}
		return m[2] + "." + m[3], prepend(prefix, cut), true
	}
	if l.what != "" {
		return "", nil, false
	}
	if count, ok := element.Count(l.shape, 1); ok && count <= 1 {
		return "", nil, false
	}
	for _, prefix := range []string{n.prefix, n.classifier} {
		if prefix == "" {
			return key, cut, true
		}
		if name, inside := strings.CutPrefix(key, prefix+"."); inside {
			return name, prepend(prefix, cut), true
		}
	}
	return "", nil, false
}

// prepend puts a prefix in front of what else was cut.
func prepend(prefix string, cut []string) []string {
	if prefix == "" {
		return cut
	}
	return append([]string{prefix}, cut...)
}
