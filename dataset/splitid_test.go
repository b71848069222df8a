package dataset

import (
	"fmt"
	"image/color"
	"strings"
	"testing"

	"vgg/internal/archive/archivetest"
)

// TestSharesVal finds pictures that two sets share, though not all are the same.
func TestSharesVal(t *testing.T) {
	one, more, train, other := map[string][]byte{}, map[string][]byte{}, map[string][]byte{}, map[string][]byte{}
	for i := range 40 {
		name, data := fmt.Sprintf("%c/%d.png", 'a'+i%2, i), encoded(t, "png", color.RGBA{uint8(i), 9, 9, 255})
		folder := []string{"train/", "val/"}[i/30]
		one[folder+name] = data
		more[folder+name] = encoded(t, "png", color.RGBA{uint8(i), 8, 8, 255})
		if i == 35 {
			more[folder+name] = data
		}
		train["val/"+name], train["train/"+name] = data, more["train/a/0.png"]
		other[folder+name] = encoded(t, "png", color.RGBA{uint8(i), 7, 7, 255})
	}
	open := func(spec string) *Set {
		t.Helper()
		s, err := Open(spec, Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	set := open(archivetest.Folder(t, one))
	const small = "embedded-scenes:pictures=40,val_pictures="
	for _, c := range []struct {
		a, b *Set
		want string
	}{
		{set, set, "val/"},
		{open(archivetest.Folder(t, more)), set, "val/b/35.png"},
		{open(archivetest.Folder(t, train)), set, "val/"},
		{open(archivetest.Folder(t, other)), set, ""},
		{open(small + "50"), open(small + "40"), "scene"},
		{open(small + "50,val=test"), open(small + "40,val=test"), "scene"},
		{open(small + "50,val=test"), open(small + "40,val=development"), ""},
	} {
		if got := c.a.SharesVal(c.b); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s and %s share %q, want %q", c.a.Name, c.b.Name, got, c.want)
		}
	}
}

// TestSplitID: it is the same in another place and archive, and tells pictures that a net was trained on.
func TestSplitID(t *testing.T) {
	files, folded := map[string][]byte{}, map[string][]byte{}
	for i := range 40 {
		name, data := fmt.Sprintf("%c/%d.png", 'a'+i%2, i), encoded(t, "png", color.RGBA{uint8(i), 9, 9, 255})
		files[name] = data
		folded[[]string{"train/", "val/"}[i/30]+name] = data
	}
	set := func(spec string, share float64, seed uint64) *Set {
		t.Helper()
		s, err := Open(spec, Options{ValShare: share, SplitSeed: seed})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		return s
	}
	drawn, packed := archivetest.Folder(t, files), zipFile(t, "top/", files)
	split := archivetest.Folder(t, folded)
	ofDrawn, ofSplit := set(drawn, 0.2, 7).SplitID(), set(split, 0, 0).SplitID()
	if want := "share 0.2 by seed 7; training 32 "; !strings.HasPrefix(ofDrawn, want) || !strings.HasPrefix(ofSplit, "folder val; training 30 ") {
		t.Errorf("%q and %q", ofDrawn, ofSplit)
	}
	if got := set(packed, 0.2, 7).SplitID(); got != ofDrawn {
		t.Errorf("in an archive %q, not %q", got, ofDrawn)
	}
	other := map[string][]byte{}
	for name := range files {
		other[name] = files["a/0.png"]
	}
	for _, c := range []struct {
		set     *Set
		trained string
		want    string
	}{
		{set(drawn, 0.2, 7), ofDrawn, ""},
		{set(drawn, 0.2, 8), ofDrawn, "share 0.2 by seed 7"},
		{set(packed, 0.3, 7), ofDrawn, "share 0.2 by seed 7"},
		{set(split+"/train", 0.2, 7), ofSplit, "folder val"},
		{set(split, 0, 0), ofSplit, ""},
		{set(split+"/val", 0.2, 7), ofSplit, ""},
		{set(archivetest.Folder(t, other), 0.2, 8), ofDrawn, ""},
	} {
		seen, got, err := c.set.TrainedOn(c.trained, "")
		if seen == Unseen {
			got = ""
		}
		if err != nil || got != c.want || seen == SeenSome {
			t.Errorf("%s, trained on %s: %d, %q, %v, want %q", c.set.Name, c.trained, seen, got, err, c.want)
		}
	}
	for _, text := range []string{"", "folder val", "; training 1 a, validation 1 b, all 2 c", "x; training 1 a, all 2 c"} {
		if _, _, err := set(split, 0, 0).TrainedOn(text, ""); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
