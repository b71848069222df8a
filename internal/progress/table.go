package progress

import (
	"fmt"
	"math"
	"strings"

	"vgg/history"
	"vgg/internal/terminal"
)

// column is a column of the table of epochs.
type column struct {
	head, below string // two lines of the heading
	width       int
	value       func(history.Epoch) string
}

// columns are those of the table, 76 characters wide with two spaces between them. On a narrower terminal, speed and time
// are left out, and it is 57 wide.
func (p *Reporter) columns() []column {
	measured := "top-1"
	if p.recipe.Boxes.Regression != "" {
		measured = "test 1"
	}
	percent := func(v float64) string {
		if math.IsNaN(v) {
			return "–"
		}
		return fmt.Sprintf("%.2f", v)
	}
	all := []column{
		{"epoch", "", 5, func(e history.Epoch) string { return fmt.Sprint(e.Epoch) }},
		{"rate", "", 8, func(e history.Epoch) string { return fmt.Sprintf("%.3g", e.LearningRate) }},
		{"train", "loss", 7, func(e history.Epoch) string { return fmt.Sprintf("%.4f", e.TrainLoss) }},
		{measured, "err %", 6, func(e history.Epoch) string { return percent(e.TrainTop1Error) }},
		{"val.", "loss", 7, func(e history.Epoch) string { return fmt.Sprintf("%.4f", e.ValLoss) }},
		{measured, "err %", 6, func(e history.Epoch) string { return percent(e.ValTop1Error) }},
		{"top-5", "err %", 6, func(e history.Epoch) string { return percent(e.ValTop5Error) }},
		{"pictures", "per s", 8, func(e history.Epoch) string { return fmt.Sprintf("%.1f", e.ImagesPerSecond) }},
		{"seconds", "", 7, func(e history.Epoch) string { return fmt.Sprintf("%.1f", e.Seconds) }},
	}
	if width := terminal.Width(p.out); 0 < width && width < 76 {
		all = all[:7]
	}
	return all
}

// row writes a line of the table.
func row(all []column, cell func(column) string) string {
	cells := make([]string, len(all))
	for i, c := range all {
		cells[i] = fmt.Sprintf("%*s", c.width, cell(c))
	}
	return strings.TrimRight(strings.Join(cells, "  "), " ")
}
