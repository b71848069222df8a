package kernel

// Where a convolution has so few output channels that they leave half of a vector empty, a row of its products is two
// neighbouring positions of a line, with the outputs of both. It reads the inputs of both, one position more than their
// taps, and weights that are zero where an output does not have a tap:
//
//	(Kernel, Kernel+Joined-1, In, Joined, Out)    from (Kernel, Kernel, In, Out)

// joined is the number of positions in a row of c's products, 1 or 2.
func (c Conv) joined() int {
	contiguous := !across(c.N, c.W) && pitch(c.In) == c.In && c.In <= directChannels
	if cpu.set != pureGo && contiguous && c.Kernel > 1 && c.W%2 == 0 && 2*c.Out <= cpu.nr/2 {
		return 2
	}
	return 1
}

// directFilters is the form of the weights of the direct convolution.
func (c Conv) directFilters() Filters { return Filters{c.In, c.Out, c.Kernel, 0, c.joined()} }

// panels lays out weights for the direct convolution.
func (f Filters) panels(data []float32) panels {
	return panelsIn(data, f.Kernel*(f.Kernel+f.Joined-1)*f.In, f.Joined*f.Out)
}

func (f Filters) newPanels() panels { return f.panels(scratch.get(f.panels(nil).size())) }

// pack packs weights.
func (f Filters) pack(joined panels, weights taps) {
	if f.Joined == 1 {
		weights.pack(joined)
		return
	}
	plain := newPanels(f.Kernel*f.Kernel*f.In, f.Out)
	defer plain.release()
	weights.pack(plain)
	clear(joined.data)
	f.eachJoined(func(row, to, column int) {
		copy(joined.data[to*joined.width+column:][:f.Out], plain.data[row*plain.width:])
	})
}

// unpack is the reverse of pack, of gradients: those of the same weight are summed up. It adds to w if accumulate.
func (f Filters) unpack(w taps, joined panels, accumulate bool) {
	if f.Joined == 1 {
		w.unpack(joined, accumulate)
		return
	}
	plain := newPanels(f.Kernel*f.Kernel*f.In, f.Out)
	defer plain.release()
	clear(plain.data)
	f.eachJoined(func(row, from, column int) {
		add(plain.data[row*plain.width:][:f.Out], joined.data[from*joined.width+column:])
	})
	w.unpack(plain, accumulate)
}

// eachJoined calls do for each row of the weights, and for each row and column where it is among the joined ones.
func (f Filters) eachJoined(do func(row, joinedRow, column int)) {
	line := f.Kernel * f.In
	for row := range f.Kernel * line {
		first := row/line*(f.Kernel+f.Joined-1)*f.In + row%line
		for position := range f.Joined {
			do(row, first+position*f.In, position*f.Out)
		}
	}
}
