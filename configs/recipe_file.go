package configs

import (
	"bytes"
	"embed"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pkg/errors"
)

//go:embed recipes/*.toml
var recipeFiles embed.FS

// recipeNames lists the embedded recipes, the default one first.
func recipeNames() []string {
	return []string{
		"quick", "flowers", "miniature", "paper-256", "paper-384", "paper-jitter",
		"scenes", "findings", "localise-scenes", "localise-256", "localise-384",
	}
}

// Recipes returns the embedded recipes; the first, "quick", is the default.
func Recipes() []Recipe {
	var all []Recipe
	for _, name := range recipeNames() {
		// The error is that of a broken embedded file, which a test rules out.
		if r, err := LoadRecipe(name); err == nil {
			all = append(all, r)
		}
	}
	return all
}

// LoadRecipe returns the embedded recipe of that name, in any case, or reads a file whose path ends in .toml. A file
// without a name is named after itself.
func LoadRecipe(nameOrFile string) (Recipe, error) {
	return loadRecipe(nameOrFile, nil)
}

// isFile tells paths of recipes from the names of those that come with the program.
func isFile(nameOrFile string) bool { return strings.EqualFold(filepath.Ext(nameOrFile), ".toml") }

// loadRecipe is LoadRecipe, for a recipe that the files in derived are based on, each on the next.
func loadRecipe(nameOrFile string, derived []string) (Recipe, error) {
	if isFile(nameOrFile) {
		data, err := os.ReadFile(nameOrFile)
		if err != nil {
			return Recipe{}, errors.Wrapf(err, "recipe must be a readable TOML file or one of %s", strings.Join(recipeNames(), ", "))
		}
		r, err := parseRecipe(data, nameOrFile, derived)
		if err == nil && r.Name == "" {
			r.Name = strings.TrimSuffix(filepath.Base(nameOrFile), filepath.Ext(nameOrFile))
		}
		return r, err
	}
	for _, name := range recipeNames() {
		if strings.EqualFold(name, nameOrFile) {
			file := "recipes/" + name + ".toml"
			data, err := recipeFiles.ReadFile(file)
			if err != nil {
				return Recipe{}, errors.Wrap(err, "embedded recipe")
			}
			return parseRecipe(data, file, derived)
		}
	}
	return Recipe{}, unknown("recipe", nameOrFile, suggest(nameOrFile, recipeNames()),
		fmt.Sprintf("Known are %s, or the path of a file ending in .toml", strings.Join(recipeNames(), ", ")))
}

// ParseRecipe reads a recipe in TOML. Missing keys have the values of the recipe that the key base names, an embedded
// one or a file whose path is relative to the source's folder; without a base, those of [Default]. A base does not give
// its name, nor what was measured. Errors name source, line and key: for an unknown key the nearest known one, for a
// wrong type the type wanted. The case of keys does not matter, nor does a byte-order mark. Ranges are left to
// [Recipe.Validate], which comes after command-line settings.
func ParseRecipe(data []byte, source string) (Recipe, error) {
	return parseRecipe(data, source, nil)
}

func parseRecipe(data []byte, source string, derived []string) (Recipe, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // the byte-order mark of some editors
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return Recipe{}, errors.Errorf("%s: is in UTF-16: save it as UTF-8", source)
	}
	var doc map[string]any
	if err := toml.Unmarshal(data, &doc); err != nil {
		return Recipe{}, parseError(err, nil, source)
	}
	if err := checkRepeated(doc, ""); err != nil {
		return Recipe{}, errors.Wrap(err, source)
	}
	var file struct {
		Base string `toml:"base"`
		Recipe
	}
	file.Recipe = Default()
	if err := decodeStrictly(data, &file); err != nil {
		return Recipe{}, parseError(err, doc, source)
	}
	if file.Base != "" {
		base, err := loadBase(file.Base, source, derived)
		if err != nil {
			return Recipe{}, errors.Errorf("%s: line %d: base = %q: %v", source, lineOf(data, "base"), file.Base, err)
		}
		file.Recipe = base
		if err := decodeStrictly(data, &file); err != nil {
			return Recipe{}, parseError(err, doc, source)
		}
	}
	for _, f := range file.Recipe.fields() {
		// The decoder accepts lists of another length.
		if list := lookUp(doc, strings.Split(f.key, ".")); list != nil && !sameLengths(list, f.value.Type()) {
			return Recipe{}, errors.Errorf("%s: %s must be %s", source, f.key, f.wanted())
		}
	}
	return file.Recipe.canonical(), nil
}

// checkRepeated refuses keys of a table that differ in capitals only, which the decoder takes for the same.
func checkRepeated(table map[string]any, at string) error {
	seen := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if other, twice := seen[strings.ToLower(key)]; twice {
			return errors.Errorf("%[1]s%[2]s and %[1]s%[3]s are the same key: keep one", at, other, key)
		}
		seen[strings.ToLower(key)] = key
		if inner, ok := table[key].(map[string]any); ok {
			if err := checkRepeated(inner, at+key+"."); err != nil {
				return err
			}
		}
	}
	return nil
}

func decodeStrictly(data []byte, to any) error {
	return toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields().Decode(to)
}

// lineOf returns the line of a key outside tables. The decoder tells the lines of unknown keys, so none is known to it.
func lineOf(data []byte, key string) (line int) {
	var unknown *toml.StrictMissingError
	if errors.As(decodeStrictly(data, new(struct{})), &unknown) {
		for _, e := range unknown.Errors {
			if strings.EqualFold(e.Key()[0], key) {
				line, _ = e.Position()
			}
		}
	}
	return line
}

// loadBase loads the recipe that a source is based on, which the files in derived are based on.
func loadBase(base, source string, derived []string) (Recipe, error) {
	files := append(slices.Clone(derived), filepath.Clean(source))
	if isFile(base) {
		if !filepath.IsAbs(base) {
			base = filepath.Join(filepath.Dir(source), base)
		}
		if slices.Contains(files, filepath.Clean(base)) {
			return Recipe{}, errors.Errorf("a circle of bases: %s", strings.Join(append(files, base), ", "))
		}
	}
	r, err := loadRecipe(base, files)
	r.Name, r.Statistics = "", Statistics{}
	return r, err
}

// parseError says what is wrong with a recipe file, whose values are in doc, if it is TOML.
func parseError(err error, doc map[string]any, source string) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		first := unknown.Errors[0]
		line, _ := first.Position()
		return errors.Errorf("%s: line %d: %v", source, line, unknownKey(strings.Join(first.Key(), ".")))
	}
	var wrong *toml.DecodeError
	if !errors.As(err, &wrong) {
		return errors.Wrap(err, source)
	}
	line, _ := wrong.Position()
	message := strings.TrimPrefix(wrong.Error(), "toml: ")
	if key := strings.Join(wrong.Key(), "."); doc != nil {
		value := lookUp(doc, wrong.Key())
		if want := wanted(key); want != "" {
			message = fmt.Sprintf("%s = %s must be %s", key, describe(value), want)
		} else {
			message = unknownKey(key).Error()
		}
	}
	return errors.Errorf("%s: line %d: %s", source, line, message)
}

// TOML returns the complete recipe as a file, without empty lists, from which [ParseRecipe] makes the same recipe
// again. It fails for values that TOML cannot hold, such as text that is not UTF-8.
func (r Recipe) TOML() ([]byte, error) {
	var b bytes.Buffer
	r, last := r.canonical(), ""
	for _, f := range r.fields() {
		if f.value.Kind() == reflect.Slice && f.value.Len() == 0 {
			continue
		}
		if table, _, ok := strings.Cut(f.key, "."); ok && table != last {
			fmt.Fprintf(&b, "\n[%s]\n", table)
			last = table
		}
		fmt.Fprintf(&b, "%s = %s\n", lastPart(f.key), tomlValue(f.value))
	}
	back, err := ParseRecipe(b.Bytes(), "recipe as TOML")
	if err != nil {
		return nil, err
	}
	if !back.Equal(r) {
		return nil, errors.Errorf("recipe %q has a value that TOML cannot hold: check it with Validate", r.Name)
	}
	return b.Bytes(), nil
}

// tomlValue writes a value of a recipe.
func tomlValue(v reflect.Value) string {
	switch v.Kind() {
	case reflect.String:
		return tomlString(v.String())
	case reflect.Float64:
		text := strings.ToLower(strconv.FormatFloat(v.Float(), 'g', -1, 64))
		if !strings.ContainsAny(text, ".einf") {
			text += ".0" // without it TOML has an integer
		}
		return text
	case reflect.Array, reflect.Slice:
		var elements []string
		for i := range v.Len() {
			elements = append(elements, tomlValue(v.Index(i)))
		}
		return "[" + strings.Join(elements, ", ") + "]"
	}
	return fmt.Sprint(v.Interface())
}

// tomlString writes a basic string of TOML. (The quotes and escapes of strconv.Quote are Go's.)
func tomlString(s string) string {
	const escaped, letters = "\b\t\n\f\r\"\\", `btnfr"\`
	b := []byte{'"'}
	for i := range len(s) {
		c := s[i]
		if k := strings.IndexByte(escaped, c); k >= 0 {
			b = append(b, '\\', letters[k])
		} else if c < ' ' || c == 0x7f {
			b = fmt.Appendf(b, `\u%04x`, c)
		} else {
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}
