package dataset

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"slices"
	"strings"
	"testing"

	"vgg/boxes"
	"vgg/internal/archive/archivetest"
)

// annotated is the XML file of a picture of 100×50 pixels, with objects "CLASS XMIN YMIN XMAX YMAX".
func annotated(objects ...string) string {
	return annotatedSize(100, 50, objects...)
}

func annotatedSize(width, height int, objects ...string) string {
	text := fmt.Sprintf("<annotation><filename>%%s</filename><size><width>%d</width><height>%d</height></size>", width, height)
	for _, o := range objects {
		w := strings.Fields(o)
		text += fmt.Sprintf("<object><name>%s</name><bndbox><xmin>%s</xmin><ymin>%s</ymin><xmax>%s</xmax><ymax>%s</ymax></bndbox></object>", w[0], w[1], w[2], w[3], w[4])
	}
	return text + "</annotation>"
}

// boxLayout is a small set with boxes, and what Open makes of it.
type boxLayout struct {
	files   map[string][]byte
	share   float64
	want    string   // the objects of each picture, by its name
	notes   []string // parts of what is said
	refused string
}

// boxLayouts are the rows of the table of boxes in docs/data.md.
func boxLayouts(t *testing.T) map[string][]boxLayout {
	half := "1 1 50 50" // of a picture of 100×50 pixels
	tars := func(more ...string) map[string][]byte {
		f := photos(t, "", append([]string{"labels.txt", "n02\nn01\n"}, more...)...)
		f["ILSVRC2012_img_train.tar"] = archivetest.Tar(t, photos(t, "n01.tar/n01_1.JPEG n02.tar/n02_1.JPEG n02.tar/n02_2.JPEG"))
		f["ILSVRC2012_img_val.tar"] = archivetest.Tar(t, photos(t, "ILSVRC2012_val_00000001.JPEG ILSVRC2012_val_00000002.JPEG"))
		f["ILSVRC2012_bbox_train_v2.tar.gz"] = archivetest.Gzip(archivetest.Tar(t, photos(t, "", "n01/n01_1.xml", annotated("n01 "+half, "n01 51 1 100 50"), "n02/n02_2.xml", annotated("n02 "+half), "n02/n02_9.xml", annotated("n02 "+half))))
		f["ILSVRC2012_bbox_val_v3.tgz"] = archivetest.Gzip(archivetest.Tar(t, photos(t, "", "val/ILSVRC2012_val_00000001.xml", annotated("n02 "+half), "val/ILSVRC2012_val_00000002.xml", annotated("n01 "+half))))
		return f
	}
	ofTars := "n01_1: 0 [0 0 0.5 1], 0 [0.5 0 1 1]; n02_1: ; n02_2: 1 [0 0 0.5 1]; ILSVRC2012_val_00000001: 1 [0 0 0.5 1]; ILSVRC2012_val_00000002: %s"
	listed := tars("kit/data/ILSVRC2014_clsloc_validation_blacklist.txt", "2\n77\n")
	kaggle := func(more ...string) map[string][]byte {
		return photos(t, "ILSVRC/Data/CLS-LOC/train/n1/n1_1.JPEG ILSVRC/Data/CLS-LOC/train/n2/n2_1.JPEG ILSVRC/Data/CLS-LOC/val/v_1.JPEG ILSVRC/Data/CLS-LOC/val/v_2.JPEG",
			append(more, "LOC_val_solution.csv", "ImageId,PredictionString\nv_2,n1 1 1 6 10 \nv_1,n2 1 1 6 5 n2 7 1 12 10 \n", "LOC_train_solution.csv", "ImageId,PredictionString\nn1_1,n1 1 1 6 10\n")...)
	}
	return map[string][]boxLayout{
		"ILSVRC-2012's archives of boxes": {
			{files: tars(), want: fmt.Sprintf(ofTars, "0 [0 0 0.5 1]"), notes: []string{
				"boxes of 2 of 3 training pictures and 2 of 2 validation pictures, from ILSVRC2012_bbox_train_v2.tar.gz (2), ILSVRC2012_bbox_val_v3.tgz (2)",
				"files or rows of boxes for pictures that are not there: 1 (n02/n02_9.xml)", "all validation pictures count"}},
			{files: listed, want: fmt.Sprintf(ofTars, ""), notes: []string{"1 of 2 validation pictures", "on the blacklist ILSVRC2014_clsloc_validation_blacklist.txt, whose boxes do not count: 1"}},
			{files: tars("kit/data/ILSVRC2014_clsloc_validation_blacklist.txt", "x\n"), refused: "blacklist.txt: line 1: \"x\""},
		},
		"ILSVRC's zip of Kaggle": {
			{files: kaggle("ILSVRC/Annotations/CLS-LOC/train/n1/n1_1.xml", annotated("n1 "+half), "ILSVRC/Annotations/CLS-LOC/val/v_1.xml", annotated("n2 "+half)),
				want: "n1_1: 0 [0 0 0.5 1]; n2_1: ; v_1: 1 [0 0 0.5 1]; v_2: ", notes: []string{"from folder ILSVRC (2)"}},
			{files: kaggle(), want: "n1_1: 0 [0 0 0.5 1]; n2_1: ; v_1: 1 [0 0 0.5 0.5], 1 [0.5 0 1 1]; v_2: 0 [0 0 0.5 1]", notes: []string{"from LOC_train_solution.csv (1), LOC_val_solution.csv (2)"}},
			{files: kaggle("ILSVRC/Annotations/CLS-LOC/train/n1/n1_1.xml", "<annotation>"), refused: "n1_1.xml: cannot read the boxes"},
		},
		"XML files as VOC's, beside the pictures or in other folders": {
			{files: photos(t, "train/a/1.png train/b/1.png val/a/2.png", "train/a/1.xml", annotated("a "+half), "train/b/1.xml", annotated("b "+half, "a 1 1 100 25"), "val/a/2.xml", annotated()),
				want: "1: 0 [0 0 0.5 1]; 1: 1 [0 0 0.5 1], 0 [0 0 1 0.5]; 2: ", notes: []string{"boxes of 2 of 2 training pictures and 0 of 1 validation pictures, from folder train (2), folder val (1)"}},
			{files: photos(t, "train/a/1.png train/b/1.png val/a/1.png", "Annotations/train/a/1.xml", annotated("a "+half), "Annotations/val/a/1.xml", annotated("a 51 1 100 50")),
				want: "1: 0 [0 0 0.5 1]; 1: ; 1: 0 [0.5 0 1 1]", notes: []string{"folder Annotations (2)"}},
			{files: photos(t, "a/1.png a/2.png b/1.png b/3.png", "Annotations/1.xml", annotated("a "+half), "Annotations/2.xml", annotated("a "+half), "Annotations/4.xml", annotated("a "+half)), share: 0.5,
				want: "2: 0 [0 0 0.5 1]; 1: ; 1: ; 3: ", notes: []string{"that fit several pictures, not used: 1 (Annotations/1.xml)", "that are not there: 1 (Annotations/4.xml)"}},
			{files: photos(t, threePictures+"val/a/3.png", "Annotations/a/1.xml", annotated("dog "+half, "a 90 1 150 50", "a 100 50 51 1", "a 200 1 210 9")),
				want: "1: -1 [0 0 0.5 1], 0 [0.89 0 1 1], 0 [0.5 0 1 1]; 2: ; 1: ; 3: ", notes: []string{"boxes with edges in the wrong order, put right: 1", "boxes over the edge of their picture, cut there: 1", "boxes outside their picture, left out: 1", "objects of other classes than those of the set: 1 (dog)"}},
			{files: photos(t, threePictures+"val/a/3.png", "train/a/1.xml", "<html/>"), refused: "train/a/1.xml: cannot read the boxes (correct or remove the file)"},
		},
		"a table with the columns filename, xmin, ymin, xmax, ymax": {
			{files: photos(t, threePictures+"val/a/3.png", "boxes.csv", "filename,class,xmin,ymin,xmax,ymax\ntrain/a/1.png,a,1,1,6,10\n3.png,a,7,1,12,10\nval/a/9.png,a,1,1,2,2\n"),
				want: "1: 0 [0 0 0.5 1]; 2: ; 1: ; 3: 0 [0.5 0 1 1]", notes: []string{"from boxes.csv (2)", "not there: 1 (boxes.csv: val/a/9.png)"}},
			{files: photos(t, threePictures+"val/a/3.png", "boxes.csv", "filename,xmin,ymin,xmax,ymax,width,height\ntrain/b/1.png,1,1,50,50,100,50\n"),
				want: "1: ; 2: ; 1: 1 [0 0 0.5 1]; 3: ", notes: []string{"boxes of 1 of 3 training pictures and 0 of 1 validation pictures, from boxes.csv (1)"}},
			{files: photos(t, threePictures+"val/a/3.png", "boxes.csv", "filename,xmin,ymin,xmax,ymax\n1.png,1,1,x,50\n"), refused: "boxes.csv: cannot read the boxes (correct or remove the file): line 2: \"x\" is no number"},
		},
		"nothing of these": {{files: photos(t, threePictures+"val/a/3.png", "boxes.csv", "a,b\n1,2\n"), want: "1: ; 2: ; 1: ; 3: ", notes: []string{"no box of any picture"}}},
	}
}

// TestBoxLayouts: each row of the table of boxes in docs/data.md is read as it says, and no row is without a test.
func TestBoxLayouts(t *testing.T) {
	archivetest.OwnCache(t)
	document, err := os.ReadFile("../docs/data.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(document), "| boxes |")
	table, _, _ = strings.Cut(table, "\n\n")
	var rows []string
	for _, line := range strings.Split(table, "\n")[min(2, strings.Count(table, "\n")):] {
		rows = append(rows, strings.TrimSpace(strings.Split(line+"||", "|")[1]))
	}
	var tested []string
	for name, all := range boxLayouts(t) {
		tested = append(tested, name)
		for i, l := range all {
			t.Run(fmt.Sprintf("%s %d", name, i), func(t *testing.T) { l.test(t) })
		}
	}
	slices.Sort(rows)
	slices.Sort(tested)
	if !slices.Equal(rows, tested) {
		t.Errorf("rows of the table\n%s\nand of the test\n%s", strings.Join(rows, "\n"), strings.Join(tested, "\n"))
	}
}

func (l boxLayout) test(t *testing.T) {
	dir, said := archivetest.Folder(t, l.files), ""
	s, err := Open(dir, Options{ValShare: l.share, SplitSeed: 1, Boxes: true, Notice: func(message string) { said += message + "\n" }})
	if l.refused != "" {
		if err == nil || !strings.Contains(err.Error(), l.refused) || !strings.Contains(err.Error(), dir) {
			t.Errorf("error %v, want %q in it", err, l.refused)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var got []string
	for _, split := range []Split{s.Train, s.Val} {
		for i := range split.Len() {
			_, objects, err := split.(Boxed).Located(i)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, o := range objects {
				found = append(found, fmt.Sprintf("%d [%.4g %.4g %.4g %.4g]", o.Class, o.XMin, o.YMin, o.XMax, o.YMax))
			}
			_, file, _ := strings.Cut(split.Name(i), ": ")
			got = append(got, stemOf(file)+": "+strings.Join(found, ", "))
		}
	}
	if strings.Join(got, "; ") != l.want {
		t.Errorf("%s\nwant %s", strings.Join(got, "; "), l.want)
	}
	for _, want := range l.notes {
		if !strings.Contains(said, want) {
			t.Errorf("said %q, want %q in it", said, want)
		}
	}
	if strings.Count(said, "\n")-strings.Count(said, "unpacking ") > 1 {
		t.Errorf("said %q", said)
	}
}

// Boxes are those of the picture as it is stored: they turn with it, whether the size in the file is right, that of
// another copy, or not given.
func TestBoxesTurn(t *testing.T) {
	const width, height = 40, 24
	img := image.NewGray(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		if x, y := i%width, i/width; x >= 8 && x < 20 && y >= 4 && y < 12 {
			img.Pix[i] = 255
		}
	}
	var plain bytes.Buffer
	if err := jpeg.Encode(&plain, img, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	for orientation := range byte(9) {
		exif := []byte("\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00" + string(orientation) + "\x00\x00\x00\x00\x00\x00")
		data := slices.Concat(plain.Bytes()[:2], exif, plain.Bytes()[2:])
		for _, xml := range []string{annotatedSize(width, height, "a 9 5 20 12"), annotatedSize(10*width, 10*height, "a 81 41 200 120"), annotatedSize(0, 0, "a 9 5 20 12")} {
			s, err := Open(archivetest.Folder(t, map[string][]byte{"train/a/1.jpg": data, "train/b/1.jpg": data, "val/a/2.jpg": data, "train/a/1.xml": []byte(xml)}), Options{Boxes: true})
			if err != nil {
				t.Fatal(err)
			}
			p, objects, err := s.Train.(Boxed).Located(0)
			if err != nil || len(objects) != 1 {
				t.Fatalf("objects %v, error %v", objects, err)
			}
			b := objects[0].Scale(float64(p.Width), float64(p.Height))
			white := boxes.Box{XMin: width, YMin: width}
			for i := range p.Width * p.Height {
				if x, y := float64(i%p.Width), float64(i/p.Width); p.Pix[3*i] > 128 {
					white = boxes.Box{XMin: min(white.XMin, x), YMin: min(white.YMin, y), XMax: max(white.XMax, x+1), YMax: max(white.YMax, y+1)}
				}
			}
			if boxes.IoU(b, white) < 1-1e-9 || p.Width != map[bool]int{false: width, true: height}[orientation >= 5] {
				t.Errorf("orientation %d: the box is %v, the white pixels are in %v", orientation, b, white)
			}
			s.Close()
		}
	}
}

// A box that is in pixels and outside its picture is found when that is read.
func TestBoxOutside(t *testing.T) {
	files := map[string][]byte{"train/a/1.png": encoded(t, "png", color.RGBA{255, 0, 0, 255}), "train/b/1.png": encoded(t, "png", color.RGBA{255, 0, 0, 255}), "val/a/2.png": encoded(t, "png", color.RGBA{255, 0, 0, 255})}
	files["boxes.csv"] = []byte("filename,xmin,ymin,xmax,ymax\ntrain/a/1.png,900,1,950,50\n")
	s, err := Open(archivetest.Folder(t, files), Options{Boxes: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, _, err := s.Train.(Boxed).Located(0); err == nil || !strings.Contains(err.Error(), "a/1.png: box 1, from 900, 1 to 950, 50, is outside the picture") {
		t.Errorf("error %v", err)
	}
}
