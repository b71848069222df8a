package configs

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pkg/errors"
)

// Set changes one value, given as text. The key may leave out its table ("learning_rate" for "training.learning_rate"),
// and its case does not matter. Errors suggest the nearest key or name the type wanted; ranges are left to
// [Recipe.Validate].
func (r *Recipe) Set(key, value string) error {
	for _, f := range r.fields() {
		if f.named(key) {
			if !f.set(value) {
				return errors.Errorf("%s = %q must be %s", f.key, value, f.wanted())
			}
			*r = r.canonical()
			return nil
		}
	}
	return unknownKey(key)
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

// Difference is a key of which two recipes have different values.
type Difference struct {
	Key  string
	Text string // "training.epochs = 3, not 1": the other recipe's value first
}

// Differences are those of two recipes, or of what they were used on.
type Differences []Difference

// String writes them in a line.
func (d Differences) String() string {
	texts := make([]string, len(d))
	for i, one := range d {
		texts[i] = one.Text
	}
	return strings.Join(texts, "; ")
}

// Differences lists the keys in which another recipe has other values, except the keys (see [CheckKeys]) and tables
// named, and what was measured.
func (r Recipe) Differences(o Recipe, except ...string) Differences {
	var all Differences
	r, o = r.canonical(), o.canonical()
	o.Name, o.Description, o.StartFrom = r.Name, r.Description, r.StartFrom // words, which decide nothing
	theirs := o.fields()
	for i, f := range r.fields() {
		table, _, _ := strings.Cut(f.key, ".")
		if !f.equal(theirs[i]) && table != "statistics" && !slices.Contains(except, table) && !slices.ContainsFunc(except, f.named) {
			all = append(all, Difference{f.key, fmt.Sprintf("%s = %s, not %s", f.key, describe(theirs[i].value.Interface()), describe(f.value.Interface()))})
		}
	}
	return all
}

// CheckKeys refuses names that are not keys of a recipe, and lists the known ones. A key may leave out its table, and
// its case does not matter. What was measured has no keys here.
func CheckKeys(keys ...string) error {
	var known []string
	fields := slices.DeleteFunc(new(Recipe).fields(), func(f field) bool { return strings.HasPrefix(f.key, "statistics.") })
	for _, f := range fields {
		known = append(known, lastPart(f.key))
	}
	for _, key := range keys {
		if !slices.ContainsFunc(fields, func(f field) bool { return f.named(key) }) {
			return unknown("key", key, suggestKey(key, known), "Known are "+strings.Join(known, ", "))
		}
	}
	return nil
}

// Equal tells whether two recipes have the same values. An empty list is as good as none.
func (r Recipe) Equal(o Recipe) bool {
	r, o = r.canonical(), o.canonical()
	return slices.EqualFunc(r.fields(), o.fields(), field.equal)
}

// canonical is the recipe with a net and an initialiser by the names of this package, where they have others.
func (r Recipe) canonical() Recipe {
	if c, err := r.NetConfig(); err == nil {
		r.Config = c.Name
	}
	if init, err := InitByName(string(r.Net.Init)); err == nil {
		r.Net.Init = init
	}
	return r
}

// unknownKey is the error for a key that no recipe has.
func unknownKey(key string) error {
	known := tables()
	if slices.Contains(known, key) {
		return errors.Errorf("unknown key %q, the name of a table; did you mean %q?", key, exampleKey(key))
	}
	for _, f := range new(Recipe).fields() {
		known = append(known, f.key)
	}
	if suggestion := suggestKey(key, known); suggestion != "" {
		return errors.Errorf("unknown key %q%s", key, suggestion)
	}
	return errors.Errorf("unknown key %q. The tables of keys are %s", key, strings.Join(tables(), ", "))
}

// exampleKey is the first key of a table.
func exampleKey(table string) string {
	fields := new(Recipe).fields()
	return fields[slices.IndexFunc(fields, func(f field) bool { return strings.HasPrefix(f.key, table+".") })].key
}

// A field is one value of a recipe with its dotted TOML key.
type field struct {
	key   string
	value reflect.Value
}

// named tells whether a key, which may leave out its table, is the field's.
func (f field) named(key string) bool {
	return strings.EqualFold(key, f.key) || strings.EqualFold(key, lastPart(f.key))
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

func (f field) equal(o field) bool {
	if f.value.Kind() == reflect.Slice && f.value.Len()+o.value.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(f.value.Interface(), o.value.Interface())
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

// set stores a value given as text, and reports whether it is one of the field's type.
func (f field) set(text string) bool {
	var err error
	switch f.value.Kind() {
	case reflect.String:
		f.value.SetString(text)
	case reflect.Bool:
		var v bool
		if v, err = strconv.ParseBool(text); err == nil {
			f.value.SetBool(v)
		}
	case reflect.Int:
		var v int
		if v, err = strconv.Atoi(text); err == nil {
			f.value.SetInt(int64(v))
		}
	case reflect.Uint64:
		var v uint64
		if v, err = strconv.ParseUint(text, 10, 63); err == nil {
			f.value.SetUint(v)
		}
	case reflect.Float64:
		var v float64
		if v, err = strconv.ParseFloat(text, 64); err == nil {
			f.value.SetFloat(v)
		}
	case reflect.Slice:
		return f.setList(text)
	default:
		return false
	}
	return err == nil
}

// setList stores a list given as text: conv1,conv2 or, as in TOML, ["conv1", "conv2"].
func (f field) setList(text string) bool {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "["); ok {
		if inner, ok = strings.CutSuffix(inner, "]"); !ok {
			return false
		}
		text = strings.TrimSuffix(strings.TrimSpace(inner), ",")
	}
	list := reflect.MakeSlice(f.value.Type(), 0, 0)
	if strings.TrimSpace(text) != "" {
		for part := range strings.SplitSeq(text, ",") {
			element := field{value: reflect.New(f.value.Type().Elem()).Elem()}
			part = strings.Trim(strings.TrimSpace(part), `"'`)
			if part == "" || !element.set(part) {
				return false
			}
			list = reflect.Append(list, element.value)
		}
	}
	f.value.Set(list)
	return true
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
	case reflect.Slice:
		if f.value.Type().Elem().Kind() == reflect.String {
			return `a list of names, such as ["conv1", "conv2"]`
		}
		return "a list of numbers, one for each channel"
	}
	return "a string"
}

// wanted says which values a key of a recipe file takes; "" for an unknown key.
func wanted(key string) string {
	for _, f := range new(Recipe).fields() {
		if f.key == key {
			return f.wanted()
		}
	}
	switch {
	case key == "base":
		return "the name or the file of a recipe"
	case slices.Contains(tables(), key):
		return "a table: [" + key + "]"
	}
	return ""
}

// describe prints a value in a line.
func describe(value any) string {
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Map:
		return "{…}"
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Interface {
			return "[…]"
		}
		return tomlValue(v)
	case reflect.String:
		return strconv.Quote(v.String())
	}
	return fmt.Sprint(value)
}

// lookUp returns the value of a key in a TOML document, nil if there is none.
func lookUp(doc any, key []string) any {
	for _, part := range key {
		table, _ := doc.(map[string]any)
		doc = table[part]
	}
	return doc
}

// sameLengths tells whether a list has the length of an array type, and its elements likewise.
func sameLengths(value any, to reflect.Type) bool {
	if to.Kind() != reflect.Array {
		return true
	}
	list, _ := value.([]any)
	return len(list) == to.Len() && !slices.ContainsFunc(list, func(v any) bool { return !sameLengths(v, to.Elem()) })
}
