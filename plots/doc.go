// Package plots draws the training curves of section 3.1 of the paper, the results of its section 4, and its nets, at the
// width of a report's column.
//
// A function for each kind of figure ([Curves], [Compare], [Depth], [Bars], [Values], [PrecisionRecall], [Confusion],
// [Calibration], [Costs], [Scaling], [Sizes], [Filters], [Sheet], [Architecture], [Stacks]) takes plain data (a history,
// numbers, pictures) and returns a [Figure]. [Figure.Encode] writes it to an io.Writer as PNG, SVG or PDF, and
// [Figure.Save] to a file. Its [Figure.Panels] are plots of gonum.org/v1/plot that can be changed and added to before
// the figure is drawn; figures without axes have none.
package plots
