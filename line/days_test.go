package line_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
)

func tokyo(t *testing.T) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Asia/Tokyo")
	must(t, err)
	return loc
}

func note(t rapid.TB, d *db.DB, id string, loc *time.Location, reports ...line.Usage) {
	t.Helper()
	err := d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		for _, u := range reports {
			if err := line.NoteDay(ctx, tx, "ac_1", id, u, loc); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func readings(t rapid.TB, d *db.DB, id string) []line.Reading {
	t.Helper()
	all, err := db.Seen(context.Background(), d, func(ctx context.Context, tx db.Tx) ([]line.Reading, error) {
		return line.Readings(ctx, tx, "ac_1", id)
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Late, repeated and reordered reports make the same days as reports in order;
// and the days of a counter that goes on add up to what it shows.
func TestDaysDoNotDependOnTheOrderOfReports(t *testing.T) {
	loc := tokyo(t)
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		n, now := 0, env.Clock.Now()
		rapid.Check(t, func(t *rapid.T) {
			n++
			from := now.Add(-time.Duration(rapid.IntRange(0, 30*24*60).Draw(t, "minutes ago")) * time.Minute)
			unlimited := rapid.Bool().Draw(t, "unlimited")
			var reports []line.Usage
			at, counter := from, int64(0)
			for range rapid.IntRange(0, 12).Draw(t, "reports") {
				at = at.Add(time.Duration(rapid.IntRange(1, 4000).Draw(t, "later")) * time.Minute)
				if at.After(now) {
					break
				}
				counter += rapid.Int64Range(0, 5e9).Draw(t, "used")
				reports = append(reports, line.Usage{Unlimited: unlimited, Total: 20e9, Used: counter, Throttled: rapid.Bool().Draw(t, "throttled"), AsOf: at})
			}
			ordered, shuffled := fmt.Sprintf("ln_%d_a", n), fmt.Sprintf("ln_%d_b", n)
			note(t, env.DB, ordered, loc, reports...)
			late := rapid.Permutation(reports).Draw(t, "as they came")
			note(t, env.DB, shuffled, loc, late...)
			if len(late) > 0 {
				note(t, env.DB, shuffled, loc, late[0], late[len(late)/2])
			}
			want, got := readings(t, env.DB, ordered), readings(t, env.DB, shuffled)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("the order matters (-in order +as they came):\n%s", diff)
			}
			var sum int64
			days := line.PerDay(got, from, loc)
			for i, d := range days {
				sum += d.Bytes
				if d.Bytes < 0 || d.Minutes < 0 || i > 0 && d.Day <= days[i-1].Day {
					t.Fatalf("no days: %+v", days)
				}
			}
			if !unlimited && sum != counter && len(reports) > 0 {
				t.Fatalf("the days come to %d, the counter shows %d: %+v", sum, counter, days)
			}
		})
	})
}

// A counter that begins anew at a renewal does not take back what was used; a
// day is the operator's, whatever the zone of the machine.
func TestDaysOfCountersThatBeginAnew(t *testing.T) {
	loc := tokyo(t)
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, loc) }
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		env.Clock.Set(at(9, 0))
		note(t, env.DB, "ln_1", loc,
			line.Usage{Total: 5, Used: 3, AsOf: at(2, 24)}, // the first second of the third
			line.Usage{Total: 5, Used: 5, AsOf: at(3, 12)},
			line.Usage{Total: 5, Used: 1, AsOf: at(3, 23)},
			line.Usage{Total: 5, Used: 2, AsOf: at(4, 23)})
		days := line.PerDay(readings(t, env.DB, "ln_1"), at(2, 0), loc)
		var sum int64
		for _, d := range days {
			sum += d.Bytes
		}
		if sum != 7 || len(days) != 3 || !days[1].Capped || days[2].Capped {
			t.Errorf("used 5, then 2 more of the next: %+v", days)
		}
		note(t, env.DB, "ln_2", loc,
			line.Usage{Unlimited: true, Total: 5, Used: 4, AsOf: at(2, 20)},
			line.Usage{Unlimited: true, Total: 5, Used: 1, AsOf: at(4, 6), Throttled: true})
		want := []line.DayUse{
			{Day: line.DayOf(at(2, 1), loc), Bytes: 4, Minutes: 10 * 60},
			{Day: line.DayOf(at(4, 1), loc), Bytes: 1, Minutes: 6 * 60, Capped: true},
		}
		days = line.PerDay(readings(t, env.DB, "ln_2"), at(2, 10), loc)
		if diff := cmp.Diff(want, days); diff != "" {
			t.Errorf("each day to its last figure (-want +got):\n%s", diff)
		}
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return line.NoteDay(ctx, tx, "ac_1", "ln_1", line.Usage{Used: 1, AsOf: at(10, 0)}, loc)
		})
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("a report from the future: %v", err)
		}
	})
}

// An operator that takes a little back has corrected its figure: nothing was used
// by that, within a day or over midnight.
func TestDaysOfCountersThatAreCorrected(t *testing.T) {
	loc := tokyo(t)
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, loc) }
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		env.Clock.Set(at(9, 0))
		note(t, env.DB, "ln_1", loc,
			line.Usage{Total: 5000, Used: 400, AsOf: at(2, 12)},
			line.Usage{Total: 5000, Used: 380, AsOf: at(2, 20)},
			line.Usage{Total: 5000, Used: 370, AsOf: at(3, 0)},
			line.Usage{Total: 5000, Used: 470, AsOf: at(3, 20)})
		var used []int64
		for _, d := range line.PerDay(readings(t, env.DB, "ln_1"), at(2, 0), loc) {
			used = append(used, d.Bytes)
		}
		if diff := cmp.Diff([]int64{380 + 90*4/24, 90 * 20 / 24}, used); diff != "" {
			t.Errorf("380 by the evening of the second, 90 more in a day (-want +got):\n%s", diff)
		}
	})
}

// The day of departure can be told, changed and taken back, by its owner only.
func TestStay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		tell := func(account string, day line.Day) {
			must(t, env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return line.TellStay(ctx, tx, account, "ln_1", day)
			}))
		}
		told := func() line.Day {
			day, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (line.Day, error) {
				return line.Stay(ctx, tx, "ac_1", "ln_1")
			})
			must(t, err)
			return day
		}
		for _, day := range []line.Day{0, 20_600, 20_601, 0} {
			tell("ac_1", day)
			tell("ac_2", 20_000)
			if got := told(); got != day {
				t.Errorf("told %d, kept %d", day, got)
			}
		}
	})
}
