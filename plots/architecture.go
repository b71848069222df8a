package plots

import (
	"fmt"
	"image/color"
	"math"
	"strconv"
	"strings"

	"github.com/pkg/errors"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Part is what a row of [Architecture] shows: the input, a stage, or a fully connected layer.
type Part struct {
	Lines      []string // what it is made of, such as "conv3-64 ×2"
	Size       string   // of its output, such as "224×224×64"
	Slabs      []Slab   // its layers as blocks, from the left
	Memory     int      // bytes of its activations
	Parameters int      // weights and biases
}

// Slab is the output of a layer as a block: a feature map is as high as it has rows, and as thick as it has channels.
type Slab struct {
	Side, Channels int  // 1 pixel for a fully connected layer
	Dark           bool // of a max-pool
}

// In points. The columns of a row are its blocks, its texts, and two bars.
const (
	largestFace    = vg.Length(24) // of the largest map
	textsAt        = vg.Length(72)
	barsAt         = vg.Length(140)
	barWidth       = vg.Length(49)
	barGap         = vg.Length(10)
	barHeight      = vg.Length(5)
	partLineHeight = tickSize * 1.25
)

// Architecture draws a net as slides show it: a row for each part from the input at the top, with its layers as blocks.
// Beside each are its memory and its weights, as bars that share one scale a column, so that it is seen where most of
// each is.
func Architecture(parts []Part, title string) (*Figure, error) {
	if len(parts) == 0 {
		return nil, errors.New("nothing to draw: the net has no part")
	}
	memory, weights := 0, 0
	head := margin + titleHeight + lineHeight
	heights, height := make([]vg.Length, len(parts)), head
	side := 1
	for _, p := range parts {
		for _, s := range p.Slabs {
			side = max(side, s.Side)
		}
	}
	for i, p := range parts {
		if p.Memory < 0 || p.Parameters < 0 {
			return nil, errors.Errorf("part %d (%s): %d bytes, %d parameters: want none below 0", i+1, p.Size, p.Memory, p.Parameters)
		}
		memory, weights = memory+p.Memory, weights+p.Parameters
		heights[i] = partLineHeight*vg.Length(max(2, 1+len(p.Lines))) + 3
		for _, s := range p.Slabs {
			if s.Side < 1 || s.Channels < 1 {
				return nil, errors.Errorf("part %d (%s): a block of side %d with %d channels: want 1 or more", i+1, p.Size, s.Side, s.Channels)
			}
			heights[i] = max(heights[i], 1.3*face(s.Side, side)+4)
		}
		height += heights[i]
	}
	height += partLineHeight*3 + margin
	return &Figure{width: columnWidth, height: height, place: func(draw.Canvas) [][]draw.Canvas { return nil }, around: func(page draw.Canvas) {
		a := architecture{page: page, side: side, memory: parts[0].Memory, weights: parts[0].Parameters}
		for _, p := range parts {
			a.memory, a.weights = max(a.memory, p.Memory), max(a.weights, p.Parameters)
		}
		style := textStyle(titleSize)
		style.XAlign, style.YAlign = draw.XCenter, draw.YTop
		page.FillText(style, vg.Point{X: page.Center().X, Y: page.Max.Y - margin}, fit(style, title, columnWidth-2*margin))
		top := page.Max.Y - head
		a.text(barsAt, top+2, "memory", true)
		a.text(barsAt+barWidth+barGap, top+2, "weights", true)
		for i, p := range parts {
			a.line(top)
			a.part(p, top, heights[i])
			top -= heights[i]
		}
		a.line(top)
		top -= partLineHeight
		a.text(textsAt, top, "in all", false)
		a.text(barsAt, top, megabytes(memory), false)
		a.text(barsAt+barWidth+barGap, top, millions(weights), false)
		a.text(margin, page.Min.Y+margin, "memory: outputs for one picture, float32; weights with biases", false)
	}}, nil
}

// architecture draws on a page, with the largest side of all maps, and the largest value of each column of bars.
type architecture struct {
	page                  draw.Canvas
	side, memory, weights int
}

// text writes a line, its foot at y.
func (a architecture) text(x, y vg.Length, s string, strong bool) {
	style := textStyle(tickSize)
	if strong {
		style = textStyle(labelSize)
	}
	a.page.FillText(style, vg.Point{X: a.page.Min.X + x, Y: y}, fit(style, s, a.page.Max.X-a.page.Min.X-x-2))
}

// line is a ruled line above a row.
func (a architecture) line(y vg.Length) {
	a.page.StrokeLine2(draw.LineStyle{Color: faint, Width: 0.5}, a.page.Min.X+margin, y, a.page.Max.X-margin, y)
}

func (a architecture) part(p Part, top, height vg.Length) {
	middle := top - height/2
	x := a.page.Min.X + margin
	for _, s := range p.Slabs {
		x = a.slab(s, x, middle)
	}
	lines := append([]string{p.Size}, p.Lines...)
	y := middle + partLineHeight*vg.Length(len(lines))/2
	style := textStyle(tickSize)
	for _, s := range lines {
		y -= partLineHeight
		a.text(textsAt, y+1, fit(style, s, barsAt-textsAt-2), false)
	}
	a.bar(barsAt, middle, p.Memory, a.memory, megabytes(p.Memory), palette[0])
	a.bar(barsAt+barWidth+barGap, middle, p.Parameters, a.weights, millions(p.Parameters), palette[1])
}

// bar is a value under its number.
func (a architecture) bar(x, middle vg.Length, value, most int, number string, fill color.Color) {
	if most == 0 || value == 0 {
		return
	}
	a.text(x, middle+1, number, false)
	corner := vg.Point{X: a.page.Min.X + x, Y: middle - 1 - barHeight}
	width := max(0.5, barWidth*vg.Length(float64(value)/float64(most)))
	fillRectangle(a.page, fill, vg.Rectangle{Min: corner, Max: corner.Add(vg.Point{X: width, Y: barHeight})})
}

// face is the height of the block of a map in points, by its side and that of the largest. It goes with the root of
// the side, so that small maps are seen too.
func face(side, largest int) vg.Length {
	return largestFace * vg.Length(math.Sqrt(float64(side)/float64(largest)))
}

// slab draws a block in an oblique view, its left edge at x, and gives the x for the next one.
func (a architecture) slab(s Slab, x, middle vg.Length) (next vg.Length) {
	high := face(s.Side, a.side)
	slant := 0.3 * high
	thick := 1.2 + vg.Length(math.Log2(max(1, float64(s.Channels))))*0.6
	if s.Side == 1 { // a list of numbers
		high, slant, thick = 3, 1.5, vg.Length(math.Log2(max(2, float64(s.Channels))))*4
	}
	low := middle - (high+slant)/2
	at := func(dx, dy vg.Length) vg.Point { return vg.Point{X: x + dx, Y: low + dy} }
	shades := []color.Color{color.Gray{0xd0}, color.Gray{0xf0}, color.Gray{0xb0}} // front, top, side
	if s.Dark {
		shades, thick = []color.Color{color.Gray{0x70}, color.Gray{0x90}, color.Gray{0x50}}, 1.5
	}
	for i, corners := range [][]vg.Point{
		{at(0, 0), at(thick, 0), at(thick, high), at(0, high)},
		{at(0, high), at(thick, high), at(thick+slant, high+slant), at(slant, high+slant)},
		{at(thick, 0), at(thick+slant, slant), at(thick+slant, high+slant), at(thick, high)},
	} {
		a.page.FillPolygon(shades[i], corners)
		a.page.StrokeLines(draw.LineStyle{Color: ink, Width: 0.4}, append(corners, corners[0]))
	}
	return x + thick + 0.8
}

func megabytes(bytes int) string {
	if bytes < 100_000 {
		return significant(float64(bytes)/1e3) + " KB"
	}
	return significant(float64(bytes)/1e6) + " MB"
}

func millions(n int) string {
	if n < 100_000 {
		return significant(float64(n)/1e3) + " K"
	}
	return significant(float64(n)/1e6) + " M"
}

// significant writes three digits, or all those before the point.
func significant(v float64) string {
	digits := 2 - int(math.Floor(math.Log10(max(v, 1e-2))))
	return strconv.FormatFloat(v, 'f', min(2, max(0, digits)), 64)
}

// Stack is a number of convolutions of one size on top of each other, from C channels to C (section 2.3).
type Stack struct {
	Kernel, Layers int
	Field          int // side of the square that an output sees
	Weights        int // in multiples of C²
	ReLUs          int
}

// String names the stack: "three 3×3".
func (s Stack) String() string {
	count := strconv.Itoa(s.Layers)
	if words := []string{"one", "two", "three"}; s.Layers >= 1 && s.Layers <= mostLayers {
		count = words[s.Layers-1]
	}
	return fmt.Sprintf("%s %d×%[2]d", count, s.Kernel)
}

// mostLayers can be drawn.
const mostLayers = 3

// In points.
const (
	cell       = vg.Length(11)
	stackLevel = vg.Length(22)        // between the rows of cells
	stackFoot  = 3.5 * partLineHeight // below the cells
)

// Stacks draws pairs of stacks that see the same pixels, one beside the other, in cross section: what each output sees
// in the layer below it, down to the input.
func Stacks(pairs [][2]Stack, title string) (*Figure, error) {
	if len(pairs) == 0 {
		return nil, errors.New("nothing to draw: no stack is given")
	}
	for _, s := range pairs {
		for _, s := range s {
			if s.Kernel < 1 || s.Layers < 1 || s.Layers > mostLayers || s.Field != s.Layers*(s.Kernel-1)+1 || s.Field > 9 {
				return nil, errors.Errorf("stack %s that sees %d: cannot be drawn: want up to 3 layers, and at most 9 pixels", s, s.Field)
			}
		}
	}
	head := margin + titleHeight
	feet, height := make([]vg.Length, len(pairs)), head // of the input's cells, below the top
	for i, pair := range pairs {
		feet[i] = height + cell + stackLevel*vg.Length(max(pair[0].Layers, pair[1].Layers)) + 4
		height = feet[i] + stackFoot
	}
	return &Figure{
		width: columnWidth, height: height,
		place: func(draw.Canvas) [][]draw.Canvas { return nil },
		around: func(page draw.Canvas) {
			style := textStyle(titleSize)
			style.XAlign, style.YAlign = draw.XCenter, draw.YTop
			page.FillText(style, vg.Point{X: page.Center().X, Y: page.Max.Y - margin}, fit(style, title, columnWidth-2*margin))
			for i, pair := range pairs {
				for j, s := range pair {
					s.draw(page, vg.Point{X: page.Min.X + columnWidth*vg.Length(1+2*j)/4, Y: page.Max.Y - feet[i]})
				}
			}
		},
	}, nil
}

// draw draws the stack with the middle of its foot at a point.
func (s Stack) draw(page draw.Canvas, at vg.Point) {
	thin := draw.LineStyle{Color: ink, Width: 0.5}
	row := func(level, n int) vg.Rectangle {
		low := vg.Point{X: at.X - cell*vg.Length(n)/2, Y: at.Y + stackLevel*vg.Length(level)}
		return vg.Rectangle{Min: low, Max: low.Add(vg.Point{X: cell * vg.Length(n), Y: cell})}
	}
	for level := range s.Layers + 1 {
		n := s.Field - level*(s.Kernel-1)
		r := row(level, n)
		fill := color.Gray{0xf0}
		if level > 0 {
			fill = color.Gray{0xc8}
			below := row(level-1, n+s.Kernel-1)
			for _, side := range []vg.Length{0, cell * vg.Length(s.Kernel)} { // what the first cell sees
				x := r.Min.X
				if side > 0 {
					x += cell
				}
				page.StrokeLine2(thin, x, r.Min.Y, below.Min.X+side, below.Max.Y)
			}
			if n > 1 {
				page.StrokeLine2(draw.LineStyle{Color: grey, Width: 0.5}, r.Max.X, r.Min.Y, below.Max.X, below.Max.Y)
			}
		}
		fillRectangle(page, fill, r)
		for i := range n {
			one := vg.Rectangle{Min: r.Min.Add(vg.Point{X: cell * vg.Length(i)}), Max: vg.Point{X: r.Min.X + cell*vg.Length(i+1), Y: r.Max.Y}}
			strokeRectangle(page, thin, one)
		}
	}
	style := textStyle(tickSize)
	style.XAlign, style.YAlign = draw.XCenter, draw.YTop
	relus := "ReLU"
	if s.ReLUs != 1 {
		relus += "s"
	}
	for i, line := range []string{
		strings.Join([]string{s.String(), "sees " + fmt.Sprintf("%d×%[1]d", s.Field)}, ", "),
		fmt.Sprintf("%d C² weights, %d %s", s.Weights, s.ReLUs, relus),
	} {
		page.FillText(style, vg.Point{X: at.X, Y: at.Y - 3 - partLineHeight*vg.Length(i)}, line)
	}
}
