package dataset

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tarred packs files into a tar archive, in the order of their names. A file whose name ends in .tar/ is an archive of
// the files below it.
func tarred(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	inner := map[string]map[string][]byte{}
	add := func(name string, data []byte) {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if archive, file, ok := strings.Cut(name, ".tar/"); ok {
			if inner[archive] == nil {
				inner[archive] = map[string][]byte{}
			}
			inner[archive][file] = files[name]
			continue
		}
		add(name, files[name])
	}
	for _, name := range slices.Sorted(maps.Keys(inner)) {
		add(name+".tar", tarred(t, inner[name]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// ownCache gives the test a cache folder of its own.
func ownCache(t *testing.T) string {
	dir := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", dir)
	return filepath.Join(dir, "vgg")
}

// contents are the classes and pictures of a set, as text.
func contents(t *testing.T, s *Set) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, s.Classes)
	for _, split := range []Split{s.Train, s.Val} {
		for i := range split.Len() {
			p, err := split.Picture(i)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(&b, split.Label(i), filepath.Base(split.Name(i)), p.Width, p.Height, p.Pix[:3])
		}
	}
	return b.String()
}

// TestArchives: class folders are the same set in a folder, a zip, a tar and a gzipped tar, whatever the file's name.
func TestArchives(t *testing.T) {
	cache := ownCache(t)
	dir := write(t, map[string][]byte{
		"plain": tarred(t, classFolder(t)),
		"gz":    zipped(tarred(t, classFolder(t))),
	})
	want := ""
	for _, spec := range []string{write(t, classFolder(t)), archive(t, "./", classFolder(t)), filepath.Join(dir, "plain"), filepath.Join(dir, "gz"), filepath.Join(dir, "gz")} {
		var notices []string
		s, err := Open(spec, Options{Notice: func(m string) { notices = append(notices, m) }})
		if err != nil {
			t.Fatal(err)
		}
		got := contents(t, s)
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s holds\n%swant\n%s", spec, got, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if unpacked, _ := filepath.Glob(filepath.Join(cache, "*.tar")); strings.HasSuffix(spec, "gz") && (len(unpacked) != 1 || len(notices) > 1) {
			t.Errorf("unpacked to %v; notices %q", unpacked, notices)
		}
	}
}

// imagenet is ILSVRC-2012 as it is distributed, in small: a tar of class tars, a flat tar, and what else may lie there.
func imagenet(t *testing.T) map[string][]byte {
	f := classFolder(t)
	return map[string][]byte{
		"ILSVRC2012_img_train.tar": tarred(t, map[string][]byte{
			"n01.tar/n01_2.JPEG": f["train/blue/1.gif"], "n01.tar/n01_1.JPEG": f["train/red/1.jpg"], "n02.tar/n02_7.JPEG": f["train/blue/2.bmp"],
		}),
		"ILSVRC2012_img_val.tar": tarred(t, map[string][]byte{
			"ILSVRC2012_val_00000001.JPEG": f["val/red/1.png"], "ILSVRC2012_val_00000002.JPEG": f["val/blue/1.jpeg"], "ILSVRC2012_val_00000003.JPEG": f["val/red/1.png"],
		}),
		"val_labels.txt":            []byte("n02\nn01\nn02\n"),
		"ILSVRC2012_img_test.tar":   tarred(t, map[string][]byte{"ILSVRC2012_test_1.JPEG": f["val/red/1.png"]}),
		"README.md":                 []byte("no labels\n"),
		"classes/n01/something.txt": []byte("n01"),
	}
}

// TestImageNet reads the archives without unpacking them, with labels in any of their forms.
func TestImageNet(t *testing.T) {
	ownCache(t)
	for _, text := range []string{
		"n02\nn01\nn02\n",
		"1\n0\n1",
		"ILSVRC2012_val_00000003.JPEG n02\nILSVRC2012_val_00000001.JPEG n02\nILSVRC2012_val_00000002.JPEG n01\n",
		"ImageId,PredictionString\r\nILSVRC2012_val_00000002,n01 1 2 3 4\r\nILSVRC2012_val_00000001,n02 5 6 7 8 n02 1 1 1 1\r\nILSVRC2012_val_00000003,n02 1 2 3 4\r\n",
		"val/ILSVRC2012_val_00000001.JPEG 1\nval/ILSVRC2012_val_00000002.JPEG 0\nval/ILSVRC2012_val_00000003.JPEG 1\n",
	} {
		files := imagenet(t)
		files["val_labels.txt"] = []byte(text)
		s, err := Open(write(t, files), Options{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		labels := func(s Split) (all []int) {
			for i := range s.Len() {
				all = append(all, s.Label(i))
			}
			return all
		}
		if !slices.Equal(s.Classes, []string{"n01", "n02"}) || !slices.Equal(labels(s.Train), []int{0, 0, 1}) || !slices.Equal(labels(s.Val), []int{1, 0, 1}) {
			t.Errorf("classes %v, labels %v and %v", s.Classes, labels(s.Train), labels(s.Val))
		}
		if got, red := contents(t, s), "0 n01_1.JPEG 12 10 [200 10 10]"; !strings.Contains(got, red) {
			t.Errorf("no %q in\n%s", red, got)
		}
		if name := s.Train.Name(0); !strings.HasSuffix(name, "ILSVRC2012_img_train.tar: n01/n01_1.JPEG") {
			t.Errorf("the first picture is called %s", name)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	// Without a text file, the development kit has the labels.
	meta, err := os.ReadFile("testdata/devkit/compressed.mat")
	if err != nil {
		t.Fatal(err)
	}
	wnids, err := parseSynsets(meta)
	if err != nil {
		t.Fatal(err)
	}
	files := imagenet(t)
	delete(files, "val_labels.txt")
	files["ILSVRC2012_img_train.tar"] = tarred(t, map[string][]byte{wnids["1"] + ".tar/1.JPEG": files["ILSVRC2012_img_val.tar"][512:1024], wnids["3"] + ".tar/2.JPEG": nil})
	kit := map[string][]byte{"kit/data/meta.mat": meta, "kit/data/ILSVRC2012_validation_ground_truth.txt": []byte("3\n1\n1\n")}
	files["ILSVRC2012_devkit_t12.tar.gz"] = zipped(tarred(t, kit))
	dir := write(t, files)
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"3", "1", "1"} {
		if got := s.Classes[s.Val.Label(i)]; got != wnids[id] {
			t.Errorf("picture %d is of class %s, want %s", i, got, wnids[id])
		}
	}
	s.Close()
	for want, text := range map[string]string{"devkit_t12.tar.gz: its labels: no class for picture": "1\n", "line 2: \"x\" is no ILSVRC2012_ID": "1\nx\n"} {
		kit["kit/data/ILSVRC2012_validation_ground_truth.txt"] = []byte(text)
		files["ILSVRC2012_devkit_t12.tar.gz"] = zipped(tarred(t, kit))
		if _, err := Open(write(t, files), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	for want, change := range map[string]func(map[string][]byte){
		"no text file that labels them":           func(f map[string][]byte) { delete(f, "val_labels.txt") },
		"val_labels.txt is not: line 2: no class": func(f map[string][]byte) { f["val_labels.txt"] = []byte("n01\nn03\nn01\n") },
		"put the kit":  func(f map[string][]byte) { f["val_labels.txt"] = []byte("2\n1\n1\n") },
		"only 3 pict":  func(f map[string][]byte) { f["val_labels.txt"] = []byte("n01\nn01\nn01\nn01\n") },
		"no class for": func(f map[string][]byte) { f["val_labels.txt"] = []byte("n01\nn01\n") },
		"a second": func(f map[string][]byte) {
			f["val_labels.txt"] = []byte("ILSVRC2012_val_00000001 0\nILSVRC2012_val_00000001 0")
		},
		"no picture \"": func(f map[string][]byte) { f["val_labels.txt"] = []byte("ILSVRC2012_val_00000001 0\nx 0") },
		"several archives with val": func(f map[string][]byte) {
			f["my_val.tar"] = f["ILSVRC2012_img_val.tar"]
		},
		"ILSVRC2012_img_train.tar: n01.tar: the tar archive is damaged": func(f map[string][]byte) {
			train := f["ILSVRC2012_img_train.tar"]
			copy(train[bytes.Index(train, []byte("n01_2"))+148:], "\xff\xff\xff") // checksum of the header
		},
		"val/CLASS/*": func(f map[string][]byte) { delete(f, "ILSVRC2012_img_val.tar") },
	} {
		files := imagenet(t)
		change(files)
		dir := write(t, files)
		if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// TestFlatValidation: pictures straight in val, labelled by a file beside it.
func TestFlatValidation(t *testing.T) {
	files := classFolder(t)
	files["val/a.png"], files["val/b.jpg"], files["labels.csv"] = files["val/red/1.png"], files["val/blue/1.jpeg"], []byte("picture,class\nb.jpg,blue\na.png,red\n")
	delete(files, "val/red/1.png")
	delete(files, "val/blue/1.jpeg")
	for _, spec := range []string{write(t, files), archive(t, "top/", files)} {
		s, err := Open(spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Val.Len() != 2 || s.Val.Label(0) != 1 || s.Val.Label(1) != 0 {
			t.Errorf("%s: %d pictures", spec, s.Val.Len())
		}
		s.Close()
	}
}

// TestValShare: without val, a share of each class is kept, drawn by a seed, and each picture is in one split.
func TestValShare(t *testing.T) {
	files, png := map[string][]byte{}, classFolder(t)["val/red/1.png"]
	for i := range 40 {
		files[fmt.Sprintf("a/%d.png", i)] = png
		if i < 3 {
			files[fmt.Sprintf("b/%d", i)] = png // by content
		}
	}
	inTrain := map[string][]byte{}
	for name, data := range files {
		inTrain["train/"+name] = data
	}
	dir := write(t, files)
	names := func(spec string, o Options) []string {
		t.Helper()
		s, err := Open(spec, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		counts := map[string]int{}
		for i := range s.Val.Len() {
			counts[s.Classes[s.Val.Label(i)]]++
		}
		if s.Train.Len()+s.Val.Len() != 43 || counts["a"] != 10 || counts["b"] != 1 {
			t.Errorf("%d + %d pictures, for validation %v", s.Train.Len(), s.Val.Len(), counts)
		}
		var all, val []string
		for _, split := range []Split{s.Train, s.Val} {
			for i := range split.Len() {
				all = append(all, split.Name(i))
			}
			val = all[s.Train.Len():]
		}
		slices.Sort(all[:s.Train.Len()])
		if distinct := slices.Compact(slices.Sorted(slices.Values(all))); len(distinct) != 43 {
			t.Errorf("%d distinct pictures of 43", len(distinct))
		}
		return val
	}
	first := names(dir, Options{ValShare: 0.25, SplitSeed: 1})
	if !slices.Equal(first, names(dir, Options{ValShare: 0.25, SplitSeed: 1})) || slices.Equal(first, names(dir, Options{ValShare: 0.25, SplitSeed: 2})) {
		t.Error("the seed does not decide the split")
	}
	names(write(t, inTrain), Options{ValShare: 0.25, SplitSeed: 1})
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "pictures.val_share") {
		t.Errorf("no share: %v", err)
	}
	files["c/only.png"] = png
	if _, err := Open(write(t, files), Options{ValShare: 0.5}); err == nil || !strings.Contains(err.Error(), "class c has one picture") {
		t.Errorf("a single picture: %v", err)
	}
}

// TestHostileArchives: what leads out of the archive, or is no plain file, is refused by archive, entry and reason.
func TestHostileArchives(t *testing.T) {
	cache := ownCache(t)
	entry := func(h tar.Header) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, f := range []tar.Header{{Name: "train/a/1.jpg", Size: 1}, h} {
			if err := w.WriteHeader(&f); err != nil {
				t.Fatal(err)
			}
			w.Write(make([]byte, f.Size))
		}
		w.Close()
		return b.Bytes()
	}
	inZip := func(h zip.FileHeader, raw []byte) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		out, err := w.CreateRaw(&h)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(raw)
		w.Close()
		return b.Bytes()
	}
	link := zip.FileHeader{Name: "train/a/link.jpg"}
	link.SetMode(os.ModeSymlink | 0o777)
	plain := tarred(t, classFolder(t))
	bomb := zipped(append(plain[:len(plain)-1024:len(plain)-1024], make([]byte, smallestBomb)...))
	for want, file := range map[string][]byte{
		"train/../../1.jpg: the path leads out of the archive": entry(tar.Header{Name: "train/../../1.jpg"}),
		"/etc/1.jpg: an absolute path":                         entry(tar.Header{Name: "/etc/1.jpg"}),
		"C:/1.jpg: an absolute path":                           entry(tar.Header{Name: "C:/1.jpg"}),
		`train\1.jpg: the path has a backslash`:                entry(tar.Header{Name: `train\1.jpg`}),
		"train/a/2.jpg: a link":                                entry(tar.Header{Name: "train/a/2.jpg", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}),
		"train/a/3.jpg: a link":                                entry(tar.Header{Name: "train/a/3.jpg", Typeflag: tar.TypeLink, Linkname: "train/a/1.jpg"}),
		"train/a/4.jpg: a link, device":                        entry(tar.Header{Name: "train/a/4.jpg", Typeflag: tar.TypeFifo}),
		"damaged or incomplete":                                entry(tar.Header{Name: "train/a/5.jpg", Size: 5000})[:1100],
		"it is incomplete":                                     entry(tar.Header{Name: "train/a/6.jpg", Size: 5000})[:4096],
		"train/../2.jpg: the path leads out":                   inZip(zip.FileHeader{Name: "train/../2.jpg"}, nil),
		"train/a/link.jpg: a link":                             inZip(link, []byte("/etc/passwd")),
		"train/a/7.jpg: encrypted":                             inZip(zip.FileHeader{Name: "train/a/7.jpg", Flags: 1}, nil),
		"train/a/8.jpg: packed by method 12":                   inZip(zip.FileHeader{Name: "train/a/8.jpg", Method: 12}, nil),
		"train/a/9.jpg: 10 bytes that claim":                   inZip(zip.FileHeader{Name: "train/a/9.jpg", Method: zip.Deflate, CompressedSize64: 10, UncompressedSize64: 1 << 30}, make([]byte, 10)),
		"the zip archive is damaged":                           []byte("PK\x03\x04 and so on"),
		"no tar archive":                                       zipped([]byte("text")),
		"the gzip file is damaged":                             zipped(plain)[:300],
		"not an archive of pictures":                           bomb,
		"the file is empty":                                    nil,
		"want a folder, or a zip":                              []byte("text"),
	} {
		file := filepath.Join(write(t, map[string][]byte{"archive": file}), "archive")
		_, err := Open(file, Options{})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	if left, err := os.ReadDir(cache); err == nil && len(left) > 0 {
		t.Errorf("archives that were refused left %v", left)
	}
}

// TestLongEntry: a picture that unfolds to more than any has is refused, and costs little more than what one may have.
func TestLongEntry(t *testing.T) {
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, file := range []string{"train/a/1.png", "val/a/1.png"} {
		to, err := w.Create(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := to.Write(make([]byte, 2*largestPicture)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(write(t, map[string][]byte{"long.zip": packed.Bytes()}), "long.zip")
	s, err := Open(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = s.Train.Picture(0)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "train/a/1.png") || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("error %v", err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 4*largestPicture {
		t.Errorf("%d bytes allocated", allocated)
	}
}

// TestDamagedEntries: a picture whose bytes are not those packed is refused when it is asked for.
func TestDamagedEntries(t *testing.T) {
	files := classFolder(t)
	packed := archive(t, "", files)
	data, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("train/blue/2.bmp")) + len("train/blue/2.bmp") + 20
	data[at] ^= 0x55
	tarFile := filepath.Join(write(t, map[string][]byte{"a.tar": tarred(t, files)}), "a.tar")
	if err := os.WriteFile(packed, data, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, spec := range []string{packed, tarFile} {
		s, err := Open(spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if spec == tarFile {
			if err := os.Truncate(tarFile, 1024); err != nil { // it becomes shorter while it is read
				t.Fatal(err)
			}
		}
		failed := ""
		for i := range s.Train.Len() {
			if _, err := s.Train.Picture(i); err != nil {
				failed += err.Error() + "\n"
			}
		}
		if !strings.Contains(failed, spec+": train/blue/2.bmp") || !strings.Contains(failed, "restore or remove") {
			t.Errorf("errors %q", failed)
		}
	}
}

// manyEntries is a tar of class tars with so many pictures of a few bytes.
func manyEntries(t testing.TB, classes, pictures int, file string) {
	t.Helper()
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	outer := tar.NewWriter(out)
	var inner bytes.Buffer
	for c := range classes {
		inner.Reset()
		w := tar.NewWriter(&inner)
		for i := range pictures {
			data := fmt.Appendf(nil, "\xff\xd8\xff picture %d of class %d", i, c)
			if err := w.WriteHeader(&tar.Header{Name: fmt.Sprintf("n%08d_%d.JPEG", c, i), Size: int64(len(data)), Mode: 0o644, Format: tar.FormatUSTAR}); err != nil {
				t.Fatal(err)
			}
			w.Write(data)
		}
		w.Close()
		if err := outer.WriteHeader(&tar.Header{Name: fmt.Sprintf("n%08d.tar", c), Size: int64(inner.Len()), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := outer.Write(inner.Bytes()); err != nil {
			t.Fatal(err)
		}
	}
	if err := outer.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestIndex: the list of a large archive is kept beside it, or else in the cache folder, used again, and made anew when
// the archive or the list changed.
func TestIndex(t *testing.T) {
	cache := ownCache(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "train.tar")
	manyEntries(t, 20, 600, file)
	count := func() int {
		t.Helper()
		s, err := Open(file, Options{ValShare: 0.1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if data, err := readFile(s.trees[0], 5, largestFile); err != nil || string(data) != "\xff\xd8\xff picture 101 of class 0" {
			t.Errorf("entry %s holds %q, %v", s.trees[0].Path(5), data, err)
		}
		return s.Train.Len() + s.Val.Len()
	}
	beside := file + indexSuffix
	if n := count(); n != 12000 {
		t.Fatalf("%d pictures", n)
	}
	kept, err := os.ReadFile(beside)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := decodeIndex(kept, info.Size(), info.ModTime().UnixNano())
	if err != nil {
		t.Fatal(err)
	}
	// A list with one picture less, properly kept, is used: it is not made anew each time.
	last := slices.IndexFunc(entries, func(e tarEntry) bool { return strings.HasSuffix(e.path, "n00000019_99.JPEG") })
	if err := writeIndex(file, info, slices.Delete(entries, last, last+1)); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 11999 {
		t.Errorf("%d pictures: the list that was kept is not used", n)
	}
	// Flipping any byte of it makes it useless, and the list is made anew.
	for _, at := range []int{0, 9, 20, 28, 40, len(kept) / 2, len(kept) - 1} {
		damaged := slices.Clone(kept)
		damaged[at] ^= 4
		if _, err := decodeIndex(damaged, info.Size(), info.ModTime().UnixNano()); err == nil {
			t.Errorf("byte %d flipped, and no error", at)
		}
	}
	if err := os.Truncate(beside, 1000); err != nil {
		t.Fatal(err)
	}
	if n := count(); n != 12000 {
		t.Errorf("%d pictures from a damaged list", n)
	}
	if again, err := os.ReadFile(beside); err != nil || !bytes.Equal(again, kept) {
		t.Errorf("the list was not kept again: %d bytes, %v", len(again), err)
	}
	// Where no file can be made beside the archive, the cache folder keeps it.
	if err := os.Remove(beside); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(beside, 0o777); err != nil { // in its place, since root may write everywhere
		t.Fatal(err)
	}
	count()
	if files, _ := filepath.Glob(filepath.Join(cache, "*"+indexSuffix)); len(files) != 1 {
		t.Errorf("the cache folder holds %v", files)
	}
	// Another archive under its name is listed anew.
	manyEntries(t, 20, 601, file)
	if n := count(); n != 12020 {
		t.Errorf("%d pictures of another archive", n)
	}
}

// FuzzIndex: whatever is read lies within the archive, and is the same when written again.
func FuzzIndex(f *testing.F) {
	encoded := func(entries []tarEntry) []byte {
		var b bytes.Buffer
		if err := encodeIndex(&b, entries, 1<<20, 5); err != nil {
			f.Fatal(err)
		}
		return b.Bytes()
	}
	whole := encoded([]tarEntry{{"a/", 0, 0}, {"a/1", 512, 100}, {"a/2", 2048, 7}})
	f.Add(whole[:len(whole)-32])
	f.Add(whole[:indexHead])
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= indexHead { // most damage would stop at the checksum and the archive's size
			data = append(whole[:24:24], data[24:]...)
			sum := sha256.Sum256(data)
			data = append(slices.Clip(data), sum[:]...)
		}
		entries, err := decodeIndex(data, 1<<20, 5)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.offset < 0 || e.size < 0 || e.offset+e.size > 1<<20 {
				t.Fatalf("an entry outside the archive: %+v", e)
			}
		}
		again, err := decodeIndex(encoded(entries), 1<<20, 5)
		if err != nil || !slices.Equal(again, entries) {
			t.Fatalf("%v, written and read again %v, %v", entries, again, err)
		}
	})
}

// FuzzArchive: whatever archive is opened, its pictures are read or refused.
func FuzzArchive(f *testing.F) {
	files := map[string][]byte{"train/a/1.jpg": []byte("1"), "train/b/2.jpg": []byte("22"), "val/a/3": nil, "val/b/4.jpg": bytes.Repeat([]byte("4"), 99)}
	f.Add(tarred(f, files))
	f.Add(tarred(f, map[string][]byte{"a.tar/1.jpg": []byte("1"), "b.tar/2.jpg": []byte("2")}))
	f.Add(zipped(tarred(f, files)))
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, data := range files {
		out, err := w.Create(name)
		if err != nil {
			f.Fatal(err)
		}
		out.Write(data)
	}
	w.Close()
	f.Add(b.Bytes())
	dir := f.TempDir()
	f.Setenv("XDG_CACHE_HOME", dir)
	f.Fuzz(func(t *testing.T, data []byte) {
		if archiveKind(data) == "gzip" {
			return // it would fill the disk
		}
		file := filepath.Join(dir, fmt.Sprintf("%d", os.Getpid()))
		if err := os.WriteFile(file, data, 0o666); err != nil {
			t.Fatal(err)
		}
		s, err := Open(file, Options{ValShare: 0.5})
		if err != nil {
			if !strings.Contains(err.Error(), file) {
				t.Errorf("error %v does not name the archive", err)
			}
			return
		}
		defer s.Close()
		for _, files := range s.trees {
			for i := range min(files.Len(), 100) {
				if data, err := readFile(files, i, largestFile); err == nil && len(data) > largestFile {
					t.Errorf("%d bytes", len(data))
				}
			}
		}
	})
}

// TestLabels: names of classes may have spaces and commas.
func TestLabels(t *testing.T) {
	pictures, classes := []string{"a.jpg", "b.jpg"}, []string{"bulldog, French", "golden retriever"}
	for _, text := range []string{"golden retriever\nbulldog, French\n", "b.jpg,bulldog, French\na.jpg golden retriever", "name;class\na;1\nb;0\n"} {
		if labels, err := parseLabels([]byte(text), pictures, classes); err != nil || !slices.Equal(labels, []int32{1, 0}) {
			t.Errorf("%q: %v, %v", text, labels, err)
		}
	}
}

// FuzzLabels: every picture gets a class that exists, or there is an error.
func FuzzLabels(f *testing.F) {
	f.Add([]byte("n1\nn0\n"))
	f.Add([]byte("Id,Label\na,1\nb.jpg n0\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		labels, err := parseLabels(text, []string{"a.jpg", "b.jpg"}, []string{"n0", "n1"})
		if err == nil && (len(labels) != 2 || min(labels[0], labels[1]) < 0 || max(labels[0], labels[1]) > 1) {
			t.Errorf("labels %v", labels)
		}
	})
}

// cifarFiles is a CIFAR set of a few pictures: each has its number as red, its class as green, and 7 as blue.
func cifarFiles(coarse bool) map[string][]byte {
	number := 0
	batch := func(pictures int) (data []byte) {
		for range pictures {
			class := byte(number * 3 % 10)
			if coarse {
				data = append(data, 19)
			}
			data = append(data, class)
			for _, v := range []byte{byte(number), class, 7} {
				data = append(data, bytes.Repeat([]byte{v}, cifarPlane)...)
			}
			number++
		}
		return data
	}
	if coarse {
		names := ""
		for i := range 100 {
			names += fmt.Sprintf("class_%d\n", i)
		}
		return map[string][]byte{"fine_label_names.txt": []byte(names), "train.bin": batch(7), "test.bin": batch(2), "coarse_label_names.txt": []byte("x\n")}
	}
	files := map[string][]byte{"batches.meta.txt": []byte("airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n"), "readme.html": nil}
	for i := range 5 {
		files[fmt.Sprintf("data_batch_%d.bin", i+1)] = batch(i + 1)
	}
	files["test_batch.bin"] = batch(2)
	return files
}

// TestCIFAR reads both sets from folders and archives, and refuses damaged ones.
func TestCIFAR(t *testing.T) {
	ownCache(t)
	for _, coarse := range []bool{false, true} {
		files := cifarFiles(coarse)
		below := map[string][]byte{}
		for name, data := range files {
			below["cifar-bin/"+name] = data
		}
		packed := filepath.Join(write(t, map[string][]byte{"cifar.tar.gz": zipped(tarred(t, below))}), "cifar.tar.gz")
		for _, spec := range []string{write(t, files), archive(t, "", files), packed} {
			s, err := Open(spec, Options{})
			if err != nil {
				t.Fatal(err)
			}
			train, classes := 15, 10
			if coarse {
				train, classes = 7, 100
			}
			if s.Train.Len() != train || s.Val.Len() != 2 || len(s.Classes) != classes || s.Channels != 3 {
				t.Errorf("%d + %d pictures, %d classes", s.Train.Len(), s.Val.Len(), len(s.Classes))
			}
			number := 0
			for _, split := range []Split{s.Train, s.Val} {
				for i := range split.Len() {
					p, err := split.Picture(i)
					if err != nil || p.Width != 32 || p.Height != 32 || len(p.Pix) != 3072 || !slices.Equal(p.Pix[:3], []byte{byte(number), byte(number * 3 % 10), 7}) || split.Label(i) != number*3%10 {
						t.Fatalf("%s: %v, label %d, %v", split.Name(i), p.Pix[:3], split.Label(i), err)
					}
					number++
				}
			}
			s.Close()
		}
	}
	for want, change := range map[string]func(map[string][]byte){
		"no data_batch_3.bin":                                func(f map[string][]byte) { delete(f, "data_batch_3.bin") },
		"data_batch_2.bin: 3000 bytes, want records of 3073": func(f map[string][]byte) { f["data_batch_2.bin"] = f["data_batch_2.bin"][:3000] },
		"test_batch.bin: label 10 of picture 1":              func(f map[string][]byte) { f["test_batch.bin"][3073] = 10 },
		"batches.meta.txt: 1 names":                          func(f map[string][]byte) { f["batches.meta.txt"] = []byte("one") },
	} {
		files := cifarFiles(false)
		change(files)
		if _, err := Open(write(t, files), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// FuzzCIFAR reads any names and any file of pictures as CIFAR-100: an error that names the file, or pictures with labels
// that have names.
func FuzzCIFAR(f *testing.F) {
	files := cifarFiles(true)
	f.Add(files["fine_label_names.txt"], files["train.bin"])
	f.Add([]byte("one two"), files["train.bin"][:3000])
	f.Add(files["fine_label_names.txt"], bytes.Repeat([]byte{200}, 3074))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, names, pictures []byte) {
		below := filepath.Join(dir, fmt.Sprint(os.Getpid()))
		if err := os.MkdirAll(below, 0o777); err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"fine_label_names.txt": names, "train.bin": pictures, "test.bin": files["test.bin"]} {
			if err := os.WriteFile(filepath.Join(below, name), data, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		s, err := Open(below, Options{})
		if err != nil {
			if !strings.Contains(err.Error(), below) {
				t.Errorf("error %v does not name the folder", err)
			}
			return
		}
		defer s.Close()
		for i := range s.Train.Len() {
			if p, err := s.Train.Picture(i); err != nil || len(p.Pix) != 3072 || s.Train.Label(i) >= len(s.Classes) {
				t.Errorf("picture %d of class %d: %v", i, s.Train.Label(i), err)
			}
		}
	})
}

// BenchmarkIndex lists an archive of the size of ILSVRC-2012's: 1,000 class tars, 1.28 million pictures, though tiny ones.
// The archive has 1.6 GB and lies in the folder for temporary files.
func BenchmarkIndex(b *testing.B) {
	const classes, pictures = 1000, 1280
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	file := filepath.Join(b.TempDir(), "train.tar")
	manyEntries(b, classes, pictures, file)
	for _, kept := range []bool{false, true} {
		b.Run(fmt.Sprintf("kept=%v", kept), func(b *testing.B) {
			for b.Loop() {
				if !kept {
					os.Remove(file + indexSuffix)
				}
				s, err := Open(file, Options{ValShare: 0.01})
				if err != nil {
					b.Fatal(err)
				}
				if n := s.Train.Len() + s.Val.Len(); n != classes*pictures {
					b.Fatalf("%d pictures", n)
				}
				b.StopTimer()
				r := rand.New(rand.NewPCG(1, 1))
				for range 1000 {
					i := r.IntN(s.Train.Len())
					split := s.Train.(*classSplit)
					data, err := readFile(split.files, int(split.entries[i]), largestFile)
					if want := fmt.Sprintf(" of class %d", split.Label(i)); err != nil || !strings.HasSuffix(string(data), want) {
						b.Fatalf("%s holds %q, %v", split.Name(i), data, err)
					}
				}
				var live runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&live)
				b.ReportMetric(float64(live.HeapAlloc)/1e6, "MB-kept")
				runtime.KeepAlive(s)
				s.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(classes*pictures*b.N)/b.Elapsed().Seconds(), "entries/s")
			if status, err := os.ReadFile("/proc/self/status"); err == nil {
				if _, peak, ok := strings.Cut(string(status), "VmHWM:"); ok {
					kB, _ := strconv.Atoi(strings.Fields(peak)[0])
					b.ReportMetric(float64(kB)/1e3, "MB-peak")
				}
			}
		})
	}
}
