package dataset

import (
	"maps"
	"slices"
	"sync"

	"github.com/pkg/errors"
)

// Skips are pictures that could not be read, and were passed over. It is safe for concurrent use; a nil *Skips passes
// over none.
type Skips struct {
	pictures int // of the set
	mutex    sync.Mutex
	reasons  map[string]string // by the picture's name
}

// Skip is one picture that was passed over.
type Skip struct {
	Picture string `json:"picture"`
	Reason  string `json:"reason"`
}

// NewSkips makes room for the unreadable pictures of a set: at most one in a hundred, of which some are known.
func NewSkips(set *Set, known ...Skip) *Skips {
	s := &Skips{pictures: set.Train.Len() + set.Val.Len(), reasons: map[string]string{}}
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

// Pass notes that a picture could not be read, and returns an error if it cannot be passed over.
func (s *Skips) Pass(name string, reason error) error {
	if s == nil {
		return reason
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.reasons[name] = reason.Error()
	if 100*len(s.reasons) > s.pictures {
		return errors.Wrapf(reason, "%d of %d pictures cannot be read, more than 1 %% (go run ./cmd/dataset SPEC --check lists them); the last", len(s.reasons), s.pictures)
	}
	return nil
}
