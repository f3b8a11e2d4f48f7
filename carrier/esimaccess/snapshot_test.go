package esimaccess

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// The rows of the answers below.
const (
	baseRow  = `{"packageCode":"CKH003","slug":"ES_5_30","duration":30,"volume":5368709120,"createTime":"2026-04-30T18:34:17+0000"}`
	ourRow   = `{"packageCode":"TOPUP_CKH003","slug":"ES_5_30","duration":30,"volume":5368709120,"createTime":"2026-05-04T12:00:00+0000"}`
	otherRow = `{"packageCode":"TOPUP_CKH009","slug":"ES_1_7","duration":7,"volume":1073741824,"createTime":"2026-05-04T12:00:00+0000"}`
	list     = `{"success":true,"obj":{"packageList":[` +
		`{"packageCode":"TOPUP_CKH009","slug":"ES_1_7","price":1,"currencyCode":"USD","volume":1073741824,"duration":7},` +
		`{"packageCode":"TOPUP_CKH003","slug":"ES_5_30","price":1,"currencyCode":"USD","volume":5368709120,"duration":30}]}}`
)

func rowsOf(rows ...string) string { return `"packageList":[` + strings.Join(rows, ",") + `]` }

// grown is the line with our extension on it, until grownEnd.
const grown = `"totalVolume":10737418240,"totalDuration":60,"expiredTime":"2026-06-30T00:00:00+0000"`

var grownEnd = time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)

// lookUps: what the line shown() before, or another one, became.
var lookUps = []struct {
	name   string
	before string
	now    string
	days   int
	want   carrier.Found
	end    time.Time
	total  int64
}{
	{name: "nothing changed", now: shown(), want: carrier.FoundAbsent},
	{name: "only used", now: shown(`"orderUsage":5368709120,"esimStatus":"USED_UP"`), want: carrier.FoundAbsent},
	{name: "ended meanwhile", now: shown(`"esimStatus":"USED_EXPIRED"`), want: carrier.FoundAbsent},
	{
		name: "activated meanwhile: the deadline became an end", before: shown(`"esimStatus":"GOT_RESOURCE","activateTime":null`),
		now: shown(`"expiredTime":"2026-06-03T12:00:00Z"`), want: carrier.FoundAbsent,
	},
	{name: "grown, with our row", now: shown(grown, rowsOf(baseRow, ourRow)), want: carrier.FoundDone, end: grownEnd, total: 10 * gigabyte},
	{name: "rows in another order", now: shown(grown, rowsOf(ourRow, baseRow)), want: carrier.FoundDone, end: grownEnd, total: 10 * gigabyte},
	{name: "grown, with our row under the bare code", now: shown(grown, rowsOf(baseRow, strings.Replace(ourRow, "TOPUP_", "", 1))), want: carrier.FoundDone, end: grownEnd, total: 10 * gigabyte},
	{name: "grown, without rows", now: shown(grown), want: carrier.FoundDone, end: grownEnd, total: 10 * gigabyte},
	{name: "our row, totals late", now: shown(rowsOf(baseRow, ourRow)), want: carrier.FoundDone},
	{
		name: "a new line has no end", before: shown(`"esimStatus":"GOT_RESOURCE","activateTime":null`),
		now: shown(`"esimStatus":"GOT_RESOURCE","activateTime":null`, grown, rowsOf(baseRow, ourRow)), want: carrier.FoundDone, total: 10 * gigabyte,
	},
	{name: "our row, older than the request", now: shown(grown, rowsOf(baseRow, strings.Replace(ourRow, "05-04T12:00", "05-04T11:49", 1))), want: carrier.FoundUnsure},
	{name: "our row twice", now: shown(grown, rowsOf(baseRow, ourRow, ourRow)), want: carrier.FoundUnsure},
	{name: "our row and a gift", now: shown(`"totalVolume":10737418241,"totalDuration":60`, rowsOf(baseRow, ourRow)), want: carrier.FoundUnsure},
	{name: "another's row", now: shown(`"totalVolume":6442450944,"totalDuration":37`, rowsOf(baseRow, otherRow)), want: carrier.FoundUnsure},
	{name: "ours and another's row", now: shown(grown, rowsOf(baseRow, ourRow, otherRow)), want: carrier.FoundUnsure},
	{name: "our row instead of the old one", now: shown(grown, rowsOf(ourRow)), want: carrier.FoundUnsure},
	{name: "another's size, without rows", now: shown(`"totalVolume":6442450944,"totalDuration":37`), want: carrier.FoundUnsure},
	{name: "only days, without rows", now: shown(`"totalDuration":60`), want: carrier.FoundUnsure},
	{name: "only data, without rows", now: shown(`"totalVolume":10737418240`), want: carrier.FoundUnsure},
	{name: "less data", now: shown(`"totalVolume":1`), want: carrier.FoundUnsure},
	{name: "fewer days", now: shown(`"totalDuration":29`), want: carrier.FoundUnsure},
	{name: "the end moved by itself", now: shown(`"expiredTime":"2026-06-01T00:00:00Z"`), want: carrier.FoundUnsure},
	{name: "no longer shown", now: `{"success":true,"obj":{"esimList":[]}}`, want: carrier.FoundUnsure},
	{name: "another card", now: shown(`"iccid":"89852246280001113110"`), want: carrier.FoundUnsure},
	{
		name: "days of a day pass", before: shown(`"dataType":2`), days: 5, now: shown(`"dataType":2,"totalDuration":35`, rowsOf(baseRow, strings.Replace(ourRow, `"duration":30`, `"duration":1`, 1))),
		want: carrier.FoundDone,
	},
	{
		name: "days of a day pass, without rows", before: shown(`"dataType":2`), days: 5, now: shown(`"dataType":2,"totalDuration":35`), want: carrier.FoundDone,
	},
	{name: "other days of a day pass", before: shown(`"dataType":2`), days: 5, now: shown(`"dataType":2,"totalDuration":34`), want: carrier.FoundUnsure},
}

// What is found by comparing the line before with the line now.
func TestLookUp(t *testing.T) {
	for _, tt := range lookUps {
		t.Run(tt.name, func(t *testing.T) {
			if tt.before == "" {
				tt.before = shown()
			}
			o := &operator{answers: map[string]string{"/esim/query": tt.before, "/package/list": list}}
			a := adapter(o, outboundsim.None)
			e := order
			e.Days = tt.days
			var err error
			if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			o.answers["/esim/query"] = tt.now
			got, err := a.LookUp(t.Context(), e)
			if err != nil {
				t.Fatal(err)
			}
			if got.Why == "" || !got.AsOf.Equal(noon) {
				t.Errorf("why %q, as of %v", got.Why, got.AsOf)
			}
			want := carrier.Reading{Found: tt.want, AsOf: got.AsOf, Why: got.Why}
			if tt.want == carrier.FoundDone {
				want.Receipt = carrier.Receipt{Ref: e.Ref, EndsAt: tt.end, Total: tt.total}
				if tt.days > 0 {
					want.Receipt.EndsAt = time.Date(2026, 5, 31, 0, 0, 0, 0, time.UTC)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("reading (-want +got):\n%s", diff)
			}
		})
	}
}

// Without a snapshot there is nothing to compare; and a package that is no
// longer sold explains no growth.
func TestLookUpDoesNotGuess(t *testing.T) {
	o := &operator{answers: map[string]string{
		"/esim/query": shown(`"totalVolume":10737418240,"totalDuration":60`), "/package/list": `{"success":true,"obj":{"packageList":[]}}`,
	}}
	a := adapter(o, outboundsim.None)
	grownFrom, _ := json.Marshal(picture{TranNo: tranNo, TotalVolume: 5 * gigabyte, TotalDuration: 30, TakenAt: noon, Packages: map[string]int{"CKH003": 1}})
	for _, s := range []string{"", "null", "{}", "[", string(grownFrom)} {
		e := order
		e.Snapshot = carrier.Snapshot(s)
		got, err := a.LookUp(t.Context(), e)
		if err != nil || got.Found != carrier.FoundUnsure || got.AsOf.IsZero() || got.Why == "" {
			t.Errorf("LookUp with snapshot %q = %+v, %v; want unsure", s, got, err)
		}
	}
}

// Whatever else is put on a line by other hands, and whether or not the operator
// lists top-ups on it: done is said only of a line that has our extension, absent
// only of one that has not, and when nobody else touched it one of the two is said.
func TestLookUpNeverTakesAnothersExtensionForOurs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := rapid.Bool().Draw(t, "operator lists top-ups")
		before := picture{
			TranNo: tranNo, TotalVolume: rapid.Int64Range(0, 1<<40).Draw(t, "volume"),
			TotalDuration: rapid.Int64Range(0, 400).Draw(t, "duration"),
			ExpiredAt:     noon.AddDate(0, 0, 9), Active: rapid.Bool().Draw(t, "active"),
			Packages: map[string]int{"CKH003": 1}, TakenAt: noon,
		}
		if rapid.Bool().Draw(t, "topped up before") {
			before.Packages[extendCode]++
		}
		now := line{
			TranNo: tranNo, TotalVolume: whole{before.TotalVolume, true}, TotalDuration: whole{before.TotalDuration, true},
			Status: "GOT_RESOURCE", ExpiredTime: instant{before.ExpiredAt},
		}
		if before.Active {
			now.Status = "IN_USE"
		}
		for code, n := range before.Packages {
			for range n {
				now.Packages = append(now.Packages, held{Code: text(code), CreateTime: instant{noon.AddDate(0, 0, -9)}})
			}
		}
		put := func(code string, volume, days int64) {
			now.TotalVolume.n += volume
			now.TotalDuration.n += days
			now.ExpiredTime.Time = now.ExpiredTime.AddDate(0, 0, int(days))
			if lists {
				now.Packages = append(now.Packages, held{
					Code: text(code), Volume: whole{volume, true}, Duration: whole{days, true}, CreateTime: instant{noon},
				})
			}
		}
		// Other packages have an even number of gigabytes, ours has five: without
		// rows, growth of the same size could not be told from ours by anyone.
		others := rapid.SliceOfN(rapid.IntRange(1, 4), 0, 3).Draw(t, "others")
		done := rapid.Bool().Draw(t, "ours")
		for _, n := range others {
			put(fmt.Sprint("TOPUP_OTHER", n), int64(2*n)*gigabyte, int64(n))
		}
		if done {
			put(extendCode, 5*gigabyte, 30)
		}
		now.Packages = rapid.Permutation(now.Packages).Draw(t, "rows")

		g := growthOf(before, now, order)
		found, why := g.judge(before, now, order)
		if found == "" {
			size := held{Code: extendCode, Volume: whole{5 * gigabyte, true}, Duration: whole{30, true}}
			found, why = g.judgeBySize(size, order, false)
		}
		switch {
		case found == carrier.FoundDone && !done, found == carrier.FoundAbsent && done:
			t.Fatalf("found %s (%s; %v), but ours was carried out: %t", found, why, g, done)
		case found == carrier.FoundUnsure && len(others) == 0:
			t.Fatalf("unsure (%s; %v) of a line that nobody else touched", why, g)
		}
	})
}
