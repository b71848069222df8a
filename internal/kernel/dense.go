package kernel

// A Dense is a fully connected layer at all windows of feature maps, the convolution that section 3.2 turns it into, by
// minimal filtering: x is (N, H, W, C), w (Out, C, Size, Size), y (N·Count, Out).
type Dense struct {
	Windows
	Out int
}

// denseTile is m; denseLeast and denseMost bound r. Smaller windows gain little; larger ones would need more points.
const denseTile, denseLeast, denseMost = 2, 4, 7

// conv is the convolution with the windows as its outputs.
func (d Dense) conv() Conv { return Conv{d.N, d.H - d.Size + 1, d.W - d.Size + 1, d.C, d.Out, d.Size} }

// Pays reports whether this is possible and expected to be faster than a Linear layer on the windows, the weights being
// prepared already.
func (d Dense) Pays() bool {
	if algorithm == direct || d.Size < denseLeast || d.Size > denseMost {
		return false
	}
	f := d.Filters().winograd()
	tiles, weights := f.tiling(d.conv()).count(), d.C*d.Out
	minimal := f.alpha * f.alpha * ((tiles+denseReadCost)*weights + tiles*(denseInputCost*d.C+denseOutputCost*d.Out))
	return minimal < d.Size*d.Size*(d.N*d.Count()+denseReadCost)*weights
}

// Filters gives the form of the weights that ForwardPrepared takes.
func (d Dense) Filters() Filters { return Filters{d.C, d.Out, d.Size, denseTile, 0} }

// ForwardPrepared computes y = x*w + bias, and max(0, y) if relu, with weights from Prepare of
// d.Filters(). A nil bias is zero.
func (d Dense) ForwardPrepared(y, x, prepared, bias []float32, relu bool) {
	nx, ny := d.N*d.H*d.W*d.C, d.N*d.Count()*d.Out
	filters := d.Filters()
	x, y, prepared = x[:nx:nx], y[:ny:ny], prepared[:filters.Size()]
	w := newWinogradForward(filters.winograd().layer(d.conv(), x), y, bias, relu)
	w.u = w.layer.filters(prepared)
	w.panelByPanel(densePanels)
}
