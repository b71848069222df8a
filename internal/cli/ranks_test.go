package cli_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"vgg/internal/cli/clitest"
)

// TestSeveralProcesses: a command that mpirun, mpiexec or srun starts several times refuses in one line, which names the
// rank. The first of the processes has the time to say it for all.
func TestSeveralProcesses(t *testing.T) {
	for _, c := range []struct {
		environment string
		launcher    string // "" if the command runs
		rank        int
	}{
		{environment: "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0", launcher: "mpirun"},
		{environment: "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=1", launcher: "mpirun", rank: 1},
		{environment: "OMPI_COMM_WORLD_SIZE=2 OMPI_COMM_WORLD_RANK=0 SLURM_STEP_NUM_TASKS=1", launcher: "mpirun"},
		{environment: "PMI_SIZE=3 PMI_RANK=0", launcher: "mpiexec"},
		{environment: "SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=0 PMIX_RANK=0", launcher: "srun"},
		{environment: "OMPI_COMM_WORLD_SIZE=1 OMPI_COMM_WORLD_RANK=0 SLURM_STEP_NUM_TASKS=2"}, // mpirun -np 1 in a job of two nodes
		{environment: "SLURM_NTASKS=4 SLURM_PROCID=0"},                                        // the script of a job, which runs once
	} {
		cmd := clitest.Command(t, t.TempDir())
		cmd.Env = append(cmd.Env, strings.Fields(c.environment)...)
		began := time.Now()
		stdout, stderr, code := clitest.Run(t, cmd)
		took := time.Since(began)
		switch {
		case c.launcher == "":
			if code != 0 || stdout != "ran\n" {
				t.Errorf("%s: exit code %d, %q, %q", c.environment, code, stdout, stderr)
			}
		case code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.launcher+" started ") ||
			!strings.Contains(stderr, fmt.Sprintf(": rank %d on ", c.rank)) || c.rank > 0 && took < time.Second:
			t.Errorf("%s: exit code %d, %q, %q after %v", c.environment, code, stdout, stderr, took)
		}
	}
}
