package reproduce

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"vgg/internal/mpi"
	"vgg/weights"
)

// results are the weights of all trainings and the predictions of all tests of a plan, but for the times of the tests.
func results(t *testing.T, p Plan) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, pattern := range []string{"seed-*/*/*.safetensors", "seed-*/*/tests/*.safetensors"} {
		paths, err := filepath.Glob(filepath.Join(p.Dir, pattern))
		if err != nil || len(paths) == 0 {
			t.Fatalf("%s: %v, error %v", pattern, paths, err)
		}
		for _, path := range paths {
			f, err := weights.Read(path)
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.New()
			for _, tensor := range f.Tensors {
				fmt.Fprintln(sum, tensor.Name, tensor.Shape)
				if err := binary.Write(sum, binary.LittleEndian, tensor.Data); err != nil {
					t.Fatal(err)
				}
			}
			name, err := filepath.Rel(p.Dir, path)
			if err != nil {
				t.Fatal(err)
			}
			found[name] = hex.EncodeToString(sum.Sum(nil))
		}
	}
	return found
}

// TestRanks: three ranks train each net once, one before those that start from it, and leave what one process leaves;
// an interruption of one of them ends all, and they go on from there.
func TestRanks(t *testing.T) {
	alone := plan(t)
	if _, err := Run(context.Background(), alone, set(), nil); err != nil {
		t.Fatal(err)
	}
	shared := plan(t)
	ctx, cancel := context.WithCancel(context.Background())
	together := func(interrupt bool) (notices string, trainings [3]int) {
		var all sync.WaitGroup
		for rank, w := range mpi.Local(3) {
			all.Go(func() {
				p, watch, now := shared, &silent{}, context.Background()
				p.World = w
				var observer Observer = watch
				if interrupt && rank == 1 {
					observer, now = &stopping{cancel: cancel, epochs: 4}, ctx
				}
				report, err := Run(now, p, set(), observer)
				if interrupt && (!errors.Is(err, context.Canceled) || !errors.As(err, new(mpi.SharedError))) || !interrupt && err != nil {
					t.Errorf("rank %d: %v", rank, err)
				}
				if (report != nil) != (rank == 0 && !interrupt) {
					t.Errorf("rank %d: report %v", rank, report)
				}
				trainings[rank] = watch.trainings
				if rank == 0 {
					notices = strings.Join(watch.notices, "\n")
				}
			})
		}
		all.Wait()
		return notices, trainings
	}
	together(true)
	notices, trainings := together(false)
	for rank, n := range trainings {
		if n == 0 {
			t.Errorf("rank %d trains nothing", rank)
		}
	}
	// What was kept before the interruption is not begun again.
	began := regexp.MustCompile(`(?m)^\d+ of (\d+), on rank \d: `).FindAllStringSubmatch(notices, -1)
	if len(began) == 0 || len(began) > 24 || began[0][1] != fmt.Sprint(len(began)) {
		t.Errorf("notices:\n%s", notices)
	}
	want, got := results(t, alone), results(t, shared)
	for name, tensors := range want {
		if got[name] != tensors {
			t.Errorf("%s: %q, want %q", name, got[name], tensors)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	if a, b := timeless(t, alone), timeless(t, shared); a != b {
		t.Errorf("another report:\n%s\n%s", a, b)
	}
	if left, _ := filepath.Glob(filepath.Join(shared.Dir, ".*")); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// TestFolders: ranks that do not share the folder are refused.
func TestFolders(t *testing.T) {
	var all sync.WaitGroup
	for rank, w := range mpi.Local(2) {
		p := plan(t)
		p.World = w
		if err := os.MkdirAll(p.Dir, 0o777); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if _, err := Run(context.Background(), p, set(), nil); err == nil || !strings.Contains(err.Error(), "rank 1 has another one") {
				t.Errorf("rank %d: %v", rank, err)
			}
		})
	}
	all.Wait()
}
