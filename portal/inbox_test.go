package portal

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
)

// Everything that was sent is there, page after page, in the language in which it
// was sent; codes are not.
func TestInboxHasAllButCodes(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	code := w.lastCode()
	const letters = 2*inboxShown + 3
	w.write(func(ctx context.Context, tx db.Tx) error {
		for i := range letters {
			err := message.Queue(ctx, tx, w.server.Desk.IDs.Under("msg", w.aiko.ID), message.Draft{
				Account: w.aiko.ID, Key: fmt.Sprint("test/", i), Kind: message.WalletToppedUp, Language: locale.Ja,
				Facts: message.Facts{Amount: money.Of(int64(1000+i), "JPY"), Link: "/r/lk_secret"},
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	w.deliver()
	seen := map[string]bool{}
	pages := 0
	for at := "/inbox"; at != ""; pages++ {
		html := b.see(at).html
		for _, part := range strings.Split(html, `<a href="/inbox/`)[1:] {
			id, _, _ := strings.Cut(part, `"`)
			seen[id] = true
		}
		_, rest, more := strings.Cut(html, `<a href="/inbox?after=`)
		next, _, _ := strings.Cut(rest, `"`)
		if at = ""; more {
			at = "/inbox?after=" + next
		}
	}
	if len(seen) != letters || pages != 3 {
		t.Errorf("%d letters on %d pages, %d were sent", len(seen), pages, letters)
	}
	for id := range seen {
		html := b.see("/inbox/" + id).html
		if !strings.Contains(html, `<article lang="ja">`) || strings.Contains(html, "lk_secret") || strings.Contains(html, code) {
			t.Fatalf("%s: %s", id, clean(html))
		}
		break
	}
	if p := b.get("/inbox/" + w.lastMessage()); p.status != 404 {
		t.Errorf("a code is shown: %d", p.status)
	}
}

// lastMessage is the newest sign-in code's message.
func (w *town) lastMessage() (id string) {
	w.t.Helper()
	err := w.env.DB.Read(w.t.Context(), func(ctx context.Context, tx db.Tx) error {
		return tx.QueryRow(ctx, `SELECT id FROM messages WHERE kind = 'sign_in_code' ORDER BY id DESC LIMIT 1`).Scan(&id)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}
