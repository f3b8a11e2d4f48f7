package identity_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/seal"
)

// room is a database with customers, and the seller's secret.
type room struct {
	t   *testing.T
	db  *db.DB
	ids *id.Source
	box *seal.Box
	cat *catalogue.Catalogue
}

func newRoom(t *testing.T, base *db.DB) *room {
	t.Helper()
	return &room{
		t: t, db: base, ids: id.NewSource(base.Now, rand.NewChaCha8([32]byte{3})), cat: catalogue.Demo(),
		box: seal.New("identity", "a secret of the tests", nil, nil),
	}
}

func (r *room) customer(name string) string {
	r.t.Helper()
	a, err := db.Written(r.t.Context(), r.db, func(ctx context.Context, tx db.Tx) (account.Account, error) {
		return account.Create(ctx, tx, r.ids, account.New{Email: name + "@example.com"})
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return a.ID
}

// do runs one act on a check.
func (r *room) do(act func(context.Context, db.Tx) (identity.Check, error)) (identity.Check, error) {
	return db.Written(r.t.Context(), r.db, act)
}

func (r *room) must(c identity.Check, err error) identity.Check {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

var papers = identity.Papers{
	Name: "Aiko Tanaka-Œuvre", Nationality: "TW", Born: "1990-02-28", Document: "passport", Number: "XK 1234567", Expires: "2031-05-01", Stay: "1-2-3 Ginza, Tokyo",
}

func (r *room) write(of string, p identity.Papers) (identity.Check, error) {
	return r.do(func(ctx context.Context, tx db.Tx) (identity.Check, error) {
		return identity.Write(ctx, tx, r.box, r.ids, of, "kaisha-month", p)
	})
}

func (r *room) photo(k identity.Key, kind identity.PhotoKind, p identity.Picture) (identity.Check, error) {
	return r.do(func(ctx context.Context, tx db.Tx) (identity.Check, error) {
		return identity.AddPhoto(ctx, tx, r.box, k, kind, p)
	})
}

func (r *room) send(k identity.Key) (identity.Check, error) {
	return r.do(func(ctx context.Context, tx db.Tx) (identity.Check, error) { return identity.Send(ctx, tx, r.box, k) })
}

func (r *room) decide(k identity.Key, why identity.Reason) (identity.Check, error) {
	return r.do(func(ctx context.Context, tx db.Tx) (identity.Check, error) {
		return identity.Decide(ctx, tx, r.ids, r.cat, k, identity.Decision{Staff: "mika", Refuse: why})
	})
}

func (r *room) takeBack(k identity.Key) (identity.Check, error) {
	return r.do(func(ctx context.Context, tx db.Tx) (identity.Check, error) { return identity.TakeBack(ctx, tx, k) })
}

// given is a check with everything that is needed, with staff.
func (r *room) given(of string) identity.Check {
	r.t.Helper()
	c := r.must(r.write(of, papers))
	for _, kind := range identity.Photos {
		r.must(r.photo(c.Key(), kind, identity.Picture("a picture of the "+kind)))
	}
	return r.must(r.send(c.Key()))
}

func (r *room) passed(of string) bool {
	r.t.Helper()
	ok, err := db.Seen(r.t.Context(), r.db, func(ctx context.Context, tx db.Tx) (bool, error) { return identity.Passed(ctx, tx, of) })
	if err != nil {
		r.t.Fatal(err)
	}
	return ok
}

// A check is given, refused with a reason, given again, approved, and tells the
// customer each time; then it counts for the lines that there are, and for buying.
func TestOneCheck(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRoom(t, env.DB)
		aiko := r.customer("aiko")
		if err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return line.Add(ctx, tx, line.Line{Account: aiko, ID: r.ids.Under("ln", aiko), Operator: "kumohashi", Plan: "kaisha-month", ProfileID: "p", ICCID: "8981123456789004711", State: line.New})
		}); err != nil {
			t.Fatal(err)
		}
		c := r.must(r.write(aiko, papers))
		r.must(r.photo(c.Key(), "face", identity.Picture("a face alone")))
		if _, err := r.send(c.Key()); fault.KindOf(err) != fault.Invalid {
			t.Errorf("sent without a document: %v", err)
		}
		c = r.given(aiko)
		if again := r.must(r.send(c.Key())); again.Sends != 1 || c.State != identity.Given || !c.DueAt.IsZero() {
			t.Errorf("sent twice: %+v", again)
		}
		c = r.must(r.decide(c.Key(), "differs"))
		if c.State != identity.Refused || c.Reason != "differs" || r.passed(aiko) {
			t.Errorf("refused: %+v", c)
		}
		other := papers
		other.Number = "XK1234568"
		r.must(r.write(aiko, other))
		c = r.must(r.send(c.Key()))
		if _, err := r.decide(c.Key(), "because"); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a reason that is none: %v", err)
		}
		c = r.must(r.decide(c.Key(), ""))
		if !r.passed(aiko) || c.Sends != 2 || c.Reason != "" || c.Staff != "mika" {
			t.Errorf("approved: %+v", c)
		}
		err := env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
			lines, err := line.List(ctx, tx, aiko)
			if err != nil || len(lines) != 1 || !lines[0].Identity {
				t.Errorf("the line does not know it: %+v", lines)
			}
			for _, key := range []string{"identity_refused/" + c.ID + "/1", "identity_approved/" + c.ID + "/2"} {
				m, err := message.ByKey(ctx, tx, aiko, key)
				if err != nil || strings.Contains(fmt.Sprint(m.Facts), "Aiko") || m.Facts.Link == "" {
					t.Errorf("%s: %v %+v", key, err, m.Facts)
				}
			}
			p, _, err := c.Papers(r.box)
			if err != nil || p.Number != "XK1234568" || p.Name != papers.Name {
				t.Errorf("the papers: %v", err)
			}
			got, err := identity.GetPhoto(ctx, tx, r.box, c.Key(), "face")
			if err != nil || string(got) != "a picture of the face" {
				t.Errorf("the face: %q %v", got, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// model is what a check may be, kept beside it.
type model struct {
	state  identity.State
	papers bool
	photos map[identity.PhotoKind]bool
}

// Whatever customer and staff do, in whatever order: a check is in a state that it
// may reach, staff decide only what was given whole, an approved one is what counts,
// and of an erased one nothing is left.
func TestStates(t *testing.T) {
	env := dbtest.SQLite(t)
	r := newRoom(t, env.DB)
	n, start := 0, env.Clock.Now()
	rapid.Check(t, func(p *rapid.T) {
		n++
		env.Clock.Set(start)
		of := r.customer(fmt.Sprint("c", n))
		var m model
		var c identity.Check
		for range rapid.IntRange(1, 12).Draw(p, "acts") {
			env.Clock.Add(8 * 24 * time.Hour) // of limits tells another test
			act := rapid.SampledFrom([]string{"give", "give", "write", "write badly", "document", "face", "send", "approve", "refuse", "take back"}).Draw(p, "act")
			open := m.state == identity.Wanted || m.state == identity.Refused
			if act == "give" && (open || m.state == "" || m.state == identity.Erased) {
				c = r.given(of)
				m = model{identity.Given, true, map[identity.PhotoKind]bool{"document": true, "face": true}}
				continue
			}
			if act == "give" || c.ID == "" && act != "write" {
				continue
			}
			var err error
			var got identity.Check
			var fine bool
			next := m.state
			switch act {
			case "write":
				if fine = m.state == "" || open || m.state == identity.Erased; fine && !open {
					m, next = model{photos: map[identity.PhotoKind]bool{}}, identity.Wanted
				}
				if got, err = r.write(of, papers); fine {
					m.papers = true
				}
			case "write badly":
				_, err = r.write(of, identity.Papers{Name: "x"})
			case "document", "face":
				if fine = open; fine {
					m.photos[identity.PhotoKind(act)] = true
				}
				got, err = r.photo(c.Key(), identity.PhotoKind(act), identity.Picture("p"))
			case "send":
				if fine = open && m.papers && len(m.photos) == 2 || m.state == identity.Given; fine {
					next = identity.Given
				}
				got, err = r.send(c.Key())
			case "approve", "refuse":
				why := map[string]identity.Reason{"refuse": "face"}[act]
				if fine = m.state == identity.Given; fine {
					next = map[string]identity.State{"approve": identity.Approved, "refuse": identity.Refused}[act]
				}
				got, err = r.decide(c.Key(), why)
			case "take back":
				if fine = m.state != identity.Approved && m.state != identity.Erased; fine {
					next = identity.Erased
				}
				got, err = r.takeBack(c.Key())
			}
			if k := fault.KindOf(err); fine != (err == nil) || k == fault.Internal {
				p.Fatalf("%s in state %q: %v", act, m.state, err)
			}
			if fine {
				c, m.state = got, next
			}
			if c.State != m.state || r.passed(of) != (m.state == identity.Approved) {
				p.Fatalf("%s: it is %s, should be %s", act, c.State, m.state)
			}
			if rows := r.rows(c.Key()); m.state == identity.Erased && rows != 0 {
				p.Fatalf("%d photos are left", rows)
			}
		}
	})
}

func (r *room) rows(k identity.Key) int {
	r.t.Helper()
	all, err := db.Seen(r.t.Context(), r.db, func(ctx context.Context, tx db.Tx) ([]identity.Photo, error) { return identity.PhotosOf(ctx, tx, k) })
	if err != nil {
		r.t.Fatal(err)
	}
	return len(all)
}

// Whoever has the database file has nothing of what a customer gave, nor can it be
// opened elsewhere than where it was put, nor does it print.
func TestSealedAtRest(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.db")
	now := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	base, err := db.Open(t.Context(), file, db.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := base.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := newRoom(t, base)
	aiko, mallory := r.customer("aiko"), r.customer("mallory")
	c := r.given(aiko)
	theirs := r.given(mallory)
	if err := base.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { // somebody moves a photo and papers in the database
		_, err := tx.Exec(ctx, `UPDATE identity_photos SET content = (SELECT content FROM identity_photos WHERE account_id = $1 AND kind = 'face') WHERE account_id = $2`, aiko, mallory)
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE identity_checks SET papers = (SELECT papers FROM identity_checks WHERE account_id = $1) WHERE account_id = $2`, aiko, mallory)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := base.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		if _, err := identity.GetPhoto(ctx, tx, r.box, theirs.Key(), "face"); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("a moved photo opens: %v", err)
		}
		moved, err := identity.Get(ctx, tx, theirs.Key())
		if err != nil {
			return err
		}
		if _, _, err := moved.Papers(r.box); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("moved papers open: %v", err)
		}
		if _, _, err := c.Papers(seal.New("identity", "another secret", nil, nil)); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("another secret opens it: %v", err)
		}
		if _, _, err := c.Papers(seal.New("identity", "another secret", []string{"a secret of the tests"}, nil)); err != nil {
			t.Errorf("a former secret does not open it: %v", err)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := base.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(file + "*")
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if f == file && !bytes.Contains(raw, []byte(c.ID)) {
			t.Error("the check is not in the file: the test looks in the wrong place")
		}
		for _, secret := range []string{"Aiko", "Tanaka", "1990-02-28", "1234567", "2031-05-01", "Ginza", "a picture of", "passport"} {
			if bytes.Contains(raw, []byte(secret)) {
				t.Errorf("%s holds %q", filepath.Base(f), secret)
			}
		}
	}
	var log bytes.Buffer
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "papers", papers, "check", fmt.Sprintf("%v %+v %#v", papers, papers, papers))
	if strings.Contains(log.String(), "Aiko") || strings.Contains(log.String(), "Ginza") {
		t.Errorf("papers print: %s", log.String())
	}
}

// The time for which it is kept begins with the decision, or with the line's end.
func TestWhenItIsErased(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		r := newRoom(t, env.DB)
		begun := r.must(r.write(r.customer("begun"), papers))
		if want := env.Clock.Now().Add(identity.Unfinished); !begun.DueAt.Equal(want) {
			t.Errorf("begun: %v, want %v", begun.DueAt, want)
		}
		due := func() (identity.Check, bool) {
			t.Helper()
			var found bool
			c, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (c identity.Check, err error) {
				c, found, err = identity.Due(ctx, tx)
				return c, err
			})
			if err != nil {
				t.Fatal(err)
			}
			return c, found
		}
		env.Clock.Add(identity.Unfinished - time.Microsecond)
		if c, found := due(); found {
			t.Errorf("%s is due too early", c.ID)
		}
		env.Clock.Add(time.Microsecond)
		if c, _ := due(); c.ID != begun.ID {
			t.Errorf("%q is due", c.ID)
		}
		r.must(r.do(func(ctx context.Context, tx db.Tx) (identity.Check, error) { return identity.Erase(ctx, tx, begun) }))
		if _, found := due(); found || r.rows(begun.Key()) != 0 {
			t.Error("it is still due")
		}
		aiko := r.customer("aiko")
		c := r.must(r.decide(r.given(aiko).Key(), ""))
		loc, _ := time.LoadLocation("Asia/Tokyo")
		decided := env.Clock.Now().In(loc)
		if want := time.Date(decided.Year()+1, decided.Month(), decided.Day()+1, 0, 0, 0, 0, loc); !c.DueAt.Equal(want) { // kaisha-month: a year
			t.Errorf("due at %v, want %v", c.DueAt, want)
		}
		needed := func() time.Time {
			t.Helper()
			until, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (time.Time, error) { return identity.NeededUntil(ctx, tx, r.cat, c) })
			if err != nil {
				t.Fatal(err)
			}
			return until
		}
		add := func(plan string, end time.Time) {
			t.Helper()
			if err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				one := r.ids.Under("ln", aiko)
				return line.Add(ctx, tx, line.Line{Account: aiko, ID: one, Operator: "kumohashi", Plan: plan, ProfileID: one, ICCID: "89" + one[len(one)-6:], State: line.New, EndsAt: end})
			}); err != nil {
				t.Fatal(err)
			}
		}
		end := env.Clock.Now().AddDate(2, 0, 0)
		add("sumire-voice", end.AddDate(1, 0, 0)) // counts from the decision
		if until := needed(); !until.IsZero() {
			t.Errorf("needed until %v for no line that says so", until)
		}
		add("kaisha-month", end)
		if until := needed(); until.Before(end.AddDate(1, 0, 0)) || until.After(end.AddDate(1, 0, 2)) {
			t.Errorf("needed until %v, the line ends %v", until, end)
		}
	})
}

// What cannot be right is said, field by field.
func TestPapersAreChecked(t *testing.T) {
	env := dbtest.SQLite(t)
	r := newRoom(t, env.DB)
	for field, change := range map[string]func(*identity.Papers){
		"name":        func(p *identity.Papers) { p.Name = " 1 " },
		"nationality": func(p *identity.Papers) { p.Nationality = "XX" },
		"born":        func(p *identity.Papers) { p.Born = "2090-01-01" },
		"document":    func(p *identity.Papers) { p.Document = "library_card" },
		"number":      func(p *identity.Papers) { p.Number = "<script>" },
		"expires":     func(p *identity.Papers) { p.Expires = "2020-01-01" },
		"stay":        func(p *identity.Papers) { p.Stay = strings.Repeat("長", 201) },
	} {
		p := papers
		change(&p)
		_, err := r.write(r.customer(field), p)
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[field] == "" || !slices.Contains(identity.Fields, field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// Who tries without end is stopped, whatever they erase in between.
func TestLimits(t *testing.T) {
	env := dbtest.SQLite(t)
	r := newRoom(t, env.DB)
	aiko := r.customer("aiko")
	for i := range identity.MostSends {
		c := r.given(aiko)
		if i%2 == 0 {
			r.must(r.decide(c.Key(), "face"))
		} else {
			r.must(r.takeBack(c.Key()))
		}
	}
	c := r.must(r.write(aiko, papers))
	for _, kind := range identity.Photos {
		r.must(r.photo(c.Key(), kind, nil))
	}
	if _, err := r.send(c.Key()); fault.KindOf(err) != fault.TooMany {
		t.Errorf("sent once more: %v", err)
	}
	var err error
	for range identity.MostUploads {
		if _, err = r.photo(c.Key(), "face", nil); err != nil {
			break
		}
	}
	if fault.KindOf(err) != fault.TooMany {
		t.Errorf("photos without end: %v", err)
	}
	env.Clock.Add(31 * 24 * time.Hour)
	r.must(r.takeBack(c.Key()))
	r.given(aiko)
}
