package transfer

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pkg/errors"

	"vgg/dataset/annotations"
	"vgg/internal/archive"
	"vgg/internal/text"
)

// vocReader makes a Set of VOC's lists.
type vocReader struct {
	*voc
	task     Task
	folder   string // of the lists
	set      *Set
	pictures *vocPictures
	places   map[string]int // of pictures, by id
	objects  map[string]annotations.Picture
	splitOf  map[key]string
	said     *notes
}

// The lists of a set.
const (
	trainList = "train"
	valList   = "val"
	testList  = "test"
)

// read makes a Set of the lists of a task.
func (v *voc) read(task Task, said *notes) (*Set, error) {
	r := &vocReader{voc: v, task: task, folder: "ImageSets/Main/", pictures: &vocPictures{}, said: said,
		places: map[string]int{}, objects: map[string]annotations.Picture{}, splitOf: map[key]string{}}
	if task == Action {
		r.folder = "ImageSets/Action/"
	}
	r.set = &Set{Task: task, Year: v.year, Pictures: r.pictures, Metric: AP2010, Splits: make([]Split, 1)}
	if v.year < 2010 {
		r.set.Metric = AP2007
	}
	var places []string
	for _, p := range v.parts {
		places = append(places, p.String())
	}
	said.add("VOC-%d in %s", v.year, text.FirstFew(places, fewNames))
	if err := r.findClasses(); err != nil {
		return nil, err
	}
	split := &r.set.Splits[0]
	for _, list := range []struct {
		name string
		into *[]int
	}{{trainList, &split.Train}, {valList, &split.Val}, {testList, &split.Test}} {
		if err := r.addList(list.name, list.into); err != nil {
			return nil, err
		}
	}
	if len(split.Test) == 0 {
		said.add("no test pictures: they are in an archive of their own, whose folder VOC%d may lie beside", v.year)
	}
	if r.set.Unlabelled {
		said.add("no labels of the %d test samples, which VOC's server has: results can only be written for it", len(split.Test))
	}
	return r.set, r.findBoxes()
}

// findClasses are those with lists, CLASS_SET.txt.
func (r *vocReader) findClasses() error {
	classes := map[string]bool{}
	for _, name := range r.names(r.folder) {
		stem, isText := strings.CutSuffix(name, ".txt")
		at := strings.LastIndex(stem, "_")
		if isText && at > 0 && slices.Contains([]string{trainList, valList, testList}, stem[at+1:]) {
			classes[stem[:at]] = true
		}
	}
	r.set.Classes = slices.Sorted(maps.Keys(classes))
	if len(classes) == 0 {
		return errors.Errorf("no lists CLASS_train.txt in %s: unpack them too", r.folder)
	}
	return nil
}

func (r *vocReader) list(name string, f form) ([]line, error) {
	data, err := r.text(r.folder + name + ".txt")
	if err != nil || data == nil {
		return nil, err
	}
	lines, err := parseList(data, f)
	if err == nil && len(lines) == 0 {
		err = errors.New("no line in it: restore or remove it")
	}
	return lines, errors.Wrap(err, r.folder+name+".txt")
}

// addList adds the samples of a list, with their labels.
func (r *vocReader) addList(name string, into *[]int) error {
	labels := make([]map[key]int8, len(r.set.Classes))
	var without []string
	var samples []line
	for c, class := range r.set.Classes {
		lines, err := r.list(class+"_"+name, form{r.task == Action, true})
		if err != nil {
			return err
		}
		if lines == nil {
			without = append(without, class)
			continue
		}
		labels[c] = make(map[key]int8, len(lines))
		for _, l := range lines {
			if _, twice := labels[c][l.key]; twice {
				return errors.Errorf("%s%s_%s.txt names %s twice: remove one", r.folder, class, name, l.key)
			}
			labels[c][l.key] = l.label
		}
		samples = lines
	}
	labelled := len(without) < len(labels)
	if labelled && len(without) > 0 || !labelled && name != testList {
		return errors.Errorf("no list %sCLASS_%s.txt of %s: restore it, or remove the other lists of these classes", r.folder, name, text.FirstFew(without, fewNames))
	}
	if r.task == Classification || !labelled {
		listed, err := r.unlabelled(name)
		if err != nil {
			return err
		}
		if listed == nil && (name != testList || labelled) {
			return errors.Errorf("no %s%s.txt: restore it", r.folder, name)
		}
		samples = listed
	}
	if name == testList && len(samples) > 0 {
		known := labelled && slices.ContainsFunc(labels, func(of map[key]int8) bool {
			return slices.ContainsFunc(slices.Collect(maps.Values(of)), func(label int8) bool { return label != 0 })
		})
		r.set.Unlabelled, labelled = !known, known
	}
	if err := r.add(samples, name, into); err != nil || !labelled {
		return err
	}
	return r.label(labels, name, *into)
}

// unlabelled reads the list of a set's samples; nil if there is none. Where a list of actions has no numbers of
// objects, it means all people in the pictures.
func (r *vocReader) unlabelled(name string) ([]line, error) {
	if r.task == Classification {
		return r.list(name, form{})
	}
	lines, err := r.list(name, form{object: true})
	if err == nil {
		return lines, nil
	}
	bare, bareErr := r.list(name, form{})
	if bareErr != nil {
		return nil, err
	}
	lines = nil
	for _, l := range bare {
		p, err := r.annotation(l.id)
		if err != nil {
			return nil, err
		}
		for k, o := range p.Objects {
			if o.Class == "person" {
				lines = append(lines, line{key: key{l.id, k + 1}})
			}
		}
	}
	return lines, nil
}

// add adds samples, and their pictures where these are new.
func (r *vocReader) add(samples []line, list string, into *[]int) error {
	var missing []string
	for _, l := range samples {
		if other, twice := r.splitOf[l.key]; twice {
			return errors.Errorf("%s is in the list %s and again in %s: remove one", l.key, other, list)
		}
		r.splitOf[l.key] = list
		at, known := r.places[l.id]
		if !known {
			at = r.pictures.Len()
			if !r.addPicture(l.id) {
				missing = append(missing, l.id)
				continue
			}
			r.places[l.id] = at
		}
		*into = append(*into, len(r.set.Samples))
		r.set.Samples = append(r.set.Samples, Sample{Picture: at, ID: l.id, Object: l.object})
		r.set.Targets = append(r.set.Targets, make([]int8, len(r.set.Classes))...)
	}
	if len(missing) > 0 {
		return errors.Errorf("the list %s names %d pictures that are not in JPEGImages (%s): unpack them too, or remove the list",
			list, len(missing), text.FirstFew(missing, fewNames))
	}
	return nil
}

func (r *vocReader) addPicture(id string) bool {
	for _, p := range r.parts {
		if i, ok := archive.Find(p.tree, p.folder+"JPEGImages/"+id+".jpg"); ok {
			r.pictures.trees, r.pictures.entries = append(r.pictures.trees, p.tree), append(r.pictures.entries, i)
			return true
		}
	}
	return false
}

// label gives the samples of a list their targets.
func (r *vocReader) label(labels []map[key]int8, list string, samples []int) error {
	k := len(labels)
	for c, class := range r.set.Classes {
		file := fmt.Sprintf("%s%s_%s.txt", r.folder, class, list)
		positives, negatives := 0, 0
		var without []string
		for _, sample := range samples {
			at := key{r.set.Samples[sample].ID, r.set.Samples[sample].Object}
			label, ok := labels[c][at]
			switch {
			case !ok:
				without = append(without, at.String())
			case label > 0:
				positives++
			case label < 0:
				negatives++
			}
			r.set.Targets[sample*k+c] = label
		}
		switch {
		case len(without) > 0:
			return errors.Errorf("%s has no label of %s: restore it", file, text.FirstFew(without, fewNames))
		case len(labels[c]) > len(samples):
			return errors.Errorf("%s names %s, which is not in the list %s: correct one of them", file, r.unlisted(labels[c], list), list)
		case positives == 0:
			return errors.Errorf("class %s has no positive sample in %s: restore it, or remove the class's lists", class, file)
		case negatives == 0 && list == trainList:
			return errors.Errorf("class %s has no negative sample in %s: restore it, or remove the class's lists", class, file)
		}
	}
	return nil
}

func (r *vocReader) unlisted(labels map[key]int8, list string) string {
	var names []string
	for at := range labels {
		if r.splitOf[at] != list {
			names = append(names, at.String())
		}
	}
	slices.Sort(names)
	return text.FirstFew(names, fewNames)
}

// annotation reads the objects of a picture, once.
func (r *vocReader) annotation(id string) (annotations.Picture, error) {
	if p, known := r.objects[id]; known {
		return p, nil
	}
	name := "Annotations/" + id + ".xml"
	data, err := r.text(name)
	if err == nil && data == nil {
		err = errors.Errorf("no %s of picture %s: unpack it too", name, id)
	}
	if err != nil {
		return annotations.Picture{}, err
	}
	p, err := annotations.ParseXML(data)
	if err == nil && p.Odd.Outside > 0 {
		err = errors.New("a box is outside the picture: correct it")
	}
	r.objects[id] = p
	return p, errors.Wrap(err, name)
}

// findBoxes gives samples of objects their boxes.
func (r *vocReader) findBoxes() error {
	if r.task != Action {
		return nil
	}
	for i := range r.set.Samples {
		at := &r.set.Samples[i]
		p, err := r.annotation(at.ID)
		if err != nil {
			return err
		}
		if at.Object > len(p.Objects) {
			return errors.Errorf("a list names object %d of %s, whose annotation has %d: correct one of them", at.Object, at.ID, len(p.Objects))
		}
		at.box, at.inPixels = p.Objects[at.Object-1].Box, p.InPixels
	}
	var odd annotations.Odd
	for _, p := range r.objects {
		odd.Add(p.Odd)
	}
	if odd.Swapped+odd.Clipped > 0 {
		r.said.add("boxes put right: %d with edges in the wrong order, %d over the picture's edge", odd.Swapped, odd.Clipped)
	}
	return nil
}
