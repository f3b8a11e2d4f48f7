package settlement

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Room is where the reports are read and compared.
type Room struct {
	DB        *db.DB
	IDs       *id.Source
	Providers map[string]payment.Provider
	Daily     func(provider string) bool // whether its reports are read by themselves; nil: everybody's
	Log       *slog.Logger

	planned atomic.Bool // by this process
}

// Report is what came of reconciling some days with one provider.
type Report struct {
	Provider    string       `json:"provider"`
	Zone        string       `json:"zone"` // of the days
	Days        []DayState   `json:"days"`
	Totals      []Total      `json:"totals"`
	Differences []Difference `json:"differences"`
	Unsure      int          `json:"unsure"` // of ours that cannot be compared before another day is read whole
}

// Total is the sum of one kind of movement of the days, in the currency of the
// seller's balance.
type Total struct {
	Kind  payment.MovementKind `json:"kind"`
	Count int                  `json:"count"`
	Gross money.Money          `json:"gross"`
	Fee   money.Money          `json:"fee"`
}

// Agrees reports whether every day was read whole, everything could be compared,
// and nothing differs that nobody has accepted.
func (r Report) Agrees() bool {
	return r.Unsure == 0 && !slices.ContainsFunc(r.Days, func(d DayState) bool { return !d.Whole || d.Trouble != "" }) &&
		!slices.ContainsFunc(r.Differences, func(d Difference) bool { return d.Accepted == "" })
}

// maxDays is how many days are reconciled at once.
const maxDays = 62

// Reconcile reads a provider's reports of the days from from to to, and compares.
// The day before them is read too, unless it was: what we saw on a day can have
// happened on the one before. A day that cannot be read is in the report with
// its trouble. It fails with [fault.Invalid] for a provider that has no reports.
func (r *Room) Reconcile(ctx context.Context, provider string, from, to payment.Day) (Report, error) {
	reporter, err := r.reporter(provider)
	if err != nil {
		return Report{}, err
	}
	zone := reporter.ReportFacts().Zone
	today := payment.DayOf(r.DB.Now(), zone)
	switch {
	case to < from:
		return Report{}, fault.New(fault.Invalid, "The last day, %s, is before the first, %s.", to, from)
	case to > today:
		return Report{}, fault.New(fault.Invalid, "%s is not over: at %s it is %s now.", to, provider, today)
	case from.Start(time.UTC).AddDate(0, 0, maxDays).Before(to.Start(time.UTC)):
		return Report{}, fault.New(fault.Invalid, "That is more than %d days. Take fewer at a time.", maxDays)
	}
	out := Report{Provider: provider, Zone: zone.String()}
	for d := from.Before(); d <= to; d = d.Next() {
		if d < from {
			if before, err := r.day(ctx, provider, d); err != nil || before.Whole {
				if err != nil {
					return out, err
				}
				continue
			}
		}
		state, err := r.read(ctx, provider, d)
		if err != nil {
			return out, err
		}
		if d >= from {
			out.Days = append(out.Days, state)
		}
	}
	c, totals, err := r.compare(ctx, provider, from, to)
	out.Differences, out.Unsure, out.Totals = c.Differences, c.Unsure, totals
	return out, err
}

// Zone is the zone of a provider's days. It fails as [Room.Reconcile] does.
func (r *Room) Zone(provider string) (*time.Location, error) {
	reporter, err := r.reporter(provider)
	if err != nil {
		return nil, err
	}
	return reporter.ReportFacts().Zone, nil
}

func (r *Room) reporter(provider string) (payment.Reporter, error) {
	p, ok := r.Providers[provider]
	if !ok {
		return nil, fault.New(fault.Invalid, "The provider %q is not configured.", provider)
	}
	reporter, ok := p.(payment.Reporter)
	if !ok {
		return nil, fault.New(fault.Invalid, "%s has no report that can be read. Compare by hand.", provider)
	}
	return reporter, nil
}

// read reads the report of a day and keeps it. That it cannot be read is not an
// error but the day's trouble; nothing of it is kept then.
func (r *Room) read(ctx context.Context, provider string, day payment.Day) (DayState, error) {
	reporter, err := r.reporter(provider)
	if err != nil {
		return DayState{}, err
	}
	all, whole, err := fetch(ctx, reporter, provider, day)
	if err == nil {
		if err := r.keep(ctx, all); err != nil {
			return DayState{}, err
		}
		if whole {
			err = r.gone(ctx, provider, day, all)
		}
		if err != nil {
			return DayState{}, err
		}
		return r.wasRead(ctx, provider, day, len(all), whole, reporter.ReportFacts())
	}
	if ctx.Err() != nil {
		return DayState{}, ctx.Err()
	}
	r.Log.WarnContext(ctx, "a provider's report cannot be read", "provider", provider, "day", string(day), "err", err)
	return r.wasNotRead(ctx, provider, day, reporter.ReportFacts(), err)
}

// maxPages bounds how many pages a day may have.
const maxPages = 5_000

// fetch reads all pages of a day. A movement that stands twice is kept once and
// counted; one that contradicts itself makes the report useless.
func fetch(ctx context.Context, reporter payment.Reporter, provider string, day payment.Day) (all []Movement, whole bool, err error) {
	at := map[string]int{}
	seen := map[string]bool{"": true}
	page := ""
	for range maxPages {
		p, err := reporter.Report(ctx, day, page)
		if err != nil {
			return nil, false, err
		}
		for _, m := range p.Movements {
			kept := Movement{Movement: m, Provider: provider, Day: day, Stated: 1}
			if why := wrong(m); why != "" {
				return nil, false, fmt.Errorf("%w: %s", payment.ErrBadReport, why)
			}
			i, twice := at[m.ID]
			switch {
			case !twice:
				at[m.ID] = len(all)
				all = append(all, kept)
			case all[i].same(kept):
				all[i].Stated++
			default:
				return nil, false, fmt.Errorf("%w: %s stands twice in it and differs", payment.ErrBadReport, m.ID)
			}
		}
		if p.Next == "" {
			return all, p.Whole, nil
		}
		if seen[p.Next] || len(all) > maxRows {
			return nil, false, fmt.Errorf("%w: it has no end", payment.ErrBadReport)
		}
		seen[p.Next], page = true, p.Next
	}
	return nil, false, fmt.Errorf("%w: it has more than %d pages", payment.ErrBadReport, maxPages)
}

// wrong says what cannot be kept of a movement; "" if all can.
func wrong(m payment.Movement) string {
	for _, s := range []string{m.ID, m.Code, m.Ref, m.MoneyID, m.RefundRef, m.RefundID} {
		if len(s) > 255 || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
			return "an identifier that is none"
		}
	}
	switch {
	case m.ID == "" || m.At.IsZero():
		return "a movement without identifier or time"
	case m.Amount.Currency == "" || m.Settled.Currency == "" || !m.Fee.IsZero() && m.Fee.Currency != m.Settled.Currency:
		return m.ID + " has no currency"
	case max(abs(m.Amount.Minor), abs(m.Settled.Minor), abs(m.Fee.Minor)) > money.MaxMinor:
		return m.ID + " is out of range"
	}
	switch m.Kind {
	case payment.MovedCharge, payment.MovedRefund, payment.MovedFee, payment.MovedDispute, payment.MovedDisputeWon,
		payment.MovedPayout, payment.MovedExchange, payment.MovedOther:
		return ""
	}
	return m.ID + " is of no kind"
}

func abs(n int64) int64 { return max(n, -n) }

// compare holds both accounts of some days against each other and records what
// differs. What a rule can mend is set going. Reading and comparing take time for a
// large shop, so they are not part of the transaction that writes.
func (r *Room) compare(ctx context.Context, provider string, from, to payment.Day) (c Comparison, totals []Total, err error) {
	reporter, err := r.reporter(provider)
	if err != nil {
		return c, nil, err
	}
	h, err := db.Seen(ctx, r.DB, func(ctx context.Context, tx db.Tx) (History, error) {
		return history(ctx, tx, History{Provider: provider, Zone: reporter.ReportFacts().Zone, From: from, To: to})
	})
	if err != nil {
		return c, nil, err
	}
	c = Compare(h)
	c.Differences, err = db.Written(ctx, r.DB, func(ctx context.Context, tx db.Tx) ([]Difference, error) {
		var b db.Batch
		now, fresh, err := record(ctx, &b, tx, h, c.Differences)
		if err == nil {
			err = r.mend(ctx, &b, tx, now, fresh)
		}
		if err != nil {
			return nil, err
		}
		return now, tx.Batch(ctx, &b)
	})
	return c, sums(h), err
}

// mend does what may be done by itself about differences: the provider is asked
// about every payment among them; what was not seen before and needs a person
// opens a case of the payment's order.
func (r *Room) mend(ctx context.Context, b *db.Batch, tx db.Tx, now, fresh []Difference) error {
	for _, d := range now {
		if d.Payment == "" || d.Accepted != "" || aboutWords(d.Kind) {
			continue
		}
		if err := order.AskSoon(ctx, tx, order.Key{Account: d.Account, ID: d.Payment}); err != nil {
			return err
		}
	}
	for _, d := range fresh {
		title := caseOf(d.Kind)
		if title == "" || d.Payment == "" {
			continue
		}
		evidence := fmt.Sprintf("payment %s: by %s's report of %s: %s, here %s, there %s (%s %s)",
			d.Payment, d.Provider, d.Day, d.Kind, d.Ours, d.Theirs, d.Subject, d.Detail)
		if err := order.AddCase(ctx, b, tx, r.IDs, order.Key{Account: d.Account, ID: d.Payment}, title, evidence); err != nil {
			return err
		}
	}
	return nil
}

// aboutWords reports whether a difference is one of what reports say, of which
// the provider's answer about the payment tells nothing.
func aboutWords(k Kind) bool {
	return k == FeeDiffers || k == FeeUntold || k == StatedTwice || k == Restated || k == OtherMovement
}

// caseOf is the title of the case that a difference opens; "" where it only is
// listed, or where asking the provider does what there is to do.
func caseOf(k Kind) string {
	switch k {
	case DisputeNotHere:
		return order.CaseDisputed
	case RefundNotHere:
		return order.CaseRefundedElsewhere
	case NotThere, OtherAmount, OtherCurrency, ChargedTwice, ChargeReversed, RefundNotThere, RefundOtherAmount, RefundedTwice:
		return order.CaseReportDiffers
	case NotHere, NotPaidHere, RefundNotDoneHere, RefundCameBack, FeeDiffers, FeeUntold, OtherMovement, StatedTwice, Restated:
	}
	return ""
}

// sums adds up the movements of the days asked for.
func sums(h History) []Total {
	type key struct {
		kind     payment.MovementKind
		currency money.Currency
	}
	at := map[key]int{}
	var all []Total
	for _, m := range h.Movements {
		if m.Day < h.From || m.Day > h.To {
			continue
		}
		k := key{m.Kind, m.Settled.Currency}
		i, ok := at[k]
		if !ok {
			i = len(all)
			at[k] = i
			all = append(all, Total{Kind: m.Kind, Gross: money.Of(0, k.currency), Fee: money.Of(0, k.currency)})
		}
		all[i].Count++
		all[i].Gross.Minor += m.Settled.Minor
		all[i].Fee.Minor += m.Fee.Minor
	}
	slices.SortFunc(all, func(a, b Total) int {
		return strings.Compare(string(a.Gross.Currency)+string(a.Kind), string(b.Gross.Currency)+string(b.Kind))
	})
	return all
}

// trouble is an error in as many words as are kept of it.
func trouble(err error) string {
	const most = 500
	text := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(err.Error(), "?"))
	if errors.Is(err, payment.ErrNotReady) {
		text = "not there yet: " + text
	}
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text
}
