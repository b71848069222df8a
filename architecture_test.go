package vgg_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// source is a parsed Go file.
type source struct {
	*ast.File
	positions *token.FileSet
}

func (s source) line(p token.Pos) int { return s.positions.Position(p).Line }

// goFiles parses the Go files of the project, by path, all but those of test data.
func goFiles(t *testing.T) map[string]source {
	t.Helper()
	files := map[string]source{}
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != "." && (entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".go":
			return nil
		}
		positions := token.NewFileSet()
		f, err := parser.ParseFile(positions, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		files[path] = source{f, positions}
		return err
	})
	if err != nil || len(files) < 100 {
		t.Fatalf("%d Go files, error %v", len(files), err)
	}
	return files
}

func isTest(path string) bool { return strings.HasSuffix(path, "_test.go") }

// isGenerator says whether a file writes code or data of the project.
func isGenerator(file string) bool {
	return path.Base(path.Dir(file)) == "gen" || path.Base(file) == "gen.go"
}

// Functions and files are short enough to read.
func TestSizes(t *testing.T) {
	const mostFunction, mostFile = 80, 400
	for path, s := range goFiles(t) {
		if isGenerator(path) || ast.IsGenerated(s.File) {
			continue
		}
		if n := s.line(s.FileEnd); n > mostFile && !isTest(path) {
			t.Errorf("%s has %d lines, want at most %d", path, n, mostFile)
		}
		for _, d := range s.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				if n := s.line(f.End()) - s.line(f.Pos()) + 1; n > mostFunction {
					t.Errorf("%s: %s has %d lines, want at most %d", path, f.Name.Name, n, mostFunction)
				}
			}
		}
	}
}

// Libraries do not name the flags of commands.
func TestLibrariesNameNoFlags(t *testing.T) {
	flag := regexp.MustCompile(`--[a-z]`)
	for path, s := range goFiles(t) {
		if isTest(path) || isGenerator(path) || within(path, "cmd", "internal/cli", "peers") {
			continue
		}
		ast.Inspect(s.File, func(n ast.Node) bool {
			if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING && flag.MatchString(l.Value) {
				t.Errorf("%s:%d names a flag: %s", path, s.line(l.Pos()), l.Value)
			}
			return true
		})
	}
}

// Commands print to cli.Stdout, which notices what cannot be written.
func TestCommandsPrintCarefully(t *testing.T) {
	prints := regexp.MustCompile(`\b(os\.Stdout|fmt\.Print(f|ln)?)\b`)
	for path := range goFiles(t) {
		if isTest(path) || !within(path, "cmd", "internal/progress") {
			continue
		}
		code, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if found := prints.Find(code); found != nil {
			t.Errorf("%s uses %s: want cli.Stdout", path, found)
		}
	}
}

// within says whether a path is inside one of some folders.
func within(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(path, folder+"/") })
}

// Every package says what it is for: a library in doc.go, a command in any of its files.
func TestPackageComments(t *testing.T) {
	commented := map[string]bool{} // by folder
	for file, s := range goFiles(t) {
		if isTest(file) || isGenerator(file) {
			continue
		}
		comment, want := s.Doc.Text(), "Package "+s.Name.Name+" "
		isCommand := s.Name.Name == "main"
		if isCommand {
			want = "Command " + path.Base(path.Dir(file)) + " "
		}
		here := strings.HasPrefix(comment, want) && (isCommand || path.Base(file) == "doc.go")
		commented[path.Dir(file)] = commented[path.Dir(file)] || here
	}
	for folder, ok := range commented {
		if !ok {
			t.Errorf("%s has no package comment (in doc.go, unless it is a command)", folder)
		}
	}
}

// Dependencies point one way.
func TestDependencies(t *testing.T) {
	for name, forbidden := range map[string][]string{
		"./plots": {"gorgonia.org/"},
		"./graph": {"vgg/weights/foreign", "vgg/dataset", "vgg/trainer"},
	} {
		for _, d := range dependencies(t, name) {
			for _, f := range forbidden {
				if strings.HasPrefix(d, f) {
					t.Errorf("%s depends on %s", name, d)
				}
			}
		}
	}
	kernel := dependencies(t, "./internal/kernel")
	for _, d := range dependencies(t, "./svm") {
		if strings.HasPrefix(d, "vgg/") && d != "vgg/svm" && !slices.Contains(kernel, d) {
			t.Errorf("svm depends on %s", d)
		}
	}
	for _, d := range kernel {
		if d == "vgg/internal/kernel" || !strings.HasPrefix(d, "vgg/") {
			continue
		}
		for _, below := range dependencies(t, d) {
			if below != d && strings.HasPrefix(below, "vgg/") {
				t.Errorf("internal/kernel imports %s, which depends on %s", d, below)
			}
		}
	}
}

// dependencies are the packages that one depends on, itself included.
func dependencies(t *testing.T, name string) []string {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", name).Output()
	if err != nil {
		t.Fatalf("go list -deps %s: %v", name, err)
	}
	return strings.Fields(string(out))
}
