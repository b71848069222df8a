package cli

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pkg/errors"
)

// parallel are the commands that share their work among ranks, in a build that can.
var parallel = []string{"train"}

// launchers are the programs that start a command several times, and the variables in which they say how often, and which
// of them a process is. mpirun within a job of Slurm has both its own and srun's, which then counts something else.
var launchers = []struct{ name, size, rank string }{
	{"mpirun", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"},
	{"mpiexec", "PMI_SIZE", "PMI_RANK"},
	{"srun", "SLURM_STEP_NUM_TASKS", "SLURM_PROCID"},
}

// launch says how a process was started.
type launch struct {
	by    string // mpirun, mpiexec or srun; "" if alone
	size  int    // processes that were started together
	first bool   // whether this is the first of them
}

// Processes is the number of processes that mpirun, mpiexec or srun has started together, of which this is one.
func Processes() int { return launched(os.Environ()).size }

// launched reads an environment.
func launched(environment []string) launch {
	values := map[string]string{}
	for _, setting := range environment {
		name, value, _ := strings.Cut(setting, "=")
		values[name] = value
	}
	for _, l := range launchers {
		if size, err := strconv.Atoi(values[l.size]); err == nil {
			return launch{by: l.name, size: size, first: values[l.rank] == "0"}
		}
	}
	return launch{size: 1, first: true}
}

// refuse gives an error if the command would do the same work several times over.
func (l launch) refuse(command string) error {
	switch {
	case l.size <= 1:
		return nil
	case !slices.Contains(parallel, command):
		return errors.Errorf("%s started %d processes, and this command shares no work among them: start it by itself", l.by, l.size)
	case !withMPI:
		return errors.Errorf("%s started %d processes, and this build works as one: build it with go build -tags mpi ./cmd/%s (Debian's libopenmpi-dev and gcc are needed)",
			l.by, l.size, command)
	}
	return nil
}

// firstWord is the time in which the first process can say why all end, before a launcher ends it because another has failed.
const firstWord = 2 * time.Second
