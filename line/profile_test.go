package line_test

import (
	"context"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
)

var profileStates = []line.ProfileState{line.ProfileInstalled, line.ProfileEnabled, line.ProfileDisabled, line.ProfileDeleted}

// told is a notification; later says which of two counts.
type told struct {
	state line.ProfileState
	at    time.Time
}

func (a told) later(b told) bool {
	rank := map[line.ProfileState]int{"": -1}
	for i, s := range profileStates {
		rank[s] = i
	}
	return a.at.After(b.at) || a.at.Equal(b.at) && rank[a.state] > rank[b.state]
}

// In whatever order notifications come, and however often, the state never moves back,
// and ends where the last of them by its own time leaves it.
func TestProfileNeverMovesBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		add(t, env.DB, bare())
		n := 0
		rapid.Check(t, func(t *rapid.T) {
			n++
			id := "ln_p" + time.Duration(n).String()
			var all []told
			for range rapid.IntRange(1, 6).Draw(t, "notifications") {
				all = append(all, told{
					rapid.SampledFrom(profileStates).Draw(t, "state"),
					env.DB.Now().Add(time.Duration(rapid.IntRange(-4, 1).Draw(t, "minutes")) * time.Minute).Truncate(time.Minute),
				})
			}
			all = append(all, all[rapid.IntRange(0, len(all)-1).Draw(t, "twice")])
			all = rapid.Permutation(all).Draw(t, "order")
			err := env.DB.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
				var want told
				for _, one := range all {
					taken, err := line.TellProfile(ctx, tx, "ac_1", id, one.state, one.at)
					if err != nil {
						return err
					}
					if taken != one.later(want) {
						t.Errorf("%+v after %+v: taken %t", one, want, taken)
					}
					if taken {
						want = one
					}
				}
				p, _, err := line.GetProfile(ctx, tx, "ac_1", id)
				if err != nil {
					return err
				}
				if last := latest(all); p.State != last.state || !p.At.Equal(last.at) {
					t.Errorf("%+v, want %+v", p, last)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	})
}

func latest(all []told) (last told) {
	for _, one := range all {
		if one.later(last) {
			last = one
		}
	}
	return last
}

// What cannot be, and what would hide everything later, is refused; a line's profile
// is its account's, and is forgotten with it.
func TestProfileIsItsAccounts(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		now := env.DB.Now()
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			for _, bad := range []told{{"", now}, {"lost", now}, {line.ProfileEnabled, time.Time{}}, {line.ProfileEnabled, now.Add(line.ClockAhead + time.Minute)}} {
				if _, err := line.TellProfile(ctx, tx, "ac_1", "ln_1", bad.state, bad.at); fault.KindOf(err) != fault.Invalid {
					t.Errorf("%+v: %v", bad, err)
				}
			}
			if _, err := line.TellProfile(ctx, tx, "ac_1", "ln_1", line.ProfileEnabled, now); err != nil {
				return err
			}
			if _, found, err := line.GetProfile(ctx, tx, "ac_2", "ln_1"); found || err != nil {
				t.Errorf("another account sees it: %v", err)
			}
			if err := line.Erase(ctx, tx, "ac_1"); err != nil {
				return err
			}
			if _, found, err := line.GetProfile(ctx, tx, "ac_1", "ln_1"); found || err != nil {
				t.Errorf("it outlives its account: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
