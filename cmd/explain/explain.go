package main

import (
	"context"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pkg/errors"

	"vgg/boxes"
	"vgg/dataset"
	"vgg/evaluate"
	"vgg/explain"
	"vgg/internal/atomicfile"
	"vgg/internal/cli"
	"vgg/internal/drawing"
	"vgg/internal/featurefile"
	"vgg/internal/progress/bar"
	"vgg/metrics"
	"vgg/plots"
)

// runner explains pictures.
type runner struct {
	flags
	notes     *cli.Notes
	model     *evaluate.Model
	explainer *explain.Explainer
	classes   []int // of --class
	set       *dataset.Set
	files     *cli.PictureFiles // nil with --data
	split     dataset.Split
	text      io.Writer // nil with --json
	bar       bar.Bar
	done      []printedPicture // what was made, without the maps
	skipped   []dataset.Skip
	games     map[explain.Method]*explain.PointingGame // nil without --pointing-game
	pen       drawing.Pen
}

// explained is what was made of a picture.
type explained struct {
	name    string
	view    *explain.View
	classes []int
	maps    map[explain.Method][]explain.Map // of each class
	seconds map[explain.Method]float64
	drawing string
	arrays  map[explain.Method][]string
}

// scoring is the work before the maps, to which the seconds of the scores belong.
const scoring explain.Method = "scores"

// explainAll explains one picture after the other.
func (r *runner) explainAll(ctx context.Context) error {
	if r.PointingGame {
		r.games = map[explain.Method]*explain.PointingGame{}
		for _, m := range r.Methods {
			r.games[m] = new(explain.PointingGame)
		}
	}
	r.bar = bar.New(os.Stderr, r.split.Len(), "")
	defer r.bar.Clear()
	for i := range r.split.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, objects, err := r.read(i)
		if err == nil {
			began := time.Now()
			var view *explain.View
			if view, err = r.explainer.View(p); err == nil {
				if err := r.explain(ctx, i, view, objects, time.Since(began)); err != nil {
					return err
				}
				continue
			}
		}
		if err := r.skip(i, err); err != nil {
			return err
		}
		r.step(1)
	}
	if r.files != nil {
		r.files.NoteGreyed(r.notes)
		return r.files.CheckRead(r.skipped)
	}
	if len(r.done) == 0 {
		return errors.Errorf("--data %s: none of %d pictures could be read", r.Data, r.split.Len())
	}
	return nil
}

// covering says whether the bar counts the covered places of each picture, rather than pictures.
func (r *runner) covering() bool {
	return !r.PointingGame && slices.Contains(r.Methods, explain.Occlusion)
}

// step moves a bar that counts pictures.
func (r *runner) step(pictures int) {
	if !r.covering() {
		r.bar.Add(pictures)
	}
}

// explain makes the maps of a picture whose scores took some time, draws them, and says so.
func (r *runner) explain(ctx context.Context, i int, view *explain.View, objects []boxes.Box, scores time.Duration) error {
	e := explained{name: r.split.Name(i), view: view, classes: r.wanted(i, view),
		maps: map[explain.Method][]explain.Map{}, seconds: map[explain.Method]float64{}, arrays: map[explain.Method][]string{}}
	e.seconds[scoring] = scores.Seconds()
	each := func(places int) {}
	if r.covering() {
		r.bar.Restart(view.Places())
		r.bar.Set(0, fmt.Sprintf("%d of %d", i+1, r.split.Len()))
		each = r.bar.Add
	}
	for _, m := range r.Methods {
		began := time.Now()
		maps, err := view.Maps(ctx, m, e.classes, each)
		if err != nil {
			return err
		}
		e.maps[m], e.seconds[m] = maps, time.Since(began).Seconds()
		if r.PointingGame {
			r.games[m].Add(view, maps[0], objects)
		}
	}
	if r.Out != "" {
		if err := r.write(i, &e, objects); err != nil {
			return errors.Wrap(err, "--out")
		}
	}
	r.done = append(r.done, r.printed(e))
	if r.text != nil && !r.PointingGame {
		r.bar.Clear()
		if err := r.print(e); err != nil {
			return err
		}
	}
	r.step(1)
	return nil
}

// wanted are the classes to explain in a picture.
func (r *runner) wanted(i int, view *explain.View) []int {
	switch label := r.split.Label(i); {
	case len(r.classes) > 0:
		return r.classes
	case r.Top == 0 && label >= 0:
		return []int{label}
	}
	ranking := metrics.Ranking(view.Logits)
	return ranking[:min(max(1, r.Top), len(ranking))]
}

// write writes the drawing and the arrays of a picture.
func (r *runner) write(i int, e *explained, objects []boxes.Box) error {
	file := filepath.Join(r.Out, drawing.FileName(i, e.name))
	for _, m := range r.Methods {
		for k, class := range e.classes {
			of := e.maps[m][k]
			array := fmt.Sprintf("%s-%d-%s.npy", strings.TrimSuffix(file, ".png"), class, m)
			if err := featurefile.WriteArray(array, []int{of.Height, of.Width}, of.Values); err != nil {
				return err
			}
			e.arrays[m] = append(e.arrays[m], array)
		}
	}
	drawn, err := r.draw(*e, objects)
	if err != nil {
		return err
	}
	e.drawing = file
	return atomicfile.Encode(file, func(w io.Writer) error { return png.Encode(w, drawn) })
}

// headings are those of the columns of a drawing.
var headings = map[explain.Method]string{explain.Saliency: "saliency", explain.GradCAM: "Grad-CAM", explain.Occlusion: "occlusion"}

// draw draws what the net sees, with boxes if they are known, and the maps beside it, a row a class.
func (r *runner) draw(e explained, objects []boxes.Box) (image.Image, error) {
	seen := e.view.Picture().Image()
	marked := image.NewRGBA(seen.Bounds())
	draw.Draw(marked, marked.Rect, seen, image.Point{}, draw.Src)
	for _, b := range objects {
		plots.Outline(marked, e.view.InView(b).Clip(boxes.Unit).Scale(float64(e.view.Width), float64(e.view.Height)), drawing.White, 1)
	}
	columns := []string{"picture"}
	for _, m := range r.Methods {
		columns = append(columns, headings[m])
	}
	var rows []drawing.BoardRow
	for k, class := range e.classes {
		row := drawing.BoardRow{Caption: fmt.Sprintf("%s %.1f %%", r.model.Info.Classes[class], 100*e.view.Probabilities[class]), Pictures: []image.Image{marked}}
		for _, m := range r.Methods {
			of := e.maps[m][k]
			if m == explain.Saliency {
				row.Pictures = append(row.Pictures, drawing.Light(of.Values, of.Width))
			} else {
				row.Pictures = append(row.Pictures, drawing.Heat(seen, of.Spread(e.view.Width, e.view.Height)))
			}
		}
		rows = append(rows, row)
	}
	return r.pen.Board(filepath.Base(e.name), columns, rows)
}
