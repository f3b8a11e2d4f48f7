package support_test

import (
	"bytes"
	"context"
	"image"
	"image/png"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/support"
)

// room is a shop with one customer.
type room struct {
	t    *testing.T
	env  dbtest.Env
	ids  *id.Source
	aiko string
	n    int
}

func newRoom(t *testing.T, env dbtest.Env) *room {
	t.Helper()
	r := &room{t: t, env: env, ids: id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{1}))}
	a, err := db.Written(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
		return account.Create(ctx, tx, r.ids, account.New{Email: "aiko@example.com", Language: locale.Ja})
	})
	if err != nil {
		t.Fatal(err)
	}
	r.aiko = a.ID
	return r
}

func (r *room) said(text string) support.Said {
	r.n++
	return support.Said{Key: "form" + strconv.Itoa(r.n), Text: text}
}

func (r *room) ask(s support.Said) (support.Case, error) {
	return db.Written(r.t.Context(), r.env.DB, func(ctx context.Context, tx db.Tx) (support.Case, error) {
		return support.Ask(ctx, tx, r.ids, support.Question{Account: r.aiko, Topic: "slow", Said: s})
	})
}

func (r *room) reply(c support.Case, s support.Said) (support.Case, error) {
	return db.Written(r.t.Context(), r.env.DB, func(ctx context.Context, tx db.Tx) (support.Case, error) {
		return support.Reply(ctx, tx, c.Key(), s)
	})
}

func (r *room) answer(c support.Case, text string, end bool) support.Case {
	r.t.Helper()
	c, err := db.Written(r.t.Context(), r.env.DB, func(ctx context.Context, tx db.Tx) (support.Case, error) {
		return support.Answer(ctx, tx, r.ids, c.Key(), "mika", text, end)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r *room) end(c support.Case) (support.Case, error) {
	return db.Written(r.t.Context(), r.env.DB, func(ctx context.Context, tx db.Tx) (support.Case, error) {
		return support.Close(ctx, tx, r.ids, c.Key())
	})
}

func (r *room) must(c support.Case, err error) support.Case {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

// letters are the kinds of what waits to be sent.
func (r *room) letters() (kinds []message.Kind) {
	r.t.Helper()
	err := r.env.DB.Read(r.t.Context(), func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Query(ctx, `SELECT kind FROM messages ORDER BY id`)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // a test
		for rows.Next() {
			var k message.Kind
			if err := rows.Scan(&k); err != nil {
				return err
			}
			kinds = append(kinds, k)
		}
		return rows.Err()
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return kinds
}

// A case goes from side to side, is closed, opened again by an answer, and at last
// is over; each thing that staff does is told once.
func TestTurns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRoom(t, env)
		first := r.said("Slow\nsince noon")
		c := r.must(r.ask(first))
		if c.Turn != support.Staff || c.Subject != "Slow" || c.State != support.Open {
			t.Fatalf("%+v", c)
		}
		if again := r.must(r.ask(first)); again.ID != c.ID || again.Messages != 1 {
			t.Errorf("the same form again: %+v", again)
		}
		if c = r.answer(c, "Restart it.", false); c.Turn != support.Customer || c.Messages != 2 {
			t.Errorf("%+v", c)
		}
		second := r.said("Did not help")
		r.must(r.reply(c, second))
		if c = r.must(r.reply(c, second)); c.Turn != support.Staff || c.Messages != 3 {
			t.Errorf("the same answer twice: %+v", c)
		}
		if c = r.answer(c, "We have reset it.", true); c.State != support.Closed {
			t.Errorf("%+v", c)
		}
		env.Clock.Add(support.ReopenWithin - time.Second)
		if c = r.must(r.reply(c, r.said("Slow again"))); c.State != support.Open || c.Turn != support.Staff || !c.ClosedAt.IsZero() {
			t.Errorf("an answer in time: %+v", c)
		}
		c = r.must(r.end(c))
		if _, err := r.end(c); fault.KindOf(err) != fault.Conflict {
			t.Errorf("closed twice: %v", err)
		}
		env.Clock.Add(support.ReopenWithin)
		if _, err := r.reply(c, r.said("Too late")); fault.KindOf(err) != fault.Conflict {
			t.Errorf("an answer too late: %v", err)
		}
		want := []message.Kind{message.CaseAnswered, message.CaseAnswered, message.CaseClosed}
		if got := r.letters(); len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
			t.Errorf("letters: %v", got)
		}
		all, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]support.Message, error) {
			return support.Messages(ctx, tx, c.Key())
		})
		if err != nil || len(all) != 5 || all[1].Staff != "mika" || all[4].Text != "Slow again" {
			t.Errorf("%v %+v", err, all)
		}
	})
}

// What the system sees again is one case, open again, the newest evidence first; a
// case in which nobody spoke ends without a letter.
func TestSystemCases(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRoom(t, env)
		open := func(evidence string) {
			if err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				var b db.Batch
				support.Opened{Account: r.aiko, Order: "ord_1", Title: "no_reading", Evidence: evidence}.AddTo(&b, tx.Now(), r.ids.Under("cs", r.aiko))
				return tx.Batch(ctx, &b)
			}); err != nil {
				t.Fatal(err)
			}
		}
		list := func() []support.Case {
			all, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]support.Case, error) { return support.OpenOnes(ctx, tx, 10) })
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		open("silence")
		c := list()[0]
		r.must(r.end(c))
		if len(list()) != 0 || len(r.letters()) != 0 {
			t.Errorf("open %v, letters %v", list(), r.letters())
		}
		open("silence again " + strings.Repeat("x", 9000))
		again := list()
		if len(again) != 1 || again[0].ID != c.ID || again[0].Turn != support.Staff || !strings.HasPrefix(again[0].Evidence, "silence again") || utf8.RuneCountInString(again[0].Evidence) > 4000 {
			t.Errorf("%+v", again)
		}
		if c = r.must(r.reply(again[0], r.said("What is it?"))); c.Messages != 1 {
			t.Errorf("%+v", c)
		}
	})
}

func TestLimits(t *testing.T) {
	env := dbtest.SQLite(t)
	r := newRoom(t, env)
	var c support.Case
	for range support.MostOpen {
		c = r.must(r.ask(r.said("x")))
	}
	if _, err := r.ask(r.said("x")); fault.KindOf(err) != fault.TooMany {
		t.Errorf("one case too many: %v", err)
	}
	for range support.MostADay - support.MostOpen {
		r.must(r.reply(c, r.said("x")))
	}
	if _, err := r.reply(c, r.said("x")); fault.KindOf(err) != fault.TooMany {
		t.Errorf("one message too many: %v", err)
	}
	env.Clock.Add(25 * time.Hour)
	var files []support.File
	for range support.MostFiles {
		files = append(files, support.File{Name: "a", Content: pixel(t)})
	}
	var err error
	for range 5 {
		s := r.said("x")
		s.Files = files
		if c, err = r.reply(c, s); err != nil {
			break
		}
	}
	if fault.KindOf(err) != fault.TooMany || c.Files > 12 {
		t.Errorf("files without end: %d, %v", c.Files, err)
	}
	for _, s := range []support.Said{
		{Key: "k", Text: " \n "},
		{Text: "no form"},
		{Key: strings.Repeat("k", 65), Text: "x"},
		{Key: "k", Text: strings.Repeat("長", support.MostText+1)},
		{Key: "k", Text: "x", Files: []support.File{{Content: []byte("GIF89a")}}},
		{Key: "k", Text: "x", Files: []support.File{{}}},
	} {
		if _, err := r.reply(c, s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%.20q is kept: %v", s.Text, err)
		}
	}
}

func pixel(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 1, 1))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Whatever a file is called, and whatever is written, it is kept; its name has no
// way out of a folder or a header and the ending of what it is.
func TestNamesAndTextsOfAnyKind(t *testing.T) {
	env := dbtest.SQLite(t)
	r := newRoom(t, env)
	content := pixel(t)
	rapid.Check(t, func(p *rapid.T) {
		env.Clock.Add(25 * time.Hour)
		s := r.said("x" + rapid.String().Draw(p, "text"))
		s.Files = []support.File{{Name: rapid.String().Draw(p, "name"), Content: content}}
		c, err := r.ask(s)
		if err != nil {
			p.Fatal(err)
		}
		f, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (support.File, error) { return support.GetFile(ctx, tx, c.Key(), 1) })
		if err != nil || !strings.HasSuffix(f.Name, ".png") || strings.ContainsAny(f.Name, "/\\\"\r\n\x00") || strings.HasPrefix(f.Name, ".") || !bytes.Equal(f.Content, content) {
			p.Fatalf("%v %q", err, f.Name)
		}
		r.must(r.end(c))
	})
}
