package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/internal/kernel"
)

// usageError is an error in the command line.
type usageError struct{ error }

// Usage marks an error as one of wrong usage, exit code 2.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Main parses the command line into flags, a pointer to a struct with kong's tags, runs the command, and exits unless it
// succeeds. It cancels run's context at the first signal to end. What run prints goes to Stdout.
func Main(name, description string, flags any, run func(context.Context) error) {
	signal.Ignore(syscall.SIGPIPE) // which would end the process before it could say that nobody reads the answer
	parser, err := kong.New(flags, kong.Name(name), kong.Description(description), kong.UsageOnError(),
		kong.Writers(Stdout, os.Stderr), kong.Exit(func(code int) {
			if err := Stdout.finish(); err != nil {
				fail(name, err, 1)
			}
			os.Exit(code)
		}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, Summary: true}))
	if err != nil {
		fail(name, err, 2)
	}
	if err := refuseEmpty(os.Args[1:]); err != nil {
		fail(name, err, 2)
	}
	if _, err := parser.Parse(os.Args[1:]); err != nil {
		if Stdout.err != nil { // the help
			fail(name, Stdout.finish(), 1)
		}
		fail(name, errors.Errorf("%v (see --help)", err), 2)
	}
	processes := launched(os.Environ())
	if err := processes.refuse(name); err != nil {
		if !processes.first {
			time.Sleep(firstWord)
			os.Exit(2)
		}
		fail(name, err, 2)
	}
	if err := kernel.Check(); err != nil {
		fail(name, err, 2)
	}
	if note := unknownVariables(os.Environ()); note != "" {
		fmt.Fprintf(os.Stderr, "note: %s\n", note)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	code := interruptedCode(cancel)
	if err = run(ctx); err == nil {
		err = Stdout.finish()
	}
	switch {
	case err == nil:
	case errors.As(err, new(usageError)):
		fail(name, err, 2)
	case errors.Is(err, context.Canceled):
		fail(name, errors.Errorf("interrupted: %v", err), int(code.Load()))
	case errors.Is(err, dataset.ErrUnreadable):
		fail(name, errors.Errorf("%v (go run ./cmd/dataset SPEC --check lists them all)", err), 1)
	default:
		fail(name, err, 1)
	}
}

// refuseEmpty refuses arguments without a value, which mostly come from variables of a shell that are not set: a flag must
// not then mean its default.
func refuseEmpty(args []string) error {
	for i, arg := range args {
		flag, value, given := strings.Cut(arg, "=")
		switch {
		case arg == "" && i > 0 && strings.HasPrefix(args[i-1], "--"):
			return errors.Errorf("%s: its value is empty", args[i-1])
		case arg == "":
			return errors.Errorf("argument %d is empty", i+1)
		case given && value == "" && strings.HasPrefix(flag, "--"):
			return errors.Errorf("%s: its value is empty", flag)
		}
	}
	return nil
}

// interruptedCode calls cancel at the first SIGINT or SIGTERM, and ends the process at the second. The result holds the exit
// code of an interrupted process once a signal has arrived.
func interruptedCode(cancel func()) *atomic.Int32 {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var code atomic.Int32
	go func() {
		first := <-signals
		code.Store(128 + int32(first.(syscall.Signal)))
		cancel()
		<-signals
		os.Exit(int(code.Load()))
	}()
	return &code
}

func fail(name string, err error, code int) {
	fmt.Fprintf(os.Stderr, "%s: %s\n", name, strings.ReplaceAll(strings.TrimPrefix(err.Error(), name+": "), "\n", " "))
	os.Exit(code)
}

// Threads is the flag --threads, for commands to embed.
type Threads struct {
	Threads int `help:"Threads to compute with; 0 uses all cores." default:"0" placeholder:"N"`
}

// Apply limits the process to that many threads.
func (t Threads) Apply() error {
	if t.Threads < 0 {
		return Usage(errors.Errorf("--threads %d: want 0 or a positive number", t.Threads))
	}
	if t.Threads > 0 {
		runtime.GOMAXPROCS(t.Threads)
	}
	return nil
}
