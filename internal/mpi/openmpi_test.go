//go:build mpi

package mpi

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestOpenMPI runs this test's program under mpirun, as several ranks.
func TestOpenMPI(t *testing.T) {
	if size, err := strconv.Atoi(os.Getenv("OMPI_COMM_WORLD_SIZE")); err == nil {
		w, err := Start(size)
		if err != nil {
			t.Fatal(err)
		}
		if err := work(w, 1_500_000); err != nil {
			t.Error(err)
		}
		return
	}
	mpirun, err := exec.LookPath("mpirun")
	if err != nil {
		t.Skip("no mpirun here: install Debian's openmpi-bin")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []string{"1", "2", "5"} {
		cmd := exec.Command(mpirun, "--bind-to", "none", "--oversubscribe", "-np", size, program, "-test.run", "^TestOpenMPI$", "-test.v")
		cmd.Env = append(os.Environ(), "OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1", "OMPI_MCA_btl_vader_single_copy_mechanism=none")
		out, err := cmd.CombinedOutput()
		if n, _ := strconv.Atoi(size); err != nil || strings.Count(string(out), "--- PASS: TestOpenMPI") != n {
			t.Errorf("%s ranks: %v\n%s", size, err, out)
		}
	}
}
