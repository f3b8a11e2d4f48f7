package portal

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
)

// iccid is the ICCID of one of aiko's lines.
func (w *town) iccid(key string) string {
	w.t.Helper()
	l, err := db.Seen(w.t.Context(), w.env.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) {
		return line.Get(ctx, tx, w.aiko.ID, w.lines[key])
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return l.ICCID
}

// lineCodes are the codes for lines that wait to be sent, and to whom.
func (w *town) lineCodes() (codes, to []string) {
	w.t.Helper()
	err := w.env.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Query(ctx, `SELECT facts, address FROM messages WHERE kind = 'line_code' ORDER BY created_at, id`)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // a test
		for rows.Next() {
			var facts, address string
			var f struct{ Code string }
			if err := rows.Scan(&facts, &address); err != nil {
				return err
			}
			if err := json.Unmarshal([]byte(facts), &f); err != nil {
				return err
			}
			codes, to = append(codes, f.Code), append(to, address)
		}
		return rows.Err()
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return codes, to
}

// The number of a card and the code that its owner gets open that line's renewal
// and nothing else; a stranger's number gets the same answers.
func TestRenewByCardNumber(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	has(t, b.see("/").html, `href="/renew"`)
	has(t, b.see("/sign-in").html, `href="/renew"`)
	iccid := w.iccid("fresh")
	typed := iccid[:4] + " " + iccid[4:8] + "-" + iccid[8:]
	p := b.do("POST", "/renew", url.Values{"iccid": {typed}})
	if p.status != http.StatusUnprocessableEntity {
		t.Fatalf("a number whose check digit does not fit: %d", p.status)
	}
	has(t, p.html, "does not match the others", `name="sure" value="`+iccid+`"`)

	var pages []string
	for _, number := range []string{iccid, "89" + strings.Repeat("7", 17)} {
		to := b.post("/renew", url.Values{"iccid": {number}, "sure": {number}})
		pages = append(pages, to+b.see(to).html)
	}
	if pages[0] != pages[1] || strings.Contains(pages[0], "aiko") {
		t.Errorf("a number of ours:\n%s\nanother:\n%s", pages[0], pages[1])
	}
	codes, to := w.lineCodes()
	if len(codes) != 1 || to[0] != "aiko@example.com" {
		t.Fatalf("codes to %v", to)
	}
	if p := b.do("POST", "/renew/code", url.Values{"code": {codes[0]}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("a code for another number: %d", p.status)
	}

	w.env.Clock.Add(time.Second)
	b.post("/renew", url.Values{"iccid": {iccid}, "sure": {iccid}})
	codes, _ = w.lineCodes()
	code := codes[len(codes)-1]
	if p := b.do("POST", "/sign-in/code", url.Values{"code": {code}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("it signs in: %d to %s", p.status, p.to)
	}
	if to := b.post("/renew/code", url.Values{"code": {code}}); to != "/lines/"+w.lines["fresh"]+"/renew" {
		t.Errorf("it opens %q", to)
	}
	b.see("/lines/" + w.lines["fresh"] + "/renew")
	for _, closed := range []string{"/account", "/wallet", "/lines/" + w.lines["fresh"], "/lines/" + w.lines["volume"] + "/renew"} {
		if p := b.get(closed); p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/sign-in") {
			t.Errorf("%s is open: %d", closed, p.status)
		}
	}
	quote := b.quote("fresh", "term/machi-5gb/10d")
	lacks(t, b.see("/quotes/"+quote).html, `value="wallet"`)
	if p := w.browser(locale.En).do("POST", "/renew/code", url.Values{"code": {code}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("another browser: %d", p.status)
	}
}

// Codes are limited by number, whether or not it is ours, and by visitor; wrong
// ones by challenge.
func TestLineCodesAreLimited(t *testing.T) {
	w := newTown(t)
	client := "192.0.2.1"
	w.server.Client = func(*http.Request) string { return client }
	b := w.browser(locale.En)
	for _, number := range []string{w.iccid("fresh"), "89" + strings.Repeat("7", 17)} {
		client = "192.0.2.2" + number[17:]
		for range 5 {
			b.post("/renew", url.Values{"iccid": {number}, "sure": {number}})
		}
		p := b.do("POST", "/renew", url.Values{"iccid": {number}, "sure": {number}})
		if p.status != http.StatusTooManyRequests {
			t.Errorf("the sixth code: %d", p.status)
		}
		for range 5 {
			b.do("POST", "/renew/code", url.Values{"code": {"12345678"}})
		}
		has(t, b.do("POST", "/renew/code", url.Values{"code": {"12345678"}}).html, "no longer valid")
	}
	for i := range 20 {
		client = "198.51.100.1"
		number := "891111111111111" + string(rune('0'+i/10)) + string(rune('0'+i%10)) + "00"
		b.post("/renew", url.Values{"iccid": {number}, "sure": {number}})
	}
	if p := b.do("POST", "/renew", url.Values{"iccid": {"8922222222222222222"}, "sure": {"8922222222222222222"}}); p.status != http.StatusTooManyRequests {
		t.Errorf("one visitor asks for the twenty-first: %d", p.status)
	}
}
