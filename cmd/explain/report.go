package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/explain"
	"vgg/internal/terminal"
)

// finish prints what is said at the end: JSON, or the pointing game if all pictures were explained.
func (r *runner) finish(w io.Writer, whole bool) error {
	if r.JSON {
		return r.printJSON(w)
	}
	if r.PointingGame && whole {
		return r.printGame(w)
	}
	return nil
}

// print says what was made of a picture.
func (r *runner) print(e explained) error {
	lines := e.name + "\n"
	for k, class := range e.classes {
		lines += fmt.Sprintf("%9.2f %%  %s\n", 100*e.view.Probabilities[class], r.model.Info.Classes[class])
		for _, m := range r.Methods {
			lines += fmt.Sprintf("             %-9s  %s\n", m, r.peak(e, m, k))
		}
	}
	lines += fmt.Sprintf("%9.2f s  %s\n", e.seconds[scoring], scoring)
	for _, m := range r.Methods {
		lines += fmt.Sprintf("%9.2f s  %s", e.seconds[m], m)
		if m == explain.GradCAM {
			lines += " of " + r.explainer.Options.Layer
		}
		lines += fmt.Sprintf(", %d×%d values\n", e.maps[m][0].Height, e.maps[m][0].Width)
	}
	_, err := io.WriteString(r.text, lines+"  "+e.drawing+"\n")
	return errors.Wrap(err, "the answer cannot be written")
}

// peak says where the peak of a map is.
func (r *runner) peak(e explained, m explain.Method, class int) string {
	of := e.maps[m][class]
	x, y, ok := of.Peak()
	if !ok {
		return "nothing above 0: no peak"
	}
	return fmt.Sprintf("at most %.4g, at (%.1f, %.1f) of %d×%d pixels", of.Most(), x, y, e.view.Width, e.view.Height)
}

// printGame prints the shares of the pointing game.
func (r *runner) printGame(w io.Writer) error {
	first := r.games[r.Methods[0]]
	if _, err := fmt.Fprintln(w, terminal.Wrap(w, fmt.Sprintf("%d pictures of %s; in a box of the true class lies", first.Pictures, r.Data))); err != nil {
		return errors.Wrap(err, "the answer cannot be written")
	}
	share, low, high := first.MiddleShare()
	interval := func(low, high float64) string { return fmt.Sprintf("(%.1f–%.1f)", low, high) }
	table := terminal.Table{Gap: 2, Rows: [][]string{{"  the middle of the picture", fmt.Sprintf("%.1f %%", share), interval(low, high), "", ""}}}
	for _, m := range r.Methods {
		share, low, high := r.games[m].Share()
		difference, least, most := r.games[m].Difference()
		table.Rows = append(table.Rows, []string{"  the peak of " + r.nameOf(m), fmt.Sprintf("%.1f %%", share), interval(low, high),
			fmt.Sprintf("%+.1f points", difference), fmt.Sprintf("(%+.1f to %+.1f)", least, most)})
	}
	return errors.Wrap(table.Fprint(w), "the answer cannot be written")
}

// nameOf is a method's name, with the layer of Grad-CAM.
func (r *runner) nameOf(m explain.Method) string {
	if m == explain.GradCAM {
		return fmt.Sprintf("%s (%s)", m, r.explainer.Options.Layer)
	}
	return string(m)
}

// printedMap is a map in JSON.
type printedMap struct {
	Method string      `json:"method"`
	Height int         `json:"height"`
	Width  int         `json:"width"`
	Most   float32     `json:"most"`
	Peak   *[2]float64 `json:"peak"` // x and y in pixels of the view; null if nothing is above 0
	Array  string      `json:"array,omitempty"`
}

// printedClass is an explained class in JSON.
type printedClass struct {
	Name        string       `json:"class"`
	Index       int          `json:"index"`
	Probability float64      `json:"probability"`
	Score       float32      `json:"score"`
	Maps        []printedMap `json:"maps"`
}

// printedPicture is an explained picture in JSON.
type printedPicture struct {
	Picture string                     `json:"picture"`
	Height  int                        `json:"height"` // of the view
	Width   int                        `json:"width"`
	Drawing string                     `json:"drawing,omitempty"`
	Seconds map[explain.Method]float64 `json:"seconds"`
	Classes []printedClass             `json:"classes"`
}

func (r *runner) printJSON(w io.Writer) error {
	o := r.explainer.Options
	object := map[string]any{
		"weights": r.Weights, "config": r.model.Info.Config, "protocol": r.Protocol, "scale": o.Scale, "layer": o.Layer, "grid": o.Grid, "square": o.Square,
		"methods": r.Methods, "skipped": append([]dataset.Skip{}, r.skipped...), "notes": r.notes.List(),
	}
	object["pictures"] = append([]printedPicture{}, r.done...)
	if r.PointingGame {
		object["pointing_game"] = r.printedGame()
	}
	return errors.Wrap(json.NewEncoder(w).Encode(object), "--json")
}

func (r *runner) printed(e explained) printedPicture {
	p := printedPicture{Picture: e.name, Height: e.view.Height, Width: e.view.Width, Drawing: e.drawing, Seconds: e.seconds}
	for k, class := range e.classes {
		c := printedClass{Name: r.model.Info.Classes[class], Index: class, Probability: e.view.Probabilities[class], Score: e.view.Logits[class]}
		for _, m := range r.Methods {
			of := e.maps[m][k]
			printed := printedMap{Method: string(m), Height: of.Height, Width: of.Width, Most: of.Most()}
			if x, y, ok := of.Peak(); ok {
				printed.Peak = &[2]float64{x, y}
			}
			if len(e.arrays[m]) > 0 {
				printed.Array = e.arrays[m][k]
			}
			c.Maps = append(c.Maps, printed)
		}
		p.Classes = append(p.Classes, c)
	}
	return p
}

// printedGame is the pointing game in JSON, in percent.
func (r *runner) printedGame() map[string]any {
	first := r.games[r.Methods[0]]
	share, low, high := first.MiddleShare()
	game := map[string]any{"pictures": first.Pictures, "middle": share, "middle_interval": [2]float64{low, high}}
	for _, m := range r.Methods {
		share, low, high := r.games[m].Share()
		difference, least, most := r.games[m].Difference()
		game[string(m)] = map[string]any{"share": share, "interval": [2]float64{low, high}, "difference": difference, "difference_interval": [2]float64{least, most}}
	}
	return game
}
