package catalogue

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/locale"
)

// The demo is large enough to be looked at, complete in every language and
// currency, and has nothing doubtful in it.
func TestDemoIsComplete(t *testing.T) {
	c, warnings, err := Check("demo.yaml", demoFile)
	if err != nil || len(warnings) > 0 {
		t.Fatalf("error %v, warnings %v", err, warnings)
	}
	if len(c.Plans) < 30 || len(c.Networks) != 4 || len(c.Operators) < 3 {
		t.Errorf("%d plans, %d networks, %d operators", len(c.Plans), len(c.Networks), len(c.Operators))
	}
	for _, p := range c.Plans {
		for _, l := range locale.All {
			if p.Name[l] == "" {
				t.Errorf("%s has no name in %s", p.ID, l)
			}
		}
		if p.ID == "aurora-sum" {
			continue // priced in yen alone, so that the demo shows what conversion does
		}
		for _, term := range p.Terms {
			if len(term.Prices) != len(currencies) {
				t.Errorf("%s, term %s: %d prices", p.ID, term.ID, len(term.Prices))
			}
		}
		for _, k := range p.Packs {
			if len(k.Prices) != len(currencies) {
				t.Errorf("%s, pack %s: %d prices", p.ID, k.ID, len(k.Prices))
			}
		}
	}
}

// Every value that a rule can have is in the demo, so that whoever works on the
// demo's data has met it.
func TestDemoCoversEveryRule(t *testing.T) {
	c := Demo()
	seen := map[string]bool{}
	for _, o := range c.Operators {
		seen["zone "+string(o.Zone)] = true
		seen["adapter "+o.Carrier] = true
	}
	for _, p := range c.Plans {
		seen["network "+p.Network], seen["kind "+string(p.Kind)], seen["reset "+string(p.Reset)] = true, true, true
		seen["start "+p.Activation.Start] = true
		for _, e := range []Effect{p.Policy.Effect, p.Policy.EffectEmpty, p.Policy.EffectEnded} {
			seen["effect "+string(e)] = true
		}
		seen["data "+string(p.Policy.Data)], seen["refund "+string(p.Policy.Refund)] = true, true
		for _, need := range slices.Concat(p.Policy.Needs, p.Policy.PackNeeds) {
			seen["needs "+string(need)] = true
		}
		for _, term := range p.Terms {
			seen["length "+term.Length.String()] = true
		}
		for _, k := range p.Packs {
			seen["until "+string(k.Until)] = true
		}
	}
	for _, want := range strings.Fields(`
		zone_Asia/Tokyo zone_Asia/Singapore zone_UTC adapter_simple adapter_esimaccess adapter_airalo adapter_esimgo adapter_cmi
		network_docomo network_kddi network_softbank network_rakuten
		kind_unlimited kind_daily_cap kind_volume reset_none reset_midnight reset_rolling reset_monthly
		start_install start_first_use start_purchase
		effect_append effect_queue effect_restart effect_parallel effect_same_day effect_adds
		data_carried data_lost data_own refund_never refund_before_start refund_before_use
		needs_started needs_running needs_data_left needs_nothing_next
		until_rest_of_period until_until_reset until_until_2359
		length_1d length_3d length_5d length_7d length_10d length_15d length_30d length_90d length_180d length_1mo length_1y`) {
		if !seen[strings.Replace(want, "_", " ", 1)] {
			t.Errorf("the demo has no %s", want)
		}
	}
	for _, policy := range strings.Fields(`visitor-recharge queue-60-days renew-or-dead calendar-from-install no-extension
		toppings active-only-rolling no-extension-utc8 queue-after daily-cap-packs`) {
		if !strings.Contains(string(demoFile), "\n  "+policy+":\n") {
			t.Errorf("the demo has no policy %s", policy) // one that no plan uses gives a warning
		}
	}
}

// Every field of a policy is used by some plan.
func TestDemoUsesEveryFieldOfAPolicy(t *testing.T) {
	used := map[string]bool{}
	for _, p := range Demo().Plans {
		v := reflect.ValueOf(p.Policy)
		for i := range v.NumField() {
			if !v.Field(i).IsZero() {
				used[v.Type().Field(i).Name] = true
			}
		}
	}
	for f := range reflect.TypeFor[Policy]().Fields() {
		if !used[f.Name] {
			t.Errorf("no plan of the demo has %s", f.Name)
		}
	}
}

// The ten rules that were found in the field mean what was found. One line of
// each that only that rule has.
func TestDemoPoliciesKeepTheirShapes(t *testing.T) {
	c := Demo()
	days := func(n int) calendar.Length { return calendar.Length{N: n, Unit: calendar.Day} }
	tests := []struct {
		plan, what string
		holds      func(Plan) bool
	}{
		{"hinode-visitor-5", "at zero or late only until 23:59, two days of grace", func(p Plan) bool {
			return p.Policy.Grace == days(2) && p.Policy.EffectEmpty == SameDay && p.Policy.EffectEnded == SameDay
		}},
		{"shirakaba-steady", "queues, sixty days of grace", func(p Plan) bool {
			return p.Policy.Grace == days(60) && p.Policy.Effect == Queue
		}},
		{"sumire-voice", "dead after its end, monthly cap", func(p Plan) bool {
			return p.Policy.TerminalAfterEnd && p.Reset == ResetMonthly && p.Facts.PhoneNumber
		}},
		{"koyomi-3gb", "calendar days from installing, once", func(p Plan) bool {
			return p.Activation.Start == "install" && p.Terms[0].Length.Unit == calendar.Day && !p.Facts.Reinstall
		}},
		{"tsumugi-light", "no extension, no extra data", func(p Plan) bool {
			return !p.Policy.Renewable && len(p.Packs) == 0 && p.DailyCap == 100<<20
		}},
		{"tsubame-data", "parallel, to the end of the last day", func(p Plan) bool {
			return p.Policy.Effect == Parallel && p.Terms[0].ToDayEnd && p.Policy.Data == DataOwn
		}},
		{"aurora-rolling", "active and not empty, clock starts by itself after sixty days", func(p Plan) bool {
			return slices.Contains(p.Policy.Needs, NeedsDataLeft) && p.Activation.ByItself && p.Activation.Deadline == days(60)
		}},
		{"minato-1gb", "no extension, resets at midnight of UTC+8", func(p Plan) bool {
			return !p.Policy.Renewable && p.Reset == ResetMidnight && p.Operator == "nanyo"
		}},
		{"kaigan-2gb", "queues, refunded while queued", func(p Plan) bool {
			return p.Policy.Effect == Queue && p.Policy.Refund == RefundBeforeStart && p.Policy.Grace.N == 0
		}},
		{"ichiba-500", "packs for one day or all remaining", func(p Plan) bool {
			return p.Kind == DailyCap && slices.Contains(p.Policy.PackNeeds, NeedsRunning) && !p.Packs[0].EachDay && p.Packs[1].EachDay
		}},
	}
	for _, tt := range tests {
		if p, ok := c.Plan(tt.plan); !ok || !tt.holds(p) {
			t.Errorf("%s: not so: %s", tt.plan, tt.what)
		}
	}
}

// The wholesale interface sums days and data onto a running line and takes
// nothing after its end; the demo promises no more in its name.
func TestDemoPromisesWhatTheAdapterCanDo(t *testing.T) {
	c := Demo()
	for _, p := range c.Plans {
		o, _ := c.Operator(p.Operator)
		if o.Carrier == "esimaccess" && p.Policy.Renewable && (p.Policy.Effect != Append || p.Policy.Grace.N != 0) {
			t.Errorf("%s: effect %s, grace %s", p.ID, p.Policy.Effect, p.Policy.Grace)
		}
		if o.Carrier == "airalo" && p.Policy.Renewable && (p.Policy.Effect != Parallel || p.Policy.Data != DataOwn || p.Policy.Grace.N != 0) {
			t.Errorf("%s: effect %s, data %s, grace %s", p.ID, p.Policy.Effect, p.Policy.Data, p.Policy.Grace)
		}
		if (o.Carrier == "esimgo" || o.Carrier == "cmi") && p.Policy.Renewable && p.Policy.Effect != Queue {
			t.Errorf("%s: effect %s", p.ID, p.Policy.Effect)
		}
	}
}

// Two callers of Demo do not share anything that one of them could change.
func TestDemoIsReadAnew(t *testing.T) {
	Demo().Plans[0].Terms[0].Prices[0].Minor = 1
	if got := Demo().Plans[0].Terms[0].Prices[0].Minor; got == 1 {
		t.Error("a change of one demo catalogue is seen in the next")
	}
}
