package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/pkg/errors"

	"vgg/dataset"
	"vgg/internal/kernel"
	"vgg/internal/terminal"
	"vgg/internal/threads"
)

// usageError is an error in the command line.
type usageError struct{ error }

// Unwrap gives the cause.
func (e usageError) Unwrap() error { return e.error }

// Usage marks an error as one of wrong usage, exit code 2.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return usageError{err}
}

// Main parses the command line into flags, a pointer to a struct with kong's tags, runs the command, and exits unless
// it succeeds. It cancels run's context at the first signal to end. What run prints goes to Stdout. Of several ranks
// (World), which all call run, rank 0 alone prints.
func Main(name, description string, flags any, run func(context.Context) error) {
	signal.Ignore(syscall.SIGPIPE) // which would end the process before it could say that nobody reads the answer
	parser, err := kong.New(flags, kong.Name(name), kong.Description(description), kong.UsageOnError(),
		kong.Writers(Stdout, os.Stderr), kong.Exit(func(code int) {
			if err := Stdout.finish(); err != nil {
				fail(name, err, 1)
			}
			os.Exit(code)
		}),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, Summary: true, WrapUpperBound: terminal.Width(Stdout)}), kong.ValueFormatter(helpOf),
		kong.Embed(&struct {
			Version kong.VersionFlag `help:"Print the version of the program, of Go, and the kernels, and end."`
		}{}), kong.Vars{"version": version(name)})
	if err != nil {
		fail(name, err, 2)
	}
	if err := refuseEmpty(os.Args[1:]); err != nil {
		fail(name, err, 2)
	}
	parsed, err := parser.Parse(joinNegative(os.Args[1:]))
	if err != nil {
		if Stdout.err != nil { // the help
			fail(name, Stdout.finish(), 1)
		}
		fail(name, errors.Errorf("%v (see --help)", err), 2)
	}
	for _, part := range parsed.Path {
		if part.Flag != nil {
			given = append(given, "--"+part.Flag.Name)
		}
	}
	processes := launched(os.Environ())
	if err := processes.refuse(name); err != nil {
		fail(name, err, 2)
	}
	if err := kernel.Check(); err != nil {
		fail(name, err, 2)
	}
	if err := join(processes, parser.Model.Flags); err != nil {
		end(name, err, exitCode(err, 0))
	}
	if err := silenceOthers(); err != nil {
		end(name, err, 1)
	}
	if err := sayNotes(unknownVariables(os.Environ())); err != nil {
		end(name, err, 1)
	}
	Stdout.plain = !processes.shown()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	interrupted := interruptedCode(cancel)
	if err = run(ctx); err == nil {
		err = Stdout.finish()
	}
	if err == nil {
		err = World.Close()
	}
	if err != nil {
		end(name, err, exitCode(err, int(interrupted.Load())))
	}
}

// given are the flags of the command line, such as "--epoch".
var given []string

// Refuse is an error of wrong usage if any of some flags was given, be it with its default; why says what leaves them
// without effect.
func Refuse(why string, flags ...string) error {
	both := slices.DeleteFunc(flags, func(flag string) bool { return !slices.Contains(given, flag) })
	if len(both) == 0 {
		return nil
	}
	return Usage(errors.Errorf("%s: %s", strings.Join(both, " and "), why))
}

// exitCode is that of an error, interrupted that of a signal that has arrived, or 0.
func exitCode(err error, interrupted int) int {
	switch {
	case errors.As(err, new(usageError)):
		return 2
	case errors.Is(err, context.Canceled) && interrupted == 0: // another rank was interrupted
		return 128 + int(syscall.SIGTERM)
	case errors.Is(err, context.Canceled):
		return interrupted
	}
	return 1
}

// explained adds to an error what only commands know. Of an interruption nothing is said but that, and what an error with
// a method Interrupted says of it.
func explained(err error) error {
	switch {
	case errors.As(err, new(usageError)):
		return err
	case errors.Is(err, context.Canceled):
		var told interface{ Interrupted() string }
		if errors.As(err, &told) {
			return errors.New("interrupted: " + told.Interrupted())
		}
		return errors.New("interrupted")
	case errors.Is(err, dataset.ErrUnreadable), errors.Is(err, dataset.ErrBadPicture):
		return errors.Errorf("%v (go run ./cmd/dataset SPEC --check lists all such pictures)", err)
	}
	return err
}

// refuseEmpty refuses arguments without a value, which mostly come from variables of a shell that are not set: a flag
// must not then mean its default.
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

// joinNegative writes "--flag -1" as "--flag=-1": the parser would take -1 for a flag.
func joinNegative(args []string) (joined []string) {
	for _, arg := range args {
		last := len(joined) - 1
		if negative.MatchString(arg) && last >= 0 && strings.HasPrefix(joined[last], "--") && !strings.Contains(joined[last], "=") && !slices.Contains(joined, "--") {
			joined[last] += "=" + arg
			continue
		}
		joined = append(joined, arg)
	}
	return joined
}

// negative matches numbers below 0, and lists that begin with one.
var negative = regexp.MustCompile(`^-[0-9.]`)

// interruptedCode calls cancel at the first SIGINT, SIGTERM or SIGUSR1, which schedulers send in time, and ends the
// process at the second. mpirun may pass one on twice, and itself ends ranks that take long, so the second does not end
// those. The result holds the exit code of an interrupted process once a signal has arrived.
func interruptedCode(cancel func()) *atomic.Int32 {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1)
	var code atomic.Int32
	go func() {
		first := <-signals
		code.Store(128 + int32(first.(syscall.Signal)))
		cancel()
		for range signals {
			if World.Size() == 1 {
				os.Exit(int(code.Load()))
			}
		}
	}()
	return &code
}

// say prints an error in one line, which a terminal breaks between words.
func say(name string, err error) {
	line := strings.ReplaceAll(strings.TrimPrefix(err.Error(), name+": "), "\n", " ")
	fmt.Fprintln(stderr, terminal.Wrap(stderr, name+": "+line))
}

// Threads is the flag --threads, for commands to embed.
type Threads struct {
	Threads int `help:"Threads to compute with; 0 uses all cores, which the ranks of a host share." default:"0" placeholder:"N" own:""`
}

// Apply limits the process to that many threads; 0 shares the processors among the ranks that may use the same ones.
func (t Threads) Apply() error {
	if t.Threads < 0 {
		return Usage(errors.Errorf("--threads %d: want 0 or a positive number", t.Threads))
	}
	if t.Threads == 0 && World.Size() == 1 {
		return nil
	}
	ranks, err := sharing() // of all ranks, whatever their flags
	if err != nil {
		return err
	}
	n := t.Threads
	if n == 0 {
		n = max(1, threads.Count()/ranks)
	}
	beside := 0
	if World.Size() > 1 {
		beside = 1
	}
	threads.Set(n, beside)
	return nil
}
