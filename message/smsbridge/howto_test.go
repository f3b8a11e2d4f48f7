package smsbridge

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/message/messagetest"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// The bridge of docs/how-to/send-sms.md takes what the adapter says, asks its gateway
// once for each message, and turns away who does not know the secret.
func TestTheBridgeOfTheGuide(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("SKIPPED: there is no python3, with which the guide's bridge is written")
	}
	guide, err := os.ReadFile("../../docs/how-to/send-sms.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, _ := strings.Cut(string(guide), "```python\n")
	program, _, _ = strings.Cut(program, "```")
	for what, instead := range map[string]string{
		"    raise NotImplementedError\n":                         "    print('sent', to, text, flush=True)\n    return to.endswith('1') or None\n",
		`ThreadingHTTPServer(("127.0.0.1", 9000), Bridge).serve_`: "server = ThreadingHTTPServer(('127.0.0.1', 0), Bridge)\nprint('http://127.0.0.1:%d' % server.server_port, flush=True)\nserver.serve_",
	} {
		if !strings.Contains(program, what) {
			t.Fatalf("the guide has no %q", what)
		}
		program = strings.Replace(program, what, instead, 1)
	}
	file := filepath.Join(t.TempDir(), "bridge.py")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), python, file)
	c.Dir, c.Env, c.Stderr = filepath.Dir(file), append(os.Environ(), "KEY="+secret), os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	said := bufio.NewReader(out)
	url, err := said.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	deliverer := func(key string) *Deliverer {
		d, err := New(Config{URL: strings.TrimSpace(url), Secret: key, Now: time.Now}, outbound.New(outbound.Options{}))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := deliverer(secret)
	for range 2 {
		if _, err := d.Deliver(t.Context(), messagetest.Letter("msg_1", at("+819000000001"))); err != nil {
			t.Error(err)
		}
	}
	for range 2 { // the gateway does not say
		if _, err := d.Deliver(t.Context(), messagetest.Letter("msg_2", at("+819000000002"))); err == nil || !strings.Contains(err.Error(), "unknown") {
			t.Errorf("silence of the gateway: %v", err)
		}
	}
	if _, err := deliverer("whsec_/////////////////////////////////////////w==").Deliver(t.Context(), messagetest.Letter("msg_3", at("+819000000001"))); err == nil {
		t.Error("another secret is taken")
	}
	_ = c.Process.Kill()
	rest, err := io.ReadAll(said)
	if n := strings.Count(string(rest), "sent +81"); err != nil || n != 2 {
		t.Errorf("the gateway was asked %d times, want once for each of two: %s", n, rest)
	}
}
