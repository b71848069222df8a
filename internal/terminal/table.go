package terminal

import (
	"io"
	"strings"

	"github.com/rivo/uniseg"
)

// A Table is cells in rows, all of as many columns.
type Table struct {
	Rows  [][]string
	Gap   int  // columns of the terminal between those of the table
	Right bool // cells stand at the right of their columns
	Spans bool // a cell "" after the second column belongs to the one at its left, whose text stands in the middle of both
}

// Fprint writes a table. On a terminal that it is too wide for, its columns come closer, and those that still do not fit
// follow below, each time after the first column.
func (t Table) Fprint(w io.Writer) error {
	_, err := io.WriteString(w, t.text(Width(w)))
	return err
}

func (t Table) text(width int) string {
	widths := make([]int, len(t.Rows[0]))
	for _, row := range t.Rows {
		for i, cell := range row {
			widths[i] = max(widths[i], uniseg.StringWidth(cell))
		}
	}
	blocks := t.blocks(widths, width)
	if len(blocks) > 1 && t.Gap > closest {
		t.Gap = closest
		blocks = t.blocks(widths, width)
	}
	var b strings.Builder
	for i, block := range blocks {
		if i > 0 {
			b.WriteByte('\n')
		}
		for _, row := range t.Rows {
			if line := t.line(row, widths, block); len(blocks) == 1 || line != "" {
				b.WriteString(wrap(line, width) + "\n")
			}
		}
	}
	return b.String()
}

// closest is the smallest gap that is tried before columns are moved below.
const closest = 2

// blocks groups columns so that the first with those of a group fit into a width; 0 is endless.
func (t Table) blocks(widths []int, width int) (blocks [][]int) {
	block, used := []int{0}, widths[0]
	for i := 1; i < len(widths); {
		end, wide := i, 0
		for end == i || end < len(widths) && t.spans(end) {
			wide += t.Gap + widths[end]
			end++
		}
		if width > 0 && len(block) > 1 && used+wide > width {
			blocks, block, used = append(blocks, block), []int{0}, widths[0]
		}
		for ; i < end; i++ {
			block = append(block, i)
		}
		used += wide
	}
	return append(blocks, block)
}

// spans tells whether cells of a column belong to those at its left.
func (t Table) spans(column int) bool {
	for _, row := range t.Rows {
		if t.Spans && column > 1 && row[column] == "" {
			return true
		}
	}
	return false
}

func (t Table) line(row []string, widths, block []int) string {
	var b strings.Builder
	for k := 0; k < len(block); k++ {
		if k > 0 {
			b.WriteString(strings.Repeat(" ", t.Gap))
		}
		cell, wide, before := row[block[k]], widths[block[k]], 0
		spanning := false
		for t.Spans && k > 0 && k+1 < len(block) && row[block[k+1]] == "" {
			k++
			wide, spanning = wide+t.Gap+widths[block[k]], true
		}
		space := wide - uniseg.StringWidth(cell)
		switch {
		case spanning:
			before = space / 2
		case t.Right:
			before = space
		}
		b.WriteString(strings.Repeat(" ", before) + cell + strings.Repeat(" ", space-before))
	}
	return strings.TrimRight(b.String(), " ")
}
