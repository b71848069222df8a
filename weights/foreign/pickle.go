package foreign

import (
	"bytes"
	"encoding/binary"
	"strings"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
	"github.com/pkg/errors"

	"vgg/weights/internal/element"
)

// A pickle is a program for a stack machine. Only the instructions that torch.load accepts with weights_only are accepted:
// they can call only what findClass returns. maxPickle and the other limits keep a forged pickle from allocating much
// memory. That of net E has 8 KB.
const (
	maxPickle = 1 << 18 // bytes
	maxText   = 1 << 12 // bytes of a name
	maxNested = 64      // of open tuples, lists and dicts
)

// operand is what follows an instruction in a pickle.
type operand int

const (
	none       operand = 0 // 1, 2, 4 and 8 are that many bytes
	text8      operand = -1
	text32     operand = -2
	twoLines   operand = -3
	memoPut8   operand = -4
	memoPut32  operand = -5
	memoGet8   operand = -6
	memoGet32  operand = -7
	openGroup  operand = -8
	closeGroup operand = -9
)

var instructions = map[byte]operand{
	0x80: 1, 'c': twoLines, 'R': none, 'b': none, 'Q': none, '.': none,
	'a': none, 'e': closeGroup, 's': none, 'u': closeGroup, '(': openGroup, 't': closeGroup,
	0x85: none, 0x86: none, 0x87: none, ')': none, ']': none, '}': none,
	'N': none, 0x88: none, 0x89: none, 'J': 4, 'K': 1, 'M': 2, 'G': 8, 0x8a: text8,
	'X': text32, 'T': text32, 'U': text8,
	'q': memoPut8, 'r': memoPut32, 'h': memoGet8, 'j': memoGet32,
}

// pickleLength walks over the instructions at the beginning of b up to the end of the pickle, and refuses what could
// make the unpickler allocate much more than it reads.
func pickleLength(b []byte) (int, error) {
	d := pickleWalk{rest: b[:min(len(b), maxPickle)], lengths: map[int]int{}}
	for {
		done := len(b[:min(len(b), maxPickle)]) - len(d.rest)
		op, ok := d.take(1)
		if !ok {
			return 0, errors.Errorf("the pickle is cut short, or longer than the %d bytes that weights take", maxPickle)
		}
		if err := d.step(op[0]); err != nil {
			return 0, errors.Wrapf(err, "byte %d of the pickle", done)
		}
		if op[0] == '.' {
			return done + 1, nil
		}
	}
}

type pickleWalk struct {
	rest    []byte
	nested  int
	text    int         // length of the text that was just read, 0 after anything else
	lengths map[int]int // of the texts that are remembered
	recalls int         // bytes of all texts that were recalled
}

func (d *pickleWalk) take(n int) ([]byte, bool) {
	if n > len(d.rest) {
		return nil, false
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken, true
}

// number takes an unsigned little-endian number.
func (d *pickleWalk) number(size int) (int, bool) {
	var whole [8]byte
	taken, ok := d.take(size)
	copy(whole[:], taken)
	return int(binary.LittleEndian.Uint64(whole[:])), ok
}

func (d *pickleWalk) step(op byte) error {
	kind, ok := instructions[op]
	if !ok {
		return errors.Errorf("the instruction %#02x, which a pickled state dict does not have: save model.state_dict() alone", op)
	}
	last := d.text
	d.text = 0
	n := 0
	switch kind {
	case text8:
		if n, ok = d.number(1); ok {
			_, ok = d.take(n)
			d.text = n
		}
	case text32:
		if n, ok = d.number(4); ok && n > maxText {
			return errors.Errorf("a text of %d bytes: weights have none so long", n)
		}
		if ok {
			_, ok = d.take(n)
			d.text = n
		}
	case twoLines:
		for range 2 {
			n = bytes.IndexByte(d.rest, '\n') + 1
			if n == 0 || n > maxText {
				return errors.New("a name without an end")
			}
			d.rest = d.rest[n:]
		}
	case memoPut8, memoPut32:
		if n, ok = d.number(width(kind == memoPut8)); ok {
			d.lengths[n] = last
		}
	case memoGet8, memoGet32:
		if n, ok = d.number(width(kind == memoGet8)); ok {
			if d.recalls += d.lengths[n]; d.recalls > 16*maxPickle {
				return errors.New("texts are repeated without measure")
			}
		}
	case openGroup:
		if d.nested++; d.nested > maxNested {
			return errors.Errorf("more than %d open groups", maxNested)
		}
	case closeGroup:
		d.nested--
	default:
		_, ok = d.take(int(kind))
	}
	if !ok {
		return errors.New("cut short")
	}
	return nil
}

func width(short bool) int {
	if short {
		return 1
	}
	return 4
}

// unpickle reads the object that is pickled at the beginning of b, and gives the pickle's length.
func unpickle(b []byte, load func(id any) (any, error)) (object any, length int, err error) {
	if length, err = pickleLength(b); err != nil {
		return nil, 0, err
	}
	// The library panics on damaged pickles: indices out of range, keys of types that cannot be keys.
	defer func() {
		if fault := recover(); fault != nil {
			object, err = nil, errors.Errorf("damaged: %v", fault)
		}
	}()
	u := pickle.NewUnpickler(bytes.NewReader(b[:length]))
	u.PersistentLoad, u.FindClass = load, findClass
	object, err = u.Load()
	return object, length, errors.Wrap(err, "damaged, or not of torch.save")
}

// torchClass is a class of storages.
type torchClass struct {
	dtype string
}

// storageClasses gives the dtypes of the storages that are read, otherWidths the bytes of an element of the others.
var (
	storageClasses = map[string]string{"FloatStorage": "F32", "DoubleStorage": "F64", "HalfStorage": "F16", "BFloat16Storage": "BF16"}
	otherWidths    = map[string]int{"LongStorage": 8, "IntStorage": 4, "ShortStorage": 2, "CharStorage": 1, "ByteStorage": 1, "BoolStorage": 1}
)

// elementBytes is the width of a dtype of storages, 0 where it is unknown.
func elementBytes(dtype string) int {
	if w := element.Bytes(dtype); w > 0 {
		return w
	}
	return otherWidths[dtype]
}

// findClass gives what a pickle may call, besides the library's own ordered dict.
func findClass(module, name string) (any, error) {
	switch {
	case module == "torch" && strings.HasSuffix(name, "Storage"):
		if dtype, ok := storageClasses[name]; ok {
			return &torchClass{dtype}, nil
		}
		return &torchClass{name}, nil
	case module == "torch._utils" && (name == "_rebuild_tensor" || name == "_rebuild_tensor_v2"):
		return function(rebuildTensor), nil
	case module == "torch._utils" && name == "_rebuild_parameter":
		return function(rebuildParameter), nil
	}
	return nil, errors.Errorf("it holds a %.80s.%.80s, and loading that would run a program: save model.state_dict() alone", module, name)
}

// function is one that a pickle may call.
type function func(args []any) (any, error)

var _ types.Callable = function(nil)

// Call calls it.
func (f function) Call(args ...any) (any, error) { return f(args) }

// rebuildTensor takes storage, offset, size, stride and, since its second version, what only training needs.
func rebuildTensor(args []any) (any, error) {
	if len(args) < 4 {
		return nil, errors.Errorf("a tensor of %d arguments", len(args))
	}
	s, ok := args[0].(*storage)
	offset, ok1 := integer(args[1])
	size, ok2 := integers(args[2])
	stride, ok3 := integers(args[3])
	if !ok || !ok1 || !ok2 || !ok3 {
		return nil, errors.New("a tensor that is not described by storage, offset, size and stride")
	}
	return &stridedTensor{s, offset, size, stride}, nil
}

// rebuildParameter takes a tensor and what only training needs.
func rebuildParameter(args []any) (any, error) {
	if len(args) == 0 {
		return nil, errors.New("a parameter without its tensor")
	}
	t, ok := args[0].(*stridedTensor)
	if !ok {
		return nil, errors.New("a parameter that is not a tensor")
	}
	return t, nil
}
