package annotations

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vgg/boxes"
)

// ilsvrc is an XML file as ILSVRC's archives hold them, with the objects given.
func ilsvrc(size string, objects ...string) string {
	return "<annotation>\n\t<folder>n01440764</folder>\n\t<filename>%s</filename>\n\t<source>\n\t\t<database>ILSVRC_2012</database>\n\t</source>\n\t" +
		size + "\n\t<segmented>0</segmented>\n\t" + strings.Join(objects, "\n\t") + "\n</annotation>\n"
}

func object(name string, xmin, ymin, xmax, ymax string) string {
	return fmt.Sprintf("<object><name>%s</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult><bndbox><xmin>%s</xmin><ymin>%s</ymin><xmax>%s</xmax><ymax>%s</ymax></bndbox></object>", name, xmin, ymin, xmax, ymax)
}

const size100 = "<size><width>100</width><height>50</height><depth>3</depth></size>"

// What is odd in ILSVRC's and VOC's files is read, and counted.
func TestParseXML(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Picture
	}{
		"one": {ilsvrc(size100, object("n01", "11", "6", "50", "30")), Picture{Objects: []Object{{"n01", boxes.Box{XMin: 0.1, YMin: 0.1, XMax: 0.5, YMax: 0.6}}}}},
		"two": {ilsvrc(size100, object("n01", "1", "1", "100", "50"), object(" n02 ", "1", "1", "50", "25")),
			Picture{Objects: []Object{{"n01", boxes.Unit}, {"n02", boxes.Box{XMax: 0.5, YMax: 0.5}}}}},
		"none":            {ilsvrc(size100), Picture{}},
		"swapped":         {ilsvrc(size100, object("n01", "50", "30", "11", "6")), Picture{Objects: []Object{{"n01", boxes.Box{XMin: 0.1, YMin: 0.1, XMax: 0.5, YMax: 0.6}}}, Odd: Odd{Swapped: 1}}},
		"over the edge":   {ilsvrc(size100, object("n01", "-20", "1", "140", "25")), Picture{Objects: []Object{{"n01", boxes.Box{XMax: 1, YMax: 0.5}}}, Odd: Odd{Clipped: 1}}},
		"counted from 0":  {ilsvrc(size100, object("n01", "0", "0", "100", "50")), Picture{Objects: []Object{{"n01", boxes.Unit}}}},
		"outside":         {ilsvrc(size100, object("n01", "150", "1", "170", "25")), Picture{Odd: Odd{Outside: 1}}},
		"no size":         {ilsvrc("", object("n01", "11", "6", "50", "30")), Picture{InPixels: true, Objects: []Object{{"n01", boxes.Box{XMin: 10, YMin: 5, XMax: 50, YMax: 30}}}}},
		"a size of 0":     {ilsvrc("<size><width>0</width><height>0</height></size>", object("n01", "1", "1", "2", "2")), Picture{InPixels: true, Objects: []Object{{"n01", boxes.Box{XMax: 2, YMax: 2}}}}},
		"parts of pixels": {ilsvrc(size100, object("n01", "1.0", "1.0", "50.5", "25")), Picture{Objects: []Object{{"n01", boxes.Box{XMax: 0.505, YMax: 0.5}}}}},
		"VOC's parts": {ilsvrc(size100, "<object><name>person</name><bndbox><xmax>50</xmax><xmin>1</xmin><ymax>25</ymax><ymin>1</ymin></bndbox><part><name>head</name><bndbox><xmin>2</xmin><ymin>2</ymin><xmax>3</xmax><ymax>3</ymax></bndbox></part></object>"),
			Picture{Objects: []Object{{"person", boxes.Box{XMax: 0.5, YMax: 0.5}}}}},
	} {
		if got, err := ParseXML([]byte(c.text)); err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, error %v, want %+v", name, got, err, c.want)
		}
	}
	for want, text := range map[string]string{
		"no XML file of boxes: EOF":          "",
		"expected element type <annotation>": "<html></html>",
		"line 3":                             "<annotation>\n<a>\n</b></annotation>",
		"object 2, \"n02\", has no bndbox":   ilsvrc(size100, object("n01", "1", "1", "2", "2"), "<object><name>n02</name></object>"),
		"object 1: \"x\" is no number":       ilsvrc(size100, object("n01", "x", "1", "2", "2")),
		"object 1: \"\" is no number":        ilsvrc(size100, "<object><bndbox></bndbox></object>"),
		"an edge at NaN":                     ilsvrc(size100, object("n01", "nan", "1", "2", "2")),
		"want pixels":                        ilsvrc(size100, object("n01", "0.1", "0.2", "0.6", "1")),
		"an edge at 1e+99":                   ilsvrc("", object("n01", "1e99", "1", "2", "2")),
		"a picture of \"-5\"×\"5\" pixels":   ilsvrc("<size><width>-5</width><height>5</height></size>"),
		"a picture of \"0\"×\"5\" pixels":    ilsvrc("<size><width>0</width><height>5</height></size>"),
		"longer than":                        strings.Repeat(" ", LargestXML+1),
	} {
		if got, err := ParseXML([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v, error %v, want %q in it", got, err, want)
		}
	}
}

func TestParseCSV(t *testing.T) {
	quarter := boxes.Box{XMax: 0.25, YMax: 0.5}
	for _, c := range []struct {
		text string
		want map[string]Picture
	}{
		{"ImageId,PredictionString\r\nval_1,n01 1 2 3 4 n02 7 6 5 4 \r\nn01_2,\r\n", map[string]Picture{
			"val_1": {InPixels: true, Odd: Odd{Swapped: 1}, Objects: []Object{{"n01", boxes.Box{XMin: 0, YMin: 1, XMax: 3, YMax: 4}}, {"n02", boxes.Box{XMin: 4, YMin: 3, XMax: 7, YMax: 6}}}}, "n01_2": {}}},
		{"\ufefffilename,width,height,class,xmin,ymin,xmax,ymax\na/1.jpg,100,50,cat,1,1,25,25\na/1.jpg,100,50,dog,1,1,100,50\nb.jpg,100,50,dog,200,1,210,50\n", map[string]Picture{
			"a/1.jpg": {Objects: []Object{{"cat", quarter}, {"dog", boxes.Unit}}}, "b.jpg": {Odd: Odd{Outside: 1}}}},
		{"ymax, xmax, ymin, xmin, File\n4,3,2,1, \"x, y.png\"\n", map[string]Picture{"x, y.png": {InPixels: true, Objects: []Object{{"", boxes.Box{XMin: 0, YMin: 1, XMax: 3, YMax: 4}}}}}},
	} {
		got, err := ParseCSV([]byte(c.text))
		if err != nil || len(got) != len(c.want) {
			t.Errorf("%q: %v, error %v", c.text, got, err)
			continue
		}
		for name, want := range c.want {
			if got[name] == nil || !reflect.DeepEqual(*got[name], want) {
				t.Errorf("%q: %s is %+v, want %+v", c.text, name, got[name], want)
			}
		}
	}
	for want, text := range map[string]string{
		"no table of boxes":                 "name,class\na,b\n",
		"line 3: 4 words for picture \"b\"": "ImageId,PredictionString\na,n 1 2 3 4\nb,n 1 2 3\n",
		"line 2: \"x\" is no number":        "ImageId,PredictionString\na,n x 2 3 4\n",
		"line 2: \"\" is no number":         "file,xmin,ymin,xmax,ymax\na,1,2,3,\n",
		"line 3: a size of picture \"a\"":   "file,xmin,ymin,xmax,ymax,width,height\na,1,2,3,4,9,9\na,1,2,3,4,,\n",
		"wrong number of fields":            "file,xmin,ymin,xmax,ymax\na,1,2,3\n",
	} {
		if got, err := ParseCSV([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, error %v, want %q in it", got, err, want)
		}
	}
	if _, err := ParseCSV(nil); !errors.Is(err, ErrNoTable) {
		t.Errorf("error %v", err)
	}
}

func TestBlacklist(t *testing.T) {
	got, err := ParseBlacklist([]byte("36\n50\r\n\n 56 \n"), 56)
	if err != nil || !slices.Equal(got, []int{36, 50, 56}) {
		t.Errorf("%v, error %v", got, err)
	}
	for want, text := range map[string]string{"line 2: \"0\"": "1\n0\n", "line 1: \"57\" is no number from 1 to 56": "57\n", "line 1: \"x\"": "x"} {
		if _, err := ParseBlacklist([]byte(text), 56); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// A result file reads as it was written.
func TestResults(t *testing.T) {
	pictures := [][]Guess{
		{{0, boxes.Box{XMin: 0, YMin: 1, XMax: 10, YMax: 20}}, {999, boxes.Box{XMin: 4, YMin: 4, XMax: 5, YMax: 5}}},
		nil,
		{{3, boxes.Box{XMin: -3, YMin: 0, XMax: 500, YMax: 300}}},
	}
	var file bytes.Buffer
	if err := WriteResults(&file, pictures); err != nil || file.String() != "1 1 2 10 20 1000 5 5 5 5\n\n4 -2 1 500 300\n" {
		t.Fatalf("%q, error %v", file.String(), err)
	}
	got, err := ReadResults(file.Bytes(), 1000)
	if err != nil || !reflect.DeepEqual(got, pictures) {
		t.Errorf("%v, error %v", got, err)
	}
	if err := WriteResults(&file, [][]Guess{make([]Guess, 6)}); err == nil || !strings.Contains(err.Error(), "6 guesses for picture 1") {
		t.Errorf("error %v", err)
	}
	for want, text := range map[string]string{
		"line 2: 4 words":        "1 1 1 2 2\n1 2 3 4\n",
		"line 1: 30 words":       strings.Repeat("1 1 1 2 2 ", 6),
		"label \"1001\": want 1": "1001 1 1 2 2",
		"\"x\" is no number":     "1 x 1 2 2",
	} {
		if _, err := ReadResults([]byte(text), 1000); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

// checkPicture fails if boxes that are shares are not inside the picture.
func checkPicture(t *testing.T, p Picture) {
	for _, o := range p.Objects {
		if o.Box.Empty() || !p.InPixels && o.Box.Clip(boxes.Unit) != o.Box && boxes.IoU(o.Box.Clip(boxes.Unit), o.Box) < 1-1e-9 {
			t.Errorf("%+v", o)
		}
	}
}

func FuzzParseXML(f *testing.F) {
	f.Add([]byte(ilsvrc(size100, object("n01", "1", "1", "120", "30"), object("n02", "7", "6", "5", "4"))))
	f.Add([]byte(ilsvrc("", object("n01", "1", "1", "1", "1"))))
	f.Add([]byte("<?xml version=\"1.0\" encoding=\"latin1\"?><annotation><!DOCTYPE x []></annotation>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParseXML(data)
		if err == nil {
			checkPicture(t, p)
		}
	})
}

func FuzzParseCSV(f *testing.F) {
	f.Add([]byte("ImageId,PredictionString\r\nval_1,n01 1 2 3 4 n02 7 6 5 4 \r\n"))
	f.Add([]byte("filename,width,height,class,xmin,ymin,xmax,ymax\na/1.jpg,100,50,cat,1,1,25,25\n\"b\",,,dog,1,1,2,2\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pictures, _ := ParseCSV(data)
		for _, p := range pictures {
			checkPicture(t, *p)
		}
	})
}

func FuzzReadResults(f *testing.F) {
	f.Add([]byte("1 1 2 10 20 1000 5 5 5 5\n\n4 -2 1 500 300\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		pictures, err := ReadResults(data, 1000)
		if err != nil {
			return
		}
		var file bytes.Buffer
		if err := WriteResults(&file, pictures); err != nil {
			t.Fatal(err)
		}
	})
}
