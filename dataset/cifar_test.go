package dataset

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"vgg/internal/archive"
	"vgg/internal/archive/archivetest"
)

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
	archivetest.OwnCache(t)
	for _, coarse := range []bool{false, true} {
		files := cifarFiles(coarse)
		below := map[string][]byte{}
		for name, data := range files {
			below["cifar-bin/"+name] = data
		}
		packed := archivetest.File(t, "cifar.tar.gz", archivetest.Gzip(archivetest.Tar(t, below)))
		for _, spec := range []string{archivetest.Folder(t, files), zipFile(t, "", files), packed} {
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
		if _, err := Open(archivetest.Folder(t, files), Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// FuzzCIFAR reads any names and any file of pictures as CIFAR-100: an error that names the set, or pictures with labels
// that have names.
func FuzzCIFAR(f *testing.F) {
	files := cifarFiles(true)
	f.Add(files["fine_label_names.txt"], files["train.bin"])
	f.Add([]byte("one two"), files["train.bin"][:3000])
	f.Add(files["fine_label_names.txt"], bytes.Repeat([]byte{200}, 3074))
	f.Fuzz(func(t *testing.T, names, pictures []byte) {
		folder, err := archive.OpenFolder("cifar", fstest.MapFS{"fine_label_names.txt": {Data: names}, "train.bin": {Data: pictures}, "test.bin": {Data: files["test.bin"]}})
		if err != nil {
			t.Fatal(err)
		}
		s, err := new(opener).openTree(folder)
		if err != nil {
			if !strings.Contains(err.Error(), "cifar") {
				t.Errorf("error %v does not name the set", err)
			}
			return
		}
		for i := range s.Train.Len() {
			if p, err := s.Train.Picture(i); err != nil || len(p.Pix) != 3072 || s.Train.Label(i) >= len(s.Classes) {
				t.Errorf("picture %d of class %d: %v", i, s.Train.Label(i), err)
			}
		}
	})
}
