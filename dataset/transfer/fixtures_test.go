package transfer

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"maps"
	"strings"
	"testing"

	"vgg/boxes"
)

// photo is a JPEG of 8×6 pixels, grey if asked for.
func photo(t testing.TB, shade int, grey bool) []byte {
	t.Helper()
	var img image.Image
	frame := image.Rect(0, 0, 8, 6)
	if grey {
		g := image.NewGray(frame)
		for i := range g.Pix {
			g.Pix[i] = uint8(shade)
		}
		img = g
	} else {
		c := image.NewRGBA(frame)
		for i := range 48 {
			c.Set(i%8, i/8, color.RGBA{uint8(shade), 100, 200, 255})
		}
		img = c
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// files joins files, each below a folder.
func joined(below string, all ...map[string][]byte) map[string][]byte {
	files := map[string][]byte{}
	for _, some := range all {
		for name, data := range some {
			files[below+name] = data
		}
	}
	return files
}

// changed is some files with others in their place; "" removes one.
func changed(files map[string][]byte, changes ...string) map[string][]byte {
	files = maps.Clone(files)
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(files, changes[i])
		} else {
			files[changes[i]] = []byte(changes[i+1])
		}
	}
	return files
}

// vocList makes the lists of a set of pictures: "cat dog" are their labels, a line a picture.
func vocList(t testing.TB, set string, classes string, labelled map[string]string, order ...string) map[string][]byte {
	files := map[string][]byte{}
	for _, id := range order {
		files["ImageSets/Main/"+set+".txt"] = append(files["ImageSets/Main/"+set+".txt"], id+"\n"...)
		files["JPEGImages/"+id+".jpg"] = photo(t, 10*len(files), false)
		for c, label := range strings.Fields(labelled[id]) {
			name := "ImageSets/Main/" + strings.Fields(classes)[c] + "_" + set + ".txt"
			files[name] = append(files[name], fmt.Sprintf("%s %2s\n", id, label)...)
		}
	}
	return files
}

// voc2007 is a set of cats and trains, whose lists train_train.txt and train_val.txt are those of the class train.
func voc2007(t testing.TB) (trainval, test map[string][]byte) {
	const classes = "cat train"
	trainval = joined("", vocList(t, "train", classes, map[string]string{"000005": "1 -1", "000007": "-1 1", "000009": "1 1", "000011": "0 -1"}, "000005", "000007", "000009", "000011"),
		vocList(t, "val", classes, map[string]string{"000012": "1 -1", "000016": "-1 1"}, "000012", "000016"),
		map[string][]byte{"ImageSets/Main/trainval.txt": []byte("000005\n"), "ImageSets/Layout/train.txt": []byte("000005 1\n"), "ImageSets/Main/cat_trainval.txt": []byte("000005 1\n")})
	test = vocList(t, "test", classes, map[string]string{"000001": "-1 1", "000002": "0 0", "000003": "1 0"}, "000001", "000002", "000003")
	return trainval, test
}

// annotation is the XML file of a picture of 8×6 pixels.
func annotation(objects ...string) string {
	return "<annotation><size><width>8</width><height>6</height><depth>3</depth></size>" + strings.Join(objects, "") + "</annotation>"
}

func object(name string, xmin, ymin, xmax, ymax int) string {
	return fmt.Sprintf("<object><name>%s</name><bndbox><xmin>%d</xmin><ymin>%d</ymin><xmax>%d</xmax><ymax>%d</ymax></bndbox></object>", name, xmin, ymin, xmax, ymax)
}

// voc2012 has actions; the labels of its test pictures are on a server.
func voc2012(t testing.TB) map[string][]byte {
	const classes = "cat dog"
	files := joined("", vocList(t, "train", classes, map[string]string{"2008_1": "1 -1", "2008_2": "-1 1"}, "2008_1", "2008_2"),
		vocList(t, "val", classes, map[string]string{"2008_3": "1 -1", "2008_4": "-1 1"}, "2008_3", "2008_4"),
		vocList(t, "test", classes, nil, "2012_1", "2012_2"))
	for id, xml := range map[string]string{
		"2008_1": annotation(object("horse", 1, 1, 8, 6), object("person", 3, 2, 6, 5), object("person", 1, 1, 4, 6)),
		"2008_3": annotation(object("person", 1, 1, 4, 3), object("person", 6, 6, 5, 4)),
		"2012_1": annotation(object("person", 2, 1, 8, 6), object("dog", 1, 1, 2, 2), object("person", 1, 1, 2, 6)),
	} {
		files["Annotations/"+id+".xml"] = []byte(xml)
	}
	for name, text := range map[string]string{
		"train": "2008_1\n", "val": "2008_3  1\n2008_3  2\n", "test": "2012_1 1\n2012_1 3\n",
		"running_train": "2008_1 2 1\n2008_1 3 -1\n", "reading_train": "2008_1 2 -1\n2008_1 3  1\n",
		"running_val": "2008_3 1 1\n2008_3 2 -1\n", "reading_val": "2008_3 2 1\n2008_3 1 -1\n",
	} {
		files["ImageSets/Action/"+name+".txt"] = []byte(text)
	}
	return files
}

// caltech is class folders of so many pictures.
func caltech(t testing.TB, counts map[string]int) map[string][]byte {
	files := map[string][]byte{}
	for class, n := range counts {
		for i := range n {
			files[fmt.Sprintf("%s/image_%04d.jpg", class, i+1)] = photo(t, len(files)%250, i%3 == 0)
		}
	}
	return files
}

// same tells boxes that differ by rounding only.
func same(a, b boxes.Box) bool { return boxes.IoU(a, b) > 1-1e-9 }
