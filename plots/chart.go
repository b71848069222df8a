package plots

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// chart is a title, a legend under it, and rows of panels whose axes line up.
type chart struct {
	title       string
	legend      []legendItem
	panels      [][]*plot.Plot // in rows of one length from the top
	panelHeight vg.Length      // with the axes
}

type legendItem struct {
	text   string
	sample plot.Thumbnailer
}

const (
	sampleWidth = vg.Length(20)
	sampleGap   = vg.Length(3)
	itemGap     = vg.Length(10)
	// maxItemText is the width of the text of an item that has a line of the legend for itself.
	maxItemText = columnWidth - 2*margin - sampleWidth - sampleGap
)

// figure lays the chart out.
func (c chart) figure() *Figure {
	title := textStyle(titleSize)
	title.XAlign, title.YAlign = draw.XCenter, draw.YTop
	heading := fit(title, c.title, columnWidth-2*margin)
	legend := newLegend(c.legend)
	head := margin + legend.height + margin
	if heading != "" {
		head += titleHeight
	}
	alignLabels(c.panels)

	f := &Figure{Panels: c.panels, width: columnWidth, height: head + margin + vg.Length(len(c.panels))*c.panelHeight}
	f.around = func(page draw.Canvas) {
		top := page.Max.Y - margin
		if heading != "" {
			page.FillText(title, vg.Point{X: page.Center().X, Y: top}, heading)
			top -= titleHeight
		}
		legend.draw(page, top)
	}
	f.place = func(page draw.Canvas) [][]draw.Canvas {
		body := draw.Crop(page, margin, -margin, margin, -head)
		tiles := draw.Tiles{Rows: len(f.Panels), Cols: len(f.Panels[0]), PadX: margin, PadY: margin}
		return plot.Align(f.Panels, tiles, body)
	}
	return f
}

// alignLabels puts the labels of the vertical axes of the first column under each other, whatever the width of the
// numbers beside them.
func alignLabels(panels [][]*plot.Plot) {
	widths, widest := make([]vg.Length, len(panels)), vg.Length(0)
	for i, row := range panels {
		p := row[0]
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			widths[i] = max(widths[i], p.Y.Tick.Label.Width(t.Label))
		}
		widest = max(widest, widths[i])
	}
	for i, row := range panels {
		row[0].Y.Label.Padding += widest - widths[i]
	}
}

// legend is a grid of items: one line where they all fit, equal columns otherwise.
type legend struct {
	items  []legendItem
	at     []vg.Point // each item's top left, from the top centre of the legend
	height vg.Length
}

func newLegend(items []legendItem) legend {
	style := textStyle(labelSize)
	l := legend{items: items}
	total, widest := -itemGap, vg.Length(0)
	widths := make([]vg.Length, len(items))
	for i, item := range items {
		widths[i] = sampleWidth + sampleGap + style.Width(item.text)
		total += widths[i] + itemGap
		widest = max(widest, widths[i])
	}
	columns := len(items)
	if total > columnWidth-2*margin {
		columns = max(1, int((columnWidth-2*margin+itemGap)/(widest+itemGap)))
		total = vg.Length(columns)*(widest+itemGap) - itemGap
		for i := range widths {
			widths[i] = widest
		}
	}
	x := vg.Length(0)
	for i := range items {
		if i%columns == 0 {
			x = -total / 2
			l.height += lineHeight
		}
		l.at = append(l.at, vg.Point{X: x, Y: lineHeight - l.height})
		x += widths[i] + itemGap
	}
	return l
}

// draw draws the legend under top, in the middle of the page.
func (l legend) draw(page draw.Canvas, top vg.Length) {
	style := textStyle(labelSize)
	below := belowMiddle(style, labelSize/2) // of small letters, about half the type size high
	for i, item := range l.items {
		corner := l.at[i].Add(vg.Point{X: page.Center().X, Y: top})
		box := draw.Canvas{Canvas: page.Canvas, Rectangle: vg.Rectangle{
			Min: corner.Sub(vg.Point{Y: lineHeight}), Max: corner.Add(vg.Point{X: sampleWidth})}}
		item.sample.Thumbnail(&box)
		page.FillText(style, vg.Point{X: box.Max.X + sampleGap, Y: box.Center().Y - below}, item.text)
	}
}
