package foreign

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/pkg/errors"
)

// A pickle is a program for a stack machine, which can call any function of Python. unpickle runs it without calling
// any: it makes tensors, dicts and lists, and an object for everything else, which only remembers its class. So what a
// training program keeps beside its weights does no harm. The limits keep a forged pickle from allocating much memory.
const (
	maxPickle       = 1 << 24 // bytes; that of net E has 8 KB
	maxInstructions = 1 << 20
	maxText         = 1 << 12 // bytes of a text that is kept; longer ones become objects
)

// The values of a pickle are nil, bool, int, float64, string, *storage, *stridedTensor and these.
type (
	list  struct{ items []any } // also a tuple or a set
	dict  struct{ items []item }
	item  struct{ key, value any }
	class struct{ module, name string } // or a function
	// object is an instance of a class that is not read, or what a function that is not called would return.
	object struct {
		class
		dict
		state any // its attributes, usually a dict
	}
)

func (c class) String() string { return c.module + "." + c.name }

// widths are the bytes of the number that follows an instruction: a value, a length or a key of the memo.
var widths = map[byte]int{
	'K': 1, 'M': 2, 'J': 4, // BININT1, BININT2, BININT
	0x8a: 1, 0x8b: 4, // LONG1, LONG4
	'U': 1, 0x8c: 1, 'T': 4, 'X': 4, 0x8d: 8, // texts
	'C': 1, 'B': 4, 0x8e: 8, 0x96: 8, // bytes
	'q': 1, 'r': 4, 'h': 1, 'j': 4, // BINPUT, LONG_BINPUT, BINGET, LONG_BINGET
}

// unpickler is the stack machine.
type unpickler struct {
	rest  []byte
	stack []any
	marks []int // lengths of the stack
	memo  map[int]any
	load  func(id any) (any, error) // gives a storage
}

// unpickle reads the value that is pickled at the beginning of b, and gives the pickle's length. load gives the storage
// that an id names.
func unpickle(b []byte, load func(id any) (any, error)) (value any, length int, err error) {
	size := min(len(b), maxPickle)
	u := &unpickler{rest: b[:size], memo: map[int]any{}, load: load}
	for range maxInstructions {
		at := size - len(u.rest)
		op := u.number(1)
		if op == '.' {
			value, ok := u.pop()
			if !ok {
				return nil, 0, errors.New("damaged: the pickle holds nothing")
			}
			return value, at + 1, nil
		}
		if err := u.step(byte(op)); err != nil {
			return nil, 0, errors.Wrapf(err, "byte %d of the pickle", at)
		}
	}
	return nil, 0, errors.Errorf("the pickle takes more than %d instructions: save model.state_dict() alone", maxInstructions)
}

// errCut is where a pickle ends before it should.
var errCut = errors.Errorf("cut short, or longer than %d bytes", maxPickle)

// take takes the next n bytes; none if there are fewer, and then nothing is left.
func (u *unpickler) take(n int) []byte {
	if n < 0 || n > len(u.rest) {
		u.rest = nil
		return nil
	}
	taken := u.rest[:n]
	u.rest = u.rest[n:]
	return taken
}

// number takes an unsigned little-endian number; -1 if it is cut short.
func (u *unpickler) number(size int) int {
	taken := u.take(size)
	if len(taken) < size {
		return -1
	}
	var whole [8]byte
	copy(whole[:], taken)
	return max(-1, int(binary.LittleEndian.Uint64(whole[:])))
}

// line takes a text up to the end of its line.
func (u *unpickler) line() (string, bool) {
	end := bytes.IndexByte(u.rest, '\n')
	if end < 0 || end > maxText {
		return "", false
	}
	return string(u.take(end + 1)[:end]), true
}

func (u *unpickler) push(v any) { u.stack = append(u.stack, v) }

// pop takes the last value, which must be behind the last mark.
func (u *unpickler) pop() (any, bool) {
	n := len(u.stack) - 1
	if n < 0 || len(u.marks) > 0 && n < u.marks[len(u.marks)-1] {
		return nil, false
	}
	v := u.stack[n]
	u.stack = u.stack[:n]
	return v, true
}

// group takes the values behind the last mark, and the mark.
func (u *unpickler) group() ([]any, bool) {
	if len(u.marks) == 0 {
		return nil, false
	}
	mark := u.marks[len(u.marks)-1]
	u.marks = u.marks[:len(u.marks)-1]
	values := append([]any{}, u.stack[mark:]...)
	u.stack = u.stack[:mark]
	return values, true
}

// last takes the last n values.
func (u *unpickler) last(n int) ([]any, bool) {
	values := make([]any, n)
	ok := true
	for i := n - 1; i >= 0 && ok; i-- {
		values[i], ok = u.pop()
	}
	return values, ok
}

// step runs an instruction.
func (u *unpickler) step(op byte) error {
	if u.rest == nil {
		return errCut
	}
	ok, err := u.constant(op)
	if !ok && err == nil {
		ok, err = u.build(op)
	}
	switch {
	case err != nil:
		return err
	case !ok:
		return errors.Errorf("damaged, or not of torch.save: the instruction %#02x", op)
	case u.rest == nil:
		return errCut
	}
	return nil
}

// constant runs an instruction that pushes what follows it, or remembers or recalls a value; false if it is none.
func (u *unpickler) constant(op byte) (bool, error) {
	switch op {
	case 0x80: // PROTO
		u.take(1)
	case 0x95: // FRAME, of which only the length is said
		if n := u.number(8); n > len(u.rest) {
			u.rest = nil
		}
	case 'N':
		u.push(nil)
	case 0x88, 0x89:
		u.push(op == 0x88)
	case 'K', 'M':
		u.push(u.number(widths[op]))
	case 'J':
		u.push(int(int32(u.number(widths[op]))))
	case 'G':
		if b := u.take(8); b != nil {
			u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
	case 0x8a, 0x8b: // LONG1, LONG4
		u.push(long(u.take(u.number(widths[op]))))
	case 'U', 0x8c, 'T', 'X', 0x8d: // texts
		u.push(short(u.take(u.number(widths[op]))))
	case 'C', 'B', 0x8e, 0x96: // bytes
		u.take(u.number(widths[op]))
		u.push(&object{class: class{"builtins", "bytes"}})
	case 'q', 'r', 0x94: // BINPUT, LONG_BINPUT, MEMOIZE
		key := len(u.memo)
		if op != 0x94 {
			key = u.number(widths[op])
		}
		if len(u.stack) == 0 {
			return false, nil
		}
		u.memo[key] = u.stack[len(u.stack)-1]
	case 'h', 'j': // BINGET, LONG_BINGET
		key := u.number(widths[op])
		v, ok := u.memo[key]
		if !ok {
			return false, errors.Errorf("damaged: value %d is not there", key)
		}
		u.push(v)
	default:
		return false, nil
	}
	return true, nil
}

// long is a whole number of two's complement, little-endian; an object if it takes more than 8 bytes.
func long(b []byte) any {
	if len(b) > 8 {
		return &object{class: class{"builtins", "int"}}
	}
	if len(b) == 0 {
		return 0
	}
	var whole [8]byte
	copy(whole[:], b)
	unused := 64 - 8*len(b)
	return int(int64(binary.LittleEndian.Uint64(whole[:])<<unused) >> unused)
}

// short is a text, or an object if it is longer than any that is needed.
func short(b []byte) any {
	if len(b) > maxText {
		return &object{class: class{"builtins", "str"}}
	}
	return string(b)
}

// build runs an instruction that makes a value of others, or changes one; false if it is none, or lacks its operands.
func (u *unpickler) build(op byte) (ok bool, err error) {
	var values []any
	switch op {
	case '(':
		u.marks = append(u.marks, len(u.stack))
		return true, nil
	case '0': // POP, which also takes a mark that is the last
		if _, ok = u.pop(); !ok {
			_, ok = u.group()
		}
		return ok, nil
	case '1': // POP_MARK
		_, ok = u.group()
		return ok, nil
	case ']', ')', 0x8f:
		u.push(&list{})
		return true, nil
	case '}':
		u.push(&dict{})
		return true, nil
	case 't', 0x91: // TUPLE, FROZENSET
		values, ok = u.group()
		u.push(&list{values})
		return ok, nil
	case 0x85, 0x86, 0x87:
		values, ok = u.last(int(op - 0x84))
		u.push(&list{values})
		return ok, nil
	case 'a', 's':
		if values, ok = u.last(map[byte]int{'a': 1, 's': 2}[op]); ok {
			ok = u.add(values, op == 's')
		}
		return ok, nil
	case 'e', 'u', 0x90:
		if values, ok = u.group(); ok {
			ok = u.add(values, op == 'u')
		}
		return ok, nil
	}
	return u.call(op)
}

// add adds values to the last value: keys and values in turn, or else elements.
func (u *unpickler) add(values []any, pairs bool) bool {
	if len(u.stack) == 0 || pairs && len(values)%2 != 0 {
		return false
	}
	switch v := u.stack[len(u.stack)-1].(type) {
	case *list:
		v.items = append(v.items, values...)
		return !pairs
	case *object:
		if pairs {
			v.add(values)
		}
		return true
	case *dict:
		v.add(values)
		return pairs
	}
	return false
}

func (d *dict) add(pairs []any) {
	for i := 0; i+1 < len(pairs); i += 2 {
		d.items = append(d.items, item{pairs[i], pairs[i+1]})
	}
}

// call runs an instruction that names a class or a function, or makes an object of one.
func (u *unpickler) call(op byte) (bool, error) {
	switch op {
	case 'c': // GLOBAL
		module, ok := u.line()
		name, ok2 := u.line()
		u.push(class{module, name})
		return ok && ok2, nil
	case 0x93: // STACK_GLOBAL
		names, ok := u.last(2)
		module, ok1 := names[0].(string)
		name, ok2 := names[1].(string)
		u.push(class{module, name})
		return ok && ok1 && ok2, nil
	case 'Q': // BINPERSID
		id, ok := u.pop()
		if !ok {
			return false, nil
		}
		v, err := u.load(id)
		u.push(v)
		return true, err
	case 'R', 0x81: // REDUCE and NEWOBJ: a function or class, and a tuple of arguments
		values, ok := u.last(2)
		c, _ := values[0].(class)
		if o, isObject := values[0].(*object); isObject { // called as a function
			c = o.class
		}
		args, _ := values[1].(*list)
		if !ok || args == nil {
			return false, nil
		}
		v, err := call(c, args.items)
		u.push(v)
		return true, err
	case 0x92: // NEWOBJ_EX: also arguments by name
		values, ok := u.last(3)
		c, _ := values[0].(class)
		u.push(&object{class: c})
		return ok, nil
	case 'b': // BUILD: attributes of the last object but one
		state, ok := u.pop()
		if !ok || len(u.stack) == 0 {
			return false, nil
		}
		if o, ok := u.stack[len(u.stack)-1].(*object); ok {
			o.state = state
		}
		return true, nil
	}
	return false, nil
}
