package esimgo

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// The document's example of an eSIM's bundles.
const published = `{"bundles":[{"name":"esim_1GB_7D_GB_V2","description":"eSIM, 1GB, 7 Days, United Kingdom, V2","assignments":[
	{"id":"215009266","assignmentReference":"3a6e2e40-c674-45e9-b289-b35027bf72a9-0","callTypeGroup":"data","initialQuantity":1000000000,
	"remainingQuantity":750000000,"assignmentDateTime":"2024-12-11T10:47:00Z","bundleState":"active","unlimited":false}]}]}`

func TestPublishedBundles(t *testing.T) {
	s, err := answering(bundles, published).adapter().Status(t.Context(), extension().Profile)
	want := carrier.Status{State: carrier.LineActive, Total: 1_000_000_000, Used: 250_000_000, AsOf: noon}
	if diff := cmp.Diff(want, s); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func row(id, state, more string) string {
	return `{"id":"` + id + `","bundleState":"` + state + `"` + more + `}`
}

func TestStates(t *testing.T) {
	const (
		gb   = `,"initialQuantity":1000000000,"remainingQuantity":1000000000`
		half = `,"initialQuantity":1000000000,"remainingQuantity":500000000`
		none = `,"initialQuantity":1000000000,"remainingQuantity":0`
		now  = `,"startTime":"2026-05-04T00:00:00Z","endTime":"2026-05-11T00:00:00Z"`
		past = `,"startTime":"2026-04-01T00:00:00Z","endTime":"2026-04-08T00:00:00Z"`
	)
	began, ends := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		rows []string
		want carrier.Status
	}{
		"nothing on it":          {nil, carrier.Status{State: carrier.LineNew}},
		"new":                    {[]string{row("1", "queued", gb)}, carrier.Status{State: carrier.LineNew}},
		"being put on":           {[]string{row("1", "Processing", gb)}, carrier.Status{State: carrier.LineNew}},
		"in use":                 {[]string{row("1", "active", half+now)}, carrier.Status{State: carrier.LineActive, StartsAt: began, EndsAt: ends, Total: 1e9, Used: 5e8}},
		"in use, another waits":  {[]string{row("1", "active", half+now), row("2", "queued", gb)}, carrier.Status{State: carrier.LineActive, StartsAt: began, EndsAt: ends, Total: 1e9, Used: 5e8}},
		"used up":                {[]string{row("1", "depleted", none+now)}, carrier.Status{State: carrier.LineDepleted, StartsAt: began, EndsAt: ends, Total: 1e9, Used: 1e9}},
		"used up, another waits": {[]string{row("1", "depleted", none+now), row("2", "queued", gb)}, carrier.Status{State: carrier.LineActive, StartsAt: began, EndsAt: ends, Total: 1e9, Used: 1e9}},
		"unlimited":              {[]string{row("1", "active", `,"unlimited":true,"initialQuantity":0,"remainingQuantity":0`+now)}, carrier.Status{State: carrier.LineActive, Unlimited: true, StartsAt: began, EndsAt: ends}},
		"over":                   {[]string{row("1", "expired", none+past)}, carrier.Status{State: carrier.LineIsOver, StartsAt: began.AddDate(0, -1, -3)}},
		"over, whatever it says": {[]string{row("1", "active", half+past)}, carrier.Status{State: carrier.LineIsOver, StartsAt: began.AddDate(0, -1, -3)}},
		"over, another waits":    {[]string{row("1", "expired", none+past), row("2", "queued", gb)}, carrier.Status{State: carrier.LineActive, StartsAt: began.AddDate(0, -1, -3)}},
		"never used":             {[]string{row("1", "lapsed", gb)}, carrier.Status{State: carrier.LineIsOver}},
		"taken back":             {[]string{row("1", "revoked", gb)}, carrier.Status{State: carrier.LineIsOver}},
		"more used than it has":  {[]string{row("1", "active", `,"initialQuantity":1000,"remainingQuantity":-5`+now)}, carrier.Status{State: carrier.LineActive, StartsAt: began, EndsAt: ends, Total: 1000, Used: 1000}},
	} {
		tt.want.AsOf = noon
		body := `{"bundles":[{"name":"x","assignments":[` + strings.Join(tt.rows, ",") + `]}]}`
		s, err := answering(bundles, body).adapter().Status(t.Context(), extension().Profile)
		if diff := cmp.Diff(tt.want, s); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	body := `{"bundles":[{"name":"x","assignments":[` + row("1", "astray", gb) + `]}]}`
	if _, err := answering(bundles, body).adapter().Status(t.Context(), extension().Profile); kindOf(err) != "operator_refuses" {
		t.Errorf("a state of next year: %v", err)
	}
}

// What is new on an eSIM, and what not, decides.
func TestLookUp(t *testing.T) {
	list := func(rows ...string) string {
		return `{"bundles":[` + strings.Join(rows, ",") + `]}`
	}
	of := func(name string, rows ...string) string {
		return `{"name":"` + name + `","assignments":[` + strings.Join(rows, ",") + `]}`
	}
	old := row("1", "active", `,"assignmentReference":"old-0"`)
	order := func(ref, at string) string {
		return `{"orders":[{"orderReference":"` + ref + `","createdDate":"` + at + `","order":[{"item":"` + bundle + `","iccids":["` + card + `"]}]}]}`
	}
	for name, tt := range map[string]struct {
		now, orders string
		want        carrier.Found
	}{
		"nothing new":                {list(of(bundle, old)), `{"orders":[]}`, carrier.FoundAbsent},
		"ours":                       {list(of(bundle, old, row("2", "queued", `,"assignmentReference":"new-0"`))), "", carrier.FoundDone},
		"ours, being put on":         {list(of(bundle, old, row("2", "processing", ""))), "", carrier.FoundDone},
		"ours, used up by now":       {list(of(bundle, old, row("2", "depleted", ""))), "", carrier.FoundDone},
		"ours, taken back":           {list(of(bundle, old, row("2", "revoked", ""))), "", carrier.FoundUnsure},
		"twice":                      {list(of(bundle, old, row("2", "queued", ""), row("3", "queued", ""))), "", carrier.FoundUnsure},
		"another":                    {list(of(bundle, old), of("other", row("2", "queued", ""))), "", carrier.FoundUnsure},
		"ours and another":           {list(of(bundle, old, row("2", "queued", "")), of("other", row("3", "queued", ""))), "", carrier.FoundDone},
		"less than before":           {list(of(bundle)), "", carrier.FoundUnsure},
		"an order, and no row yet":   {list(of(bundle, old)), order("new", "2026-05-04T12:00:05Z"), carrier.FoundUnsure},
		"an order from before":       {list(of(bundle, old)), order("old", "2026-05-04T12:00:05Z"), carrier.FoundAbsent},
		"the eSIM is no longer ours": {`400 {"message":"not found"}`, "", carrier.FoundUnsure},
	} {
		s := answering(fits, `{"compatible":true}`, try, `{"valid":true}`, bundles, list(of(bundle, old)))
		a := s.adapter()
		e := extension()
		var err error
		if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		s.answers[bundles], s.answers[orders] = tt.now, tt.orders
		r, err := a.LookUp(t.Context(), e)
		if err != nil || r.Found != tt.want || (r.Found == carrier.FoundDone) != (r.Receipt.Ref != "") || !r.AsOf.Equal(noon) {
			t.Errorf("%s: %+v, %v; want %s", name, r, err, tt.want)
		}
	}
	if r, err := answering().adapter().LookUp(t.Context(), extension()); err != nil || r.Found != carrier.FoundUnsure {
		t.Errorf("without a snapshot: %+v, %v", r, err)
	}
}

// Whatever was there before and came besides: done means exactly one new row of our
// bundle, and absent none at all.
func TestGrowth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfNDistinct(rapid.IntRange(1, 1000), 0, 12, func(i int) int { return i }).Draw(t, "ids")
		split := rapid.IntRange(0, len(ids)).Draw(t, "known")
		var before, now []held
		ours := 0
		for i, id := range ids {
			h := held{ID: text(strconv.Itoa(id)), Bundle: rapid.SampledFrom([]string{bundle, "other"}).Draw(t, "bundle"), State: queued}
			now = append(now, h)
			if i < split {
				before = append(before, h)
			} else if h.Bundle == bundle {
				ours++
			}
		}
		g := growthOf(pictureOf(before, noon), now, bundle)
		found, _ := g.judge()
		others := len(ids) - split - ours
		if (found == carrier.FoundDone) != (ours == 1) || (found == "") != (ours == 0 && others == 0) || g.gone != 0 {
			t.Fatalf("%d ours, %d others: %q, %s", ours, others, found, g)
		}
	})
}

func TestPackagesAreRead(t *testing.T) {
	body := `{"bundles":[
		{"name":"esim_1GB_7D_JP_V2","description":"eSIM, 1GB, 7 Days, Japan, V2","dataAmount":1000,"duration":7,"unlimited":false,"price":1.79},
		{"name":"esim_UL_1D_JP_V2","description":"unlimited","dataAmount":-1,"duration":1,"unlimited":true,"price":2.345678},
		{"name":"no price","dataAmount":1000,"duration":7},
		{"name":"a price like no other","dataAmount":1000,"duration":7,"price":1e3}],"pageCount":1,"rows":4}`
	s := answering("GET catalogue", body, "GET organisation", `{"name":"Us","balance":1234.5,"currency":"USD","apiKey":"`+testKey+`"}`)
	list, err := s.adapter().Packages(t.Context(), carrier.Profile{})
	want := []carrier.Package{
		{Code: "esim_1GB_7D_JP_V2", Name: "eSIM, 1GB, 7 Days, Japan, V2", Cost: carrier.Cost{Units: 1_790_000, Scale: 1_000_000, Currency: "USD"}, Bytes: 1e9, Days: 7, TopUp: true, New: true, AsOfDate: noon},
		{Code: "esim_UL_1D_JP_V2", Name: "unlimited", Cost: carrier.Cost{Units: 2_345_678, Scale: 1_000_000, Currency: "USD"}, Days: 1, TopUp: true, New: true, AsOfDate: noon},
	}
	if diff := cmp.Diff(want, list); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if b, err := s.adapter().Balance(t.Context()); err != nil || b != (carrier.Cost{Units: 1_234_500_000, Scale: 1_000_000, Currency: "USD"}) {
		t.Errorf("balance %+v, %v", b, err)
	}
}

// The published vector: the API's key over the raw body, in base64; and the same
// bytes in hexadecimal digits, as the operator's guide has them.
func TestNotificationVector(t *testing.T) {
	const body = `{"iccid":"8943108165015003887","alertType":"Utilisation"}`
	a := answering().adapter()
	for _, signature := range []string{
		"zygYK34Xso30VandUKUT5NsTfTEVYK6BRsPqW+XPLc8=",
		"cf28182b7e17b28df455a9dd50a513e4db137d311560ae8146c3ea5be5cf2dcf",
	} {
		h := http.Header{}
		h.Set("X-Signature-SHA256", signature)
		bell, err := a.Notification(h, []byte(body))
		if err != nil || bell.Kind != "Utilisation" || bell.Profile.ICCID != card || bell.EventID == "" {
			t.Errorf("%s: %+v, %v", signature, bell, err)
		}
		if _, err := a.Notification(h, []byte(body+" ")); kindOf(err) != "unauthorised" {
			t.Errorf("%s, of another body: %v", signature, err)
		}
		if _, err := answering().with("another key").Notification(h, []byte(body)); kindOf(err) != "unauthorised" {
			t.Errorf("%s, of another key: %v", signature, err)
		}
	}
	if _, err := a.Notification(http.Header{}, []byte(body)); kindOf(err) != "unauthorised" {
		t.Errorf("unsigned: %v", err)
	}
}

func (s *script) with(key string) *Adapter {
	a := s.adapter()
	a.config.APIKey = key
	return a
}

// A number is read digit by digit.
func TestBareICCID(t *testing.T) {
	for body, want := range map[string]string{
		`{"alertType":"FirstUse","iccid":8944538532008160222}`:  "8944538532008160222",
		`{"alertType":"FirstUse","iccid":89445385320081602229}`: "89445385320081602229",
		`{"alertType":"FirstUse","iccid":8.94e18}`:              "",
		`{"alertType":"FirstUse"}`:                              "",
	} {
		a := answering().adapter()
		h := http.Header{}
		h.Set(signatureHeader, signatureOf(testKey, body))
		bell, err := a.Notification(h, []byte(body))
		if err != nil || bell.Profile.ICCID != want {
			t.Errorf("%s: %+v, %v", body, bell, err)
		}
	}
}
