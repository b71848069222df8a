package augment

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vgg/configs"
	"vgg/internal/kernel"
)

// gradient makes a picture whose channels rise evenly: 2 a column, 1 a row, and a constant.
func gradient(width, height int) Picture {
	p := Picture{width, height, 3, make([]uint8, 3*width*height)}
	for i := range width * height {
		p.Pix[3*i], p.Pix[3*i+1], p.Pix[3*i+2] = uint8(2*(i%width)), uint8(i/width), 100
	}
	return p
}

func plain(size int) Transform {
	return Transform{Size: size, Mean: []float64{0, 0, 0}, Std: []float64{1, 1, 1}}
}

func resized(t *testing.T, p Picture, s int) Picture {
	t.Helper()
	p, err := Resize(p, s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestResize: the smaller side becomes S, the aspect stays, linear colours stay linear, and shrinking averages.
func TestResize(t *testing.T) {
	for _, c := range []struct{ w, h, s, wantW, wantH int }{{100, 80, 40, 50, 40}, {60, 90, 120, 120, 180}, {33, 33, 33, 33, 33}, {64, 48, 47, 63, 47}} {
		p := resized(t, gradient(c.w, c.h), c.s)
		if p.Width != c.wantW || p.Height != c.wantH {
			t.Errorf("%d×%d to %d: %d×%d, want %d×%d", c.w, c.h, c.s, p.Width, p.Height, c.wantW, c.wantH)
			continue
		}
		// Away from the edges a cubic filter keeps a linear ramp: its value at the pixel's centre.
		for y := 4; y < p.Height-4; y++ {
			for x := 4; x < p.Width-4; x++ {
				red := 2 * ((float64(x)+0.5)*float64(c.w)/float64(p.Width) - 0.5)
				green := (float64(y)+0.5)*float64(c.h)/float64(p.Height) - 0.5
				at := 3 * (y*p.Width + x)
				if math.Abs(float64(p.Pix[at])-red) > 1.01 || math.Abs(float64(p.Pix[at+1])-green) > 1.01 || p.Pix[at+2] != 100 {
					t.Fatalf("%d×%d to %d: pixel (%d, %d) is %v, want about %.1f %.1f 100", c.w, c.h, c.s, x, y, p.Pix[at:at+3], red, green)
				}
			}
		}
	}
	chess := Picture{64, 64, 1, make([]uint8, 64*64)}
	for i := range chess.Pix {
		chess.Pix[i] = uint8(255 * ((i%64 + i/64) % 2))
	}
	for i, v := range resized(t, chess, 16).Pix {
		if v < 117 || v > 138 {
			t.Fatalf("a chessboard shrunk to a quarter: pixel %d is %d, want about 127", i, v)
		}
	}
}

// resampled is one sample of a line stretched to length: the filter, as wide as a pixel of the longer line, over it.
func resampled(line []float64, length, at int) float64 {
	ratio := float64(len(line)) / float64(length)
	sum, weights := 0.0, 0.0
	for i, v := range line {
		w := catmullRom((float64(i) + 0.5 - (float64(at)+0.5)*ratio) / max(1, ratio))
		sum, weights = sum+w*v, weights+w
	}
	return sum / weights
}

// TestResizeReference: within a rounding of the filter evaluated in float64 at every pixel, larger and smaller.
func TestResizeReference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, channels := range []int{1, 3} {
		for _, s := range []int{9, 17, 23, 50} {
			p := Picture{31, 23, channels, make([]uint8, 31*23*channels)}
			for i := range p.Pix {
				p.Pix[i] = uint8(r.Uint32())
			}
			got := resized(t, p, s)
			for i, v := range got.Pix {
				c, x, y := i%channels, i/channels%got.Width, i/channels/got.Width
				column := make([]float64, p.Height)
				for k := range column {
					row := make([]float64, p.Width)
					for j := range row {
						row[j] = float64(p.Pix[(k*p.Width+j)*channels+c])
					}
					column[k] = resampled(row, got.Width, x)
				}
				want := min(max(resampled(column, got.Height, y), 0), 255)
				if math.Abs(float64(v)-want) > 0.501 {
					t.Fatalf("%d channels to %d: value %d of pixel (%d, %d) is %d, want %.2f", channels, s, c, x, y, v, want)
				}
			}
		}
	}
}

// TestFromImage: white shows through transparency, grey is luminance, and bounds need not start at 0.
func TestFromImage(t *testing.T) {
	img := image.NewNRGBA(image.Rect(5, 7, 7, 8))
	img.Set(5, 7, color.NRGBA{255, 0, 0, 255})
	img.Set(6, 7, color.NRGBA{0, 0, 0, 0})
	if p := FromImage(img, 3); !slices.Equal(p.Pix, []uint8{255, 0, 0, 255, 255, 255}) {
		t.Errorf("RGB: %v", p.Pix)
	}
	if p := FromImage(img, 1); !slices.Equal(p.Pix, []uint8{76, 255}) {
		t.Errorf("grey: %v", p.Pix)
	}
	p := gradient(3, 2)
	if back := FromImage(p.Image(), 3); !slices.Equal(back.Pix, p.Pix) {
		t.Errorf("there and back: %v, want %v", back.Pix, p.Pix)
	}
	for _, part := range []image.Rectangle{image.Rect(0, 1, 3, 2), image.Rect(1, 0, 3, 2)} {
		got := FromImage(p.Image().(*image.RGBA).SubImage(part), 3)
		for i := range got.Pix {
			x, y := part.Min.X+i/3%part.Dx(), part.Min.Y+i/3/part.Dx()
			if want := p.Pix[3*(y*p.Width+x)+i%3]; len(got.Pix) != 3*part.Dx()*part.Dy() || got.Pix[i] != want {
				t.Errorf("the part %v: %v", part, got.Pix)
			}
		}
	}
}

// corner finds where a crop of a gradient was taken, and whether it was mirrored.
func corner(dst []float32, size int) (left, top int, mirrored bool) {
	mirrored = dst[1] < dst[0]
	left = int(dst[0]) / 2
	if mirrored {
		left = int(dst[size-1]) / 2
	}
	return left, int(dst[size*size]), mirrored
}

// TestDraws: crops are uniform over all positions (chi-square), half of them mirrored.
func TestDraws(t *testing.T) {
	const size, positions, draws = 8, 5, 5000
	tr := plain(size)
	tr.RandomCrop, tr.Flip = true, true
	p := gradient(size+positions-1, size+positions-1)
	dst := make([]float32, 3*size*size)
	var counts [positions][positions]int
	flips := 0
	for i := range draws {
		if err := tr.Augment(dst, p, 1, i/1000, i%1000); err != nil {
			t.Fatal(err)
		}
		left, top, mirrored := corner(dst, size)
		counts[top][left]++
		if mirrored {
			flips++
		}
	}
	expected := float64(draws) / (positions * positions)
	chi := 0.0
	for _, row := range counts {
		for _, n := range row {
			chi += (float64(n) - expected) * (float64(n) - expected) / expected
		}
	}
	if chi > 51.2 { // 24 degrees of freedom: exceeded with probability 0.001
		t.Errorf("chi-square of the crops' positions is %.1f: %v", chi, counts)
	}
	if math.Abs(float64(flips)-draws/2) > 117 { // 3.3 standard deviations
		t.Errorf("%d of %d crops are mirrored", flips, draws)
	}
	// The same (seed, epoch, index) draws the same; another of each draws others.
	inputs := map[[3]int]bool{}
	for _, key := range [][3]int{{1, 2, 3}, {1, 2, 3}, {9, 2, 3}, {1, 9, 3}, {1, 2, 9}} {
		tr.ColourShift, tr.Eigenvalues = 1, [3]float64{1e4, 0, 0}
		tr.Eigenvectors = [3][3]float64{{0, 0, 1}, {1, 0, 0}, {0, 1, 0}}
		if err := tr.Augment(dst, p, uint64(key[0]), key[1], key[2]); err != nil {
			t.Fatal(err)
		}
		inputs[[3]int{int(1e4 * dst[0]), int(1e4 * dst[size*size]), int(1e4 * dst[2*size*size])}] = true
	}
	if len(inputs) != 4 {
		t.Errorf("%d different inputs from 4 different draws", len(inputs))
	}
}

// TestScale: S is uniform in its range, and tests take the middle.
func TestScale(t *testing.T) {
	tr := plain(16)
	tr.Scale = configs.Scale{Min: 16, Max: 31}
	p := gradient(64, 64)
	dst := make([]float32, 3*16*16)
	counts := map[int]int{}
	for i := range 1600 {
		if err := tr.Augment(dst, p, 1, 0, i); err != nil {
			t.Fatal(err)
		}
		slope := float64(dst[12]-dst[3]) / 9 // 2·64/S a pixel
		counts[int(math.Round(128/slope))]++
	}
	for s, n := range counts {
		if s < 14 || s > 33 || n > 250 {
			t.Errorf("S = %d in %d of 1600 draws", s, n)
		}
	}
	if len(counts) < 14 {
		t.Errorf("%d different scales, want about 16", len(counts))
	}
	if err := tr.CentreCrop(dst, p); err != nil {
		t.Fatal(err)
	}
	if s := math.Round(128 * 9 / float64(dst[12]-dst[3])); math.Abs(s-23) > 1 {
		t.Errorf("tests take S = %v, want 23", s)
	}
}

// TestCentreCrop: mean and deviation, the centre, and borders of the mean around small pictures.
func TestCentreCrop(t *testing.T) {
	tr := Transform{Size: 4, Mean: []float64{10}, Std: []float64{2}}
	p := Picture{2, 2, 1, []uint8{10, 12, 14, 16}}
	dst := make([]float32, 16)
	if err := tr.CentreCrop(dst, p); err != nil {
		t.Fatal(err)
	}
	if want := []float32{0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 3, 0, 0, 0, 0, 0}; !slices.Equal(dst, want) {
		t.Errorf("a small picture: %v, want %v", dst, want)
	}
	tr.Size = 2
	large := Picture{4, 4, 1, make([]uint8, 16)}
	for i := range large.Pix {
		large.Pix[i] = uint8(10 + 2*i)
	}
	if err := tr.CentreCrop(dst[:4], large); err != nil {
		t.Fatal(err)
	}
	if want := []float32{5, 6, 9, 10}; !slices.Equal(dst[:4], want) {
		t.Errorf("the centre: %v, want %v", dst[:4], want)
	}
	// With a border of one pixel, crops reach every corner of it.
	tr.Size, tr.Pad, tr.RandomCrop = 4, 1, true
	seen := map[float32]bool{}
	for i := range 200 {
		if err := tr.Augment(dst, large, 1, 0, i); err != nil {
			t.Fatal(err)
		}
		seen[dst[5]] = true
	}
	if len(seen) != 9 {
		t.Errorf("%d different crops, want 9", len(seen))
	}
}

// TestSmallerThanInput: a border appears only along the sides that need it, and leaves crops no choice there.
func TestSmallerThanInput(t *testing.T) {
	tr := Transform{Size: 5, RandomCrop: true, Mean: []float64{0}, Std: []float64{1}}
	p := Picture{6, 2, 1, []uint8{1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}}
	dst := make([]float32, 25)
	seen := map[float32]int{}
	for i := range 100 {
		if err := tr.Augment(dst, p, 1, 0, i); err != nil {
			t.Fatal(err)
		}
		seen[dst[5]]++
		for k, value := range dst {
			want := dst[5] + float32(k%5)
			if k < 5 || k >= 15 {
				want = 0
			}
			if value != want {
				t.Fatalf("draw %d: %v", i, dst)
			}
		}
	}
	if len(seen) != 2 || seen[1] == 0 || seen[2] == 0 {
		t.Errorf("crops begin with %v, want 1 and 2", seen)
	}
}

// TestColourShift: the shift is along the eigenvectors, with α's deviation times the eigenvalue over 255.
func TestColourShift(t *testing.T) {
	tr := plain(1)
	tr.ColourShift = 0.1
	tr.Eigenvalues, tr.Eigenvectors = [3]float64{0, 0, 15300}, [3][3]float64{{1, 0, 0}, {0, 1, 0}, {0, 0.6, 0.8}}
	p := Picture{1, 1, 3, []uint8{50, 60, 70}}
	dst := make([]float32, 3)
	square := 0.0
	const draws = 4000
	for i := range draws {
		if err := tr.Augment(dst, p, 1, 0, i); err != nil {
			t.Fatal(err)
		}
		along := (float64(dst[1])-60)/0.6 - (float64(dst[2])-70)/0.8
		if dst[0] != 50 || math.Abs(along) > 1e-3 {
			t.Fatalf("shifted to %v, want 50 and a move along (0, 0.6, 0.8)", dst)
		}
		square += (float64(dst[2]) - 70) * (float64(dst[2]) - 70) / 0.64 / draws
	}
	if got, want := math.Sqrt(square), 0.1*15300/255; math.Abs(got-want) > 0.05*want {
		t.Errorf("standard deviation %.3f, want %.3f", got, want)
	}
}

// TestErrors: invalid transforms, and pictures that they do not fit, are refused.
func TestErrors(t *testing.T) {
	std := func(v float64) func(*Transform) { return func(tr *Transform) { tr.Std = []float64{1, v, 1} } }
	for want, change := range map[string]func(*Transform){
		"channels":              func(tr *Transform) { tr.Mean = nil },
		"size":                  func(tr *Transform) { tr.Size = 0 },
		"scale":                 func(tr *Transform) { tr.Scale = configs.Scale{Min: 5, Max: 4} },
		"scale_min":             func(tr *Transform) { tr.Scale = configs.Scale{Min: 7, Max: 9} },
		"deviation 0: want":     std(0),
		"deviation +Inf: want":  std(math.Inf(1)),
		"deviation 1e-60: want": std(1e-60),
		"mean NaN":              func(tr *Transform) { tr.Mean = []float64{1, 2, math.NaN()} },
		"colour shift +Inf":     func(tr *Transform) { tr.ColourShift = math.Inf(1) },
		"input of 4294967296":   func(tr *Transform) { tr.Size = 1 << 32 },
		"negative":              func(tr *Transform) { tr.Pad = -1 },
	} {
		tr := plain(8)
		change(&tr)
		if err := tr.Validate(3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
	for want, p := range map[string]Picture{
		"10×8 with 3 channels and 9 bytes": {10, 8, 3, make([]uint8, 9)},
		"0×8":                              {0, 8, 3, nil},
		"of 2 channels":                    {8, 8, 2, make([]uint8, 128)},
		"one value a channel":              {8, 8, 1, make([]uint8, 64)},
	} {
		tr := plain(8)
		tr.Scale = configs.Scale{Min: 64, Max: 64}
		dst := make([]float32, 3*8*8)
		for _, err := range []error{tr.Augment(dst, p, 1, 1, 1), tr.CentreCrop(dst, p)} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want %q in it", err, want)
			}
		}
	}
	tr := plain(8)
	if err := tr.CentreCrop(make([]float32, 64), gradient(8, 8)); err == nil || !strings.Contains(err.Error(), "(3, 8, 8) has 192") {
		t.Errorf("too little room: %v", err)
	}
	if err := tr.Crop(nil, gradient(8, 8), Crop{Width: 1 << 32, Height: 1 << 32}); err == nil || !strings.Contains(err.Error(), "room for 0 values") {
		t.Errorf("a crop whose number of values overflows: %v", err)
	}
	tr.ColourShift, tr.Mean, tr.Std = 0.1, []float64{0}, []float64{1}
	if err := tr.Validate(1); err == nil || !strings.Contains(err.Error(), "colour_shift") {
		t.Errorf("grey colour shift: %v", err)
	}
}

// TestCropReference: a crop is, value by value, the filter evaluated in float64 at the place of the crop, whichever
// part of the picture that is, and mirrored or not.
func TestCropReference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct{ width, height, channels, scale int }{{31, 23, 3, 17}, {31, 23, 1, 17}, {23, 40, 3, 60}, {1, 1, 3, 16}, {1, 90, 1, 20}, {200, 150, 3, 16}} {
		p := Picture{c.width, c.height, c.channels, make([]uint8, c.width*c.height*c.channels)}
		for i := range p.Pix {
			p.Pix[i] = uint8(r.Uint32())
		}
		tr := Transform{Size: 16, Scale: configs.Scale{Min: c.scale, Max: c.scale}, Mean: make([]float64, c.channels), Std: slices.Repeat([]float64{1}, c.channels)}
		width, height := p.Resized(c.scale)
		for range 4 {
			crop := Crop{Scale: c.scale, Left: r.IntN(width - 15), Top: r.IntN(height - 15), Width: 16, Height: 16, Mirrored: r.IntN(2) == 1}
			dst := make([]float32, 16*16*c.channels)
			if err := tr.Crop(dst, p, crop); err != nil {
				t.Fatal(err)
			}
			for i, got := range dst {
				x, y, channel := i%16, i/16%16, i/256
				if crop.Mirrored {
					x = 15 - x
				}
				column := make([]float64, p.Height)
				for k := range column {
					row := make([]float64, p.Width)
					for j := range row {
						row[j] = float64(p.Pix[(k*p.Width+j)*c.channels+channel])
					}
					column[k] = resampled(row, width, crop.Left+x)
				}
				want := min(max(resampled(column, height, crop.Top+y), 0), 255)
				if math.Abs(float64(got)-want) > 1e-3 {
					t.Fatalf("%+v at %+v: value %d is %v, want %v", c, crop, i, got, want)
				}
			}
		}
	}
}

// TestCropsAgree: what is computed of a part is, bit for bit, the part of what is computed of the whole.
func TestCropsAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 100 {
		p := Picture{1 + r.IntN(60), 1 + r.IntN(60), 3, nil}
		p.Pix = make([]uint8, 3*p.Width*p.Height)
		for i := range p.Pix {
			p.Pix[i] = uint8(r.Uint32())
		}
		width, height := 1+r.IntN(80), 1+r.IntN(80)
		left, top := r.IntN(width), r.IntN(height)
		columns, rows := 1+r.IntN(width-left), 1+r.IntN(height-top)
		part := func(left, top, columns, rows int) []float32 {
			dst := make([]float32, 3*rows*columns)
			kernel.Resampling{
				Across: side(p.Width, width, left, columns), Down: side(p.Height, height, top, rows),
				Factor: []float32{1, 2, 3}, Offset: []float32{5, 0, -5},
			}.Run(dst, rows*columns, columns, p.Pix, p.Width)
			return dst
		}
		whole := part(0, 0, width, height)
		for i, v := range part(left, top, columns, rows) {
			x, y, c := i%columns, i/columns%rows, i/columns/rows
			if want := whole[(c*height+top+y)*width+left+x]; v != want {
				t.Fatalf("%d×%d to %d×%d: channel %d, row %d, column %d is %v, in the whole %v", p.Width, p.Height, width, height, c, top+y, left+x, v, want)
			}
		}
	}
}

// TestNarrowView: the message is of pictures of which a net sees less than half.
func TestNarrowView(t *testing.T) {
	for size, want := range map[[2]int]string{
		{80, 60}:  "pictures are not resized: of 80×60 pixels the net sees 32×32",
		{120, 20}: "pictures are not resized: of 120×20 pixels the net sees 32×20",
		{80, 20}:  "",
		{64, 32}:  "",
	} {
		if got := (Picture{Width: size[0], Height: size[1]}).NarrowView(32); got != want {
			t.Errorf("%v: %q", size, got)
		}
	}
}

// TestLongPictures: a crop of a picture that would be enormous when resized costs no more than the pixels of the crop.
func TestLongPictures(t *testing.T) {
	long := Picture{1, 100000, 3, bytes.Repeat([]uint8{10, 20, 30}, 100000)}
	tr := plain(8)
	tr.Scale, tr.RandomCrop = configs.Scale{Min: 64, Max: 64}, true
	dst := make([]float32, 3*64)
	allocated := testing.AllocsPerRun(1, func() {
		if err := tr.Augment(dst, long, 1, 1, 1); err != nil {
			t.Error(err)
		}
	})
	if dst[0] != 10 || dst[100] != 20 || dst[191] != 30 || allocated > 20 {
		t.Errorf("pixels %v %v %v, %v allocations", dst[0], dst[100], dst[191], allocated)
	}
	if _, err := Resize(long, 64); err == nil || !strings.Contains(err.Error(), "1×100000") {
		t.Errorf("resized whole: %v", err)
	}
	// A crop may be entirely in the border.
	tr.Scale, tr.Pad = configs.Scale{}, 50
	if err := tr.Augment(dst, Picture{1, 1, 3, []uint8{1, 2, 3}}, 1, 1, 1); err != nil || slices.Max(dst) != 0 {
		t.Errorf("%v, %v", dst, err)
	}
}

// TestYCbCr: photographs convert as image/color says, but for rounding, where a pixel has its own chroma or shares it
// with all its neighbours; and a part has the pixels of the whole, but for its edge.
func TestYCbCr(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for ratio := image.YCbCrSubsampleRatio444; ratio <= image.YCbCrSubsampleRatio410; ratio++ {
		img := image.NewYCbCr(image.Rect(0, 0, 23, 19), ratio)
		fill := func(plane []uint8) {
			for i := range plane {
				plane[i] = uint8(r.Uint32())
			}
		}
		for c, plane := range [][]uint8{img.Y, img.Cb, img.Cr} {
			fill(plane)
			if c > 0 && ratio != image.YCbCrSubsampleRatio444 {
				copy(plane, bytes.Repeat(plane[:1], len(plane)))
			}
		}
		colour, grey := FromImage(img, 3), FromImage(img, 1)
		for i := range 23 * 19 {
			got := colour.Pix[3*i : 3*i+3]
			want := color.RGBAModel.Convert(img.At(i%23, i/23)).(color.RGBA)
			for c, v := range []uint8{want.R, want.G, want.B} {
				if off := int(got[c]) - int(v); off < -1 || off > 1 {
					t.Fatalf("%v: pixel %d is %v, want %v", ratio, i, got, want)
				}
			}
			if light := color.GrayModel.Convert(color.RGBA{got[0], got[1], got[2], 255}).(color.Gray).Y; grey.Pix[i] != light {
				t.Fatalf("%v: pixel %d is %d, want %d", ratio, i, grey.Pix[i], light)
			}
		}
		fill(img.Cb)
		fill(img.Cr)
		whole := FromImage(img, 3)
		for _, part := range []image.Rectangle{image.Rect(1, 0, 22, 19), image.Rect(2, 3, 15, 12), image.Rect(5, 4, 6, 5)} {
			p := FromImage(img.SubImage(part), 3)
			inner := part.Inset(1)
			for y := inner.Min.Y; y < inner.Max.Y; y++ {
				got, want := p.Pix[3*((y-part.Min.Y)*p.Width+1):], whole.Pix[3*(y*23+inner.Min.X):]
				if n := 3 * inner.Dx(); !slices.Equal(got[:n], want[:n]) {
					t.Errorf("%v: row %d of %v is %v, want %v", ratio, y, part, got[:n], want[:n])
				}
			}
		}
	}
}

// TestCMYK: light is what the inks let through; overlapping inks multiply.
func TestCMYK(t *testing.T) {
	img := image.NewCMYK(image.Rect(0, 0, 4, 1))
	copy(img.Pix, []uint8{0, 0, 0, 0, 255, 0, 100, 0, 10, 20, 30, 100, 7, 8, 9, 255})
	if p := FromImage(img, 3); !slices.Equal(p.Pix, []uint8{255, 255, 255, 0, 255, 155, 149, 143, 137, 0, 0, 0}) {
		t.Error(p.Pix)
	}
}

// BenchmarkFromImage converts a photograph as it comes out of a JPEG file.
func BenchmarkFromImage(b *testing.B) {
	img := image.NewYCbCr(image.Rect(0, 0, 500, 375), image.YCbCrSubsampleRatio420)
	for b.Loop() {
		FromImage(img, 3)
	}
}

// BenchmarkAugment makes inputs of 224×224 with scale jitter of a 500×375 photograph's worth of noise.
func BenchmarkAugment(b *testing.B) {
	tr := Transform{Size: 224, Scale: configs.Scale{Min: 256, Max: 512}, RandomCrop: true, Flip: true, ColourShift: 0.1, Mean: []float64{120, 115, 100}, Std: []float64{1, 1, 1}}
	p := Picture{500, 375, 3, make([]uint8, 500*375*3)}
	r := rand.New(rand.NewPCG(1, 1))
	for i := range p.Pix {
		p.Pix[i] = uint8(r.Uint32())
	}
	dst := make([]float32, 3*224*224)
	for i := 0; b.Loop(); i++ {
		if err := tr.Augment(dst, p, 1, 0, i); err != nil {
			b.Fatal(err)
		}
	}
}
