package dataset

import (
	"fmt"
	"image/color"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

// layout is a small set of one layout, and what Open makes of it.
type layout struct {
	files   map[string][]byte
	share   float64
	want    string // the classes, with their training and validation pictures
	notes   string // part of what is said; "" if nothing is
	refused string // part of the error
	packed  string // the kind of the archive that the files are in; "" for a folder
}

// photos makes a set of pictures, one a name, and other files.
func photos(t *testing.T, pictures string, others ...string) map[string][]byte {
	files := map[string][]byte{}
	for i, name := range strings.Fields(pictures) {
		files[name] = encoded(t, "png", color.RGBA{uint8(i), 0, 0, 255})
	}
	for i := 0; i < len(others); i += 2 {
		files[others[i]] = []byte(others[i+1])
	}
	return files
}

// mnist makes IDX files of a picture a label; each name has "%s" for images-idx3 or labels-idx1.
func mnist(named map[string]string) map[string][]byte {
	files := map[string][]byte{}
	for name, labels := range named {
		for _, f := range []struct {
			part string
			data []byte
		}{{"images-idx3", idx([]int{len(labels), 2, 2}, make([]byte, 4*len(labels)))}, {"labels-idx1", idx([]int{len(labels)}, []byte(labels))}} {
			file := fmt.Sprintf(name, f.part)
			if strings.HasSuffix(name, ".gz") {
				f.data = archivetest.Gzip(f.data)
			}
			files[file] = f.data
		}
	}
	return files
}

func lacking(files map[string][]byte, names ...string) map[string][]byte {
	for _, name := range names {
		delete(files, name)
	}
	return files
}

// threePictures are of two classes, for training.
const threePictures = "train/a/1.png train/a/2.png train/b/1.png "

// folderLayouts are the rows of the table in docs/data.md for class folders.
func folderLayouts(t *testing.T) map[string][]layout {
	return map[string][]layout{
		"`train/CLASS/*`, `val/CLASS/*`": {
			{files: photos(t, threePictures+"val/a/3.png val/b/2.png"), want: "a 2+1, b 1+1"},
			{files: photos(t, threePictures+"val/a/3.png val/b/2.png"), want: "a 2+1, b 1+1", packed: "zip"},
			{files: photos(t, threePictures+"val/a/3.png val/b/2.png"), want: "a 2+1, b 1+1", packed: "tar"},
			{files: photos(t, threePictures+"val/a/3.png", "val/b/.gitkeep", ""), want: "a 2+1, b 1+0", notes: "no validation pictures of 1 of the 2 classes: b"},
			{files: photos(t, "train/x/a/1.png train/x/b/1.png train/y/a/1.png train/y/b/1.png val/x/2.png val/y/2.png"), want: "x 2+1, y 2+1", notes: "each class (x, y) has pictures in the folders a, b, which are not taken for classes"},
			{files: photos(t, "train/x/a/1.png train/x/b/1.png train/y/a/1.png train/y/c/1.png val/x/2.png val/y/2.png"), want: "x 2+1, y 2+1"},
			{files: photos(t, threePictures+"val/a/3.png val/c/1.png"), refused: "only in train: b; only in val: c"},
			{files: photos(t, "train/caf\u00e9/1.png train/tea/1.png val/cafe\u0301/1.png val/tea/2.png"), want: "caf\u00e9 1+1, tea 1+1"},
			{files: photos(t, threePictures+"val/A/3.png val/B/1.png"), refused: "only in val: A, B"},
		},
		"the same called `training`, `valid`, `validation`, in any capitals, or one folder deeper": {
			{files: photos(t, "Train/a/1.png Train/b/1.png Valid/a/2.png"), want: "a 1+1, b 1+0", notes: "training pictures are those of folder Train, validation pictures are those of folder Valid"},
			{files: photos(t, "s/training/a/1.png s/training/b/1.png s/validation/a/2.png s/validation/b/2.png"), want: "a 1+1, b 1+1", notes: "the set is in folder s; training pictures are those of folder s/training, validation pictures are those of folder s/validation", packed: "zip"},
			{files: photos(t, "training_set/training_set/a/1.png training_set/training_set/b/1.png test_set/test_set/a/2.png test_set/test_set/b/2.png"), want: "a 1+1, b 1+1", notes: "folder test_set"},
			{files: photos(t, threePictures+"val/a/3.png valid/a/4.png"), refused: "folder val, folder valid: keep one"},
			{files: photos(t, threePictures+"Train/a/3.png"), refused: "folder Train, folder train: keep one"},
			{files: photos(t, "x/"+strings.ReplaceAll(strings.TrimSpace(threePictures), " ", " x/")+" y/train/a/1.png"), refused: "several data sets: folder x, folder y"},
			{files: photos(t, "seg_train/seg_train/a/1.png seg_train/seg_train/b/1.png seg_test/seg_test/a/1.png seg_test/seg_test/b/1.png"), refused: "seg_test, seg_train"},
		},
		"`train/CLASS/*`, `test/CLASS/*`": {
			{files: photos(t, threePictures+"test/a/3.png test/b/2.png"), want: "a 2+1, b 1+1", notes: "validation pictures are those of folder test"},
		},
		"`train`, `val` and `test`": {
			{files: photos(t, threePictures+"val/a/3.png val/b/2.png test/a/4.png"), want: "a 2+1, b 1+1", notes: "not used: folder test"},
			{files: photos(t, threePictures+"val/a/3.png val/b/2.png dev/a/4.png"), want: "a 2+1, b 1+1", notes: "not used: folder dev"},
		},
		"`train/CLASS/*`, and pictures without labels in `test`": {
			{files: photos(t, threePictures+"train/b/2.png test/1.png test/2.png"), share: 0.5, want: "a 1+1, b 1+1", notes: "not used: folder test; no pictures for validation alone: 2 of the 4"},
			{files: photos(t, threePictures+"train/b/2.png test/unknown/1.png"), share: 0.5, want: "a 1+1, b 1+1", notes: "not used: folder test"},
		},
		"`train/CLASS/*` or `CLASS/*`, alone": {
			{files: photos(t, threePictures+"train/b/2.png"), share: 0.5, want: "a 1+1, b 1+1", notes: "2 of the 4 pictures are kept for it"},
			{files: photos(t, "a/1.png a/2.png b/1.png b/2.png"), share: 0.5, want: "a 1+1, b 1+1", notes: "2 of the 4 pictures are kept for it", packed: "zip"},
			{files: photos(t, "top/a/1.png top/a/2.png top/b/1.png top/b/2.png"), share: 0.5, want: "a 1+1, b 1+1", notes: "the set is in folder top; no pictures for validation alone: 2 of the 4 pictures are kept for it"},
			{files: photos(t, "bus/1.png bus/2.png train/1.png train/2.png"), share: 0.5, want: "bus 1+1, train 1+1", notes: "the folder train is taken for a class"},
			{files: photos(t, "Cat/1.png Cat/2.png cat/1.png cat/2.png"), share: 0.5, want: "Cat 1+1, cat 1+1", notes: "classes differ in capitals and spaces only: Cat and cat"},
			{files: photos(t, "images/1.png images/2.png masks/1.png masks/2.png"), share: 0.5, want: "images 1+1, masks 1+1", notes: "the folders images, masks are taken for classes"},
			{files: photos(t, "a/1.png a/2.png b/1.png b/2.png", "b/more.zip", "PK\x03\x04"), share: 0.5, want: "a 1+1, b 1+1", notes: "archives in the class folders are not used: b/more.zip"},
			{files: photos(t, "deep/er/a/1.png deep/er/a/2.png deep/er/b/1.png deep/er/b/2.png"), share: 0.5, want: "a 1+1, b 1+1", notes: "the set is in folder deep/er", packed: "tar"},
			{files: photos(t, "train/1.png val/1.png"), share: 0.5, refused: "no class folders in train: want train/CLASS/*, or a text file"},
			{files: photos(t, "a/train/1.png a/val/1.png b/train/1.png b/val/1.png"), share: 0.5, refused: "several data sets"},
		},
		"the same with a share of 1 (`evaluate --val-share 1`)": {
			{files: photos(t, threePictures), share: 1, want: "a 0+2, b 0+1", notes: "all 3 pictures are for validation"},
			{files: photos(t, "a/1.png b/1.png b/2.png"), share: 1, want: "a 0+1, b 0+2", notes: "all 3 pictures are for validation"},
			{files: photos(t, threePictures+"val/a/3.png val/b/2.png"), share: 1, want: "a 2+1, b 1+1", notes: "the share of 1"},
		},
		"`val/CLASS/*` or `test/CLASS/*`, alone": {
			{files: photos(t, "val/a/1.png val/b/1.png"), want: "a 0+1, b 0+1", notes: "no training pictures"},
			{files: photos(t, "Test/a/1.png Test/b/1.png"), want: "a 0+1, b 0+1", notes: "folder Test"},
		},
		"one class": {
			{files: photos(t, "a/1.png a/2.png"), share: 0.5, want: "a 1+1", notes: "1 of the 2"},
			{files: photos(t, "train/a/1.png val/a/1.png"), want: "a 1+1"},
		},
	}
}

// labelledLayouts are its rows for labels that are not those of folders.
func labelledLayouts(t *testing.T) map[string][]layout {
	return map[string][]layout{
		"classes whose names are all numbers": {
			{files: photos(t, "train/10/1.png train/9/1.png val/9/2.png val/10/2.png"), want: "9 1+1, 10 1+1", notes: "order of their numbers: 9, 10"},
			{files: photos(t, threePictures+"val/a.png val/b.png", "labels.txt", "1\n0\n"), want: "a 2+1, b 1+1", notes: "labels.txt"},
			{files: photos(t, "train/1/1.png train/2/1.png val/a.png", "labels.txt", "1\n"), want: "1 1+1, 2 1+0", notes: "labels.txt"},
			{files: photos(t, "train/1/1.png train/2/1.png val/a.png val/b.png", "labels.txt", "0\n1\n"), refused: "although other labels are names"},
		},
		"`train/CLASS/*`, pictures in `val`, a text file of labels in it or beside it": {
			{files: photos(t, threePictures+"val/x.png val/y.png", "labels.csv", "\ufefffile,label\r\nx.png,b\r\n\"y.png\",\"a\"\r\n\r\n"), want: "a 2+1, b 1+1", notes: "labels.csv"},
			{files: photos(t, threePictures+"val/x.png val/y.png", "val/labels.txt", "b\na"), want: "a 2+1, b 1+1", notes: "val/labels.txt"},
			{files: photos(t, threePictures+"val/x.png val/y.png", "l.txt", "x.png a\ny.png b", "m.txt", "x.png b\ny.png b"), refused: "l.txt and m.txt label the validation pictures differently"},
			{files: photos(t, threePictures+"val/x.png val/y.png", "classes.txt", "a\nb\n", "l.txt", "x b\ny b"), want: "a 2+0, b 1+2", notes: "l.txt"},
			{files: photos(t, threePictures+"val/x.png val/y.png", "l.csv", "name,id,class\nx.png,0,b\ny.png,1,b\n"), refused: "no class \"0,b\""},
			{files: photos(t, threePictures+"val/x.png val/y.png"), refused: "no text file that labels them"},
		},
		"pictures in no class folders, at the top, in `images` or in `train`, and a text file of their names and classes": {
			{files: photos(t, "images/1.png images/2.png images/3.png images/4.png", "labels.csv", "id,breed\n1,pug\n2,pug\n3,old dog\n4,old dog\n"), share: 0.5, want: "old dog 1+1, pug 1+1", notes: "the classes of the pictures are those of labels.csv"},
			{files: photos(t, "1.png 2.png 3.png 4.png 5.png", "labels.txt", "1.png 10\n2.png 9\n3.png 9\n4.png 10\n"), share: 0.5, want: "9 1+1, 10 1+1", notes: "1 of the 5 pictures have no class there and are not used: 5.png", packed: "zip"},
			{files: photos(t, "d/train/1.png d/train/2.png d/train/3.png d/test/9.png", "d/train.csv", "image;label\n1.png;a\n2.png;b\n3.png;a\n", "d/sample_submission.csv", "image;label\n9.png;a\n"), share: 1, want: "a 0+2, b 0+1", notes: "not used: folder d/test"},
			{files: photos(t, "train/1.png train/2.png val/3.png", "train/t.tsv", "1.png\ta\n2.png\tb\n", "val/v.tsv", "3.png\tb\n"), want: "a 1+0, b 1+1", notes: "the classes of the pictures are those of train/t.tsv; the labels for validation are those of val/v.tsv"},
			{files: photos(t, "val/1.png val/2.png", "val.txt", "1 a\n2 b\n"), want: "a 0+1, b 0+1", notes: "no training pictures"},
			{files: photos(t, "images/1.png images/2.png", "images.csv", ",file,width,class\n0,1.png,9,a\n1,2.png,9,a\n"), share: 0.5, want: "a 1+1", notes: "images.csv"},
			{files: photos(t, "images/1.png images/2.png", "labels.csv", "1.png,a\n3.png,b\n"), share: 0.5, refused: "labels.csv gives pictures their classes: correct or remove it: line 2: no picture \"3.png\""},
			{files: photos(t, "images/1.png images/2.png", "l.csv", "1.png,a\n2.png,b\n", "m.csv", "1.png,b\n2.png,b\n"), share: 0.5, refused: "several files give pictures their classes: l.csv, m.csv"},
			{files: photos(t, "images/1.png images/2.png", "l.csv", "id,cat,dog\n1.png,1,0\n2.png,0,1\n"), share: 0.5, refused: "3 columns: want two"},
			{files: photos(t, "images/1.png images/2.png", "list.txt", "1.png\n2.png\n", "readme.txt", "two pictures\nof a cat\n"), share: 0.5, want: "images 1+1", notes: "the folder images is taken for a class"},
			{files: photos(t, "images/1.png images/2.png", "l.csv", "1.png,caf\xe9\n2.png,b\n"), share: 0.5, refused: "l.csv gives pictures their classes: correct or remove it: not in UTF-8"},
		},
		"tiny-imagenet-200": {{files: photos(t, "t/train/n1/images/n1_0.JPEG t/train/n2/images/n2_0.JPEG t/val/images/val_0.JPEG t/val/images/val_1.JPEG t/test/images/test_0.JPEG",
			"t/train/n1/n1_boxes.txt", "n1_0.JPEG\t0\t0\t9\t9\n", "t/val/val_annotations.txt", "val_1.JPEG\tn1\t0\t0\t9\t9\nval_0.JPEG\tn2\t0\t0\t9\t9\n", "t/wnids.txt", "n2\nn1\n", "t/words.txt", "n1\tcat\nn2\tdog\n"),
			want: "n1 1+1, n2 1+1", notes: "val_annotations.txt", packed: "zip"},
			{files: photos(t, "train/n00000001/images/1.JPEG train/n00000002/images/2.JPEG val/images/val_0.JPEG", "val/val_annotations.txt", "val_0.JPEG\tn00000002\t0\t0\t9\t9\n",
				"words.txt", "n00000001\tcat\nn00000002\tdog, hound\nn00000003\temu\n"), want: "n00000001 cat 1+0, n00000002 dog, hound 1+1", notes: "the classes are named by words.txt"}},
		"ILSVRC's zip of Kaggle": {{files: photos(t, "ILSVRC/Data/CLS-LOC/train/n1/1.JPEG ILSVRC/Data/CLS-LOC/train/n2/1.JPEG ILSVRC/Data/CLS-LOC/val/v_1.JPEG ILSVRC/Data/CLS-LOC/val/v_2.JPEG ILSVRC/Data/CLS-LOC/test/t_1.JPEG",
			"ILSVRC/Annotations/CLS-LOC/train/n1/1.xml", "x", "ILSVRC/Annotations/CLS-LOC/val/v_1.xml", "x", "ILSVRC/ImageSets/CLS-LOC/val.txt", "v_1 1\nv_2 2\n",
			"LOC_val_solution.csv", "ImageId,PredictionString\nv_2,n1 1 2 3 4 \nv_1,n2 1 2 3 4 n2 5 6 7 8 \n", "LOC_train_solution.csv", "ImageId,PredictionString\nn1_1,n1 1 2 3 4\n"),
			want: "n1 1+1, n2 1+1", notes: "LOC_val_solution.csv", packed: "zip"}},
	}
}

// fileLayouts are its rows for archives and for other formats.
func fileLayouts(t *testing.T) map[string][]layout {
	ilsvrcTars := func(more ...string) map[string][]byte {
		f := photos(t, "", more...)
		f["ILSVRC2012_img_train.tar"] = archivetest.Tar(t, photos(t, "n01.tar/1.JPEG n02.tar/1.JPEG n02.tar/2.JPEG"))
		f["ILSVRC2012_img_val.tar"] = archivetest.Tar(t, photos(t, "v_1.JPEG v_2.JPEG"))
		f["ILSVRC2012_img_test.tar"] = archivetest.Tar(t, photos(t, "t_1.JPEG"))
		f["ILSVRC2012_bbox_train_v2.tar.gz"] = archivetest.Gzip(archivetest.Tar(t, photos(t, "", "n01/1.xml", "x")))
		f["ILSVRC2012_bbox_val_v3.tgz"] = f["ILSVRC2012_bbox_train_v2.tar.gz"]
		return f
	}
	tars := ilsvrcTars("labels.txt", "n02\nn01\n")
	zips := map[string][]byte{"train.zip": archivetest.Zip(t, "train/", photos(t, "a/1.png a/2.png b/1.png")), "val.zip": archivetest.Zip(t, "", photos(t, "a/1.png b/1.png"))}
	beside := photos(t, threePictures+"val/a/3.png val/b/2.png")
	beside["train.zip"] = archivetest.Zip(t, "", photos(t, "x/1.png y/1.png"))
	twice := mnist(map[string]string{"train-%s-ubyte": "\x00\x01\x00", "train-%s-ubyte.gz": "\x00\x01\x01", "t10k-%s-ubyte": "\x01"})
	return map[string][]layout{
		"ILSVRC-2012's archives": {
			{files: tars, want: "n01 1+1, n02 2+1", notes: "not used: archive ILSVRC2012_img_test.tar, not used: archive ILSVRC2012_bbox_train_v2.tar.gz"},
			{files: lacking(ilsvrcTars(), "ILSVRC2012_img_val.tar"), share: 0.5, refused: "class n01 has one picture"},
		},
		"two archives, with train and val in their names": {
			{files: zips, want: "a 2+1, b 1+1"},
		},
		"folders, and such archives beside them": {
			{files: beside, want: "a 2+1, b 1+1", notes: "not used: archive train.zip"},
			{files: map[string][]byte{"train.zip": zips["train.zip"], "x/1.png": nil, "y/1.png": nil}, refused: "beside class folders: archive train.zip"},
		},
		"MNIST": {
			{files: mnist(map[string]string{"train-%s-ubyte": "\x00\x01\x00", "t10k-%s-ubyte": "\x01"}), want: "0 2+0, 1 1+1"},
			{files: mnist(map[string]string{"train-%s-ubyte.gz": "\x00\x01\x00", "t10k-%s-ubyte.gz": "\x01"}), want: "0 2+0, 1 1+1"},
			{files: mnist(map[string]string{"d/train-%s.ubyte": "\x00\x01\x00", "d/t10k-%s.ubyte": "\x01"}), want: "0 2+0, 1 1+1", notes: "the set is in folder d", packed: "zip"},
			{files: twice, want: "0 2+0, 1 1+1", notes: "taken plain"},
			{files: mnist(map[string]string{"t10k-%s-ubyte": "\x00\x01"}), want: "0 0+1, 1 0+1", notes: "no training pictures"},
			{files: mnist(map[string]string{"train-%s-ubyte": "\x00\x01"}), refused: "no t10k-images-idx3-ubyte"},
		},
		"EMNIST": {
			{files: mnist(map[string]string{"emnist-letters-train-%s-ubyte.gz": "\x01\x02\x01", "emnist-letters-test-%s-ubyte.gz": "\x02"}), want: "1 2+0, 2 1+1", notes: "counted from 1"},
			{files: mnist(map[string]string{"emnist-letters-train-%s-ubyte": "\x01\x02", "emnist-digits-train-%s-ubyte": "\x00\x01"}), refused: "several sets"},
			{files: mnist(map[string]string{"emnist-letters-train-%s-ubyte": "\x01\x02", "emnist-letters-test-%s-ubyte": "\x00"}), refused: "label 0 of picture 0"},
		},
		"CIFAR-10, CIFAR-100": {
			{files: cifarFiles(false), want: "airplane 2+0, automobile 1+0, bird 2+0, cat 2+0, deer 1+0, dog 1+1, frog 2+0, horse 1+0, ship 1+1, truck 2+0"},
			{files: lacking(cifarFiles(false), "batches.meta.txt"), want: "0 2+0, 1 1+0, 2 2+0, 3 2+0, 4 1+0, 5 1+1, 6 2+0, 7 1+0, 8 1+1, 9 2+0", notes: "classes are called 0 to 9"},
			{files: photos(t, "", "data_batch_1", "\x80\x03}", "batches.meta", "x"), refused: "binary version"},
			{files: photos(t, "", "c/test", "\x80\x03}", "c/meta", "x"), refused: "CIFAR for Python (c/test): give the binary version"},
		},
		"nothing of these": {
			{files: photos(t, "1.png 2.png"), refused: "2 pictures in it, but not in class folders"},
			{files: photos(t, "", "a/1.tif", "II*\x00", "b/1.tif", "II*\x00"), refused: "2 files of .tif"},
			{files: map[string][]byte{"flowers.zip": zips["val.zip"]}, refused: "give one of them"},
			{files: photos(t, "train/a/1.png train/b/1.png", "train/b/1.heic", "x", "val/a/x.tif", "x", "val/b/x.tif", "x"), refused: "no pictures for validation in folder val"},
		},
	}
}

// TestLayouts: each row of the table in docs/data.md is read as it says, and no row is without a test.
func TestLayouts(t *testing.T) {
	archivetest.OwnCache(t)
	document, err := os.ReadFile("../docs/data.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(document), "| layout |")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []string
	for _, line := range strings.Split(table, "\n")[2:] {
		rows = append(rows, strings.TrimSpace(strings.Split(line, "|")[1]))
	}
	tests := folderLayouts(t)
	maps.Copy(tests, labelledLayouts(t))
	maps.Copy(tests, fileLayouts(t))
	if slices.Sort(rows); !slices.Equal(rows, slices.Sorted(maps.Keys(tests))) {
		t.Errorf("rows of the table\n%s\nand of the test\n%s", strings.Join(rows, "\n"), strings.Join(slices.Sorted(maps.Keys(tests)), "\n"))
	}
	for name, all := range tests {
		for i, l := range all {
			t.Run(fmt.Sprintf("%s %d", name, i), func(t *testing.T) { l.test(t) })
		}
	}
}

func (l layout) test(t *testing.T) {
	spec, said := "", ""
	switch l.packed {
	case "zip":
		spec = zipFile(t, "", l.files)
	case "tar":
		spec = archivetest.File(t, "pictures.tar", archivetest.Tar(t, l.files))
	default:
		spec = archivetest.Folder(t, l.files)
	}
	s, err := Open(spec, Options{ValShare: l.share, SplitSeed: 1, Notice: func(message string) { said += message + "\n" }})
	if l.refused != "" {
		if err == nil || !strings.Contains(err.Error(), l.refused) || !strings.Contains(err.Error(), spec) {
			t.Errorf("error %v, want %q in it", err, l.refused)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	train, val := make([]int, len(s.Classes)), make([]int, len(s.Classes))
	for i := range s.Train.Len() {
		train[s.Train.Label(i)]++
	}
	for i := range s.Val.Len() {
		val[s.Val.Label(i)]++
	}
	var got []string
	for i, class := range s.Classes {
		got = append(got, fmt.Sprintf("%s %d+%d", class, train[i], val[i]))
	}
	if strings.Join(got, ", ") != l.want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), l.want)
	}
	if !strings.Contains(said, l.notes) || (l.notes == "") != (said == "") || strings.Count(said, "\n") > 1 {
		t.Errorf("said %q, want %q in it", said, l.notes)
	}
}
