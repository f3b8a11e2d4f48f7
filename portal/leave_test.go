package portal

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/leaving"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/support"
)

// What a customer is given is theirs, whole and free of what opens doors.
func TestDataIsGivenOut(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	b.post(securityPath+"/password", url.Values{"password": {phrase}})
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE messages SET attempts = 1 WHERE account_id = $1`, w.aiko.ID) // the inbox shows what was tried
		return err
	})
	p := b.see(securityPath + "/data")
	if got := p.header.Get("Content-Disposition"); got != `attachment; filename=account.json` || p.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("%q, %v", got, p.header)
	}
	var all leaving.Everything
	if err := json.Unmarshal([]byte(p.html), &all); err != nil {
		t.Fatal(err)
	}
	if all.Account.ID != w.aiko.ID || len(all.Addresses) != 1 || len(all.Lines) != len(w.lines)-1 || len(all.Orders) != 1 || len(all.Bills) != 1 ||
		len(all.Wallet) < 2 || len(all.Points) < 2 || len(all.SignIn.Sessions) != 1 || all.SignIn.PasswordSet.IsZero() || len(all.Messages) < 2 {
		t.Errorf("not everything: %s", p.html)
	}
	has(t, p.html, "aiko@example.com", "Aiko's phone", "8981123456789")
	lacks(t, p.html, "argon2id", "token", "Secret line", w.other.ID, w.lastCode())
	w.env.Clock.Add(time.Hour)
	if p := b.get(securityPath + "/data"); p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/sign-in?again=1") {
		t.Errorf("in a browser that was left open: %d", p.status)
	}
}

// step closes one account that is due.
func (w *town) step() bool {
	w.t.Helper()
	worked, err := w.server.Leaving.Step(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return worked
}

// emptied is a customer without live lines whose wallet is empty, signed in.
func (w *town) emptied() *browser {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		err := ledger.Post(ctx, tx, ledger.Posting{Account: w.aiko.ID, Subject: "paid out", Step: "once", Transfers: []ledger.Transfer{
			{From: ledger.Wallet, To: ledger.Opening, Amount: money.Of(w.balanceIn(ctx, tx), "JPY")},
		}})
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE lines SET state = 'terminal', msisdn = '+819012345678' WHERE account_id = $1`, w.aiko.ID)
		return err
	})
	return w.browser(locale.En).signIn("aiko@example.com")
}

func (w *town) balanceIn(ctx context.Context, tx db.Tx) int64 {
	m, err := ledger.Balance(ctx, tx, w.aiko.ID, ledger.Wallet, "JPY")
	if err != nil {
		w.t.Fatal(err)
	}
	return m.Minor
}

// An account with lines in service, money or open orders says what must happen
// first, and is not closed.
func TestWhatMustHappenBeforeClosing(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	html := b.see(securityPath + "/close").html
	has(t, html, "Aiko&#39;s phone …4711 is in service until Sat 7 Mar 2026, 23:59:59 JST", `<a href="/lines/`+w.lines["fresh"], "An order is not at its end", "in your wallet", "You would lose your points")
	lacks(t, html, `name="sure"`)
	p := b.do("POST", securityPath+"/close", url.Values{"sure": {"1"}})
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("closed with all that: %d", p.status)
	}
	has(t, p.html, "cannot be closed yet")
}

// An account that is closing buys nothing, can be kept, and is closed after the
// time it was told: what is personal is gone, the books are whole, the address is
// free.
func TestClosing(t *testing.T) {
	w := newTown(t)
	early := w.browser(locale.En).signIn("aiko@example.com")
	quote := early.quote("fresh", "term/machi-5gb/10d")
	early.post("/quotes/"+quote, early.confirm(quote, "wallet"))
	w.number()
	before := w.findings()
	b := w.emptied()
	b.post(securityPath+"/password", url.Values{"password": {phrase}})
	close := securityPath + "/close"
	if p := b.do("POST", close, url.Values{}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("closed without being sure: %d", p.status)
	}
	b.post(close, url.Values{"sure": {"1"}})
	has(t, b.see(close).html, "Your account will be closed on", `name="keep"`)
	has(t, b.see(securityPath).html, "Your account will be closed on")
	if w.letters("account_closing") != 1 {
		t.Error("the owner was not told")
	}
	if p := b.do("POST", "/wallet", url.Values{"amount": {"3000"}, "currency": {"JPY"}}); p.status != http.StatusForbidden {
		t.Errorf("money is taken: %d", p.status)
	}
	w.env.Clock.Add(leaving.Grace - time.Minute)
	if w.step() {
		t.Error("closed too early")
	}
	b.post(close, url.Values{"keep": {"1"}})
	w.env.Clock.Add(time.Hour)
	if w.step() || w.letters("account_kept") != 1 {
		t.Error("closed, although its owner keeps it")
	}
	b = w.browser(locale.En).signIn("aiko@example.com")
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := support.Ask(ctx, tx, w.server.Desk.IDs, support.Question{
			Account: w.aiko.ID, Topic: support.Topics[0], Said: support.Said{Key: "k", Text: "I am Aiko, and I leave."},
		})
		return err
	})
	b.post("/chat", url.Values{"text": {"I am Aiko, and I leave."}})
	b.post(close, url.Values{"sure": {"1"}})
	w.credit(100)
	w.env.Clock.Add(leaving.Grace)
	if !w.step() || w.step() {
		t.Error("money has come in between, and it is not put off for a while")
	}
	b.get("/account") // still in
	w.credit(-100)
	w.env.Clock.Add(24 * time.Hour)
	if !w.step() || w.step() {
		t.Error("not closed after a day more")
	}
	w.closed("messages.address") // of the last letter
	if w.letters("account_closed") != 1 {
		t.Error("its owner is not told that it is closed")
	}
	w.deliver()
	w.env.Clock.Add(48*time.Hour - time.Minute)
	if w.step() {
		t.Error("forgotten while the letter may still be on its way")
	}
	w.env.Clock.Add(time.Minute)
	if !w.step() || w.step() {
		t.Error("where the last letter went is not forgotten, or more than once")
	}
	w.closed()
	if diff := cmp.Diff(before, w.findings()); diff != "" {
		t.Errorf("what the auditor finds, before and after:\n%s", diff)
	}
	if p := b.get("/account"); p.status != http.StatusSeeOther {
		t.Errorf("signed in to a closed account: %d", p.status)
	}
	if p := b.do("POST", "/sign-in/password", url.Values{"email": {"aiko@example.com"}, "password": {phrase}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("its password opens it: %d", p.status)
	}
	again := w.browser(locale.En).signIn("aiko@example.com")
	lacks(t, again.see("/").html, "Aiko")
}

// credit changes the wallet.
func (w *town) credit(yen int64) {
	w.t.Helper()
	t := ledger.Transfer{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(yen, "JPY")}
	if yen < 0 {
		t = ledger.Transfer{From: ledger.Wallet, To: ledger.Opening, Amount: money.Of(-yen, "JPY")}
	}
	w.write(func(ctx context.Context, tx db.Tx) error {
		return ledger.Post(ctx, tx, ledger.Posting{Account: w.aiko.ID, Subject: "by hand", Step: t.Amount.String() + string(t.From), Transfers: []ledger.Transfer{t}})
	})
}

// closed fails unless nothing personal is left of aiko, in any table but where it may be
// so, and the books are there.
func (w *town) closed(but ...string) {
	w.t.Helper()
	err := w.env.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		a, err := account.Get(ctx, tx, w.aiko.ID)
		if err != nil || a.State != account.Closed {
			w.t.Errorf("%+v, %v", a, err)
		}
		for table, columns := range w.columns(ctx, tx) {
			if !slices.Contains(columns, "account_id") {
				continue
			}
			for _, c := range columns {
				for _, personal := range []string{"%aiko%", "%Aiko%", "%argon2id%", "+8190%"} {
					var n int
					err := tx.QueryRow(ctx, `SELECT count(*) FROM `+table+` WHERE account_id = $1 AND `+c+` LIKE $2`, w.aiko.ID, personal).Scan(&n)
					if err != nil {
						return err
					}
					if n > 0 && !slices.Contains(but, table+"."+c) {
						w.t.Errorf("%s.%s still has %s", table, c, personal)
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if len(w.orders()) != 1 {
		w.t.Error("the order is gone")
	}
}

// findings are what the auditor says of the town, which has a line that was put
// together wrongly.
func (w *town) findings() (all []string) {
	w.t.Helper()
	found, err := audit.Run(w.t.Context(), w.env.DB)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, f := range found {
		all = append(all, f.String())
	}
	return all
}

// columns are the columns of every table.
func (w *town) columns(ctx context.Context, tx db.Tx) map[string][]string {
	w.t.Helper()
	rows, err := tx.Query(ctx, `SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'`)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close() //nolint:errcheck // a test
	all := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			w.t.Fatal(err)
		}
		all[table] = append(all[table], column)
	}
	return all
}
