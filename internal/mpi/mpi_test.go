package mpi

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pkg/errors"
)

// together calls f for each rank of a local world, and fails the test with their errors.
func together(t *testing.T, size int, f func(w *World) error) {
	t.Helper()
	var wait sync.WaitGroup
	for _, w := range Local(size) {
		wait.Go(func() {
			if err := f(w); err != nil {
				t.Errorf("%d ranks, rank %d: %v", size, w.Rank(), err)
			}
		})
	}
	wait.Wait()
}

// work lets the ranks send each other messages of several kinds, of up to that many elements or a little more.
func work(w *World, longest int) error {
	rank := w.Rank()
	for round := range 3 {
		all, err := w.AllGather("words", bytes.Repeat([]byte{byte(rank)}, rank*round))
		if err != nil {
			return err
		}
		for peer, message := range all {
			if !bytes.Equal(message, bytes.Repeat([]byte{byte(peer)}, peer*round)) {
				return errors.Errorf("round %d: %v from rank %d", round, message, peer)
			}
		}
		floats := make([]float32, longest*round/2+1)
		if rank == 0 {
			for i := range floats {
				floats[i] = float32(i + round)
			}
		}
		if err := Broadcast(w, "floats", floats); err != nil {
			return err
		}
		for i, v := range floats {
			if v != float32(i+round) {
				return errors.Errorf("round %d: element %d is %v", round, i, v)
			}
		}
		var text []byte
		if rank == 0 {
			text = []byte(strings.Repeat("word", round))
		}
		if text, err = w.BroadcastBytes("text", text); err != nil || string(text) != strings.Repeat("word", round) {
			return errors.Errorf("round %d: %q, error %v", round, text, err)
		}
	}
	if err := exchange(w, longest/10+3); err != nil {
		return err
	}
	return w.Close()
}

// exchange begins several exchanges at once, which are waited for in another order, each with an answer to what has
// arrived.
func exchange(w *World, length int) error {
	const kinds = 5
	size, rank := w.Size(), w.Rank()
	var exchanges []*Exchange
	got, answers := make([][][]float32, kinds), make([][][]float32, kinds)
	for kind := range kinds {
		x := w.Begin()
		got[kind], answers[kind] = make([][]float32, size), make([][]float32, size)
		w.Others(func(peer int) {
			got[kind][peer] = make([]float32, length)
			own := make([]float32, length)
			for i := range own {
				own[i] = float32(1000*kind + 10*rank + peer)
			}
			Send(x, peer, kind, own)
			Receive(x, peer, kind, got[kind][peer])
		})
		exchanges = append(exchanges, x.Then(func() *Exchange {
			y := w.Begin()
			w.Others(func(peer int) {
				answers[kind][peer] = make([]float32, length)
				Send(y, peer, kinds+kind, got[kind][peer])
				Receive(y, peer, kinds+kind, answers[kind][peer])
			})
			return y.Start()
		}).Start())
	}
	for kind, x := range slices.Backward(exchanges) {
		if err := x.Wait(); err != nil {
			return err
		}
		var err error
		w.Others(func(peer int) {
			want := float32(1000*kind + 10*peer + rank)
			if slices.ContainsFunc(got[kind][peer], func(v float32) bool { return v != want }) {
				err = errors.Errorf("kind %d from rank %d: want %v", kind, peer, want)
			}
			own := float32(1000*kind + 10*rank + peer)
			if slices.ContainsFunc(answers[kind][peer], func(v float32) bool { return v != own }) {
				err = errors.Errorf("kind %d, the answer of rank %d: want %v", kind, peer, own)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func TestLocal(t *testing.T) {
	for size := 1; size <= 4; size++ {
		together(t, size, func(w *World) error { return work(w, 1_500_000) })
	}
}

// TestParts cuts messages into parts, as those are that are longer than a C int counts.
func TestParts(t *testing.T) {
	defer func(n int) { largestMessage = n }(largestMessage)
	largestMessage = 1000
	together(t, 3, func(w *World) error { return work(w, 50_000) })
}

// TestNil: no world is one rank.
func TestNil(t *testing.T) {
	var w *World
	all, err := w.AllGather("words", []byte("x"))
	if err != nil || len(all) != 1 || string(all[0]) != "x" || w.Size() != 1 || w.Rank() != 0 || w.Sent() != 0 || w.Neighbours() != 1 {
		t.Errorf("%q, error %v, %+v", all, err, w)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	alone, err := Start(1)
	if err != nil || alone.Size() != 1 || !strings.HasPrefix(alone.Name(0), "rank 0 on ") {
		t.Errorf("%+v, error %v", alone, err)
	}
}

// TestWaiting: who waits says for what and for whom, and bytes and time are counted.
func TestWaiting(t *testing.T) {
	if what, _ := (*World)(nil).Waiting(); what != "" {
		t.Errorf("one rank waits for %s", what)
	}
	worlds := Local(3)
	x := worlds[0].Begin()
	here := make([]float32, 5)
	Receive(x, 1, 7, here)
	Receive(x, 2, 7, here[:1])
	x.Start()
	if what, _ := worlds[0].Waiting(); what != "" {
		t.Errorf("waits for %s", what)
	}
	done := make(chan error)
	go func() { done <- worlds[0].Wait("the sums of conv1_1", x.Wait) }()
	await := func(want string) {
		t.Helper()
		for range 1000 {
			if what, long := worlds[0].Waiting(); what == want && long > 0 {
				return
			}
			time.Sleep(time.Millisecond)
		}
		what, _ := worlds[0].Waiting()
		t.Errorf("waits for %q, want %q", what, want)
	}
	await("the sums of conv1_1 (rank 1, rank 2)")
	send := func(from int, data []float32) error {
		y := worlds[from].Begin()
		Send(y, 0, 7, data)
		return y.Start().Wait()
	}
	if err := send(1, []float32{1, 2, 3, 4, 5}); err != nil {
		t.Fatal(err)
	}
	await("the sums of conv1_1 (rank 2)")
	x.Then(func() *Exchange {
		t.Error("an exchange that failed goes on")
		return nil
	})
	if err := send(2, []float32{1, 2}); !errors.Is(err, errLength) {
		t.Errorf("two elements for one: %v", err)
	}
	if err := <-done; !errors.Is(err, errLength) || !strings.Contains(fmt.Sprint(err), "rank 2") {
		t.Errorf("one element of two: %v", err)
	}
	if worlds[1].Sent() != 20 || worlds[0].Sent() != 0 || worlds[0].Waited() <= 0 || worlds[1].Waited() != 0 {
		t.Errorf("%d and %d bytes sent, waited %v and %v", worlds[1].Sent(), worlds[0].Sent(), worlds[0].Waited(), worlds[1].Waited())
	}
}

// TestFirst: the others wait for rank 0, however long it takes, hear from it, and have its error.
func TestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause, calls, longest := errors.New("no such picture"), 0, time.Duration(0)
		together(t, 3, func(w *World) error {
			f := func() error {
				calls++
				time.Sleep(10 * alive)
				return nil
			}
			ended := make(chan struct{})
			var watch sync.WaitGroup
			if w.Rank() == 2 {
				watch.Go(func() {
					for {
						select {
						case <-ended:
							return
						case <-time.After(alive / 4):
							_, long := w.Waiting()
							longest = max(longest, long)
						}
					}
				})
			}
			if err := w.First("rank 0", f); err != nil {
				return err
			}
			close(ended)
			watch.Wait()
			err := w.First("rank 0", func() error { return cause })
			if !errors.As(err, new(SharedError)) || err.Error() != "rank 0: no such picture" || errors.Is(err, cause) != (w.Rank() == 0) {
				return errors.Errorf("the error is %v", err)
			}
			return nil
		})
		if calls != 1 || longest < alive/2 || longest > alive {
			t.Errorf("%d calls, the longest wait was %v", calls, longest)
		}
	})
}

// TestCompare: ranks that differ are told so alike, with values, ranks and remedies; those that agree go on.
func TestCompare(t *testing.T) {
	together(t, 3, func(w *World) error {
		same, kernels, data := Fact{"the program", "a", "copy it"}, Fact{"the kernels", "avx512", "set VGG_CPU"}, Fact{"the pictures", "80", "give the same"}
		if err := w.Compare(same, kernels, data); err != nil {
			return errors.Wrap(err, "all alike")
		}
		if w.Rank() == 1 {
			kernels.Value, data.Value = "avx2", "79"
		}
		err := w.Compare(same, kernels, data)
		const want = "the ranks differ in the kernels (rank 0, rank 2 has avx512; rank 1 has avx2): set VGG_CPU, and in the pictures (rank 0, rank 2 has 80; rank 1 has 79): give the same"
		if err == nil || err.Error() != want || !errors.As(err, new(SharedError)) {
			return errors.Errorf("%v, want %s", err, want)
		}
		facts := []Fact{same, data}
		if w.Rank() == 2 {
			facts = facts[:1]
		}
		if err := w.Compare(facts...); w.Rank() < 2 && (err == nil || errors.As(err, new(SharedError)) || !strings.Contains(err.Error(), "rank 2 compares other things")) {
			return errors.Errorf("rank 2 gives fewer facts: %v", err)
		}
		return nil
	})
	if err := (*World)(nil).Compare(Fact{"a", "b", "c"}); err != nil {
		t.Errorf("one rank: %v", err)
	}
}
