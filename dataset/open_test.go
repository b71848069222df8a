package dataset

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"vgg/internal/archive"
	"vgg/internal/archive/archivetest"
)

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
	cache := archivetest.OwnCache(t)
	dir := archivetest.Folder(t, map[string][]byte{
		"plain": archivetest.Tar(t, classFolder(t)),
		"gz":    archivetest.Gzip(archivetest.Tar(t, classFolder(t))),
	})
	want := ""
	for _, spec := range []string{archivetest.Folder(t, classFolder(t)), zipFile(t, "./", classFolder(t)), filepath.Join(dir, "plain"), filepath.Join(dir, "gz"), filepath.Join(dir, "gz")} {
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

// TestLongEntry: an entry that unpacks to more than a picture may have is refused, and costs little more memory than
// that.
func TestLongEntry(t *testing.T) {
	file := zipFile(t, "", map[string][]byte{"train/a/1.png": make([]byte, largestPicture+1), "val/a/1.png": nil})
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
	packed := zipFile(t, "", files)
	data, err := os.ReadFile(packed)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte("train/blue/2.bmp")) + len("train/blue/2.bmp") + 20
	data[at] ^= 0x55
	tarFile := archivetest.File(t, "a.tar", archivetest.Tar(t, files))
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

// FuzzArchive: whatever archive is opened, its pictures are read or refused.
func FuzzArchive(f *testing.F) {
	files := map[string][]byte{"train/a/1.jpg": []byte("1"), "train/b/2.jpg": []byte("22"), "val/a/3": nil, "val/b/4.jpg": bytes.Repeat([]byte("4"), 99)}
	f.Add(archivetest.Tar(f, files))
	f.Add(archivetest.Tar(f, map[string][]byte{"a.tar/1.jpg": []byte("1"), "b.tar/2.jpg": []byte("2")}))
	f.Add(archivetest.Gzip(archivetest.Tar(f, files)))
	f.Add(archivetest.Zip(f, "", files))
	dir := f.TempDir()
	f.Setenv("XDG_CACHE_HOME", dir)
	f.Fuzz(func(t *testing.T, data []byte) {
		if archive.Kind(data) == "gzip" {
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
				if data, err := archive.ReadFile(files, i, largestFile); err == nil && len(data) > largestFile {
					t.Errorf("%d bytes", len(data))
				}
			}
		}
	})
}

// BenchmarkIndex lists an archive of the size of ILSVRC-2012's: 1,000 class tars, 1.28 million pictures, though tiny
// ones. The archive has 1.6 GB and is in the folder for temporary files.
func BenchmarkIndex(b *testing.B) {
	const classes, pictures = 1000, 1280
	b.Setenv("XDG_CACHE_HOME", b.TempDir())
	file := filepath.Join(b.TempDir(), "train.tar")
	archivetest.ManyFiles(b, classes, pictures, file)
	for _, kept := range []bool{false, true} {
		b.Run(fmt.Sprintf("kept=%v", kept), func(b *testing.B) {
			for b.Loop() {
				if !kept {
					os.Remove(file + ".vgg-index")
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
					data, err := archive.ReadFile(split.files, int(split.entries[i]), largestFile)
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
