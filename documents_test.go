package vgg_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"vgg/configs"
)

// document is a Markdown file, taken apart.
type document struct {
	path     string
	lines    int
	links    []string
	anchors  []string
	commands []string            // lines of sh blocks, and code within the text
	blocks   map[string][]string // other code blocks, by language
}

var (
	link       = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	inlineCode = regexp.MustCompile("`([^`]+)`")
	heading    = regexp.MustCompile(`^#+ (.*)`)
)

func documents(t *testing.T) (all []document) {
	t.Helper()
	paths, err := filepath.Glob("docs/*.md")
	if err != nil || len(paths) < 7 {
		t.Fatalf("documents %v, error %v", paths, err)
	}
	for _, path := range append(paths, "README.md", "peers/README.md") {
		all = append(all, read(t, path))
	}
	return all
}

func read(t *testing.T, path string) document {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	d := document{path: path, blocks: map[string][]string{}}
	language, block, text := "", "", "" // language: of the code block that a line is in
	for line := range strings.Lines(string(data)) {
		d.lines++
		switch {
		case strings.HasPrefix(line, "```") && language == "":
			language, block = "text", ""
			if name := strings.TrimSpace(line[3:]); name != "" {
				language = name
			}
		case strings.HasPrefix(line, "```"):
			d.blocks[language] = append(d.blocks[language], block)
			language = ""
		case language == "sh":
			command, _, _ := strings.Cut(line, " #")
			d.commands = append(d.commands, strings.TrimSpace(command))
		case language != "":
			block += line
		default:
			text += line
			if h := heading.FindStringSubmatch(line); h != nil {
				d.anchors = append(d.anchors, anchor(h[1]))
			}
		}
	}
	for _, code := range inlineCode.FindAllStringSubmatch(text, -1) {
		d.commands = append(d.commands, strings.ReplaceAll(code[1], "\n", " "))
	}
	for _, l := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(text, ""), -1) {
		d.links = append(d.links, l[1])
	}
	return d
}

// anchor is what GitHub makes of a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-', r == '_', unicode.IsLetter(r), unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
}

// Relative links lead to files, and to headings in them.
func TestLinks(t *testing.T) {
	all := documents(t)
	for _, d := range all {
		for _, l := range d.links {
			if strings.Contains(l, "://") {
				continue
			}
			path, heading, _ := strings.Cut(l, "#")
			target := d.path
			if path != "" {
				target = filepath.Join(filepath.Dir(d.path), path)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: the link %s leads nowhere", d.path, l)
				continue
			}
			same := func(d document) bool { return d.path == target }
			if i := slices.IndexFunc(all, same); heading != "" && (i < 0 || !slices.Contains(all[i].anchors, heading)) {
				t.Errorf("%s: the link %s leads to no heading", d.path, l)
			}
		}
	}
}

// The README is short. Go code in the documents is a part of an example, which is compiled and run; recipes can be
// read.
func TestBlocks(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	examples, blocks := unindented(string(source)), 0
	for _, d := range documents(t) {
		if d.path == "README.md" && d.lines > 150 {
			t.Errorf("README.md has %d lines, want at most 150", d.lines)
		}
		for _, block := range d.blocks["go"] {
			if blocks++; !strings.Contains(examples, unindented(block)) {
				t.Errorf("%s: this is no part of example_test.go:\n%s", d.path, block)
			}
		}
		for _, block := range d.blocks["toml"] {
			if _, err := configs.ParseRecipe([]byte(block), d.path); err != nil {
				t.Error(err)
			}
		}
	}
	if blocks < 5 {
		t.Errorf("%d blocks of Go, want at least 5", blocks)
	}
}

func unindented(code string) (text string) {
	for line := range strings.Lines(code) {
		text += strings.TrimSpace(line) + "\n"
	}
	return text
}

// What the documents name exists: commands, flags, recipes and their keys, tests, benchmarks, scripts, files and
// environment variables.
func TestCommands(t *testing.T) {
	flags, anyFlag := map[string][]string{}, slices.Concat(
		[]string{"install", "force_deps"},                             // gonb's
		[]string{"bind-to", "host", "map-by", "oversubscribe", "mca"}, // mpirun's
		[]string{"mpi", "signal"},                                     // srun's and sbatch's
	)
	commands, err := filepath.Glob("cmd/*")
	if err != nil || len(commands) < 9 {
		t.Fatalf("commands %v, error %v", commands, err)
	}
	for _, dir := range commands {
		flags[filepath.Base(dir)] = flagsOf(t, dir)
		anyFlag = append(anyFlag, flags[filepath.Base(dir)]...)
	}
	variables := variables(t)
	for _, d := range documents(t) {
		for _, line := range d.commands {
			for command := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune("|;&()", r) }) {
				words := strings.Fields(command)
				for i := 0; i < len(words) && environment.MatchString(words[i]); i++ {
					name, _, _ := strings.Cut(words[i], "=")
					if !slices.Contains(variables, name) {
						t.Errorf("%s: %s: nothing reads the environment variable %s", d.path, command, name)
					}
				}
				for _, fault := range faults(t, words, flags, anyFlag) {
					t.Errorf("%s: %s: %s", d.path, command, fault)
				}
			}
		}
	}
}

var (
	environment = regexp.MustCompile(`^[A-Z][A-Z_]+(=|$)`)
	flag        = regexp.MustCompile(`^--([a-z0-9][a-z0-9_-]*)`)
	ownCommand  = regexp.MustCompile(`^\./cmd/([a-z]+)$`)
	file        = regexp.MustCompile(`^(\./)?[.a-z0-9_-]+(/[A-Za-z0-9._-]+)+$`)
)

// TestExamples: the help of each command has two examples or more, which have its flags and fit a terminal of 60 columns.
func TestExamples(t *testing.T) {
	commands, err := filepath.Glob("cmd/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range commands {
		name, examples := filepath.Base(dir), 0
		source, err := os.ReadFile(filepath.Join(dir, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		known := map[string][]string{name: flagsOf(t, dir)}
		for line := range strings.Lines(string(source)) {
			line = strings.TrimRight(line, "`\n")
			if !strings.HasPrefix(line, "    go run ./cmd/"+name) {
				continue
			}
			examples++
			for _, fault := range faults(t, strings.Fields(line), known, nil) {
				t.Errorf("%s: %s: %s", dir, line, fault)
			}
			if len(line) > 60 {
				t.Errorf("%s: %s: %d columns", dir, line, len(line))
			}
		}
		if examples < 2 {
			t.Errorf("%s: %d examples in its help, want 2", dir, examples)
		}
	}
}

// faults says what is wrong with a command, as words.
func faults(t *testing.T, words []string, flags map[string][]string, anyFlag []string) (found []string) {
	known := anyFlag
	for i, w := range words {
		next := ""
		if i+1 < len(words) {
			next = words[i+1]
		}
		if c := ownCommand.FindStringSubmatch(w); c != nil && i > 0 && words[i-1] == "run" {
			if known = flags[c[1]]; known == nil {
				return append(found, "no such command")
			}
		}
		switch name := flag.FindStringSubmatch(w); {
		case name != nil && name[1] != "help" && name[1] != "version" && !slices.Contains(known, name[1]):
			found = append(found, "no flag "+w)
		case w == "--recipe" && next != "" && placeholder(next) == next:
			if _, err := configs.LoadRecipe(next); err != nil {
				found = append(found, err.Error())
			}
		case w == "--set" && next != "" && next != "key=value":
			r, err := configs.LoadRecipe("quick")
			if err == nil {
				err = r.Apply(next)
			}
			if err != nil {
				found = append(found, err.Error())
			}
		case file.MatchString(w) && inRepository(w) && !exists(w):
			found = append(found, "no file "+w)
		case (w == "-run" || w == "-bench") && next != "x" && next != "":
			packages := words[len(words)-1]
			name, _, _ := strings.Cut(next, "/")
			if !tested(t, packages, map[string]string{"-run": "Test|Example|Fuzz", "-bench": "Benchmark"}[w], name) {
				found = append(found, "no test or benchmark "+next+" in "+packages)
			}
		}
	}
	return found
}

// placeholder gives a word as it is if it is to be typed so, else "".
func placeholder(word string) string {
	if strings.ContainsAny(word, "./…|") || strings.ToUpper(word) == word {
		return ""
	}
	return word
}

// inRepository says whether the first folder of a path is one of the project.
func inRepository(path string) bool {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "./"), "/")
	return exists(first)
}

// exists says whether a file, or the packages "folder/...", exist.
func exists(path string) bool {
	_, err := os.Stat(strings.TrimSuffix(path, "/..."))
	return err == nil
}

// tested says whether a package has a test or benchmark whose name contains the one given.
func tested(t *testing.T, packages, kind, name string) bool {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(packages, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	function := regexp.MustCompile(`(?m)^func (` + kind + `)\w*\(`)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range function.FindAllString(string(data), -1) {
			if strings.Contains(f, name) || name == "." {
				return true
			}
		}
	}
	return false
}

// variables are the environment variables that the project's code and scripts read.
func variables(t *testing.T) (names []string) {
	t.Helper()
	name := regexp.MustCompile(`\b[A-Z][A-Z_]+\b`)
	scripts, err := filepath.Glob("peers/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"peers/drivers/*.py", "deploy/*"} {
		further, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		scripts = append(scripts, further...)
	}
	sources := append([]string{".ci/run"}, scripts...)
	for path := range goFiles(t) {
		sources = append(sources, path)
	}
	for _, path := range sources {
		if info, err := os.Stat(path); err != nil || info.IsDir() || strings.HasSuffix(path, ".md") {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name.FindAllString(string(data), -1)...)
	}
	return append(names, "PATH")
}

// flagsOf reads the names of a command's flags from its struct with kong's tags, called flags.
func flagsOf(t *testing.T, dir string) []string {
	t.Helper()
	shared := structs(t, "internal/cli")
	own, ok := structs(t, dir)["flags"]
	if !ok {
		t.Fatalf("%s has no struct called flags", dir)
	}
	return kongFlags(t, own, shared)
}

// structs are the struct types that the files of a package declare.
func structs(t *testing.T, dir string) map[string]*ast.StructType {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*ast.StructType{}
	for _, path := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok {
				if s, ok := spec.Type.(*ast.StructType); ok {
					found[spec.Name.Name] = s
				}
			}
			return true
		})
	}
	return found
}

// kongFlags names flags as kong does: by the tag name, or by the field's name in lower case with hyphens.
func kongFlags(t *testing.T, s *ast.StructType, shared map[string]*ast.StructType) (names []string) {
	t.Helper()
	for _, field := range s.Fields.List {
		if sub, ok := field.Type.(*ast.StructType); ok { // a command with flags of its own
			names = append(names, kongFlags(t, sub, shared)...)
			continue
		}
		if len(field.Names) == 0 { // a struct of internal/cli
			selector, ok := field.Type.(*ast.SelectorExpr)
			if !ok || shared[selector.Sel.Name] == nil {
				t.Fatalf("an embedded struct that is not of internal/cli: %v", field.Type)
			}
			names = append(names, kongFlags(t, shared[selector.Sel.Name], shared)...)
			continue
		}
		if field.Tag == nil { // what no flag sets
			continue
		}
		literal, err := strconv.Unquote(field.Tag.Value)
		if err != nil {
			t.Fatal(err)
		}
		tag := reflect.StructTag(literal)
		if _, positional := tag.Lookup("arg"); positional {
			continue
		}
		if name := tag.Get("name"); name != "" {
			names = append(names, name)
			continue
		}
		for _, n := range field.Names {
			names = append(names, strings.ToLower(wordStart.ReplaceAllString(n.Name, "$1-$2")))
		}
	}
	return names
}

var wordStart = regexp.MustCompile(`([a-z])([A-Z])`)
