package text

import "testing"

func TestFirstFew(t *testing.T) {
	for _, test := range []struct {
		names []string
		want  string
	}{
		{nil, ""},
		{[]string{"a"}, "a"},
		{[]string{"a", "b"}, "a, b"},
		{[]string{"a", "b", "c"}, "a, b and 1 more"},
		{[]string{"a", "b", "c", "d", "e"}, "a, b and 3 more"},
	} {
		if got := FirstFew(test.names, 2); got != test.want {
			t.Errorf("FirstFew(%q, 2) = %q: want %q", test.names, got, test.want)
		}
	}
}

func TestList(t *testing.T) {
	if got := List([]float64{1, 2.5}, ", ") + List([]int{}, ", ") + List([]string{"a b"}, ","); got != "1, 2.5a b" {
		t.Errorf("got %q", got)
	}
}

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 threads", 1: "1 thread", 2: "2 threads"} {
		if got := Count(n, "thread"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestWNID(t *testing.T) {
	for name, want := range map[string]string{
		"n01443537": "n01443537", "n01443537 goldfish, Carassius": "n01443537", "n01443537\tgoldfish": "n01443537", "n014435370": "", "n0144353 x": "", "goldfish n01443537": "", "": "",
	} {
		if got := WNID(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
