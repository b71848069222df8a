package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pkg/errors"

	"vgg/internal/mpi"
	"vgg/internal/terminal"
)

// World is the ranks that share the work of a command; a single one has the size 1. Main joins them.
var World *mpi.World

// parallel are the commands that share their work among ranks, in a build that can.
var parallel = []string{"train", "evaluate", "reproduce", "bench"}

// launchers are the programs that start a command several times, and the variables in which they say how often, and
// which of them a process is. mpirun within a job of Slurm has both its own and srun's, which then counts something
// else.
var launchers = []struct{ name, size, rank string }{
	{"mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
	{"mpiexec", "PMI_SIZE", "PMI_RANK"},
	{"srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},
}

// launch says how a process was started.
type launch struct {
	by   string // mpirun, mpiexec or srun; "" if alone
	size int    // processes that were started together
	rank int    // of this one among them, from 0
}

// launched reads an environment.
func launched(environment []string) launch {
	values := map[string]string{}
	for _, setting := range environment {
		name, value, _ := strings.Cut(setting, "=")
		values[name] = value
	}
	for _, l := range launchers {
		if size, err := strconv.Atoi(values[l.size]); err == nil {
			rank, _ := strconv.Atoi(values[l.rank]) // 0 if it is not said
			return launch{by: l.name, size: size, rank: rank}
		}
	}
	return launch{size: 1}
}

// refuse gives an error if the command would do the same work several times over.
func (l launch) refuse(command string) error {
	switch {
	case l.size <= 1:
		return nil
	case !slices.Contains(parallel, command):
		return errors.Errorf("%s started %d processes, and this command shares no work among them: start it by itself", l.by, l.size)
	case !mpi.Built:
		return errors.Errorf("%s started %d processes, and this build works as one: build it with go build -tags mpi ./cmd/%s (Debian's libopenmpi-dev and gcc are needed)",
			l.by, l.size, command)
	}
	return nil
}

// firstWord is the time in which the first process can say why all end, before a launcher ends it because another has
// failed.
const firstWord = 2 * time.Second

// fail ends the process before ranks know each other. Of several, the first has the time to say it for all.
func fail(name string, err error, code int) {
	if l := launched(os.Environ()); l.size > 1 {
		if l.rank > 0 {
			time.Sleep(firstWord)
		}
		err = errors.Errorf("rank %d on %s: %s", l.rank, mpi.Hostname(), strings.TrimPrefix(err.Error(), name+": "))
	}
	say(name, err)
	os.Exit(code)
}

// stderr is where errors are said, by ranks that are otherwise silent too.
var stderr = os.Stderr

// join makes World of the processes that a launcher has started, and refuses ranks of another build or with other flags,
// but for those that each may have for itself (tag own).
func join(l launch, flags []*kong.Flag) (err error) {
	if World, err = mpi.Start(l.size); err != nil || l.size <= 1 {
		return Usage(err)
	}
	build, err := mpi.Build()
	if err != nil {
		return err
	}
	if err := World.Compare(mpi.Fact{Name: "the program", Value: build, Remedy: "copy one build to all hosts"}); err != nil {
		return err
	}
	var facts []mpi.Fact
	for _, flag := range flags {
		if flag.Tag.Has("own") {
			continue
		}
		value, err := json.Marshal(flag.Target.Interface())
		if err != nil {
			return errors.Wrapf(err, "--%s", flag.Name)
		}
		if string(value) == "null" {
			value = []byte("none")
		}
		facts = append(facts, mpi.Fact{Name: "--" + flag.Name, Value: string(value), Remedy: "give it to all ranks alike"})
	}
	return Usage(World.Compare(facts...))
}

// sayNotes lets rank 0 print a note that some ranks have, "" for none.
func sayNotes(own string) error {
	all, err := World.AllGather("the notes of the others", []byte(own))
	if err != nil || World.Rank() > 0 {
		return err
	}
	said := []string{""}
	for rank, message := range all {
		note := string(message)
		if slices.Contains(said, note) {
			continue
		}
		said = append(said, note)
		if World.Size() > 1 {
			note = World.Name(rank) + ": " + note
		}
		fmt.Fprintf(os.Stderr, "note: %s\n", note)
	}
	return nil
}

// shown tells whether a launcher shows on a terminal what this process prints. mpirun gives each a terminal of its own,
// even where its output goes to a file; it is the parent of the ranks on its host.
func (l launch) shown() bool {
	if l.by != "mpirun" {
		return true
	}
	file, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/1", os.Getppid()))
	return err == nil && (strings.HasPrefix(file, "/dev/pts/") || strings.HasPrefix(file, "/dev/tty"))
}

// silenceOthers lets rank 0 alone print.
func silenceOthers() error {
	if World.Rank() == 0 {
		return nil
	}
	nowhere, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	Stdout.file, os.Stderr = nowhere, nowhere
	return nil
}

// end ends the process after an error. One that all ranks have is said by rank 0. Any other ends them all, whatever
// they do; if they have it nevertheless, rank 0 is the first to say it.
func end(name string, err error, code int) {
	shared := errors.As(err, new(mpi.SharedError))
	if errors.Is(err, context.Canceled) && World.Rank() == 0 && terminal.Width(stderr) > 0 {
		fmt.Fprintln(stderr) // ends the line with ^C or a progress bar
	}
	err = explained(err)
	switch {
	case World.Size() == 1:
		fail(name, err, code)
	case shared:
		if World.Rank() == 0 {
			say(name, err)
		}
		_ = World.Close() // there is nothing left to do
		os.Exit(code)
	}
	if World.Rank() > 0 {
		time.Sleep(firstWord)
	}
	say(name, errors.Errorf("%s: %v", World.Name(World.Rank()), err))
	World.Abort(code)
	os.Exit(code)
}

// sharing is the number of ranks on this host that may use the same processors as this one, itself included.
func sharing() (ranks int, err error) {
	host, err := os.Hostname()
	if err != nil {
		return 1, err
	}
	own := host + " " + allowedProcessors()
	all, err := World.AllGather("the processors of the others", []byte(own))
	for _, other := range all {
		if string(other) == own {
			ranks++
		}
	}
	return ranks, err
}

// allowedProcessors lists those that this process may use, which launchers may have chosen for each rank; "" where it
// is not known.
func allowedProcessors() string {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "" // another system than Linux, which binds no process to processors
	}
	_, after, _ := strings.Cut(string(status), "\nCpus_allowed_list:")
	list, _, _ := strings.Cut(after, "\n")
	return strings.TrimSpace(list)
}

// Abort ends all ranks at once after an error of this one, whatever they do, with exit code 1.
func Abort(name string, err error) {
	say(name, err)
	World.Abort(1)
	os.Exit(1)
}
