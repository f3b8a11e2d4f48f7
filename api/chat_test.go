package api

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// talks holds a dialogue, from what is left to a quote; nothing is ordered by it.
func talks(w *town, p *program) {
	w.t.Helper()
	w.env.Clock.Add(time.Second)
	orders := len(w.orders())
	at := "/accounts/" + w.aiko.ID + "/chat"
	first := want[Turn](p, http.StatusOK, "POST", at, map[string]any{"text": "还剩多少流量？", "line": w.lines["volume"], "currency": "JPY"})
	if first.Language != "zh-Hans" || first.Number != 1 || len(first.Options) == 0 || !strings.Contains(strings.Join(first.Text, ""), "剩余") {
		w.t.Errorf("the first turn: %+v", first)
	}
	terms := want[Turn](p, http.StatusOK, "POST", at, map[string]any{"conversation": first.Conversation, "text": "比较一下"})
	if terms.Conversation != first.Conversation || terms.Number != 2 || len(terms.Options) < 2 || !strings.Contains(terms.Options[0].Text, "日元") {
		w.t.Errorf("the terms: %+v", terms)
	}
	quoted := want[Turn](p, http.StatusOK, "POST", at, map[string]any{"conversation": first.Conversation, "option": terms.Options[0].Option})
	if len(quoted.Links) != 1 || !strings.HasPrefix(quoted.Links[0].URL, "https://shop.example/quotes/qt_") {
		w.t.Fatalf("the quote: %+v", quoted)
	}
	id := quoted.Links[0].URL[strings.LastIndex(quoted.Links[0].URL, "/")+1:]
	if q := read[Quote](p, "/quotes/"+id); q.Line != w.lines["volume"] || q.Order != "" {
		w.t.Errorf("quoted: %+v", q)
	}
	paid := want[Turn](p, http.StatusOK, "POST", at, map[string]any{"conversation": first.Conversation, "text": "确认付款"})
	if len(paid.Links) != 1 || paid.Links[0] != quoted.Links[0] || len(w.orders()) != orders {
		w.t.Errorf("told to pay: %+v, %d orders, had %d", paid, len(w.orders()), orders)
	}
}

// A turn that is sent again with its key is answered once; a conversation of another
// customer's does not exist.
func TestTurnsAreOnceAndOnesOwn(t *testing.T) {
	w := newTown(t, dbtest.SQLite(t))
	_, token := w.key("", Scopes...)
	p := w.program(token)
	at := "/accounts/" + w.aiko.ID + "/chat"
	body := map[string]any{"text": "hello"}
	once := want[Turn](p.with("Idempotency-Key", "t"), http.StatusOK, "POST", at, body)
	again := want[Turn](p.with("Idempotency-Key", "t"), http.StatusOK, "POST", at, body)
	if once.Conversation != again.Conversation || again.Number != 1 {
		t.Errorf("%+v, then %+v", once, again)
	}
	refused(p, http.StatusNotFound, "not_found", "POST", "/accounts/"+w.other.ID+"/chat", map[string]any{"text": "hello", "conversation": once.Conversation})
}
