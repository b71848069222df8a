package reproduce

import (
	"fmt"
	"slices"
	"strings"

	"vgg/configs"
	"vgg/plots"
)

// Finding is a conclusion of section 4, and whether the miniature shows it too.
type Finding struct {
	Claim   string
	Paper   float64        // points of the error by which the net or method that the claim names first is better; NaN where the paper does not say
	Ours    plots.Estimate // the same, with its 95 % interval over the pictures
	Each    []float64      // the same, of each seed
	Seeds   plots.Estimate // their mean, with its 95 % interval over the seeds; ends of NaN for one seed
	Outcome Outcome
	Verdict string // the outcome in words
}

// Outcome says how a finding fares in the miniature.
type Outcome string

// The outcomes.
const (
	Shown     Outcome = "shown"
	Open      Outcome = "open"      // the difference is within the uncertainty of the pictures
	Uncertain Outcome = "uncertain" // the seeds disagree, or are too few to tell
	Against   Outcome = "against"
)

// relation is what a claim says of a candidate and a baseline.
type relation int

const (
	isBetter  relation = iota // the candidate has the lower error
	notBetter                 // the candidate does not have the lower error
)

// claim is a statement of section 4 about two rows of its tables.
type claim struct {
	text      string
	candidate row // what the text names first
	relation  relation
	baseline  row
	paper     float64 // points by which the candidate is better
}

// newClaim takes the paper's difference from the rows.
func newClaim(text string, candidate row, is relation, baseline row) claim {
	return claim{text, candidate, is, baseline, baseline.top1 - candidate.top1}
}

// claims are the statements of section 4 that its tables show.
func (p Plan) claims() []claim {
	single, several, protocols, fused := rowsOf(configs.Table3()), rowsOf(configs.Table4()), rowsOf(configs.Table5()), fusions()
	fixed := func(config string) row { return find(single, config, configs.S256, configs.Dense) }
	all := []claim{
		newClaim("4.1: local response normalisation does not improve on A", fixed("A-LRN"), notBetter, fixed("A")),
		newClaim("4.1: the error falls with depth: B (13 layers) is better than A (11)", fixed("B"), isBetter, fixed("A")),
		newClaim("4.1: the error falls with depth: E (19 layers) is better than A (11)", fixed("E"), isBetter, fixed("A")),
		newClaim("4.1: additional non-linearity helps: C (1×1) is better than B", fixed("C"), isBetter, fixed("B")),
		newClaim("4.1: spatial context matters: D (3×3) is better than C (1×1)", fixed("D"), isBetter, fixed("C")),
	}
	if p.Ablation {
		rows := ablation()
		const paper = 7
		all = append(all, claim{"4.1: pairs of 3×3 convolutions (B) are better than single 5×5 ones, on a centre crop", rows[0], isBetter, rows[1], paper})
	}
	for _, config := range []string{"C", "D", "E"} {
		all = append(all, newClaim(fmt.Sprintf("4.1: %s: scale jittering in training is better than the fixed scale in its middle", config),
			find(single, config, configs.Jitter, configs.Dense), isBetter, find(single, config, configs.S384, configs.Dense)))
	}
	for _, config := range []string{"C", "D", "E"} {
		all = append(all, newClaim(fmt.Sprintf("4.2: %s, trained with jittering: several test scales are better than one", config),
			find(several, config, configs.Jitter, configs.Dense), isBetter, find(single, config, configs.Jitter, configs.Dense)))
	}
	for _, config := range []string{"D", "E"} {
		for _, protocol := range []configs.Protocol{configs.Dense, configs.MultiCrop} {
			all = append(all, newClaim(fmt.Sprintf("4.3: %s: dense and multi-crop together are better than %s", config, protocol),
				find(protocols, config, configs.Jitter, configs.Both), isBetter, find(protocols, config, configs.Jitter, protocol)))
		}
	}
	best := fused[len(fused)-1]
	for _, config := range []string{"D", "E"} {
		all = append(all, newClaim(fmt.Sprintf("4.4: D and E together are better than %s alone", config),
			best, isBetter, find(protocols, config, configs.Jitter, configs.Both)))
	}
	return slices.DeleteFunc(all, func(c claim) bool { return !p.has(c.candidate) || !p.has(c.baseline) })
}

// find gives the row of a single net. There is one for each claim, as TestClaims checks.
func find(rows []row, config string, s configs.Scale, protocol configs.Protocol) row {
	for _, r := range rows {
		if net := r.nets[0]; net.Config == config && net.Train == s && r.protocol == protocol && len(r.nets) == 1 {
			return r
		}
	}
	return row{}
}

// newFinding judges a claim about our gain. A difference is shown, or its opposite, only where the intervals over the
// pictures and over the seeds both exclude 0 and all seeds agree; that there is none, only where the interval over the
// seeds lies within half a point. One seed is judged by the pictures alone, and the verdict says so.
func newFinding(text string, paper float64, is relation, ours gain) Finding {
	f := Finding{Claim: text, Paper: paper, Ours: ours.Estimate, Each: ours.seeds, Seeds: ours.overSeeds()}
	agree := slices.Min(f.Each) > 0 || slices.Max(f.Each) < 0
	switch n := len(f.Each); {
	case n == 1:
		f.Outcome, f.Verdict = is.judge(ours.Estimate)
		if f.Outcome != Open {
			f.Verdict += ", by one seed"
		}
	case is == notBetter && f.Seeds.Low > -half && f.Seeds.High < half:
		f.Outcome, f.Verdict = Shown, "shown: less than half a point to either side"
	case is == isBetter && !agree:
		f.Outcome, f.Verdict = Uncertain, "uncertain: the seeds disagree"
	default:
		f.Outcome, f.Verdict = is.judge(ours.Estimate)
		difference := f.Outcome == Against || f.Outcome == Shown && is == isBetter
		switch {
		case difference && !(agree && (f.Seeds.Low > 0 || f.Seeds.High < 0)):
			f.Outcome, f.Verdict = Uncertain, fmt.Sprintf("uncertain: %s by these %d seeds, but others may differ", strings.TrimPrefix(f.Verdict, notSo), n)
		case is == notBetter && !difference:
			f.Outcome, f.Verdict = Uncertain, "uncertain: by the seeds, half a point or more is possible"
		}
	}
	return f
}

// half is half a point of error.
const half = 0.5

const notSo = "not so here: "

// judge judges by the interval over the pictures.
func (r relation) judge(ours plots.Estimate) (Outcome, string) {
	switch {
	case r == notBetter && ours.Low > 0:
		return Against, notSo + "it improves"
	case r == notBetter && ours.Value > 0:
		return Open, "uncertain: an improvement, but within the uncertainty of the pictures"
	case r == notBetter:
		return Shown, "shown: no improvement"
	case ours.Low > 0:
		return Shown, "shown"
	case ours.High < 0:
		return Against, notSo + "the opposite"
	case ours.Value > 0:
		return Open, "uncertain: the same direction, but within the uncertainty of the pictures"
	}
	return Open, "uncertain: no improvement, within the uncertainty of the pictures"
}
