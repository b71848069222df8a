//go:build mpi

package mpi

/*
#cgo pkg-config: ompi-c
#include <errno.h>
#include <mpi.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t news;
static int woken;   // there is new work, or an order to end
static int hurried; // the program waits for messages

static int vgg_init(int *rank, int *size) {
	pthread_condattr_t attributes;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&news, &attributes);
	int provided, rc;
	if ((rc = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided)) != MPI_SUCCESS) return rc;
	if ((rc = MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN)) != MPI_SUCCESS) return rc;
	if ((rc = MPI_Comm_rank(MPI_COMM_WORLD, rank)) != MPI_SUCCESS) return rc;
	return MPI_Comm_size(MPI_COMM_WORLD, size);
}

static int vgg_send(void *data, int count, int peer, int tag, MPI_Request *request) {
	return MPI_Isend(data, count, MPI_BYTE, peer, tag, MPI_COMM_WORLD, request);
}

static int vgg_receive(void *data, int count, int peer, int tag, MPI_Request *request) {
	return MPI_Irecv(data, count, MPI_BYTE, peer, tag, MPI_COMM_WORLD, request);
}

static int vgg_abort(int code) { return MPI_Abort(MPI_COMM_WORLD, code); }

static void vgg_wake(void) {
	pthread_mutex_lock(&lock);
	woken = 1;
	pthread_cond_signal(&news);
	pthread_mutex_unlock(&lock);
}

static void vgg_hurry(int waits) {
	pthread_mutex_lock(&lock);
	hurried = waits;
	if (waits) {
		woken = 1;
		pthread_cond_signal(&news);
	}
	pthread_mutex_unlock(&lock);
}

// vgg_sleep sleeps for some microseconds, or others if the program waits for messages, or until it is woken, and tells
// which.
static int vgg_sleep(long computing, long waiting) {
	struct timespec until;
	clock_gettime(CLOCK_MONOTONIC, &until);
	pthread_mutex_lock(&lock);
	until.tv_nsec += 1000 * (hurried ? waiting : computing);
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!woken && pthread_cond_timedwait(&news, &lock, &until) != ETIMEDOUT) {}
	int was = woken;
	woken = 0;
	pthread_mutex_unlock(&lock);
	return was;
}

// vgg_progress moves what is under way, n requests, until some are complete, whose places and errors it writes, or
// there is news. It returns how many are complete, -1 with an error for all. Without requests it still lets MPI deliver
// what it has taken over.
static int vgg_progress(int n, MPI_Request *requests, int *places, MPI_Status *statuses, int *failure, long waiting, long busy, long idle) {
	for (;;) {
		int count = 0, rc, flag;
		if (n > 0) {
			rc = MPI_Testsome(n, requests, &count, places, statuses);
			if (rc == MPI_SUCCESS) {
				for (int i = 0; i < count && count != MPI_UNDEFINED; i++) statuses[i].MPI_ERROR = MPI_SUCCESS;
			}
			if (count == MPI_UNDEFINED) count = 0;
			if (count == 0 && rc != MPI_SUCCESS) { *failure = rc; return -1; }
			if (count > 0) return count;
		} else if ((rc = MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &flag, MPI_STATUS_IGNORE)) != MPI_SUCCESS) {
			*failure = rc;
			return -1;
		}
		if (vgg_sleep(n > 0 ? busy : idle, waiting)) return 0;
	}
}
*/
import "C"

import (
	"os"
	"runtime"
	"sync"
	"unsafe"

	"github.com/pkg/errors"
)

// Built says whether this build can be several ranks.
const Built = true

// How long the thread sleeps between two looks at what is under way, in microseconds. Each look interrupts a kernel and
// leaves its caches cold: at 50 µs a step took half as long again, at 1 ms a few percent. Sockets hold what arrives
// meanwhile.
const (
	sleepWaiting = 50    // while the program waits for messages
	sleepBusy    = 4000  // while it computes
	sleepIdle    = 16000 // while it computes and nothing is under way
)

// signals is a setting of Open MPI: the signals whose handlers it replaces.
const signals = "OMPI_MCA_opal_signal"

// openMPI is a transport. Its thread alone calls MPI.
type openMPI struct {
	mutex sync.Mutex
	queue []*Exchange // not yet begun
	end   bool
	abrt  *int // exit code
	ended chan error

	requests []C.MPI_Request // under way; the other slices have the same length
	parcels  []parcel
	places   []C.int
	statuses []C.MPI_Status
	pinned   []*runtime.Pinner
	free     []*runtime.Pinner
}

func connect() (t transport, rank, size int, err error) {
	if _, ok := os.LookupEnv(signals); !ok {
		if err := os.Setenv(signals, "6"); err != nil { // SIGABRT; the others are Go's, which turns them into panics
			return nil, 0, 0, errors.Wrap(err, "mpi")
		}
	}
	m := &openMPI{ended: make(chan error, 1)}
	type start struct {
		rank, size C.int
		err        error
	}
	started := make(chan start)
	go func() {
		runtime.LockOSThread() // for good: MPI was initialised on this thread
		var s start
		s.err = failure(C.vgg_init(&s.rank, &s.size))
		started <- s
		if s.err == nil {
			m.run()
		}
	}()
	s := <-started
	return m, int(s.rank), int(s.size), errors.Wrap(s.err, "mpi: cannot start")
}

// failure is the error of a return code.
func failure(code C.int) error {
	if code == C.MPI_SUCCESS {
		return nil
	}
	var text [C.MPI_MAX_ERROR_STRING]C.char
	var length C.int
	C.MPI_Error_string(code, &text[0], &length)
	return errors.New(C.GoStringN(&text[0], length))
}

func (t *openMPI) start(x *Exchange) {
	t.tell(func() { t.queue = append(t.queue, x) })
}

func (t *openMPI) hurry(waits bool) {
	flag := C.int(0)
	if waits {
		flag = 1
	}
	C.vgg_hurry(flag)
}

func (t *openMPI) close() error {
	t.tell(func() { t.end = true })
	return <-t.ended
}

func (t *openMPI) abort(code int) {
	t.tell(func() { t.abrt = &code })
}

// tell gives the thread something to do.
func (t *openMPI) tell(f func()) {
	t.mutex.Lock()
	f()
	t.mutex.Unlock()
	C.vgg_wake()
}

// run is the thread.
func (t *openMPI) run() {
	for {
		t.mutex.Lock()
		queue, end, abort := t.queue, t.end, t.abrt
		t.queue = nil
		t.mutex.Unlock()
		if abort != nil {
			C.vgg_abort(C.int(*abort))
		}
		for _, x := range queue {
			t.begin(x)
		}
		if end && len(t.requests) == 0 {
			t.ended <- errors.Wrap(failure(C.MPI_Finalize()), "mpi: cannot end")
			return
		}
		t.progress()
	}
}

// begin hands the messages of an exchange to MPI.
func (t *openMPI) begin(x *Exchange) {
	for i := range x.messages {
		m := &x.messages[i]
		pin := new(runtime.Pinner)
		if n := len(t.free); n > 0 {
			pin, t.free = t.free[n-1], t.free[:n-1]
		}
		pin.Pin(&m.data[0])
		call := func(data unsafe.Pointer, request *C.MPI_Request) C.int {
			if m.send {
				return C.vgg_send(data, C.int(len(m.data)), C.int(m.peer), C.int(m.tag), request)
			}
			return C.vgg_receive(data, C.int(len(m.data)), C.int(m.peer), C.int(m.tag), request)
		}
		t.requests = append(t.requests, C.MPI_Request(nil))
		n := len(t.requests)
		if err := failure(call(unsafe.Pointer(&m.data[0]), &t.requests[n-1])); err != nil {
			t.requests = t.requests[:n-1]
			pin.Unpin()
			x.complete(i, err)
			continue
		}
		t.parcels, t.pinned = append(t.parcels, parcel{x, i}), append(t.pinned, pin)
		t.places, t.statuses = append(t.places, 0), append(t.statuses, C.MPI_Status{})
	}
}

// progress waits until something has happened.
func (t *openMPI) progress() {
	var first *C.MPI_Request
	var places *C.int
	var statuses *C.MPI_Status
	if len(t.requests) > 0 {
		first, places, statuses = &t.requests[0], &t.places[0], &t.statuses[0]
	}
	var code C.int
	n := int(C.vgg_progress(C.int(len(t.requests)), first, places, statuses, &code, sleepWaiting, sleepBusy, sleepIdle))
	if n < 0 {
		for i := range t.requests {
			t.complete(i, failure(code))
		}
		t.compact(func(int) bool { return false })
		return
	}
	if n == 0 {
		return
	}
	for i := range n {
		t.complete(int(t.places[i]), failure(t.statuses[i].MPI_ERROR))
	}
	t.compact(func(i int) bool { return t.pinned[i] != nil })
}

// complete lets go of the memory of a request and tells who waits for it.
func (t *openMPI) complete(i int, err error) {
	t.pinned[i].Unpin()
	t.free = append(t.free, t.pinned[i])
	t.pinned[i] = nil
	t.parcels[i].x.complete(t.parcels[i].i, err)
}

// compact keeps some of the requests.
func (t *openMPI) compact(keep func(i int) bool) {
	kept := 0
	for i := range t.requests {
		if keep(i) {
			t.requests[kept], t.parcels[kept], t.pinned[kept] = t.requests[i], t.parcels[i], t.pinned[i]
			kept++
		}
	}
	clear(t.parcels[kept:])
	t.requests, t.parcels, t.pinned = t.requests[:kept], t.parcels[:kept], t.pinned[:kept]
	t.places, t.statuses = t.places[:kept], t.statuses[:kept]
}
