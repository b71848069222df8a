package reproduce

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// probe is a script that writes into the page how many pictures loaded, and more.
const probe = `<script>addEventListener("load", () => {
	const images = [...document.images], root = document.documentElement
	const requests = performance.getEntriesByType("resource").filter(r => !r.name.startsWith("data:"))
	root.dataset.found = "images " + images.filter(i => i.complete && i.naturalWidth > 0).length + "/" + images.length +
		", requests " + requests.length + ", wider than the window by " + Math.max(0, root.scrollWidth - innerWidth)
})</script>`

// browse opens a page in Chromium without network. It gives what the probe found, and the lines of the console.
func browse(t *testing.T, browser string, page []byte, width int) (found string, console []string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "report.html")
	if err := os.WriteFile(path, append(page, probe...), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, browser, "--headless", "--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP * ~NOTFOUND",
		"--user-data-dir="+filepath.Join(dir, "profile"), fmt.Sprintf("--window-size=%d,900", width), "--enable-logging=stderr",
		"--virtual-time-budget=5000", "--dump-dom", "file://"+path)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s", browser, err, &errs)
	}
	for line := range strings.Lines(errs.String()) {
		if strings.Contains(line, "CONSOLE") {
			console = append(console, line)
		}
	}
	if m := regexp.MustCompile(`data-found="([^"]*)"`).FindSubmatch(out.Bytes()); m != nil {
		found = string(m[1])
	}
	return found, console
}

// TestBrowser opens a report in Chromium in a wide and in a narrow window: all pictures load, nothing is asked of the
// network, and the console is empty. VGG_REPORT names a report.html to open instead of a tiny one.
func TestBrowser(t *testing.T) {
	browser := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			browser = path
			break
		}
	}
	if browser == "" {
		t.Skip("no Chromium to open a report with")
	}
	path := os.Getenv("VGG_REPORT")
	if path == "" {
		p := plan(t)
		p.Seeds = p.Seeds[:1]
		if _, err := Run(context.Background(), p, set(), &silent{}); err != nil {
			t.Fatal(err)
		}
		path = filepath.Join(p.Dir, HTMLFile)
	}
	page, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{1280, 500} {
		const want = "images 10/10, requests 0, wider than the window by 0"
		if found, console := browse(t, browser, page, width); found != want || len(console) > 0 {
			t.Errorf("%d pixels wide: %q, want %q; console: %q", width, found, want, console)
		}
	}
	broken := append(bytes.Clone(page), `<img src="http://example.invalid/a.png"><script>missing()</script>`...)
	if found, console := browse(t, browser, broken, 1280); !strings.HasPrefix(found, "images 10/11, requests 1") || len(console) != 1 {
		t.Errorf("a missing picture and a missing function give %q, console %q", found, console)
	}
}
