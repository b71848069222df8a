package configs

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
	"github.com/pkg/errors"
)

// ParseRecipe reads a TOML recipe; missing keys keep [Default]'s values. Errors
// give source, line and key: for an unknown key the nearest known one, for a
// wrong type the wanted one. Ranges are left to [Recipe.Validate], which comes
// after command-line settings.
func ParseRecipe(data []byte, source string) (Recipe, error) {
	var doc map[string]any
	meta, err := toml.Decode(string(data), &doc)
	if err != nil {
		var syntax toml.ParseError
		if errors.As(err, &syntax) {
			// The message may hold the very line break that it complains of.
			message := strings.NewReplacer("\n", `\n`, "\r", `\r`).Replace(syntax.Message)
			return Recipe{}, errors.Errorf("%s: line %d: %s", source, lineAt(data, syntax.Position), message)
		}
		return Recipe{}, errors.Wrap(err, source)
	}
	r := Default()
	// Keys come in the file's order and are compared exactly. Decoding into the
	// struct would report errors in random order, take Batch for batch, and wrap
	// a negative seed around.
	for _, key := range meta.Keys() {
		if err := r.assign(key, lookUp(doc, key)); err != nil {
			return Recipe{}, errors.Errorf("%s: line %d: %v", source, lineOf(data, key), err)
		}
	}
	return r, nil
}

// Set changes one value as --set does. The key may leave out its table
// ("learning_rate" for "training.learning_rate"). Errors suggest the nearest key
// or name the wanted type; ranges are left to [Recipe.Validate].
func (r *Recipe) Set(key, value string) error {
	for _, f := range r.fields() {
		if key == f.key || key == lastPart(f.key) {
			if v, err := f.parse(value); err != nil || !f.assign(v) {
				return errors.Errorf("%s = %q must be %s", f.key, value, f.wanted())
			}
			return nil
		}
	}
	return r.unknownKey(key)
}

// Apply changes values one after another, each given as KEY=VALUE.
func (r *Recipe) Apply(settings ...string) error {
	for _, s := range settings {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return errors.Errorf("%s: want KEY=VALUE", s)
		}
		if err := r.Set(strings.TrimSpace(key), strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	return nil
}

// Differences says in which keys another recipe has other values, but for those
// excepted, which may leave out their table, and what was measured.
func (r Recipe) Differences(o Recipe, except ...string) []string {
	var all []string
	theirs := o.fields()
	for i, f := range r.fields() {
		a, b := f.value.Interface(), theirs[i].value.Interface()
		if a != b && !strings.HasPrefix(f.key, "statistics.") && !slices.Contains(except, f.key) && !slices.Contains(except, lastPart(f.key)) {
			all = append(all, fmt.Sprintf("%s = %s, not %s", f.key, describe(b), describe(a)))
		}
	}
	return all
}

// assign stores the value of a key of a file.
func (r *Recipe) assign(key toml.Key, value any) error {
	name := key.String()
	for _, f := range r.fields() {
		if f.key == name {
			if !f.assign(value) {
				return errors.Errorf("%s = %s must be %s", name, describe(value), f.wanted())
			}
			return nil
		}
	}
	if !slices.Contains(tables(), name) {
		return r.unknownKey(name)
	}
	if _, ok := value.(map[string]any); !ok {
		return errors.Errorf("%s = %s must be a table: [%s]", name, describe(value), name)
	}
	return nil
}

func (r *Recipe) unknownKey(key string) error {
	known := tables()
	for _, f := range r.fields() {
		known = append(known, f.key)
	}
	return errors.Errorf("unknown key %q; did you mean %q?", key, nearestKey(key, known))
}

// A field is one value of a recipe with its dotted TOML key.
type field struct {
	key   string
	value reflect.Value
}

// fields returns the recipe's values in the order of the struct.
func (r *Recipe) fields() []field {
	return fieldsOf(reflect.ValueOf(r).Elem(), "")
}

func fieldsOf(v reflect.Value, table string) []field {
	var all []field
	for i := range v.NumField() {
		key := table + v.Type().Field(i).Tag.Get("toml")
		if v.Field(i).Kind() == reflect.Struct {
			all = append(all, fieldsOf(v.Field(i), key+".")...)
		} else {
			all = append(all, field{key, v.Field(i)})
		}
	}
	return all
}

// tables returns the names of the recipe's tables.
func tables() []string {
	var names []string
	t := reflect.TypeFor[Recipe]()
	for i := range t.NumField() {
		if t.Field(i).Type.Kind() == reflect.Struct {
			names = append(names, t.Field(i).Tag.Get("toml"))
		}
	}
	return names
}

// parse reads the text of a --set value as TOML's type for the field.
func (f field) parse(text string) (any, error) {
	switch f.value.Kind() {
	case reflect.Bool:
		return strconv.ParseBool(text)
	case reflect.Int, reflect.Uint64:
		return strconv.ParseInt(text, 10, 64)
	case reflect.Float64:
		return strconv.ParseFloat(text, 64)
	}
	return text, nil
}

// assign stores a decoded TOML value, or reports that its type is another.
func (f field) assign(value any) bool { return assign(f.value, value) }

func assign(to reflect.Value, value any) bool {
	switch v := value.(type) {
	case string:
		if to.Kind() == reflect.String {
			to.SetString(v)
			return true
		}
	case bool:
		if to.Kind() == reflect.Bool {
			to.SetBool(v)
			return true
		}
	case float64:
		if to.Kind() == reflect.Float64 {
			to.SetFloat(v)
			return true
		}
	case int64:
		switch {
		case to.Kind() == reflect.Float64:
			to.SetFloat(float64(v))
			return true
		case to.Kind() == reflect.Uint64 && v >= 0:
			to.SetUint(uint64(v))
			return true
		case to.Kind() == reflect.Int && !to.OverflowInt(v):
			to.SetInt(v)
			return true
		}
	case []any:
		if to.Kind() != reflect.Array || to.Len() != len(v) {
			return false
		}
		for i := range v {
			if !assign(to.Index(i), v[i]) {
				return false
			}
		}
		return true
	}
	return false
}

// wanted says which values the field takes.
func (f field) wanted() string {
	switch f.value.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "an integer"
	case reflect.Uint64:
		return fmt.Sprintf("an integer from 0 to %d", math.MaxInt64)
	case reflect.Float64:
		return "a number"
	case reflect.Array:
		if f.value.Type().Elem().Kind() == reflect.Array {
			return "a list of three lists of three numbers, in a recipe file"
		}
		return "a list of three numbers, in a recipe file"
	}
	return "a string"
}

// describe prints a TOML value in a line.
func describe(value any) string {
	switch v := value.(type) {
	case map[string]any:
		return "{…}"
	case []any, []map[string]any:
		return "[…]"
	case string:
		return strconv.Quote(v)
	default:
		return fmt.Sprint(v)
	}
}

// lookUp returns the value of a key, nil if there is none.
func lookUp(doc any, key toml.Key) any {
	for _, part := range key {
		table, _ := doc.(map[string]any)
		doc = table[part]
	}
	return doc
}

// refusal fails to decode from anything, and thereby makes the decoder tell
// where the value is.
type refusal struct{}

func (*refusal) UnmarshalTOML(any) error { return errors.New("refused") }

// lineOf returns the line of a key, counted from 1. The decoder keeps positions
// to itself but for those in its errors, so it is led to the key and made to fail.
func lineOf(data []byte, key toml.Key) int {
	var at toml.Primitive
	var table map[string]toml.Primitive
	meta, err := toml.Decode(string(data), &table)
	for _, part := range key {
		if err != nil {
			break
		}
		at, table = table[part], nil
		err = meta.PrimitiveDecode(at, &table)
	}
	var found toml.ParseError
	errors.As(meta.PrimitiveDecode(at, new(refusal)), &found)
	return lineAt(data, found.Position)
}

// lineAt counts lines itself, since Position.Line is one off at a line's end.
func lineAt(data []byte, at toml.Position) int {
	start := min(max(at.Start, 0), len(data))
	return 1 + bytes.Count(data[:start], []byte("\n"))
}
