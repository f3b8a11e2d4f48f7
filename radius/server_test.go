package radius_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/radius"
	"github.com/tsuzuku/tsuzuku/ui"
)

const (
	secret = "sixteen letters!"
	plan   = "machi-10gb"
	gib    = int64(1) << 30
)

// house is a shop with one line whose card gateways know, and the door for these.
type house struct {
	dbtest.Env
	server  *radius.Server
	cat     *catalogue.Catalogue
	account string
	line    string
	address string
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{Env: dbtest.SQLite(t)}
	desk := &order.Desk{
		DB: h.DB, IDs: id.NewSource(h.Clock.Now, rand.Reader), Shelf: &catalogue.Shelf{}, Log: slog.New(slog.DiscardHandler),
	}
	h.account = desk.IDs.Account()
	h.line = desk.IDs.Under("ln", h.account)
	err := h.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
		if _, _, err = catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test"); err != nil {
			return err
		}
		if h.cat, err = desk.Shelf.Current(ctx, tx); err != nil {
			return err
		}
		p, _ := h.cat.Plan(plan)
		desk.Meters = map[string]bool{p.Operator: true}
		if err := line.Add(ctx, tx, line.Line{
			Account: h.account, ID: h.line, Operator: p.Operator, Plan: plan, ICCID: "8981100000000000017", State: line.Active,
			StartedAt: tx.Now().Add(-time.Hour), EndsAt: tx.Now().Add(48 * time.Hour), GraceEnds: tx.Now().Add(48 * time.Hour), Periods: 1,
		}); err != nil {
			return err
		}
		var b db.Batch
		line.AddPeriod(&b, line.Period{
			Account: h.account, Line: h.line, Number: 1, Plan: plan, Term: p.Terms[0].ID, Effect: "append",
			StartsAt: tx.Now().Add(-time.Hour), EndsAt: tx.Now().Add(48 * time.Hour), Allowance: 5 * gib, State: line.PeriodActive,
		}, tx.Now())
		line.AddCardRow(&b, line.CardRow{ICCID: "8981100000000000017", IMSI: "440101234567890"})
		return tx.Batch(ctx, &b)
	})
	if err != nil {
		t.Fatal(err)
	}
	h.server = &radius.Server{
		Desk: desk, DB: h.DB, Log: desk.Log, Find: []radius.Find{{Kind: line.IMSI, Attribute: "3GPP-IMSI"}},
		Clients: []radius.Client{
			{Network: netip.MustParsePrefix("127.0.0.0/8"), Secret: []byte("the secret of others")},
			{Network: netip.MustParsePrefix("127.0.0.1/32"), Secret: []byte(secret)},
		},
	}
	h.serve(t)
	return h
}

func (h *house) serve(t *testing.T) {
	t.Helper()
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h.address = conn.LocalAddr().String()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.server.Serve(ctx, conn) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// left is what the line's page says is left.
func (h *house) left(t *testing.T) string {
	t.Helper()
	l, err := db.Seen(t.Context(), h.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) {
		return line.Get(ctx, tx, h.account, h.line)
	})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := h.cat.Plan(plan)
	return ui.Voice{Lang: locale.En, Now: h.Clock.Now()}.Left(l, p, gib, time.UTC).Headline
}

// radclient is FreeRADIUS' client.
func radclient(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("radclient")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal("no radclient: apt-get install freeradius-utils")
	}
	if err != nil {
		t.Skip("NOT TESTED WITH A REAL CLIENT: no radclient (apt-get install freeradius-utils)")
	}
	return path
}

// report sends one report with FreeRADIUS' client, and says whether it was answered.
func (h *house) report(t *testing.T, client, with, attributes string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), client, "-r", "1", "-t", "0.7", h.address, "acct", with)
	cmd.Stdin = strings.NewReader(attributes)
	out, err := cmd.CombinedOutput()
	answered := strings.Contains(string(out), "Received Accounting-Response")
	if answered != (err == nil) {
		t.Fatalf("%v\n%s", err, out)
	}
	return answered
}

// A client of another hand reports a session from its start to its stop: each report is
// answered when it is stored, and the line's page says what is left.
func TestAnotherHandsClient(t *testing.T) {
	client := radclient(t)
	h := open(t)
	session := func(kind string, minutes int, down int64) string {
		return fmt.Sprintf("User-Name=guest\nNAS-IP-Address=192.0.2.7\nAcct-Session-Id=0001\n3GPP-IMSI=440101234567890\nAcct-Status-Type=%s\n"+
			"Event-Timestamp=%d\nAcct-Session-Time=%d\nAcct-Output-Octets=%d\nAcct-Output-Gigawords=%d\nMessage-Authenticator=0x00\n",
			kind, h.Clock.Now().Unix(), minutes*60, down%(1<<32), down>>32)
	}
	if !h.report(t, client, secret, session("Start", 0, 0)) {
		t.Fatal("the start was not answered")
	}
	h.Clock.Add(10 * time.Minute)
	late := session("Interim-Update", 10, gib)
	h.Clock.Add(10 * time.Minute)
	if !h.report(t, client, secret, session("Interim-Update", 20, 3*gib)) || !h.report(t, client, secret, late) {
		t.Fatal("an update was not answered")
	}
	if got := h.left(t); got != "2 GB left" {
		t.Error(got)
	}
	if h.report(t, client, "another secret!!", session("Interim-Update", 20, 0)) {
		t.Error("a stranger was answered")
	}
	h.Clock.Add(10 * time.Minute)
	if !h.report(t, client, secret, session("Stop", 30, 4*gib+gib/2)) {
		t.Fatal("the stop was not answered")
	}
	if got := h.left(t); got != "512 MB left" {
		t.Error(got)
	}
	if !h.report(t, client, secret, "NAS-IP-Address=192.0.2.7\nAcct-Session-Id=2\nAcct-Status-Type=Start\n3GPP-IMSI=440109999999999\n") {
		t.Error("a card that nobody has was not answered, and will come for ever")
	}
	if !h.report(t, client, secret, "NAS-IP-Address=192.0.2.7\nAcct-Session-Id=0\nAcct-Status-Type=Accounting-On\n") {
		t.Error("a restart was not answered")
	}
	got := h.server.Tallies()
	for o, want := range map[radius.Outcome]int64{"counted": 3, "known": 1, "unknown_line": 1, radius.Forged: 1, radius.Restart: 1} {
		if got[o] != want {
			t.Errorf("%s: %d, want %d of %v", o, got[o], want, got)
		}
	}
}
