package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"vgg/configs"
	"vgg/dataset"
)

// report is what is printed, with --json in this form.
type report struct {
	Name     string  `json:"name"`
	Channels int     `json:"channels"`
	Classes  int     `json:"classes"`
	Train    int     `json:"train"` // pictures
	Val      int     `json:"val"`
	PerClass []class `json:"per_class"`
	Sizes    struct {
		Train sizes `json:"train"`
		Val   sizes `json:"val"`
	} `json:"sizes"`
	Mean         []float64    `json:"mean"` // of each channel, 0–255 units
	Std          []float64    `json:"std"`
	Eigenvalues  []float64    `json:"eigenvalues,omitempty"` // rising; of 3 channels only
	Eigenvectors [][3]float64 `json:"eigenvectors,omitempty"`
	Measured     int          `json:"measured"`            // training pictures from which mean to eigenvectors are
	Boxes        *counts      `json:"boxes,omitempty"`     // pictures with a box of their class; only if boxes are read
	Unreadable   []unreadable `json:"unreadable,omitzero"` // of both splits, in their order; only after a check
	Repeated     []repeated   `json:"repeated,omitempty"`  // validation pictures that are training pictures too; only after a check
	Notes        []string     `json:"notes"`               // what was decided where the files leave a choice
}

type counts struct {
	Train int `json:"train"`
	Val   int `json:"val"`
}

type class struct {
	Class string `json:"class"`
	Train int    `json:"train"`
	Val   int    `json:"val"`
}

// size is width and height.
type size [2]int

func (s size) String() string { return fmt.Sprintf("%d×%d", s[0], s[1]) }

// sizes are those of some pictures of a split, by area.
type sizes struct {
	Pictures int  `json:"pictures"`
	Smallest size `json:"smallest"`
	Median   size `json:"median"`
	Largest  size `json:"largest"`
}

type unreadable struct {
	Picture string `json:"picture"`
	Reason  string `json:"reason"`
}

// repeated is a validation picture with the pixels of a training picture.
type repeated struct {
	Picture  string `json:"picture"`
	Training string `json:"training"`
}

// newReport counts pictures without reading them.
func newReport(set *dataset.Set) report {
	r := report{Name: set.Name, Channels: set.Channels, Classes: len(set.Classes), Train: set.Train.Len(), Val: set.Val.Len()}
	for _, name := range set.Classes {
		r.PerClass = append(r.PerClass, class{Class: name})
	}
	for i := range r.Train {
		r.PerClass[set.Train.Label(i)].Train++
	}
	for i := range r.Val {
		r.PerClass[set.Val.Label(i)].Val++
	}
	return r
}

func (r *report) add(s configs.Statistics) {
	r.Mean, r.Std, r.Measured = s.Mean[:r.Channels], s.Std[:r.Channels], s.Pictures
	if r.Channels == 3 {
		r.Eigenvalues, r.Eigenvectors = s.Eigenvalues[:], s.Eigenvectors[:]
	}
}

// mostClasses is the number of classes up to which each has a line.
const mostClasses = 40

func (r report) print(w io.Writer, allClasses bool) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name string, cells ...any) {
		fmt.Fprint(tw, name)
		for _, c := range cells {
			fmt.Fprintf(tw, "\t%10v", c)
		}
		fmt.Fprintln(tw)
	}
	kind := map[int]string{1: "grey (1 channel)", 3: "colour (3 channels)"}[r.Channels]
	classes := fmt.Sprintf("%d classes", r.Classes)
	if r.Classes == 1 {
		classes = "1 class"
	}
	fmt.Fprintf(tw, "%s: %s, %s\n", r.Name, classes, kind)

	fmt.Fprintln(tw, "\nPictures, and how many a class has")
	row("", "all", "fewest", "median", "most")
	row("training", r.perClass(r.Train, func(c class) int { return c.Train })...)
	row("validation", r.perClass(r.Val, func(c class) int { return c.Val })...)

	if allClasses || r.Classes <= mostClasses {
		fmt.Fprintln(tw)
		row("class", "training", "validation")
		for _, c := range r.PerClass {
			row(c.Class, c.Train, c.Val)
		}
	} else {
		fmt.Fprintln(tw, "\n--classes lists the classes.")
	}

	fmt.Fprintf(tw, "\nSizes, by area, of %d training and %d validation pictures\n", r.Sizes.Train.Pictures, r.Sizes.Val.Pictures)
	row("", "smallest", "median", "largest")
	row("training", r.Sizes.Train.Smallest, r.Sizes.Train.Median, r.Sizes.Train.Largest)
	row("validation", r.Sizes.Val.Smallest, r.Sizes.Val.Median, r.Sizes.Val.Largest)

	if r.Boxes != nil {
		fmt.Fprintf(tw, "\nPictures with a box of their class: %d of %d for training, %d of %d for validation\n", r.Boxes.Train, r.Train, r.Boxes.Val, r.Val)
	}
	r.printColours(tw, row)
	if r.Unreadable != nil {
		fmt.Fprintf(tw, "\nUnreadable pictures: %d of %d\n", len(r.Unreadable), r.Train+r.Val)
		for _, u := range r.Unreadable {
			fmt.Fprintln(tw, oneLine.Replace(u.Picture+": "+u.Reason))
		}
	}
	if len(r.Repeated) > 0 {
		fmt.Fprintf(tw, "\nValidation pictures with the pixels of training pictures, so that errors on them are too low: %d of %d\n", len(r.Repeated), r.Val)
		for _, p := range r.Repeated {
			fmt.Fprintln(tw, oneLine.Replace(p.Picture+" is "+p.Training))
		}
	}
	return tw.Flush()
}

// perClass gives the cells of a split's row: all its pictures, the fewest, median and most of a class.
func (r report) perClass(all int, of func(class) int) []any {
	var counts []int
	for _, c := range r.PerClass {
		counts = append(counts, of(c))
	}
	slices.Sort(counts)
	return []any{all, counts[0], counts[(len(counts)-1)/2], counts[len(counts)-1]}
}

func (r report) printColours(w io.Writer, row func(string, ...any)) {
	fmt.Fprintf(w, "\nPixels of %d training pictures, from 0 to 255\n", r.Measured)
	if r.Measured == 0 {
		return
	}
	if r.Channels == 3 {
		row("", "red", "green", "blue")
	}
	row("mean", rounded(r.Mean, 2)...)
	row("deviation", rounded(r.Std, 2)...)
	if r.Channels == 3 {
		fmt.Fprintln(w, "\nPrincipal components of their colours' covariance")
		row("eigenvalue", "red", "green", "blue")
		for k, v := range r.Eigenvalues {
			row(fmt.Sprintf("%10.2f", v), rounded(r.Eigenvectors[k][:], 4)...)
		}
	}
}

func rounded(values []float64, decimals int) (cells []any) {
	for _, v := range values {
		cells = append(cells, fmt.Sprintf("%.*f", decimals, v))
	}
	return cells
}

// oneLine keeps a file's odd name from breaking a list of one picture a line.
var oneLine = strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`)
