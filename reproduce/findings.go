package reproduce

import (
	"fmt"

	"vgg/configs"
	"vgg/plots"
)

// Finding is what section 4 found, and whether the miniature shows it too.
type Finding struct {
	Claim   string
	Paper   float64        // points of top-1 error by which the paper's second net is better than its first
	Ours    plots.Estimate // the same, with its 95 % interval
	Outcome Outcome
	Verdict string // the outcome in words
}

// Outcome is what became of a finding.
type Outcome string

// The outcomes.
const (
	Shown   Outcome = "shown"
	Open    Outcome = "open" // the difference is within the uncertainty
	Against Outcome = "against"
)

// claim is a finding that is still to be looked at: that the nets of one row are better than those of another, or that
// they are not.
type claim struct {
	text   string
	worse  row
	better row
	paper  float64
	no     bool // claims that better is not better
}

// claims are those of section 4 that its tables show.
func (p Plan) claims() (all []claim) {
	single, several, protocols, fused := table(configs.Table3()), table(configs.Table4()), table(configs.Table5()), table6()
	find := func(rows []row, config string, s configs.Scale, protocol configs.Protocol) row {
		for _, r := range rows {
			if e := r.nets[0]; e.Config == config && e.Train == s && r.protocol == protocol && len(r.nets) == 1 {
				return r
			}
		}
		return row{} // which cannot be tested, and says so
	}
	at := func(config string) row { return find(single, config, configs.S256, configs.Dense) }
	add := func(text string, worse, better row) {
		all = append(all, claim{text: text, worse: worse, better: better, paper: worse.paper.Top1 - better.paper.Top1})
	}
	add("4.1: local response normalisation does not improve on A", at("A"), at("A-LRN"))
	all[0].no = true
	add("4.1: the error falls with depth: B (13 layers) is better than A (11)", at("A"), at("B"))
	add("4.1: the error falls with depth: E (19 layers) is better than A (11)", at("A"), at("E"))
	add("4.1: additional non-linearity helps: C (1×1) is better than B", at("B"), at("C"))
	add("4.1: spatial context matters: D (3×3) is better than C (1×1)", at("C"), at("D"))
	if p.Ablation {
		rows := ablation()
		all = append(all, claim{text: "4.1: pairs of 3×3 convolutions (B) are better than single 5×5 ones, on a centre crop", worse: rows[1], better: rows[0], paper: 7})
	}
	for _, config := range []string{"C", "D", "E"} {
		add(fmt.Sprintf("4.1: %s: scale jittering in training is better than the fixed scale in its middle", config),
			find(single, config, configs.S384, configs.Dense), find(single, config, configs.Jitter, configs.Dense))
	}
	for _, config := range []string{"C", "D", "E"} {
		add(fmt.Sprintf("4.2: %s, trained with jittering: several test scales are better than one", config),
			find(single, config, configs.Jitter, configs.Dense), find(several, config, configs.Jitter, configs.Dense))
	}
	for _, config := range []string{"D", "E"} {
		for _, protocol := range []configs.Protocol{configs.Dense, configs.MultiCrop} {
			add(fmt.Sprintf("4.3: %s: dense and multi-crop together are better than %s", config, protocol),
				find(protocols, config, configs.Jitter, protocol), find(protocols, config, configs.Jitter, configs.Both))
		}
	}
	best := fused[len(fused)-1]
	add("4.4: D and E together are better than D alone", find(protocols, "D", configs.Jitter, configs.Both), best)
	add("4.4: D and E together are better than E alone", find(protocols, "E", configs.Jitter, configs.Both), best)
	return all
}

// judge compares our figure with the claim.
func (c claim) judge(ours plots.Estimate) Finding {
	f := Finding{Claim: c.text, Paper: c.paper, Ours: ours}
	switch {
	case c.no && ours.Low > 0:
		f.Outcome, f.Verdict = Against, "not so here: it improves"
	case c.no && ours.Value > 0:
		f.Outcome, f.Verdict = Open, "not shown: an improvement, but within the uncertainty"
	case c.no:
		f.Outcome, f.Verdict = Shown, "shown: no improvement"
	case ours.Low > 0:
		f.Outcome, f.Verdict = Shown, "shown"
	case ours.High < 0:
		f.Outcome, f.Verdict = Against, "not so here: the opposite"
	case ours.Value > 0:
		f.Outcome, f.Verdict = Open, "not shown: the same direction, but within the uncertainty"
	default:
		f.Outcome, f.Verdict = Open, "not shown: no improvement, within the uncertainty"
	}
	return f
}
