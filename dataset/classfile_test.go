package dataset

import (
	"fmt"
	"strings"
	"testing"
)

// TestParseClasses: tables of pictures and classes of all kinds are read alike, and others are refused or are none.
func TestParseClasses(t *testing.T) {
	pictures := newPictureNames([]string{"0.jpg", "a b.jpg", "c.jpg"})
	for text, want := range map[string]string{
		"0.jpg,x\na b.jpg,y z\nc.jpg,x":                          `["x" "y z" "x"]`,
		"\ufeffname;class\r\n0;x\r\na b;y z\r\nc;x\r\n":          `["x" "y z" "x"]`,
		"0.jpg\tx\na b.jpg\ty z\nc.jpg\tx\n":                     `["x" "y z" "x"]`,
		"0.jpg x\na b.jpg y z\nc.jpg x\n":                        `["x" "y z" "x"]`,
		"class,picture\nx,img/0.jpg\ny z,img\\a b.jpg\nx,c\n":    `["x" "y z" "x"]`,
		"\"0.jpg\",\"x\"\n\"a b.jpg\",\"y, z\"\n\"c.jpg\",\"x\"": `["x" "y, z" "x"]`,
		",file,id,Class_Name\n0,0.jpg,1,x\n1,a b.jpg,2,y\n":      `["x" "y" ""]`,
		"0.jpg,x\n0.jpg,x\n":                                     `["x" "" ""]`,
		"0.jpg,x\r0.jpg,x\rc.jpg,y\r":                            `["x" "" "y"]`,
		"0.jpg,x\n0.jpg,y\n":                                     "line 2: a second class",
		"0.jpg,x\nd.jpg,y\n":                                     `line 2: no picture "d.jpg"`,
		"0.jpg,x\nc.jpg\n":                                       "line 2: 1 columns",
		"0.jpg,x\nc.jpg,\n":                                      "line 2: no class",
		"f,cat,dog\n0.jpg,1,0\n":                                 "3 columns: want two",
		"f,label,class\n0.jpg,1,x\n":                             "3 columns: want two",
		"0.jpg\nc.jpg\n":                                         "none",
		"x\ny\nz\n":                                              "none",
		"h\nh\n0.jpg,x\n":                                        "none",
		"0.jpg,\xff\n":                                           "not in UTF-8", "\xff,1\n\xfe,2": "none",
		"": "none",
	} {
		classes, begun, err := parseClasses([]byte(text), pictures)
		got := "none"
		switch {
		case err != nil:
			got = err.Error()
		case begun:
			got = fmt.Sprintf("%q", classes)
		}
		if !strings.HasPrefix(got, want) || (err != nil) && !begun {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestSplitColumn: a column that divides the pictures is found in the heading.
func TestSplitColumn(t *testing.T) {
	for text, want := range map[string]string{
		"filename,label,split\na,b,c": "split", "Subset\tfile\tclass": "Subset", "file;class": "", "a.png,split": "split", "": "", "name,dataset\n": "",
	} {
		if got := splitColumn([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// FuzzClasses: what is read has a class for a picture, and no class that is not in the text.
func FuzzClasses(f *testing.F) {
	f.Add([]byte("id,label\n1,x\n2,y z\n"))
	f.Add([]byte(",file,class\n0,1.jpg,x\n"))
	f.Add([]byte("1.jpg x\n2 y\n"))
	pictures := newPictureNames([]string{"1.jpg", "2.jpg"})
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<10 {
			t.Skip("it takes the time of many others")
		}
		classes, begun, err := parseClasses(text, pictures)
		if begun && err == nil && (len(classes) != 2 || classes[0]+classes[1] == "") || !begun && err != nil {
			t.Errorf("%q, %v, %v", classes, begun, err)
		}
	})
}
