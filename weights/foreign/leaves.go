package foreign

import (
	"fmt"
	"strconv"
	"strings"

	"vgg/weights"
	"vgg/weights/internal/element"
)

// leaf is a tensor of a file, or another value that has the name of one.
type leaf struct {
	dict  string // where it is: the keys of the dicts around it, with dots between; "" in the outermost
	model string // the class of the whole model that it is a part of; "" in a dict
	key   string // its name there, such as module.features.0.weight
	what  string // of a value that is no tensor, or not one of floating-point numbers; "" otherwise
	shape []int
	dtype string
	read  func() ([]float32, error)
}

// leavesOfFile lists the tensors of a safetensors file.
func leavesOfFile(f *weights.File) (all []leaf) {
	for _, t := range f.Tensors {
		all = append(all, leaf{key: t.Name, shape: t.Shape, dtype: t.DType, read: func() ([]float32, error) { return t.Data, nil }})
	}
	return all
}

// What is looked at in an object of PyTorch, more than any has that holds a net.
const (
	maxDepth = 16      // dicts and modules in each other
	maxPath  = 1 << 10 // bytes of a name with the keys around it
)

// leavesOf lists the tensors of an object of PyTorch: of a dict, and of dicts, lists and whole models in it.
func leavesOf(object any, r *tensorReader) []leaf {
	w := walk{reader: r, seen: map[any]bool{}}
	w.container(object, nil)
	return w.found
}

type walk struct {
	reader *tensorReader
	seen   map[any]bool // containers and modules
	found  []leaf
}

// enter says whether a container is there that was not seen before.
func (w *walk) enter(container any, depth int) bool {
	if container == nil || depth > maxDepth || w.seen[container] {
		return false
	}
	w.seen[container] = true
	return true
}

// container adds what is in a dict, a list, a tuple or an object.
func (w *walk) container(v any, path []string) {
	switch v := v.(type) {
	case *dict:
		if w.enter(v, len(path)) {
			w.items(v.items, path)
		}
	case *list:
		if w.enter(v, len(path)) {
			w.elements(v.items, path)
		}
	case *object:
		if m, ok := moduleOf(v); ok {
			w.module(m, strings.Join(path, "."), v.String(), nil)
		} else if w.enter(v, len(path)) {
			w.items(v.items, path)
			w.container(v.state, path)
		}
	}
}

func (w *walk) elements(values []any, path []string) {
	items := make([]item, len(values))
	for i, v := range values {
		items[i] = item{i, v}
	}
	w.items(items, path)
}

func (w *walk) items(items []item, path []string) {
	dict := "" // joined for the first leaf: most dicts have none
	for _, i := range items {
		key, ok := i.key.(string)
		if n, isNumber := i.key.(int); isNumber {
			key, ok = strconv.Itoa(n), true
		}
		if !ok {
			continue
		}
		if _, isTensor := i.value.(*stridedTensor); isTensor || isLayer(key) {
			if dict == "" {
				dict = strings.Join(path, ".")
			}
			w.add(leaf{dict: dict, key: key}, i.value)
			continue
		}
		w.container(i.value, append(path[:len(path):len(path)], key))
	}
}

// add adds a value as the leaf.
func (w *walk) add(l leaf, value any) {
	if len(l.dict)+len(l.key) > maxPath {
		return
	}
	t, ok := value.(*stridedTensor)
	switch {
	case !ok:
		l.what = describeValue(value)
	case element.Bytes(t.storage.dtype) == 0:
		l.what = "a tensor of a " + t.storage.dtype
	}
	if ok {
		l.shape, l.dtype = t.size, t.storage.dtype
		l.read = func() ([]float32, error) { return w.reader.values(t) }
	}
	w.found = append(w.found, l)
}

// describeValue names the type of a value that is no tensor.
func describeValue(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case *object:
		return fmt.Sprintf("a %.80s", v)
	case class:
		return fmt.Sprintf("the class %.80s", v)
	case *dict:
		return "a dict"
	case *list:
		return "a list"
	case string:
		return "a text"
	}
	return "a number"
}

// module is what PyTorch pickles of a torch.nn.Module: tensors by their names, and modules by theirs.
type module struct{ parameters, buffers, modules *dict }

// moduleOf tells whether an object is a module.
func moduleOf(o *object) (module, bool) {
	state, _ := o.state.(*dict)
	m := module{attribute(state, "_parameters"), attribute(state, "_buffers"), attribute(state, "_modules")}
	return m, m.parameters != nil && m.modules != nil
}

// attribute finds a dict in a dict.
func attribute(d *dict, key string) *dict {
	if d == nil {
		return nil
	}
	for _, i := range d.items {
		if i.key == key {
			found, _ := i.value.(*dict)
			return found
		}
	}
	return nil
}

// module adds the tensors of a module and of those in it, by the names that they have in its state dict.
func (w *walk) module(m module, at, model string, path []string) {
	if !w.enter(m.modules, len(path)) {
		return
	}
	name := func(key string) string { return strings.Join(append(path[:len(path):len(path)], key), ".") }
	for _, tensors := range []*dict{m.parameters, m.buffers} {
		if tensors == nil {
			continue
		}
		for _, i := range tensors.items {
			if key, ok := i.key.(string); ok && i.value != nil {
				w.add(leaf{dict: at, model: model, key: name(key)}, i.value)
			}
		}
	}
	for _, i := range m.modules.items {
		key, _ := i.key.(string)
		if o, ok := i.value.(*object); ok {
			if inner, ok := moduleOf(o); ok {
				w.module(inner, at, model, append(path[:len(path):len(path)], key))
			}
		}
	}
}
