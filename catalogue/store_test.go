package catalogue

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// dearer is the demo with one price changed.
func dearer() []byte {
	return []byte(strings.Replace(string(demoFile), "{JPY: 3980,", "{JPY: 4080,", 1))
}

type applied struct {
	c       *Catalogue
	changed bool
}

func apply(t *testing.T, env dbtest.Env, file []byte) (applied, error) {
	t.Helper()
	return db.Written(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (applied, error) {
		c, changed, err := Apply(ctx, tx, file, "staff@example.com")
		return applied{c, changed}, err
	})
}

func mustApply(t *testing.T, env dbtest.Env, file []byte) applied {
	t.Helper()
	a, err := apply(t, env, file)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A file becomes the next version, the same file changes nothing, and an old
// version stays readable as it was, even when it comes back.
func TestApplyMakesVersions(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		first := env.Clock.Now()
		steps := []struct {
			file    []byte
			version int64
			changed bool
		}{
			{demoFile, 1, true}, {demoFile, 1, false}, {dearer(), 2, true}, {dearer(), 2, false}, {demoFile, 3, true},
		}
		for i, s := range steps {
			a := mustApply(t, env, s.file)
			if a.changed != s.changed || a.c.Version != s.version {
				t.Errorf("step %d: version %d, changed %t; want %d, %t", i, a.c.Version, a.changed, s.version, s.changed)
			}
			env.Clock.Add(time.Hour)
		}
		read := func(ctx context.Context, tx db.Tx) error {
			current, err := Current(ctx, tx)
			if err != nil || current.Version != 3 {
				t.Errorf("current is %v, %v", current, err)
			}
			old, err := At(ctx, tx, 1)
			if err != nil {
				return err
			}
			want := Demo()
			want.Version, want.AppliedAt = 1, first
			if diff := cmp.Diff(want, old); diff != "" {
				t.Errorf("version 1 (-want +got):\n%s", diff)
			}
			second, err := At(ctx, tx, 2)
			if err != nil || len(Diff(old, second)) != 1 || len(Diff(second, current)) != 1 {
				t.Errorf("version 2: %v, differs %v, %v", err, Diff(old, second), Diff(second, current))
			}
			history, err := History(ctx, tx, 2)
			if err != nil || len(history) != 2 || history[0].Version != 3 || history[0].By != "staff@example.com" {
				t.Errorf("history %v, %v", history, err)
			}
			return nil
		}
		if err := env.DB.Read(t.Context(), read); err != nil {
			t.Fatal(err)
		}
	})
}

// A wrong file is refused with its mistakes, and nothing is stored; before the
// first version there is none.
func TestApplyRefusesMistakes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		_, err := apply(t, env, []byte("plans: []\n"))
		if mistakes, ok := errors.AsType[Mistakes](err); !ok || len(mistakes) == 0 {
			t.Errorf("Apply gives %v; want mistakes", err)
		}
		var shelf Shelf
		for name, read := range map[string]func(context.Context, db.Tx) (*Catalogue, error){
			"Current":       Current,
			"Shelf.Current": shelf.Current,
			"At":            func(ctx context.Context, tx db.Tx) (*Catalogue, error) { return At(ctx, tx, 1) },
			"Shelf.At":      func(ctx context.Context, tx db.Tx) (*Catalogue, error) { return shelf.At(ctx, tx, 1) },
		} {
			if _, err := db.Seen(t.Context(), env.DB, read); fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s gives %v; want not found", name, err)
			}
		}
	})
}

// A shelf gives the same catalogue again without reading it, sees a new version
// at once, and keeps old ones.
func TestShelfKeepsWhatWasRead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		var shelf Shelf
		current := func() *Catalogue { return seen(t, env, shelf.Current) }
		mustApply(t, env, demoFile)
		one := current()
		if one != current() {
			t.Error("the version was read twice")
		}
		mustApply(t, env, dearer())
		two := current()
		if two.Version != 2 || one.Version != 1 {
			t.Errorf("versions %d and %d", one.Version, two.Version)
		}
		first := func(ctx context.Context, tx db.Tx) (*Catalogue, error) { return shelf.At(ctx, tx, 1) }
		if seen(t, env, first) != one {
			t.Error("the old version was read again")
		}
	})
}

func seen(t *testing.T, env dbtest.Env, read func(context.Context, db.Tx) (*Catalogue, error)) *Catalogue {
	t.Helper()
	c, err := db.Seen(t.Context(), env.DB, read)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// What a shelf saw in a transaction that was rolled back is not what it gives
// afterwards, although the version has the same number.
func TestShelfForgetsWhatNeverHappened(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		var shelf Shelf
		never := errors.New("rolled back")
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			if _, _, err := Apply(ctx, tx, demoFile, "x"); err != nil {
				return err
			}
			if c, err := shelf.Current(ctx, tx); err != nil || c.Version != 1 {
				t.Errorf("inside: %v, %v", c, err)
			}
			if c, err := shelf.At(ctx, tx, 1); err != nil || c.Version != 1 {
				t.Errorf("inside, by number: %v, %v", c, err)
			}
			return never
		})
		if !errors.Is(err, never) {
			t.Fatal(err)
		}
		mustApply(t, env, dearer())
		byNumber := func(ctx context.Context, tx db.Tx) (*Catalogue, error) { return shelf.At(ctx, tx, 1) }
		for _, read := range []func(context.Context, db.Tx) (*Catalogue, error){byNumber, shelf.Current} {
			p, _ := seen(t, env, read).Plan("hinode-visitor-5")
			if got := p.Terms[0].Prices[0].Minor; got != 4080 {
				t.Errorf("the price is %d, want 4080", got)
			}
		}
	})
}

// Readers and a writer at once: nobody sees anything but whole versions.
func TestShelfIsForManyReaders(t *testing.T) {
	env := dbtest.SQLite(t)
	var shelf Shelf
	mustApply(t, env, demoFile)
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 20 {
				c, err := db.Seen(t.Context(), env.DB, shelf.Current)
				if err != nil || len(c.Plans) == 0 {
					t.Errorf("%v, %v", c, err)
					return
				}
			}
		})
	}
	mustApply(t, env, dearer())
	readers.Wait()
}

// A version that an older program accepted and today's rules would refuse is
// still what was sold; one that is not the file that was applied is not.
func TestStoredVersionsStand(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		contradictory := strings.Replace(string(demoFile), "    grace: 60d\n", "    grace: 60d\n    closes: 1d\n", 1)
		if _, err := Read("x", []byte(contradictory)); err == nil {
			t.Fatal("the file is not contradictory")
		}
		unreadable := strings.Replace(string(demoFile), "{JPY: 3980,", "{JPY: many,", 1)
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			for version, row := range [][2]string{{contradictory, digestOf([]byte(contradictory))}, {unreadable, digestOf([]byte(unreadable))}, {contradictory, "other"}} {
				_, err := tx.Exec(ctx, `
					INSERT INTO catalogue_versions (version, file, digest, applied_at, applied_by)
					VALUES ($1, $2, $3, $4, $5)`, int64(version+1), row[0], row[1], db.At(tx.Now()), "x")
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for version, readable := range map[int64]bool{1: true, 2: false, 3: false} {
			_, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (*Catalogue, error) { return At(ctx, tx, version) })
			if (err == nil) != readable {
				t.Errorf("version %d: %v", version, err)
			}
		}
	})
}
