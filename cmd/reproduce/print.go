package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"vgg/configs"
	"vgg/internal/cli"
	"vgg/internal/progress"
	"vgg/internal/terminal"
	"vgg/reproduce"
	"vgg/trainer"
)

// console prints the progress, of one training at a time or of several.
type console struct{ several bool }

// Training is part of reproduce.Observer.
func (c console) Training(dir string, r configs.Recipe) trainer.Observer {
	if c.several {
		return progress.Among(cli.Stdout, dir, r, fmt.Sprintf("seed %d, %s", r.Training.Seed, filepath.Base(dir)))
	}
	return progress.NewReporter(cli.Stdout, dir, r)
}

// Notice is part of reproduce.Observer.
func (console) Notice(message string) { fmt.Fprintln(cli.Stdout, terminal.Wrap(cli.Stdout, message)) }

// printReport prints what a report judges, or that it judges nothing yet.
func printReport(sealed bool, tested string, findings []reproduce.Finding, dir string) {
	if sealed {
		fmt.Fprintln(cli.Stdout, terminal.Wrap(cli.Stdout, fmt.Sprintf("\nAll is trained and tested on %s: --open WHY opens the tests.", tested)))
	}
	printFindings(findings, dir)
}

// printFindings prints what a report judges, and where it is.
func printFindings(findings []reproduce.Finding, dir string) {
	fmt.Fprintln(cli.Stdout)
	for _, finding := range findings {
		ours, paper, seeds := finding.Ours, "not in the paper", ""
		if !math.IsNaN(finding.Paper) {
			paper = fmt.Sprintf("paper %+.1f", finding.Paper)
		}
		if len(finding.Each) > 1 {
			seeds = fmt.Sprintf("; over the seeds %+.2f to %+.2f", finding.Seeds.Low, finding.Seeds.High)
		}
		claim, value := fmt.Sprintf("%-95s", finding.Claim), fmt.Sprintf("%+6.2f", ours.Value)
		if terminal.Width(cli.Stdout) > 0 {
			claim, value = finding.Claim+":", strings.TrimSpace(value)
		}
		fmt.Fprintln(cli.Stdout, terminal.Wrap(cli.Stdout,
			fmt.Sprintf("%s %s (%+.2f to %+.2f%s), %s: %s", claim, value, ours.Low, ours.High, seeds, paper, finding.Verdict)))
	}
	fmt.Fprintf(cli.Stdout, "\n%s, %s\n", filepath.Join(dir, reproduce.HTMLFile), filepath.Join(dir, reproduce.MarkdownFile))
}
