package evaluate

import (
	"slices"

	"github.com/pkg/errors"

	"vgg/configs"
)

// filterBytes is the memory that prepared filters of all nets take.
func (e *engine) filterBytes() (bytes int64, err error) {
	for i, m := range e.models {
		p := purpose{rows: 1, height: m.Info.Input, width: m.Info.Input, prepared: true, kept: true}
		if slices.ContainsFunc(e.croppings[i], func(c cropping) bool { return c.protocol == configs.Dense }) {
			p.height, p.width, p.dense = 2*p.height, 2*p.width, true
		}
		r, err := m.newRunner(p)
		if err != nil {
			return 0, err
		}
		bytes += r.vm.ConstantBytes()
	}
	return bytes, nil
}

// fits refuses a dense view for which there is not enough memory, before any is allocated. Views of which a full batch
// has no more pixels than one of crops of the input's size fit.
func (e *engine) fits(s shape) error {
	m := e.models[s.model]
	rows := e.size(s)
	pixels := float64(s.height) * float64(s.width) // may exceed an int
	if pixels*float64(rows) <= float64(e.options.Batch*m.Info.Input*m.Info.Input) {
		return nil
	}
	held := rows + max(e.cropsOfPicture(), min(2*e.options.Batch, e.split.Len()*e.cropsOfPicture())) // in graphs, and read ahead
	bytes := 4 * float64(m.Info.Channels) * pixels * float64(held)
	if bytes <= float64(e.memory) {
		r, err := m.newRunner(e.purpose(s, rows))
		if err != nil {
			return err
		}
		bytes += float64(r.vm.PlannedBytes())
	}
	if bytes <= float64(e.memory) {
		return nil
	}
	return errors.Errorf("too large for dense evaluation: the whole picture, of %d×%d pixels after resizing, takes %.3g GB, more than half of this process's share of the memory, %.3g GB: "+
		"want a smaller scale, or one of the protocols center and multi-crop", s.width, s.height, bytes/1e9, float64(e.memory)/1e9)
}
