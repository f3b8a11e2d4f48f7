package remote_test

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/remote"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// examine plays the contract against a server on the loopback.
func examine(t *testing.T, url string, days int) remote.Report {
	t.Helper()
	pkg, fresh := "JP5", "JP_NEW"
	if days > 0 {
		pkg, fresh = "JP_DAY", "JP_NEW_DAY"
	}
	report, err := remote.Conform(t.Context(), remote.Bed{
		URL: url, Keys: []string{written(secret)}, Line: carrier.Profile{ID: "L1", ICCID: "8981100000000000017"}, Package: pkg, Days: days,
		Ended: carrier.Profile{ID: "L2"}, NewPackage: fresh, NewDays: days,
		Client: func(int) *outbound.Client { return outbound.New(outbound.Options{Timeout: 5 * time.Second}) },
		Now:    time.Now, Nonce: random, Patience: 300 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// random makes nonces that a server with a memory has not seen.
func random() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

func served(t *testing.T, flaw remotesim.Flaw) string {
	t.Helper()
	sim := newSim(time.Now)
	sim.Packages[1].Code, sim.Packages[2].Code, sim.Packages[3].Code, sim.Flaw = "JP_DAY", "JP_NEW", "JP_NEW_DAY", flaw
	s := httptest.NewServer(sim)
	t.Cleanup(s.Close)
	return s.URL
}

func mustKeep(t *testing.T, r remote.Report) {
	t.Helper()
	if r.Breaches() > 0 || slices.ContainsFunc(r, func(f remote.Finding) bool {
		return f.Outcome == remote.Skipped && !strings.Contains(f.Seen, "faster than we hung up")
	}) {
		var b bytes.Buffer
		_ = r.Print(&b) // into memory
		t.Errorf("want everything examined and kept:\n%s", b.String())
	}
}

func TestServersThatKeepTheContract(t *testing.T) {
	for _, days := range []int{0, 3} {
		mustKeep(t, examine(t, served(t, remotesim.None), days))
	}
}

// Each flaw is found, and by the check that is about it: an examination that
// finds nothing proves nothing.
func TestFlawsAreFound(t *testing.T) {
	by := map[remotesim.Flaw]string{
		remotesim.ActsTwice: "the same ref again acts once", remotesim.RacesItself: "the same ref at the same time",
		remotesim.ReusesRef: "the same ref for something else", remotesim.TrustsAll: "a request with a wrong signature",
		remotesim.FirstSignature: "a second signature", remotesim.Ageless: "a request from ten minutes ago",
		remotesim.Unsigned: "answers are signed", remotesim.WrongID: "answers are signed", remotesim.OldAnswers: "answers are signed",
		remotesim.OneKey: "answers are signed", remotesim.NoDays: "wrong days", remotesim.NoPackage: "an unknown package",
		remotesim.NoICCID: "an ICCID of another line", remotesim.EndedToo: "an ended line", remotesim.AbsentAlways: "an extension acts, and look-up",
		remotesim.DoneAlways: "a look-up of an unknown ref", remotesim.NoAsOf: "a status says of when", remotesim.Tomorrow: "a status says of when",
		remotesim.Decimals: "a status says of when", remotesim.WrongClock: "health is answered", remotesim.Refuses500: "an unknown line",
		remotesim.Words: "an unknown line", remotesim.ForgetsCancel: "an extension is taken back", remotesim.CancelsNot: "an extension is taken back",
		remotesim.TooSoon: "the capabilities", remotesim.UnknownCalls: "what is no call", remotesim.StrictMembers: "members that are not known",
		remotesim.AnswersVary: "the same ref again acts once", remotesim.IssuesTwice: "the same ref again makes one line",
		remotesim.ReusesIssue: "the ref of a new line", remotesim.ForgetsIssue: "a new line is made", remotesim.NoCode: "a new line is made",
		remotesim.WithdrawsAny: "what was not made by its ref", remotesim.WithdrawsOnce: "a new line is taken back",
		remotesim.WithdrawsNot: "a new line is taken back", remotesim.ForgetsWithdraw: "a new line is taken back",
	}
	for _, flaw := range remotesim.Flaws {
		r := examine(t, served(t, flaw), 3)
		if !slices.ContainsFunc(r, func(f remote.Finding) bool {
			return f.Outcome == remote.Breach && by[flaw] != "" && strings.HasPrefix(f.Says, by[flaw])
		}) {
			t.Errorf("%q was not found by %q: %+v", flaw, by[flaw], r)
		}
	}
}

// A file that says something else than the server is found.
func TestTheFileIsCompared(t *testing.T) {
	for _, settles := range []int64{900, 1200} {
		expect := capabilities()
		expect.SettlesWithin = settles
		report, err := remote.Conform(t.Context(), remote.Bed{
			URL: served(t, remotesim.None), Keys: []string{written(secret)}, Line: carrier.Profile{ID: "L1"}, Package: "JP5", Expect: &expect,
			Client: func(int) *outbound.Client { return outbound.New(outbound.Options{}) }, Now: time.Now, Nonce: random,
		})
		if err != nil || report.Breaches() > 0 != (settles != 900) {
			t.Errorf("settles %d: %+v %v", settles, report, err)
		}
	}
}

// Nobody there is one breach, not thirty.
func TestNobodyIsThere(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	if r := examine(t, s.URL, 0); len(r) != 1 || r.Breaches() != 1 {
		t.Errorf("%+v", r)
	}
}

// The server of the how-to, in another language, keeps the contract, also when
// it is started again on its database.
func TestPythonServer(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3 to run the server of the how-to with")
	}
	file := t.TempDir() + "/operator.db"
	for _, days := range []int{0, 3} {
		c := exec.CommandContext(t.Context(), python, "../../docs/how-to/remote_operator.py", "0", file)
		c.Env = append(os.Environ(), "KEY="+written([]byte("an old key, to be given up soon"))+" "+written(secret))
		c.Stderr = os.Stderr
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		url := strings.TrimSpace(strings.TrimPrefix(line, "listening on "))
		if err != nil || !strings.HasPrefix(url, "http://127.0.0.1:") {
			t.Fatalf("%q %v", line, err)
		}
		mustKeep(t, examine(t, url, days))
		_ = c.Process.Kill() // in the middle of whatever it does
		_ = c.Wait()         // killed
	}
}
