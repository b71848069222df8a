package mpi

import (
	"slices"
	"time"

	"github.com/pkg/errors"
)

// Others calls f with each other rank, the next one first, so that not all begin with the same.
func (w *World) Others(f func(peer int)) {
	for i := 1; i < w.size; i++ {
		f((w.rank + i) % w.size)
	}
}

// AllGather gives each rank the messages of all ranks, of any lengths, by rank. what says in the words of an error what
// is waited for.
func (w *World) AllGather(what string, message []byte) ([][]byte, error) {
	if w.Size() == 1 {
		return [][]byte{message}, nil
	}
	all := make([][]byte, w.size)
	all[w.rank] = message
	err := w.Wait(what, func() error {
		lengths := make([]uint64, w.size)
		lengths[w.rank] = uint64(len(message))
		x := w.Begin()
		w.Others(func(peer int) {
			Send(x, peer, tagLength, lengths[w.rank:][:1])
			Receive(x, peer, tagLength, lengths[peer:][:1])
		})
		if err := x.Start().Wait(); err != nil {
			return err
		}
		x = w.Begin()
		w.Others(func(peer int) {
			all[peer] = make([]byte, lengths[peer])
			Send(x, peer, tagBody, message)
			Receive(x, peer, tagBody, all[peer])
		})
		return x.Start().Wait()
	})
	return all, err
}

// Barrier returns after all ranks have called it.
func (w *World) Barrier(what string) error {
	_, err := w.AllGather(what, []byte{1})
	return err
}

// broadcastPart is what a rank passes on at once: the next one receives a part while this one receives the next.
const broadcastPart = 4 << 20

// Broadcast gives all ranks the elements that rank 0 has. Each rank passes them on to the next, part by part, so the
// time hardly depends on how many there are.
func Broadcast[T Element](w *World, what string, elements []T) error {
	if w.Size() == 1 {
		return nil
	}
	return w.Wait(what, func() error {
		var sending []*Exchange
		for part := range slices.Chunk(bytesOf(elements), broadcastPart) {
			if w.rank > 0 {
				x := w.Begin()
				Receive(x, w.rank-1, tagBroadcast, part)
				if err := x.Start().Wait(); err != nil {
					return err
				}
			}
			if w.rank < w.size-1 {
				x := w.Begin()
				Send(x, w.rank+1, tagBroadcast, part)
				sending = append(sending, x.Start())
			}
		}
		for _, x := range sending {
			if err := x.Wait(); err != nil {
				return err
			}
		}
		return nil
	})
}

// BroadcastBytes is Broadcast for bytes of which only rank 0 knows how many there are; it returns them.
func (w *World) BroadcastBytes(what string, message []byte) ([]byte, error) {
	length := []uint64{uint64(len(message))}
	if err := Broadcast(w, what, length); err != nil {
		return nil, err
	}
	if w.Rank() > 0 {
		message = make([]byte, length[0])
	}
	return message, Broadcast(w, what, message)
}

// alive is how often rank 0 says that it is at work. It is a variable for tests.
var alive = 10 * time.Second

// First lets rank 0 call f, however long it takes, and the others wait. Rank 0 tells them from time to time that it is
// alive. All have the error of f, with rank 0's name, as a SharedError.
func (w *World) First(what string, f func() error) error {
	if w.Size() == 1 {
		return f()
	}
	var failed error
	var text []byte
	done := make(chan struct{})
	if w.rank == 0 {
		go func() {
			failed = f()
			close(done)
		}()
	}
	for ended := []byte{0}; ended[0] == 0; {
		if w.rank == 0 {
			select {
			case <-done:
				ended[0] = 1
			case <-time.After(alive):
			}
		}
		if err := Broadcast(w, what, ended); err != nil {
			return err
		}
	}
	if failed != nil {
		text = []byte(failed.Error())
	}
	text, err := w.BroadcastBytes(what, text)
	switch {
	case err != nil:
		return err
	case failed != nil:
		return Share(errors.Wrap(failed, w.Name(0)))
	case len(text) > 0:
		return Share(errors.Errorf("%s: %s", w.Name(0), text))
	}
	return nil
}
