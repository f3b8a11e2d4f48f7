package settlement_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/settlement"
)

// The days of a history; the span asked for is the middle one, or all.
var (
	shanghai = time.FixedZone("UTC+8", 8*60*60)
	first    = payment.Day("2026-11-19")
	span     = []payment.Day{"2026-11-20", "2026-11-21"}
)

// town is a true history, in which differences are planted.
type town struct {
	settlement.History
	want []string
	n    int
}

// moved adds a movement at an instant and returns it.
func (h *town) moved(m payment.Movement, p settlement.Payment) *settlement.Movement {
	h.n++
	if m.ID == "" {
		m.ID = fmt.Sprintf("mv_%04d", h.n)
	}
	if m.Settled == (money.Money{}) {
		m.Settled = m.Amount
	}
	h.Movements = append(h.Movements, settlement.Movement{
		Movement: m, Provider: "p", Day: payment.DayOf(m.At, h.Zone), Account: p.Account, Payment: p.ID, Stated: 1,
	})
	return &h.Movements[len(h.Movements)-1]
}

// expect notes a planted difference, where it is in the span asked for.
func (h *town) expect(k settlement.Kind, day payment.Day, subject string) {
	if day >= h.From && day <= h.To {
		h.want = append(h.want, fmt.Sprintf("%s %s %s", day, k, subject))
	}
}

// Whatever is planted in a true history is found, and nothing else is.
func TestExactlyWhatIsPlantedIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := &town{History: settlement.History{Provider: "p", Zone: rapid.SampledFrom([]*time.Location{time.UTC, shanghai}).Draw(t, "zone")}}
		h.From = rapid.SampledFrom(span).Draw(t, "from")
		h.To = rapid.SampledFrom(span[slices.Index(span, h.From):]).Draw(t, "to")
		h.Whole = map[payment.Day]bool{}
		for d := first; d <= "2026-11-24"; d = d.Next() {
			h.Whole[d] = true
		}
		for i := range rapid.IntRange(0, 12).Draw(t, "payments") {
			h.payment(t, i)
		}
		for range rapid.IntRange(0, 3).Draw(t, "strays") {
			h.stray(t)
		}
		h.Movements = rapid.Permutation(h.Movements).Draw(t, "order of report")
		got := settlement.Compare(h.History)
		var found []string
		for _, d := range got.Differences {
			found = append(found, fmt.Sprintf("%s %s %s", d.Day, d.Kind, d.Subject))
		}
		slices.Sort(found)
		slices.Sort(h.want)
		if diff := cmp.Diff(h.want, found); diff != "" {
			t.Fatalf("planted, not found (-) and found, not planted (+):\n%s", diff)
		}
		if got.Unsure != 0 {
			t.Fatalf("%d are unsure although every day was read", got.Unsure)
		}
	})
}

// instant is one on the days of the span or beside it.
func (h *town) instant(t *rapid.T, what string) time.Time {
	return first.Start(h.Zone).Add(time.Duration(rapid.Int64Range(0, 4*24*3600-1).Draw(t, what)) * time.Second)
}

func yen(n int64) money.Money { return money.Of(n, "JPY") }

// payment adds one payment with its movements, and plants at most one thing.
func (h *town) payment(t *rapid.T, i int) {
	created := h.instant(t, "created")
	took := time.Duration(rapid.IntRange(0, 90*60).Draw(t, "took")) * time.Second
	p := settlement.Payment{
		Account: fmt.Sprintf("ac_%d", i%3), ID: fmt.Sprintf("py_%02d", i), Order: fmt.Sprintf("ord_%02d", i), Amount: yen(rapid.Int64Range(1, 50_000).Draw(t, "amount")),
		State: payment.Paid, Fee: 40, CreatedAt: created, PaidAt: created.Add(took + time.Minute),
	}
	charge := payment.Movement{Kind: payment.MovedCharge, Amount: p.Amount, Fee: yen(40), FeeTold: true, At: created.Add(took)}
	day := payment.DayOf(charge.At, h.Zone)
	if rapid.Bool().Draw(t, "the fee is known by the report only") {
		p.Fee = 0
	}
	plant := rapid.SampledFrom([]settlement.Kind{
		"", "", "", settlement.NotPaidHere, settlement.NotThere, settlement.OtherAmount, settlement.OtherCurrency, settlement.ChargedTwice,
		settlement.ChargeReversed, settlement.FeeDiffers, settlement.FeeUntold, settlement.StatedTwice, settlement.Restated,
		settlement.DisputeNotHere, settlement.RefundNotHere,
	}).Draw(t, "plant")
	if plant == settlement.NotThere {
		h.expect(plant, payment.DayOf(p.PaidAt, h.Zone), p.ID)
		h.Payments = append(h.Payments, p)
		return
	}
	m := h.moved(charge, p)
	h.plantInCharge(t, plant, &p, m, day)
	h.Payments = append(h.Payments, p)
	if plant == "" && rapid.Bool().Draw(t, "refunded") {
		h.refund(t, p, charge.At)
	}
}

func (h *town) plantInCharge(t *rapid.T, plant settlement.Kind, p *settlement.Payment, m *settlement.Movement, day payment.Day) {
	id := m.ID
	later := m.At.Add(time.Duration(rapid.IntRange(1, 3600).Draw(t, "later")) * time.Second)
	dayLater := payment.DayOf(later, h.Zone)
	switch string(plant) {
	case string(settlement.NotPaidHere):
		p.State = rapid.SampledFrom([]payment.State{payment.Dead, payment.Unknown, payment.NeedsCustomer}).Draw(t, "state")
	case string(settlement.OtherAmount):
		m.Amount.Minor++
	case string(settlement.OtherCurrency):
		m.Amount.Currency = "USD"
	case string(settlement.FeeDiffers):
		p.Fee = 41
	case string(settlement.FeeUntold):
		m.FeeTold, m.Fee = false, money.Money{}
	case string(settlement.StatedTwice):
		m.Stated = 2
	case string(settlement.Restated):
		m.Restated = "1 JPY"
	case string(settlement.ChargedTwice), string(settlement.ChargeReversed):
		again := m.Movement
		again.ID, again.At = "", later
		if plant == settlement.ChargeReversed {
			again.Amount, again.Settled = again.Amount.Neg(), again.Settled.Neg()
		}
		second := h.moved(again, *p)
		id, day = second.ID, dayLater
		if plant == settlement.ChargedTwice && rapid.Bool().Draw(t, "and came back") {
			again.At, again.Amount, again.Settled = later.Add(time.Hour), again.Amount.Neg(), again.Settled.Neg()
			h.moved(again, *p)
			return
		}
	case string(settlement.DisputeNotHere):
		dispute := payment.Movement{Kind: payment.MovedDispute, Amount: p.Amount.Neg(), Fee: yen(1500), FeeTold: true, At: later}
		id, day = h.moved(dispute, *p).ID, dayLater
		switch rapid.IntRange(0, 2).Draw(t, "what of the dispute") {
		case 0:
			p.Disputed = true
			return
		case 1:
			dispute.Kind, dispute.Amount, dispute.At = payment.MovedDisputeWon, p.Amount, later.Add(time.Hour)
			h.moved(dispute, *p)
			return
		}
	case string(settlement.RefundNotHere):
		by := payment.Movement{Kind: payment.MovedRefund, Amount: yen(-1), RefundID: "re_hand_" + p.ID, FeeTold: true, At: later}
		id, day = h.moved(by, *p).ID, dayLater
	default:
		return
	}
	h.expect(plant, day, id)
}

// refund adds a refund of a payment, and plants at most one thing.
func (h *town) refund(t *rapid.T, p settlement.Payment, charged time.Time) {
	asked := charged.Add(time.Duration(rapid.IntRange(60, 20*3600).Draw(t, "asked")) * time.Second)
	r := settlement.Refund{
		Account: p.Account, ID: "rf_" + p.ID, Payment: p.ID, Ref: "ref" + p.ID, ProviderID: "re_" + p.ID, Amount: yen(rapid.Int64Range(1, p.Amount.Minor).Draw(t, "part")),
		State: payment.RefundDone, CreatedAt: asked.Add(-time.Hour), AskedAt: asked, DoneAt: asked.Add(5 * time.Minute),
	}
	m := payment.Movement{Kind: payment.MovedRefund, Amount: r.Amount.Neg(), FeeTold: true, At: asked.Add(time.Minute), RefundID: r.ProviderID}
	if rapid.Bool().Draw(t, "told by our name") {
		m.RefundRef, m.RefundID = r.Ref, ""
	}
	plant := rapid.SampledFrom([]settlement.Kind{
		"", "", settlement.RefundNotThere, settlement.RefundNotDoneHere, settlement.RefundOtherAmount, settlement.RefundedTwice,
		settlement.RefundCameBack, "tried under another name", "on its way",
	}).Draw(t, "plant in refund")
	again := m
	again.At = m.At.Add(time.Hour)
	switch string(plant) {
	case string(settlement.RefundNotThere):
		h.expect(plant, payment.DayOf(r.DoneAt, h.Zone), r.ID)
		h.Refunds = append(h.Refunds, r)
		return
	case string(settlement.RefundNotDoneHere):
		r.State = rapid.SampledFrom([]payment.RefundState{payment.RefundFailed, payment.RefundUnknown, payment.RefundDue}).Draw(t, "refund's state")
	case string(settlement.RefundOtherAmount):
		m.Amount.Minor--
	case "on its way":
		r.State, plant = payment.RefundSent, ""
	}
	is := h.moved(m, p)
	id, day := is.ID, is.Day
	switch string(plant) {
	case string(settlement.RefundedTwice):
		two := h.moved(again, p)
		id, day = two.ID, two.Day
	case string(settlement.RefundCameBack):
		again.Amount = again.Amount.Neg()
		back := h.moved(again, p)
		id, day = back.ID, back.Day
	case "tried under another name":
		again.RefundRef, again.RefundID = "old", ""
		h.moved(again, p)
		again.At, again.Amount = again.At.Add(time.Hour), again.Amount.Neg()
		h.moved(again, p)
		plant = ""
	}
	h.Refunds = append(h.Refunds, r)
	if plant != "" {
		h.expect(plant, day, id)
	}
}

// stray adds a movement of no payment of ours.
func (h *town) stray(t *rapid.T) {
	kind := rapid.SampledFrom([]payment.MovementKind{
		payment.MovedCharge, payment.MovedRefund, payment.MovedDispute, payment.MovedFee, payment.MovedPayout, payment.MovedExchange, payment.MovedOther,
	}).Draw(t, "stray")
	m := h.moved(payment.Movement{Kind: kind, Amount: yen(-100), FeeTold: true, At: h.instant(t, "at")}, settlement.Payment{})
	want := map[payment.MovementKind]settlement.Kind{
		payment.MovedCharge: settlement.NotHere, payment.MovedRefund: settlement.RefundNotHere, payment.MovedDispute: settlement.DisputeNotHere,
		payment.MovedOther: settlement.OtherMovement,
	}
	if k, ok := want[kind]; ok {
		h.expect(k, m.Day, m.ID)
	}
}

// What a day that was not read whole may hold is not said to be missing.
func TestNothingIsMissingBeforeItsDayIsWhole(t *testing.T) {
	created := payment.Day("2026-11-20").Start(shanghai).Add(-time.Minute)
	h := settlement.History{
		Provider: "p", Zone: shanghai, From: "2026-11-20", To: "2026-11-20", Whole: map[payment.Day]bool{"2026-11-20": true},
		Payments: []settlement.Payment{{Account: "ac", ID: "py", Amount: yen(1), State: payment.Paid, CreatedAt: created, PaidAt: created.Add(20 * time.Minute)}},
	}
	if got := settlement.Compare(h); len(got.Differences) != 0 || got.Unsure != 1 {
		t.Errorf("the day before was not read: %+v", got)
	}
	h.Whole["2026-11-19"] = true
	if got := settlement.Compare(h); len(got.Differences) != 1 || got.Differences[0].Kind != settlement.NotThere {
		t.Errorf("every day was read: %+v", got)
	}
}
