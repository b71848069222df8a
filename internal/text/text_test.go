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
