package api

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Whatever the size of the pages, and whatever is placed meanwhile, the pages
// together are the list as it was when the first one was read.
func TestPagesTogetherAreTheList(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	type row struct{ id, line string }
	var list []row // newest first
	add := func(line string) {
		w.env.Clock.Add(time.Second)
		r := row{w.ids.Under("ord", w.aiko.ID), line}
		w.write(func(ctx context.Context, tx db.Tx) error { // what it sold does not matter here
			_, err := tx.Exec(ctx, `INSERT INTO orders (account_id, id, state, customer_key, input_digest, quote_id, kind, line_id, plan_id, item_id, catalogue_version,
					minor, currency, tool, effect, starts_at, ends_at, anchor, bytes, periods, enlarges, snapshot, operator_ref, reason, evidence, told, attempts,
					expires_at, placed_at, updated_at, points, discount_minor, wallet_minor, basket, exchange)
				VALUES ($1,$2,'cancelled',$2,'',NULL,'term',$3,'machi-5gb','10d',1,1,'JPY','card','append',$4,$4,0,0,0,0,'','','','',false,0,$4,$4,$4,0,0,0,'','')`,
				w.aiko.ID, r.id, r.line, db.At(tx.Now()))
			return err
		})
		list = append([]row{r}, list...)
	}
	lines := []string{w.lines["fresh"], w.lines["volume"]}
	for i := range 12 {
		add(lines[i%5%2])
	}
	c := &call{voice: ui.NewVoice(locale.En, nil, w.env.Clock.Now())}
	rapid.Check(t, func(t *rapid.T) {
		of := rapid.SampledFrom(append(lines, "")).Draw(t, "line")
		var wanted, got []string
		for _, r := range list {
			if of == "" || r.line == of {
				wanted = append(wanted, r.id)
			}
		}
		in := &ordersInput{OfAccount: OfAccount{w.aiko.ID}, Line: of}
		for range 200 {
			in.Limit = rapid.IntRange(1, 9).Draw(t, "limit")
			page, err := w.server.listOrders(w.t.Context(), c, in)
			if err != nil {
				t.Fatal(err)
			}
			if len(page.Orders) > in.Limit || len(page.Orders) == 0 && page.Next != "" {
				t.Fatalf("a page of %d has %d, and goes on at %q", in.Limit, len(page.Orders), page.Next)
			}
			for _, o := range page.Orders {
				got = append(got, o.ID)
			}
			if in.Cursor = page.Next; in.Cursor == "" {
				break
			}
			if len(list) < 40 && rapid.Bool().Draw(t, "one is placed meanwhile") {
				add(rapid.SampledFrom(lines).Draw(t, "for"))
			}
		}
		if !slices.Equal(got, wanted) {
			t.Fatalf("the pages have\n%q\nthe list had\n%q", got, wanted)
		}
	})
}

func TestCursorsOfOthers(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read)
	p := w.program(token)
	for _, cursor := range []string{"x", "AAAA", cursorAt("ord_1"), cursorAt("' OR 1=1 --"), "%00", "..."} {
		if got := refused(p, http.StatusUnprocessableEntity, "invalid", "GET", "/accounts/"+w.aiko.ID+"/orders?cursor="+cursor, nil); got.Reason != "api_cursor" {
			t.Errorf("%q: %+v", cursor, got)
		}
	}
	// One of another list's shows what is older there, and nothing of the other.
	if got := read[Orders](p, "/accounts/"+w.aiko.ID+"/orders?cursor="+cursorAt(w.ids.Under("ord", w.other.ID))); len(got.Orders) != 0 {
		t.Errorf("%+v", got)
	}
}

// Whoever has an answer already gets no second one, until it is another one, or
// in another language.
func TestAnswersHaveTags(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Read, Renew)
	p := w.program(token)
	at := prefix + "/lines/" + w.lines["fresh"]
	first := p.send("GET", at, nil)
	tag := first.header.Get("ETag")
	if r := p.with("If-None-Match", `"x", W/`+tag).send("GET", at, nil); tag == "" || r.status != http.StatusNotModified || len(r.body) != 0 {
		t.Errorf("%q: %d %s", tag, r.status, r.body)
	}
	if r := p.with("If-None-Match", tag).with("Accept-Language", "ko").send("GET", at, nil); r.status != http.StatusOK || r.header.Get("Content-Language") != "ko" {
		t.Errorf("in another language: %d", r.status)
	}
	want[Told](p, http.StatusOK, "PUT", "/lines/"+w.lines["fresh"]+"/stay", map[string]any{"lastDay": "2026-03-04"})
	if r := p.with("If-None-Match", tag).send("GET", at, nil); r.status != http.StatusOK {
		t.Errorf("it has changed: %d", r.status)
	}
	if r := p.send("GET", prefix+"/lines/none", nil); r.header.Get("ETag") != "" {
		t.Errorf("a problem has the tag %s", r.header.Get("ETag"))
	}
}
