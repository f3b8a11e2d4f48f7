package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/upstream"
)

const askKey = "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="

// tabi is a remote operator that commands can be let loose on, and the flags that
// name it beside staff who work by hand.
func tabi(t *testing.T) (sim *remotesim.Sim, flags []string) {
	t.Helper()
	sim = &remotesim.Sim{Key: bytes.Repeat([]byte{7}, 32), Now: time.Now, Packages: []remotesim.Package{
		{Code: "JP5", Bytes: 5 << 30, Days: 30, Cost: 45_000}, {Code: "DAY", Bytes: 1 << 30, Days: 1, PerDay: true, Cost: 9_500},
	}}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	file := filepath.Join(t.TempDir(), "tabi.json")
	able := `{"contract": 1, "modes": ["extend"], "after_end_seconds": 0, "active_only": false, "per_day": true, "cancel": true,
		"usage_delay_seconds": 0, "settles_within_seconds": 900, "calls_per_second": 50}`
	if err := os.WriteFile(file, []byte(able), 0o600); err != nil {
		t.Fatal(err)
	}
	return sim, []string{
		"--remote-url", "tabi=" + server.URL, "--remote-key", "tabi=" + askKey, "--remote-capabilities", "tabi=" + file, "--manual-within", "12h",
	}
}

// tell runs a command, wants it to end so, and returns what it printed.
func tell(t *testing.T, code int, args ...string) (out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	if got := run(args, &o, &e); got != code {
		t.Fatalf("%q: exit %d, want %d\n%s%s", args, got, code, o.String(), e.String())
	}
	return o.String(), e.String()
}

func wants(t *testing.T, text string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("there is no %q in:\n%s", w, text)
		}
	}
}

// Operators are asked and say it, and what cannot be asked is said in words.
func TestAskingOperators(t *testing.T) {
	_, flags := tabi(t)
	ask := func(code int, args ...string) (string, string) { return tell(t, code, append(args, flags...)...) }

	out, _ := ask(0, "carrier", "health")
	wants(t, out, "tabi", "well", "manual", "by_hand", "nobody to ask")
	out, _ = ask(0, "carrier", "balance")
	wants(t, out, "1250 USD", "nobody can be asked")
	out, errOut := ask(0, "carrier", "packages")
	wants(t, out, "JP5", "4.5 USD", "0.95 USD a day")
	wants(t, errOut, "manual: staff carry it out by hand")

	out, _ = ask(0, "carrier", "packages", "--json", "--carrier", "tabi")
	var rows []packageRow
	if err := json.Unmarshal([]byte(out), &rows); err != nil || len(rows) != 2 || rows[1].Cost != "0.95" || !rows[1].PerDay || rows[0].Bytes != 5<<30 {
		t.Errorf("%v: %s", err, out)
	}
	_, errOut = ask(1, "carrier", "health", "--carrier", "nowhere")
	wants(t, errOut, `No adapter "nowhere"`)
}

// Whoever does not answer, or does not know us, ends the command with 1, and the
// others are shown all the same.
func TestAskingSilentOperators(t *testing.T) {
	sim, flags := tabi(t)
	sim.Key = []byte("another key, which is not shared")
	for _, what := range []string{"health", "balance", "packages"} {
		out, errOut := tell(t, 1, append([]string{"carrier", what}, flags...)...)
		wants(t, out+errOut, "manual", "tabi", "HTTP status 401")
	}
	_, errOut := tell(t, 1, "carrier", "health")
	wants(t, errOut, "No operator is configured")
}

// What the shop has read last, and what it told staff, is printed without asking
// anybody; a low balance, and an alarm, end with 1.
func TestStoredBalances(t *testing.T) {
	sim, flags := tabi(t)
	url := filepath.Join(t.TempDir(), "shop.db")
	t.Setenv("TSUZUKU_DATABASE", url)
	tell(t, 0, "migrate")
	out, _ := tell(t, 0, "carrier", "balance", "--stored")
	wants(t, out, "CARRIER")
	tell(t, 0, "carrier", "alarms")

	watch := func(dollars int64) {
		t.Helper()
		sim.Balance = dollars * 10_000
		d, err := db.Open(t.Context(), url, db.Options{Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		a := app.Operators{Remote: app.Remote{
			URL: map[string]string{"tabi": strings.TrimPrefix(flags[1], "tabi=")}, Key: map[string]app.Secret{"tabi": askKey},
			Capabilities: map[string]string{"tabi": strings.TrimPrefix(flags[5], "tabi=")},
		}}
		carriers, err := a.Connect(fromHere())
		if err != nil {
			t.Fatal(err)
		}
		floors, err := upstream.SetFloors(map[string]string{"tabi": "200"}, 3)
		if err != nil {
			t.Fatal(err)
		}
		w := &upstream.Watch{DB: d, Carriers: carriers, Floors: floors, Log: slog.New(slog.DiscardHandler)}
		if worked, err := w.BalanceStep(t.Context()); !worked || err != nil || d.Close() != nil {
			t.Fatal(worked, err)
		}
	}
	watch(150)
	out, _ = tell(t, 1, "carrier", "balance", "--stored", "--balance-floor", "tabi=200")
	wants(t, out, "tabi", "150 USD", "200", "LOW")
	out, _ = tell(t, 1, "carrier", "alarms", "--json")
	wants(t, out, `"kind": "low_balance"`, "150 USD, below 200 USD")
	out, _ = tell(t, 1, append([]string{"carrier", "balance", "--balance-floor", "tabi=200"}, flags...)...)
	wants(t, out, "150 USD", "LOW")
	sim.Balance = 9_000_000
	out, _ = tell(t, 0, append([]string{"carrier", "balance", "--balance-floor", "tabi=200"}, flags...)...)
	wants(t, out, "900 USD")
	_, errOut := tell(t, 1, "carrier", "balance", "--stored", "--balance-floor", "tabi=much")
	wants(t, errOut, `--balance-floor: "much" is not an amount for tabi`)
}
