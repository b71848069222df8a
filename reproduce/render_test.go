package reproduce

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vgg/configs"
	"vgg/plots"
)

// TestRender: the page says what the Markdown says, with its figures and its classes in it, and nothing of the name of
// the data set is taken for Markdown or HTML.
func TestRender(t *testing.T) {
	r := &Report{
		Data: "a_b_*c* <script>x</script> [d](e) `f` | & \\", Scales: configs.TrainingScales(),
		Findings: []Finding{
			{Claim: "4.9: up", Ours: plots.Estimate{Value: 2, Low: 1, High: 3}, Each: []float64{1.5, -2.5}, Seeds: plots.Estimate{Low: -26, High: 25}, Outcome: Shown, Verdict: "shown"},
			{Claim: "4.9: down", Outcome: Against, Verdict: "not so here"},
		},
		Tables: []Table{{
			Number: 3, Title: "Single test scale", Section: "4.1", Note: "Dense evaluation.",
			Lines:   []Line{{Net: "A", Top1: plots.Estimate{Value: 12, Low: 11, High: 13}, PaperTop1: 29.6}},
			Figures: []Figure{{File: "figures/depth.png", Caption: "Error in [32;64].", PNG: []byte("depth")}},
		}},
		Learned: []Figure{{File: "figures/filters.png", Caption: "Filters.", PNG: []byte("filters")}},
		Recipe:  "name = \"a < b\"\n",
	}
	for _, c := range columns() {
		if c.in(tables()[0], 10) {
			r.Tables[0].columns = append(r.Tables[0].columns, c)
		}
	}
	markdown, err := markdown(markdownTemplate, r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Of 2 findings in the miniature: 1 shown; 1 the opposite.\n",
		"| 4.9: up | shown | +0.0 | +2.00 (+1.00 to +3.00) | +1.50, −2.50 (−26.00 to +25.00) |\n",
		"| 4.9: down | not so here | +0.0 | +0.00 (+0.00 to +0.00) | – |\n",
		"## Table 3: Single test scale (section 4.1)\n\nDense evaluation.\n\n| net | S | Q | top-1 error | top-5 error | paper's S |",
		"| A |  |  | 12.00 (11.00–13.00) | 0.00 (0.00–0.00) |  |  | 29.6 | – |\n",
		"\n![Error in \\[32;64\\].](figures/depth.png)\\\nError in \\[32;64\\].\n",
		"```toml\nname = \"a < b\"\n```\n",
	} {
		if !strings.Contains(string(markdown), want) {
			t.Errorf("the Markdown has no %q:\n%s", want, markdown)
		}
	}
	p := Plan{Dir: t.TempDir()}
	if err := p.write(r); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(p.Dir, HTMLFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<strong>a_b_*c* &lt;script&gt;x&lt;/script&gt; [d](e) `f` | &amp; \\</strong>",
		"<title>Very deep convolutional networks in miniature: a_b_*c* &lt;script&gt;x&lt;/script&gt; [d](e) `f` | &amp; \\</title>",
		`<td class="claim">4.9: down</td>`, `<td class="shown">shown</td>`, `<td class="against">not so here</td>`,
		`<th class="paper">paper, points</th>`, `<td class="paper">29.6</td>`, "<td>12.00 (11.00–13.00)</td>",
		`<p class="figure"><img src="data:image/png;base64,ZGVwdGg=" alt="Error in [32;64]."><br>`,
		`<img src="data:image/png;base64,ZmlsdGVycw==" alt="Filters.">`,
		"name = &quot;a &lt; b&quot;",
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if t.Failed() {
		t.Logf("%s", page)
	}
}

// TestCounted: outcomes that no finding has are left out.
func TestCounted(t *testing.T) {
	of := func(outcomes ...Outcome) (all []Finding) {
		for _, o := range outcomes {
			all = append(all, Finding{Outcome: o})
		}
		return all
	}
	for want, findings := range map[string][]Finding{
		"Of 1 finding in the miniature: 1 shown.": of(Shown),
		"Of 3 findings in the miniature: 0 shown; 1 uncertain, because the seeds disagree or are too few to tell; 2 within the uncertainty of the pictures.": of(Open, Uncertain, Open),
		"Of 4 findings in the miniature: 1 shown; 2 uncertain, because the seeds disagree or are too few to tell; 1 the opposite.":                           of(Uncertain, Shown, Against, Uncertain),
	} {
		if got := counted(findings); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestShort: builds are told apart in a report without their whole names.
func TestShort(t *testing.T) {
	for build, want := range map[string]string{
		"(devel)": "(devel)",
		"v0.0.0-20261128185901-d9cf92b07638, revision d9cf92b07638a3ec841cdc6bd5b8b1872679f351": "revision d9cf92b07638",
		"v0.0.0, revision d9cf92b07638a3ec841cdc6bd5b8b1872679f351 with changes":                "revision d9cf92b07638 with changes",
	} {
		if got := short(build); got != want {
			t.Errorf("%q is shortened to %q, not %q", build, got, want)
		}
	}
}
