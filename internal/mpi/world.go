package mpi

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/pkg/errors"
)

// World is the ranks that work together, as one of them sees them. Its collective methods (AllGather, Broadcast,
// Barrier) must be called by all ranks in the same order, on one goroutine; messages may be exchanged on several. A nil
// World is one rank.
type World struct {
	rank, size int
	transport  transport
	hosts      []string // of each rank

	sent      atomic.Int64 // bytes
	waited    atomic.Int64 // nanoseconds
	waiting   atomic.Pointer[wait]
	mutex     sync.Mutex
	exchanges []*Exchange // that are not complete, the oldest first
}

// transport moves messages.
type transport interface {
	// start begins to move the messages of an exchange, which stay unchanged until it is complete.
	start(x *Exchange)
	// hurry tells whether the goroutine that computes waits for messages, so that the processor is free to move them.
	hurry(waits bool)
	// close ends the transport, after all exchanges are complete.
	close() error
	// abort ends all ranks, without waiting for them.
	abort(code int)
}

// wait is what the goroutine that computes waits for.
type wait struct {
	what  string
	began time.Time
}

// Start joins the ranks that a launcher has started, size in number as it says; 1 needs no launcher. Only the first
// call may be for more than one.
func Start(size int) (*World, error) {
	if size <= 1 {
		return &World{size: 1, hosts: []string{Hostname()}}, nil
	}
	t, rank, found, err := connect()
	if err != nil {
		return nil, err
	}
	if found != size {
		return nil, errors.Errorf("%d processes were started, and MPI counts %d: start them by Open MPI's mpirun, as the library is Open MPI's, or by srun with its option mpi=pmix", size, found)
	}
	w := &World{rank: rank, size: size, transport: t}
	names, err := w.AllGather("the names of the hosts", []byte(Hostname()))
	for _, name := range names {
		w.hosts = append(w.hosts, string(name))
	}
	return w, err
}

// Hostname is the name of this host.
func Hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unknown"
	}
	return name
}

// Rank is the number of this rank, from 0.
func (w *World) Rank() int {
	if w == nil {
		return 0
	}
	return w.rank
}

// Size is the number of ranks.
func (w *World) Size() int {
	if w == nil {
		return 1
	}
	return w.size
}

// Name is a rank's number and host, for messages.
func (w *World) Name(rank int) string {
	if w == nil || w.hosts == nil {
		return fmt.Sprintf("rank %d", rank)
	}
	return fmt.Sprintf("rank %d on %s", rank, w.hosts[rank])
}

// Neighbours is the number of ranks on the host of this one, itself included.
func (w *World) Neighbours() (n int) {
	if w.Size() == 1 || w.hosts == nil {
		return w.Size()
	}
	for _, host := range w.hosts {
		if host == w.hosts[w.rank] {
			n++
		}
	}
	return n
}

// Sent is the number of bytes that this rank has sent.
func (w *World) Sent() int64 {
	if w == nil {
		return 0
	}
	return w.sent.Load()
}

// Waited is the time that this rank has spent inside Wait and the collective methods.
func (w *World) Waited() time.Duration {
	if w == nil {
		return 0
	}
	return time.Duration(w.waited.Load())
}

// Wait calls f, in which the goroutine that computes waits for other ranks: its time counts as waited, and Waiting
// tells of it.
func (w *World) Wait(what string, f func() error) error {
	if w.Size() == 1 {
		return f()
	}
	began := time.Now()
	w.transport.hurry(true)
	err := w.Hold(what, f)
	w.transport.hurry(false)
	w.waited.Add(int64(time.Since(began)))
	return err
}

// Hold is Wait for something else than other ranks, such as pictures, whose time does not count.
func (w *World) Hold(what string, f func() error) error {
	if w.Size() == 1 {
		return f()
	}
	w.waiting.Store(&wait{what, time.Now()})
	defer w.waiting.Store(nil)
	return f()
}

// Waiting tells for what, from which ranks, and how long the goroutine that computes has been waiting; "" if it does
// not wait. It may be called on any goroutine.
func (w *World) Waiting() (what string, long time.Duration) {
	if w == nil {
		return "", 0
	}
	now := w.waiting.Load()
	if now == nil {
		return "", 0
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var peers []int
	for _, x := range w.exchanges {
		for i := range x.messages {
			if m := &x.messages[i]; !m.arrived.Load() && !slices.Contains(peers, m.peer) {
				peers = append(peers, m.peer)
			}
		}
	}
	slices.Sort(peers)
	names := make([]string, len(peers))
	for i, p := range peers {
		names[i] = w.Name(p)
	}
	what = now.what
	if len(names) > 0 {
		what += " (" + strings.Join(names, ", ") + ")"
	}
	return what, time.Since(now.began)
}

// Close leaves the world, after all ranks have called it. Exchanges must be complete.
func (w *World) Close() error {
	if w.Size() == 1 {
		return nil
	}
	if err := w.Barrier("the end of the others"); err != nil {
		return err
	}
	return w.transport.close()
}

// lastWords is the time in which MPI must have ended this process after Abort.
const lastWords = 5 * time.Second

// Abort ends all ranks at once with an exit code, whatever they do. It returns only for one rank, or if MPI has failed to.
func (w *World) Abort(code int) {
	if w.Size() > 1 {
		w.transport.abort(code)
		time.Sleep(lastWords)
	}
}

// Message is one part of an exchange with another rank.
type Message struct {
	peer, tag int
	send      bool
	data      []byte
	arrived   atomic.Bool // complete
}

// Element is what the slices hold that messages carry.
type Element interface {
	~uint8 | ~float32 | ~uint64
}

func bytesOf[T Element](data []T) []byte {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(&data[0])), uintptr(len(data))*unsafe.Sizeof(data[0]))
}

// Exchange is messages that are under way together.
type Exchange struct {
	world    *World
	messages []Message
	left     atomic.Int32 // messages that are not complete
	then     func() *Exchange
	next     *Exchange // what then has started
	done     chan struct{}
	mutex    sync.Mutex
	err      error
}

// Begin makes an exchange without messages.
func (w *World) Begin() *Exchange { return &Exchange{world: w, done: make(chan struct{})} }

// Send adds a message to another rank, which must receive one of as many bytes under the same tag. Messages between two
// ranks under one tag arrive in order. Tags are from 0 to LargestTag.
func Send[T Element](x *Exchange, peer, tag int, data []T) {
	x.add(peer, tag, true, bytesOf(data))
}

// Receive adds a message from another rank.
func Receive[T Element](x *Exchange, peer, tag int, data []T) {
	x.add(peer, tag, false, bytesOf(data))
}

// LargestTag is the largest tag that messages may have.
const LargestTag = 1<<15 - 1 - 8 // every MPI allows 2¹⁵ - 1

// Tags above it are those of the collective methods.
const (
	tagLength = LargestTag + 1 + iota
	tagBody
	tagBroadcast
)

// largestMessage is what one call of MPI moves at most, whose counts are C ints. It is a variable for tests.
var largestMessage = 1 << 30

func (x *Exchange) add(peer, tag int, send bool, data []byte) {
	for part := range slices.Chunk(data, largestMessage) {
		x.messages = slices.Grow(x.messages, 1)[:len(x.messages)+1]
		m := &x.messages[len(x.messages)-1]
		m.peer, m.tag, m.send, m.data = peer, tag, send, part
	}
}

// Then lets f start another exchange when all messages have been moved, for which Wait waits too. It is called before
// Start. f is called on the goroutine that moves messages, which it must not keep from that for long.
func (x *Exchange) Then(f func() *Exchange) *Exchange {
	x.then = f
	return x
}

// Start begins to move the messages, whose data must not be changed, nor read where they are received, until Wait
// returns.
func (x *Exchange) Start() *Exchange {
	w := x.world
	x.left.Store(int32(len(x.messages)))
	if len(x.messages) == 0 {
		x.end()
		return x
	}
	for i := range x.messages {
		if m := &x.messages[i]; m.send {
			w.sent.Add(int64(len(m.data)))
		}
	}
	w.mutex.Lock()
	w.exchanges = append(w.exchanges, x)
	w.mutex.Unlock()
	w.transport.start(x)
	return x
}

// Wait waits until all messages have been moved. It may be called on several goroutines.
func (x *Exchange) Wait() error {
	<-x.done
	if x.err != nil || x.next == nil {
		return x.err
	}
	return x.next.Wait()
}

// end is called when all messages have been moved.
func (x *Exchange) end() {
	if x.then != nil && x.err == nil {
		x.next = x.then()
	}
	close(x.done)
}

// complete marks a message as moved, or as failed. Transports call it.
func (x *Exchange) complete(i int, err error) {
	if err != nil {
		m := &x.messages[i]
		way := "from"
		if m.send {
			way = "to"
		}
		x.mutex.Lock()
		if x.err == nil {
			x.err = errors.Wrapf(err, "mpi: %d bytes %s %s", len(m.data), way, x.world.Name(m.peer))
		}
		x.mutex.Unlock()
	}
	x.messages[i].arrived.Store(true)
	if x.left.Add(-1) > 0 {
		return
	}
	w := x.world
	w.mutex.Lock()
	w.exchanges = slices.DeleteFunc(w.exchanges, func(o *Exchange) bool { return o == x })
	w.mutex.Unlock()
	x.end()
}
