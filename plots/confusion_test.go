package plots

import (
	"fmt"
	"image/color"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// confused makes up counts of n classes with the given number of pictures each, most of them on the diagonal, many
// beside it.
func confused(n, pictures int) (classes []string, counts [][]int) {
	fashion := []string{"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"}
	random := rand.New(rand.NewPCG(1, uint64(n)))
	for i := range n {
		name := fashion[i%len(fashion)]
		if i >= len(fashion) {
			name = fmt.Sprintf("%s %d", name, i)
		}
		classes = append(classes, name)
		row := make([]int, n)
		for range pictures {
			switch p := random.Float64(); {
			case p < 0.5+0.4*float64(i%5)/4:
				row[i]++
			case p < 0.95:
				row[(i+1)%n]++
			default:
				row[random.IntN(n)]++
			}
		}
		counts = append(counts, row)
	}
	return classes, counts
}

func TestConfusionGolden(t *testing.T) {
	confusion := func(n, pictures int, title string) func() (*Figure, error) {
		return func() (*Figure, error) {
			classes, counts := confused(n, pictures)
			return Confusion(classes, counts, title)
		}
	}
	golden(t, map[string]func() (*Figure, error){
		"confusion_two":   confusion(2, 50, ""),
		"confusion":       confusion(10, 1000, "Fashion-MNIST, A at a quarter of its width"),
		"confusion_names": confusion(34, 30, "34 classes"),
		"confusion_many":  confusion(102, 20, "102 flowers"),
	})
}

// TestConfusionTexts: up to 40 classes have names, and numbers appear where they fit.
func TestConfusionTexts(t *testing.T) {
	for _, c := range []struct {
		classes, pictures int
		names, numbers    bool
	}{
		{1, 7, true, true},
		{10, 1000, true, true},
		{12, 100, true, true},
		{12, 123456, true, false},
		{40, 20, true, false},
		{41, 20, false, false},
		{1000, 2, false, false},
	} {
		classes, counts := confused(c.classes, c.pictures)
		figure, err := Confusion(classes, counts, "confusion")
		if err != nil {
			t.Fatal(err)
		}
		text, _ := svg(t, figure)
		text = "\n" + text
		if got := strings.Count(text, "\n"+classes[0]+"\n") == 2; got != c.names {
			t.Errorf("%+v: names: %v", c, got)
		}
		if got := strings.Contains(text, fmt.Sprintf("\n%d\n", counts[0][0])); got != c.numbers {
			t.Errorf("%+v: numbers: %v", c, got)
		}
		for _, want := range []string{"confusion", "true class", "predicted class", "100 % of the true class"} {
			if !strings.Contains(text, "\n"+want) {
				t.Errorf("%+v: %q is not in the picture", c, want)
			}
		}
		if c.classes <= 12 && figure.width != columnWidth {
			t.Errorf("%+v: %v points wide, want %v", c, figure.width, columnWidth)
		}
	}
}

// TestConfusionSquares finds each count's colour in its place: rows down, columns across; an empty row is white.
func TestConfusionSquares(t *testing.T) {
	for _, n := range []int{1, 2, 3, 40, 41, 333, 1000} {
		classes, counts := confused(n, 40)
		if n > 2 {
			clear(counts[2])
		}
		shares, err := rowShares(classes, counts)
		if err != nil {
			t.Fatal(err)
		}
		colors, err := shareColors()
		if err != nil {
			t.Fatal(err)
		}
		m := newMatrix(classes, counts, shares, colors)
		picture := m.picture
		side := float64(picture.Bounds().Dx())
		if math.Abs(side-float64(m.side/pixel)) > 1e-6 {
			t.Errorf("%d classes: %v dots for %v", n, side, m.side/pixel)
		}
		middle := func(i int) int { return int(side * (float64(i) + 0.5) / float64(n)) }
		for i, row := range counts {
			for _, j := range []int{0, i, (i + 1) % n, n - 1} {
				share := 0.0
				if i != 2 {
					share = float64(row[j]) / 40
				}
				if got, want := picture.At(middle(j), middle(i)), colors[int(math.Round(255*share))]; got != want {
					t.Fatalf("%d classes: row %d, column %d is %v, want %v", n, i, j, got, want)
				}
			}
		}
	}
}

// TestShareColors: equal steps in the share are equal steps in lightness (L* of CIE Lab), but for the rounding to
// bytes.
func TestShareColors(t *testing.T) {
	lightness := func(c color.RGBA) float64 {
		linear := func(v uint8) float64 {
			s := float64(v) / 255
			if s <= 0.04045 {
				return s / 12.92
			}
			return math.Pow((s+0.055)/1.055, 2.4)
		}
		return 116*math.Cbrt(0.2126*linear(c.R)+0.7152*linear(c.G)+0.0722*linear(c.B)) - 16
	}
	colors, err := shareColors()
	if err != nil {
		t.Fatal(err)
	}
	last := len(colors) - 1
	light, dark := lightness(colors[0]), lightness(colors[last])
	if light < 99.5 || dark > 20 {
		t.Errorf("lightness from %v to %v, want from white to dark", light, dark)
	}
	for i, c := range colors {
		if got, want := lightness(c), light+(dark-light)*float64(i)/float64(last); math.Abs(got-want) > 1 || c.A != 255 {
			t.Errorf("share %d of %d: %v has the lightness %v, want %v", i, last, c, got, want)
		}
	}
}

func TestNoConfusion(t *testing.T) {
	two := []string{"cat", "dog"}
	for want, c := range map[string]struct {
		classes []string
		counts  [][]int
	}{
		"no class is given":                             {nil, nil},
		"3 rows of counts for 2 classes":                {two, [][]int{{1, 0}, {0, 1}, {0, 0}}},
		"0 rows of counts for 2 classes":                {two, nil},
		"row 1 (dog): 1 counts for 2 classes":           {two, [][]int{{1, 0}, {1}}},
		"row 0 (cat): 3 counts for 2 classes":           {two, [][]int{{1, 0, 0}, {1, 1}}},
		"row 1 (dog), column 0 (cat): a count of -1":    {two, [][]int{{1, 0}, {-1, 2}}},
		"nothing to draw: the counts are of no picture": {two, [][]int{{0, 0}, {0, 0}}},
	} {
		if _, err := Confusion(c.classes, c.counts, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}

// TestConfusionExtremes: counts whose sum overflows, and names that do not fit.
func TestConfusionExtremes(t *testing.T) {
	for _, title := range []string{"", strings.Repeat("a long title ", 20)} {
		classes := []string{"", strings.Repeat("long ", 50), "line\nbreak\xff"}
		figure, err := Confusion(classes, [][]int{{math.MaxInt, math.MaxInt, 0}, {0, 0, 0}, {1, 1, 1}}, title)
		if err != nil {
			t.Fatal(err)
		}
		svg(t, figure)
		if figure.width != columnWidth {
			t.Errorf("%v points wide, want %v", figure.width, columnWidth)
		}
	}
}
