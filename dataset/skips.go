package dataset

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/pkg/errors"

	"vgg/configs"
)

// Of pictures that cannot be read, for errors.Is: ErrBadPicture is the error of the first, where none is skipped, and
// ErrUnreadable that of Skips that hold too many.
var (
	ErrBadPicture = errors.New("a picture cannot be read")
	ErrUnreadable = errors.New("too many pictures cannot be read")
)

// Skips are pictures that could not be read and were skipped. It is safe for concurrent use; a nil *Skips skips none.
type Skips struct {
	pictures int     // of the set
	share    float64 // of them, at most
	mutex    sync.Mutex
	reasons  map[string]string // by the picture's name
}

// Skip is one picture that was skipped.
type Skip struct {
	Picture string `json:"picture"`
	Reason  string `json:"reason"`
}

// NewSkips makes room for the unreadable pictures of a set as a recipe says: at most a share of its pictures, from 0 to
// 1, but always one; or nil. Some of them may be known.
func NewSkips(set *Set, p configs.Pictures, known ...Skip) *Skips {
	if p.Bad != configs.BadSkip {
		return nil
	}
	s := &Skips{pictures: set.Train.Len() + set.Val.Len(), share: p.SkipShare, reasons: map[string]string{}}
	for _, skip := range known {
		s.reasons[skip.Picture] = skip.Reason
	}
	return s
}

// List gives the pictures by name.
func (s *Skips) List() (skips []Skip) {
	if s == nil {
		return nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.reasons)) {
		skips = append(skips, Skip{name, s.reasons[name]})
	}
	return skips
}

// Skip notes that a picture could not be read. It is an error if the picture cannot be skipped: the reason, as an
// ErrBadPicture, if s is nil, or an ErrUnreadable.
func (s *Skips) Skip(name string, reason error) error {
	if s == nil {
		return badPicture{reason}
	}
	return s.tooMany(s.add(name, reason), reason)
}

// SkipOf is Skip for a picture that one of several processes could not read, which has the number that they know of
// together: this process may have found more, and all are to decide alike.
func (s *Skips) SkipOf(name string, reason error, known int) error {
	s.add(name, reason)
	return s.tooMany(known, reason)
}

// add notes a picture, and gives the number of them.
func (s *Skips) add(name string, reason error) int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.reasons[name] = reason.Error()
	return len(s.reasons)
}

// tooMany is an ErrUnreadable for more pictures than may be skipped.
func (s *Skips) tooMany(n int, last error) error {
	if n > 1 && float64(n)/float64(s.pictures) > s.share {
		return errors.WithStack(unreadable{n, s.pictures, s.share, last})
	}
	return nil
}

type badPicture struct{ error }

func (b badPicture) Is(target error) bool { return target == ErrBadPicture }
func (b badPicture) Unwrap() error        { return b.error }

type unreadable struct {
	skipped, pictures int
	share             float64
	last              error
}

func (u unreadable) Error() string {
	return fmt.Sprintf("%d of %d pictures cannot be read, more than %.3g %%; the last: %v", u.skipped, u.pictures, 100*u.share, u.last)
}

func (u unreadable) Is(target error) bool { return target == ErrUnreadable }
func (u unreadable) Unwrap() error        { return u.last }
