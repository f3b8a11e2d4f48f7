package ui

import (
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// StepState is how far a step of an order has come.
type StepState string

// The states of a step. They are names of classes in style.css.
const (
	StepDone  StepState = "done"
	StepNow   StepState = "now"   // under way, or waiting for the customer
	StepAhead StepState = "ahead" // not yet
	StepWrong StepState = "wrong" // it ended here, and not as it was meant to
)

// Step is one step of an order.
type Step struct {
	Name  string
	State StepState
	Word  string // the state in a word, for those who do not see its sign
	At    Moment // zero while it has not happened
	Since time.Time
}

// Progress is an order as it stands.
type Progress struct {
	Badge  Badge
	Lead   string // what has happened, in a sentence
	Next   string // what happens next, or what the customer can do
	Steps  []Step
	Moving bool // it will change by itself soon
}

// Progress tells an order's story. billed is when its document was issued, or
// zero; live is the attempt that is open, or the zero Payment; loc is the zone
// of the steps' times.
func (v Voice) Progress(o order.Order, live order.Payment, billed time.Time, loc *time.Location) Progress {
	p := Progress{
		Badge: Badge{tones[o.State], v.T("order." + string(o.State))},
		Lead:  v.lead(o, live),
		Next:  v.next(o, live),
		Steps: v.steps(o, billed, loc),
	}
	switch o.State {
	case order.Paid, order.Fulfilling, order.RefundDue:
		p.Moving = true
	case order.Placed:
		p.Moving = live.ID != "" && live.State != payment.NeedsCustomer
	case order.Completed, order.Cancelled, order.Refunded, order.Held:
	}
	return p
}

// ByHand is the progress of an order that staff carry out by hand until by.
func (v Voice) ByHand(p Progress, o order.Order, by time.Time, loc *time.Location) Progress {
	amount := o.Charged()
	if amount.IsZero() {
		amount = o.Price // points alone pay
	}
	p.Badge.Word = v.T("order.by_hand")
	p.Lead = v.Say("order.by_hand.lead", locale.Args{"amount": amount})
	p.Next = v.Say("order.by_hand.next", locale.Args{"time": v.Moment(by, loc).Text})
	return p
}

// Withdrawn is the progress of an order whose new line was given back after it was
// there.
func (v Voice) Withdrawn(p Progress) Progress {
	p.Badge, p.Lead, p.Next = Badge{Off, v.T("order.withdrawn")}, v.T("order.withdrawn.lead"), ""
	return p
}

// ByHandWithin says how long staff may take for an order that they carry out by
// hand: whole hours, rounded up.
func (v Voice) ByHandWithin(within time.Duration) string {
	hours := int64((within + time.Hour - 1) / time.Hour)
	return v.Say("review.begins.by_hand", locale.Args{"hours": hours})
}

// Credited is the progress of a completed order whose whole price was refunded afterwards.
func (v Voice) Credited(p Progress, all money.Money) Progress {
	p.Badge = Badge{tones[order.Refunded], v.T("order.refunded")}
	p.Lead = v.Say("order.credited.lead", locale.Args{"amount": all})
	p.Next = ""
	return p
}

var tones = map[order.State]Tone{
	order.Placed: Warn, order.Paid: Busy, order.Fulfilling: Busy, order.Completed: Good,
	order.Cancelled: Off, order.RefundDue: Busy, order.Refunded: Off, order.Held: Warn,
}

func (v Voice) lead(o order.Order, live order.Payment) string {
	key := "order." + string(o.State) + ".lead"
	switch {
	case o.State == order.Placed && live.ID != "" && live.State != payment.NeedsCustomer:
		key = "order.placed.asking.lead"
	case texts.Has(key + "." + string(o.Kind)):
		key += "." + string(o.Kind)
	}
	amount := o.Charged()
	if amount.IsZero() {
		amount = o.Price // points alone pay
	}
	return v.Say(key, locale.Args{"amount": amount})
}

func (v Voice) next(o order.Order, live order.Payment) string {
	switch o.State {
	case order.Placed:
		if live.ID != "" && live.State != payment.NeedsCustomer {
			return v.T("order.placed.asking.next")
		}
		return v.T("order.placed.next")
	case order.Paid, order.Fulfilling, order.Held:
		key := "order." + string(o.State) + ".next"
		if texts.Has(key + "." + string(o.Kind)) {
			key += "." + string(o.Kind)
		}
		return v.T(key)
	case order.RefundDue:
		return v.Say("order.refund_due.next", locale.Args{"tool": v.Tool(o.Tool)}) + v.partsBack(o)
	case order.Refunded:
		switch o.Tool {
		case order.ToolWallet:
			return v.T("order.refunded.wallet") + v.pointsBack(o)
		case order.ToolPoints:
			return strings.TrimSpace(v.pointsBack(o))
		}
		return v.Say("order.refunded.next", locale.Args{"tool": v.Tool(o.Tool)}) + v.partsBack(o)
	case order.Completed, order.Cancelled:
	}
	return ""
}

// partsBack says what wallet and points paid beside a tool, and have back.
func (v Voice) partsBack(o order.Order) string {
	said := ""
	if o.Parts.Wallet > 0 && o.Parts.Rest > 0 {
		said = " " + v.Say("order.back.wallet", locale.Args{"amount": o.FromWallet()})
	}
	return said + v.pointsBack(o)
}

func (v Voice) pointsBack(o order.Order) string {
	if o.Parts.Points == 0 {
		return ""
	}
	return " " + v.Say("order.back.points", locale.Args{"points": o.Parts.Points})
}

// Why says why an order was cancelled, is held or is refunded; "" where it
// went as it was meant to, or the reason is staff's business.
func (v Voice) Why(o order.Order) string {
	if o.Reason == "" || o.State == order.Completed {
		return ""
	}
	return v.Either("reason."+o.Reason, "reason.other", nil)
}

// PaymentWhy says why a debit failed.
func (v Voice) PaymentWhy(r payment.Reason) string {
	return v.Either("payment."+string(r), "payment.other", nil)
}

// steps lists what an order goes through, with the time of what has happened.
func (v Voice) steps(o order.Order, billed time.Time, loc *time.Location) []Step {
	steps := []stepAt{{"placed", o.PlacedAt}, {"paid", o.PaidAt}}
	switch o.Kind {
	case order.TopUp:
		steps = append(steps, stepAt{"credited", o.CompletedAt}, stepAt{"receipt", billed})
	case order.NewLine:
		steps = append(steps, stepAt{"asked", o.AskedAt}, stepAt{"made", o.CompletedAt}, stepAt{"billed", billed})
	case order.Term, order.Pack:
		steps = append(steps, stepAt{"asked", o.AskedAt}, stepAt{"extended", o.CompletedAt}, stepAt{"billed", billed})
	}
	switch o.State {
	case order.Cancelled:
		return v.said(append(steps[:1], stepAt{"cancelled", o.CompletedAt}), loc, StepWrong)
	case order.RefundDue:
		return v.said(append(happened(steps[:3]), stepAt{"refund_due", o.UpdatedAt}, stepAt{"refunded", time.Time{}}), loc, StepNow)
	case order.Refunded:
		return v.said(append(happened(steps[:3]), stepAt{"refunded", o.CompletedAt}), loc, StepDone)
	case order.Held:
		return v.said(append(happened(steps[:3]), stepAt{"held", o.UpdatedAt}), loc, StepWrong)
	case order.Placed, order.Paid, order.Fulfilling, order.Completed:
	}
	return v.said(steps, loc, StepDone)
}

type stepAt struct {
	key string
	at  time.Time
}

func happened(steps []stepAt) (out []stepAt) {
	for _, s := range steps {
		if !s.at.IsZero() {
			out = append(out, s)
		}
	}
	return out
}

// said puts steps into words. The first one that has not happened is under way;
// last is how the last one stands, if it has.
func (v Voice) said(steps []stepAt, loc *time.Location, last StepState) []Step {
	out := make([]Step, len(steps))
	running := true
	for i, s := range steps {
		out[i] = Step{Name: v.T("step." + s.key), State: StepAhead}
		switch {
		case !s.at.IsZero():
			out[i].State, out[i].At, out[i].Since = StepDone, v.Moment(s.at, loc), s.at
			if i == len(steps)-1 {
				out[i].State = last
			}
		case running:
			out[i].State, running = StepNow, false
		}
		out[i].Word = v.T("step_state." + string(out[i].State))
	}
	return out
}
