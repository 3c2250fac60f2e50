package report

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var shots = flag.String("shots", "", "folder for pictures of the page, for people to look at")

// browser speaks the DevTools protocol over a pipe: a message ends with a zero byte.
type browser struct {
	to     io.Writer
	from   *bufio.Reader
	id     int
	page   string   // session
	errors []string // of the console
	loaded bool
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
	Params struct {
		Type  string `json:"type"`
		Entry struct {
			Level, Text string
		} `json:"entry"`
	} `json:"params"`
}

func (b *browser) read() (m message, err error) {
	raw, err := b.from.ReadBytes(0)
	if err != nil {
		return m, err
	}
	if err = json.Unmarshal(raw[:len(raw)-1], &m); err != nil {
		return m, err
	}
	switch {
	case m.Method == "Page.loadEventFired":
		b.loaded = true
	case m.Method == "Log.entryAdded" && m.Params.Entry.Level != "verbose" && m.Params.Entry.Level != "info":
		b.errors = append(b.errors, m.Params.Entry.Text)
	case m.Method == "Runtime.consoleAPICalled" || m.Method == "Runtime.exceptionThrown":
		b.errors = append(b.errors, m.Method+" "+m.Params.Type)
	}
	return m, nil
}

func (b *browser) call(method string, params, result any) error {
	b.id++
	raw, err := json.Marshal(map[string]any{"id": b.id, "method": method, "params": params, "sessionId": b.page})
	if err != nil {
		return err
	}
	if b.page == "" {
		raw = []byte(strings.Replace(string(raw), `,"sessionId":""`, "", 1))
	}
	if _, err := b.to.Write(append(raw, 0)); err != nil {
		return err
	}
	for {
		m, err := b.read()
		switch {
		case err != nil:
			return err
		case m.ID != b.id:
			continue
		case m.Error != nil:
			return fmt.Errorf("%s: %s", method, m.Error)
		case result == nil:
			return nil
		}
		return json.Unmarshal(m.Result, result)
	}
}

func (b *browser) open(file string) error {
	var target struct{ TargetID string }
	if err := b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target); err != nil {
		return err
	}
	var session struct{ SessionID string }
	if err := b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session); err != nil {
		return err
	}
	b.page = session.SessionID
	for _, domain := range []string{"Page.enable", "Log.enable", "Runtime.enable"} {
		if err := b.call(domain, map[string]any{}, nil); err != nil {
			return err
		}
	}
	if err := b.size(360, 740); err != nil {
		return err
	}
	b.loaded = false
	if err := b.call("Page.navigate", map[string]any{"url": "file://" + file}, nil); err != nil {
		return err
	}
	for !b.loaded {
		if _, err := b.read(); err != nil {
			return err
		}
	}
	return nil
}

func (b *browser) size(width, height int) error {
	return b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}, nil)
}

func (b *browser) evaluate(expression string, value any) error {
	var answer struct {
		Result struct{ Value json.RawMessage }
	}
	if err := b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true}, &answer); err != nil {
		return err
	}
	return json.Unmarshal(answer.Result.Value, value)
}

// browserFolder is not t.TempDir: the browser's helpers may outlive it by some
// milliseconds, and write what is being removed.
func browserFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "browser")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end := time.Now().Add(20 * time.Second)
		for err := os.RemoveAll(folder); err != nil; err = os.RemoveAll(folder) {
			if time.Now().After(end) {
				t.Error(err)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	return folder
}

// startBrowser skips where there is no chromium, except in continuous integration, which installs it.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(err)
		}
		t.Skip("chromium is not installed")
	}
	folder := browserFolder(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
		"--disable-extensions", "--disable-background-networking", "--user-data-dir="+folder, "--remote-debugging-pipe")
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{theirIn, theirOut}
	if err := cmd.Start(); err != nil {
		cancel()
		t.Skip("chromium does not start: ", err)
	}
	_, _ = theirIn.Close(), theirOut.Close()
	b := &browser{to: in, from: bufio.NewReader(out)}
	t.Cleanup(func() {
		b.page = ""
		if err := b.call("Browser.close", map[string]any{}, nil); err == nil {
			_, _ = io.Copy(io.Discard, b.from) // until it has gone
		}
		cancel()
		var exit *exec.ExitError
		if err := cmd.Wait(); err != nil && !errors.As(err, &exit) {
			t.Error(err)
		}
		_, _ = in.Close(), out.Close()
	})
	return b
}

// TestPageFitsAPhone opens the page as a phone of 360 pixels does: nothing but tables and plots'
// values scrolls sideways, every plot can be read, and the browser has nothing to complain
// about, the page's own Content-Security-Policy included.
func TestPageFitsAPhone(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	file := filepath.Join(t.TempDir(), "page.html")
	w, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := sample(t).WriteHTML(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := startBrowser(t)
	if err := b.open(file); err != nil {
		t.Fatal(err)
	}
	var page struct{ Width, Plots, Narrow, Letters float64 }
	err = b.evaluate(`(() => {
		const plots = [...document.querySelectorAll('figure > svg')];
		return {
			Width: document.documentElement.scrollWidth, Plots: plots.length,
			Narrow: Math.min(...plots.map(p => p.getBoundingClientRect().width)),
			Letters: Math.min(...[...document.querySelectorAll('figure > svg text')].map(l => l.getBoundingClientRect().height)),
		};
	})()`, &page)
	if err != nil {
		t.Fatal(err)
	}
	if page.Width > 360 {
		t.Errorf("the page is %v pixels wide on a phone of 360", page.Width)
	}
	if page.Plots < 6 || page.Narrow < 300 || page.Letters < 9 {
		t.Errorf("%v plots, the narrowest %v pixels wide, letters %v high: want them to fill the phone", page.Plots, page.Narrow, page.Letters)
	}
	if len(b.errors) > 0 {
		t.Errorf("the browser complains: %q", b.errors)
	}
	if *shots != "" {
		pictures(t, b)
	}
}

// pictures takes the page as a phone, a screen, a dark screen and paper show it.
func pictures(t *testing.T, b *browser) {
	t.Helper()
	save := func(name, encoded string) {
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err == nil {
			err = os.WriteFile(filepath.Join(*shots, name), raw, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var picture struct{ Data string }
	for _, shot := range []struct {
		name   string
		width  int
		scheme string
	}{{"phone.png", 360, "light"}, {"screen.png", 1200, "light"}, {"dark.png", 1200, "dark"}} {
		err := errors.Join(b.size(shot.width, 800),
			b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme", "value": shot.scheme}}}, nil),
			b.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": true}, &picture))
		if err != nil {
			t.Fatal(err)
		}
		save(shot.name, picture.Data)
	}
	if err := b.call("Page.printToPDF", map[string]any{"paperWidth": 8.27, "paperHeight": 11.69}, &picture); err != nil {
		t.Fatal(err)
	}
	save("paper.pdf", picture.Data)
}
