package foreign

import "github.com/pkg/errors"

// call makes what the functions return that weights need, and an object for any other.
func call(c class, args []any) (any, error) {
	switch c {
	case class{"collections", "OrderedDict"}:
		return orderedDict(args), nil
	case class{"torch._utils", "_rebuild_tensor"}, class{"torch._utils", "_rebuild_tensor_v2"}:
		return rebuildTensor(args)
	case class{"torch._utils", "_rebuild_parameter"}, class{"torch._utils", "_rebuild_parameter_with_state"}:
		if len(args) > 0 { // and what only training needs
			return args[0], nil
		}
	case class{"torch._tensor", "_rebuild_from_type_v2"}: // a tensor with attributes: function, type, arguments, attributes
		if len(args) > 2 {
			f, _ := args[0].(class)
			if inner, ok := args[2].(*list); ok && f != c {
				return call(f, inner.items)
			}
		}
	case class{"copy_reg", "_reconstructor"}, class{"copyreg", "_reconstructor"}: // of an instance, from its class
		if len(args) > 0 {
			of, _ := args[0].(class)
			return &object{class: of}, nil
		}
	}
	return &object{class: c}, nil
}

// orderedDict takes a list of pairs, or nothing.
func orderedDict(args []any) *dict {
	d := &dict{}
	if len(args) == 0 {
		return d
	}
	if pairs, ok := args[0].(*list); ok {
		for _, pair := range pairs.items {
			if pair, ok := pair.(*list); ok {
				d.add(pair.items)
			}
		}
	}
	return d
}

// rebuildTensor takes storage, offset, size, stride and, since its second version, what only training needs.
func rebuildTensor(args []any) (any, error) {
	if len(args) < 4 {
		return nil, errors.Errorf("a tensor of %d arguments", len(args))
	}
	s, ok := args[0].(*storage)
	offset, ok1 := args[1].(int)
	size, ok2 := integers(args[2])
	stride, ok3 := integers(args[3])
	if !ok || !ok1 || !ok2 || !ok3 {
		return nil, errors.New("a tensor that is not described by storage, offset, size and stride")
	}
	return &stridedTensor{s, offset, size, stride}, nil
}

// integers reads a tuple of sizes or strides.
func integers(v any) ([]int, bool) {
	l, ok := v.(*list)
	if !ok {
		return nil, false
	}
	ints := make([]int, len(l.items))
	for i, v := range l.items {
		if ints[i], ok = v.(int); !ok {
			return nil, false
		}
	}
	return ints, true
}
