package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/csv"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// staffRoom is a shop's database in which two orders wait for staff.
type staffRoom struct {
	t      *testing.T
	file   string
	line   string
	orders []string
}

func newStaffRoom(t *testing.T) *staffRoom {
	t.Helper()
	r := &staffRoom{t: t, file: filepath.Join(t.TempDir(), "shop.db")}
	if out, code := r.run("migrate"); code != 0 {
		t.Fatal(out)
	}
	d, err := database{r.file}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := id.NewSource(time.Now, rand.Reader)
	hand, err := manual.New(12*time.Hour, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	desk := &order.Desk{
		DB: d, IDs: ids, Shelf: &catalogue.Shelf{}, Wallet: order.WalletFull, Log: slog.New(slog.DiscardHandler),
		Carriers: map[string]carrier.Carrier{"manual": hand},
	}
	if err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		file := bytes.ReplaceAll(catalogue.DemoFile(), []byte("carrier: simple"), []byte("carrier: manual"))
		_, _, err := catalogue.Apply(ctx, tx, file, "test")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, iccid := range []string{"8981100000000000017", "8981100000000000025"} {
		r.add(desk, iccid)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return r
}

// add is a customer with a line who renews it from the wallet.
func (r *staffRoom) add(desk *order.Desk, iccid string) {
	r.t.Helper()
	account := desk.IDs.Account()
	r.line = desk.IDs.Under("ln", account)
	if err := desk.DB.Write(r.t.Context(), func(ctx context.Context, tx db.Tx) error {
		now := tx.Now()
		if err := ledger.Post(ctx, tx, ledger.Posting{Account: account, Subject: account, Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(9000, "JPY")},
		}}); err != nil {
			return err
		}
		if err := line.Add(ctx, tx, line.Line{
			Account: account, ID: r.line, Operator: "kazemachi", Plan: "machi-5gb", ProfileID: "=" + iccid[15:], ICCID: iccid,
			State: line.Active, StartedAt: now.Add(-time.Hour), EndsAt: now.Add(48 * time.Hour), GraceEnds: now.Add(48 * time.Hour), Periods: 1,
		}); err != nil {
			return err
		}
		var b db.Batch
		line.AddPeriod(&b, line.Period{
			Account: account, Line: r.line, Number: 1, Plan: "machi-5gb", Term: "3d", Effect: "append",
			StartsAt: now.Add(-time.Hour), EndsAt: now.Add(48 * time.Hour), State: line.PeriodActive,
		}, now)
		return tx.Batch(ctx, &b)
	}); err != nil {
		r.t.Fatal(err)
	}
	q, err := desk.Quote(r.t.Context(), account, r.line, renewal.Item{Kind: renewal.Term, Plan: "machi-5gb", ID: "3d"}, "JPY")
	if err != nil {
		r.t.Fatal(err)
	}
	o, err := desk.Place(r.t.Context(), order.Acceptance{Account: account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
	if err != nil || o.State != order.Fulfilling {
		r.t.Fatalf("%s %v", o.State, err)
	}
	r.orders = append(r.orders, o.ID)
}

// run is the program on this shop; what it prints, on both streams.
func (r *staffRoom) run(args ...string) (string, int) {
	r.t.Helper()
	args = append(args, "--database", r.file)
	if args[0] != "migrate" && args[0] != "audit" {
		args = append(args, "--secret", strings.Repeat("s", 32), "--manual-within", "12h", "--staff", "mika")
	}
	var out bytes.Buffer
	code := run(args, &out, &out)
	return out.String(), code
}

// want runs the program and wants a code, and parts of what is printed.
func (r *staffRoom) want(code int, parts []string, args ...string) string {
	r.t.Helper()
	out, got := r.run(args...)
	if got != code {
		r.t.Errorf("%q: exit %d, want %d:\n%s", args, got, code, out)
	}
	for _, p := range parts {
		if !strings.Contains(out, p) {
			r.t.Errorf("%q does not print %q:\n%s", args, p, out)
		}
	}
	return out
}

// A day of a member of staff: the list, the file, an order done with its proof, one
// refused, and nothing left.
func TestStaffWorkThroughTheirList(t *testing.T) {
	r := newStaffRoom(t)
	done, refused := r.orders[0], r.orders[1]
	r.want(0, []string{"DO BY", done, refused, "8981100000000000017", "KAZ-MACHI-5GB-3D", "Kazemachi"}, "carrier", "work", "list")
	if out := r.want(0, nil, "carrier", "work", "list", "--overdue"); out != "" {
		t.Errorf("overdue at once:\n%s", out)
	}
	for again := range 2 {
		out := r.want(0, nil, "carrier", "work", "export")
		rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		if err != nil || len(rows) != 3 || rows[0][0] != "order" || rows[1][0] != done || rows[1][5] != "'=0017" || (rows[1][12] != "") != (again > 0) {
			t.Errorf("export %d: %q %v", again, rows, err)
		}
	}
	if out := r.want(0, nil, "carrier", "work", "export", "--new"); strings.Count(out, "\n") != 1 {
		t.Errorf("new since:\n%s", out)
	}
	proof := filepath.Join(t.TempDir(), "receipt.pdf")
	if err := os.WriteFile(proof, []byte("a receipt"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.want(1, []string{"by hand"}, "order", "refund", done, "--why", "no")
	r.want(0, []string{"completed"}, "carrier", "work", "done", done, "--ref", "R-1", "--file", proof)
	r.want(1, []string{"was answered before: done, by mika"}, "carrier", "work", "done", done, "--ref", "R-2")
	r.want(1, []string{"was answered before: done, by mika"}, "carrier", "work", "refuse", done, "--why", "no")
	r.want(0, []string{"R-1", "mika", "receipt.pdf, 9 bytes, SHA-256 "}, "carrier", "work", "show", done)
	if out := r.want(0, nil, "carrier", "work", "show", done, "--file"); out != "a receipt" {
		t.Errorf("the proof is %q", out)
	}
	r.want(0, []string{"refunded"}, "carrier", "work", "refuse", refused, "--why", "the operator says no")
	if out := r.want(0, nil, "carrier", "work", "list"); out != "" {
		t.Errorf("still on the list:\n%s", out)
	}
	r.want(0, nil, "carrier", "work", "status", r.line, "--as-of", time.Now().Add(-time.Minute).Format(time.RFC3339), "--total", "1000", "--used", "10")
	r.want(1, []string{"not in the future"}, "carrier", "work", "status", r.line, "--as-of", time.Now().Add(time.Hour).Format(time.RFC3339), "--total", "1000")
	d, err := database{r.file}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	account, err := id.AccountOf(r.line)
	if err != nil {
		t.Fatal(err)
	}
	l, err := db.Seen(t.Context(), d, func(ctx context.Context, tx db.Tx) (line.Line, error) { return line.Get(ctx, tx, account, r.line) })
	if err != nil || d.Close() != nil || l.Usage.Total != 1000 || l.Usage.Used != 10 {
		t.Errorf("the line: %+v %v", l.Usage, err)
	}
}

// Conform prints what it found, and ends with 1 on a breach only.
func TestConformCommand(t *testing.T) {
	for flaw, code := range map[remotesim.Flaw]int{remotesim.None: 0, remotesim.ActsTwice: 1} {
		key := bytes.Repeat([]byte{7}, 32)
		sim := &remotesim.Sim{Key: key, Now: time.Now, Flaw: flaw, Packages: []remotesim.Package{{Code: "P", Bytes: 1, Days: 1}, {Code: "Q", Bytes: 2, Days: 2}}}
		sim.Add(remotesim.Line{ID: "L1", Starts: time.Now().Add(-time.Hour), Ends: time.Now().Add(time.Hour), Total: 10})
		server := httptest.NewServer(sim)
		var out bytes.Buffer
		got := run([]string{"carrier", "conform", "--url", server.URL, "--key", "whsec_" + "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "--line", "L1", "--package", "P"}, &out, &out)
		server.Close()
		if got != code || strings.Contains(out.String(), "BREACH") != (code == 1) || !strings.Contains(out.String(), "kept") {
			t.Errorf("%q: exit %d, want %d:\n%s", flaw, got, code, out.String())
		}
	}
}
