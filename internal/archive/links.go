package archive

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pkg/errors"
)

// links are the symbolic links of an archive: what each says, by its path.
type links map[string]string

// maxLinkPath is the length in bytes of the longest path through links, maxHops the number of links that lead to each
// other, and maxLinked the number of files and folders that links may add for each one that an archive has. What
// exceeds them leads in circles.
const (
	maxLinkPath = 1024
	maxHops     = 40
	maxLinked   = 4
)

// remove forgets a link, for an archive in which something else comes later under its path.
func (l links) remove(file string) {
	if len(l) > 0 {
		delete(l, strings.TrimSuffix(file, "/"))
	}
}

// followed adds to the sorted entries of an archive those that its links lead to, under the paths of the links.
func followed[E any](l links, entries []E, pathOf func(*E) *string) ([]E, error) {
	if len(l) == 0 {
		return entries, nil
	}
	find := func(file string) (int, bool) {
		return slices.BinarySearchFunc(entries, file, func(e E, file string) int { return cmp.Compare(*pathOf(&e), file) })
	}
	all := slices.Clone(entries)
	add := func(i int, file string) {
		e := entries[i]
		*pathOf(&e) = file
		all = append(all, e)
	}
	type linked struct{ file, original string } // a link, and the link of the archive that it stands for
	names := slices.Sorted(maps.Keys(l))
	todo := make([]linked, len(names))
	for i, name := range names {
		todo[i] = linked{name, name}
	}
	limit := maxLinked * (len(entries) + len(l))
	for next := 0; next < len(todo); next++ {
		link := todo[next]
		to, err := l.end(link.original)
		if err == nil && (len(link.file) > maxLinkPath || len(all)-len(entries) > limit || len(todo) > limit) {
			err = errCircle
		}
		if err != nil {
			return nil, errors.Wrap(err, link.original)
		}
		if i, found := find(to); found {
			add(i, link.file)
			continue
		}
		i, _ := find(to + "/")
		first := i
		for ; i < len(entries) && strings.HasPrefix(*pathOf(&entries[i]), to+"/") && len(all)-len(entries) <= limit; i++ {
			add(i, link.file+strings.TrimPrefix(*pathOf(&entries[i]), to))
		}
		j, _ := slices.BinarySearch(names, to+"/")
		if i == first && (j == len(names) || !strings.HasPrefix(names[j], to+"/")) {
			return nil, errors.Errorf("%s: a link to %s, which is not in the archive: pack the file itself", link.original, to)
		}
		for ; j < len(names) && strings.HasPrefix(names[j], to+"/") && len(todo) <= limit; j++ {
			todo = append(todo, linked{link.file + strings.TrimPrefix(names[j], to), names[j]})
		}
	}
	all, _ = sorted(all, pathOf)
	return all, nil
}

var errCircle = errors.New("a link that leads in a circle: pack the archive without it")

// end is the path to which a link leads, through others that are on the way.
func (l links) end(link string) (string, error) {
	at := link
	for range maxHops {
		first := l.onTheWay(at)
		if first == "" {
			return at, nil
		}
		target := l[first]
		switch {
		case !utf8.ValidString(target) || len(target) > maxLinkPath || strings.Contains(target, "\x00"):
			return "", errors.New("a link to no path in UTF-8: pack the file itself")
		case path.IsAbs(target):
			return "", errors.Errorf("a link to %s, an absolute path: pack the file itself", target)
		}
		at = path.Join(path.Dir(first), target, at[len(first):])
		switch {
		case at == "..", strings.HasPrefix(at, "../"):
			return "", errors.Errorf("a link to %s, which leads out of the archive: pack the file itself", target)
		case at == ".", strings.HasPrefix(link, at+"/"), len(at) > maxLinkPath:
			return "", errCircle
		}
	}
	return "", errCircle
}

// onTheWay is the first link on a path, the whole of which counts too; "" if there is none.
func (l links) onTheWay(file string) string {
	for i := range file {
		if file[i] == '/' {
			if _, ok := l[file[:i]]; ok {
				return file[:i]
			}
		}
	}
	if _, ok := l[file]; ok {
		return file
	}
	return ""
}
