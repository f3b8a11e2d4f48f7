package esimgo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// A new eSIM is ordered like a bundle, without naming one. The answer mostly has it;
// delivery may lag for ten minutes.
//
// The operator keeps no word of ours with an order, but it keeps one with an eSIM: a
// label that can be changed, the customer's reference. So an eSIM belongs to the
// purchase whose reference is its label. An answer that came is labelled at once. One
// that was lost leaves an eSIM without a label, among the orders of the same bundle
// since we asked: whoever looks for theirs labels the first such, and has it. If two
// look for what one of them got, one finds it and the other finds nothing, which is
// right for both: eSIMs of one bundle are like one another until they are sold.
//
// An eSIM that the seller's staff buy by hand of the same bundle, within that time,
// and do not label looks like one of ours. docs/operators/esim-go.md says so.

// clockSkew is how far the operator's clock may be behind ours.
const clockSkew = 2 * time.Minute

// profile is an eSIM in its details.
type profile struct {
	ICCID      text `json:"iccid"`
	MatchingID text `json:"matchingId"`
	Address    text `json:"smdpAddress"`
	Label      text `json:"customerRef"`

	Installed moment `json:"firstInstalledDateTime"`
}

// profile reads an eSIM's details.
func (a *Adapter) profile(ctx context.Context, card string) (profile, error) {
	const what = "esims/…"
	if card == "" {
		return profile{}, reads.silence("%s: the order's eSIM has no number", what)
	}
	var p profile
	if err := a.ask(ctx, question{effect: reads, about: aCard, what: what, path: "esims/" + card}, &p); err != nil {
		return profile{}, err
	}
	if cardNumber(string(p.ICCID)) != card {
		return profile{}, reads.silence("%s: the answer is about another eSIM", what)
	}
	return p, nil
}

// issued is a new eSIM as the port has it; without a code it is still being made.
func (p profile) issued(order text) carrier.Issued {
	i := carrier.Issued{Ref: string(order)}
	if card := cardNumber(string(p.ICCID)); card != "" && short(string(p.Address), 255, ".-:") && short(string(p.MatchingID), 255, "-._") {
		i.Profile = carrier.Profile{ID: card, ICCID: card}
		i.Code = "LPA:1$" + string(p.Address) + "$" + string(p.MatchingID)
	}
	return i
}

// label writes a purchase's reference on an eSIM. It changes nothing that an eSIM
// can do, and may be done again; so silence is as good as not sent.
func (a *Adapter) label(ctx context.Context, card, ref string) error {
	return a.ask(ctx, question{
		effect: reads, method: http.MethodPut, what: "esims", path: "esims",
		payload: map[string]string{"iccid": card, "customerRef": ref},
	}, &struct{}{})
}

// Issue implements [carrier.Issuer]: one request that orders, whatever comes of it.
// Before, the order is tried; after, the eSIM is labelled. If that fails, a look-up
// does it.
func (a *Adapter) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	if err := saneOrder(p.Ref, p.Package, p.Days); err != nil {
		return carrier.Issued{}, err
	}
	if err := a.rehearse(ctx, order{Bundle: p.Package}); err != nil {
		return carrier.Issued{}, err
	}
	got, err := a.place(ctx, order{Bundle: p.Package})
	if err != nil {
		return carrier.Issued{}, err
	}
	a.answers.keep(string(got.Reference), p.Ref)
	i := carrier.Issued{Ref: string(got.Reference)}
	cards := got.made(p.Package)
	if len(cards) != 1 || cardNumber(string(cards[0].ICCID)) == "" {
		return i, nil
	}
	card := cardNumber(string(cards[0].ICCID))
	if a.label(ctx, card, p.Ref) != nil {
		return i, nil // a look-up labels it
	}
	if full, err := a.profile(ctx, card); err == nil {
		return full.issued(got.Reference), nil
	}
	return i, nil // it was ordered, whatever becomes of the reading
}

// LookUpIssue implements [carrier.Issuer].
func (a *Adapter) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	reading := carrier.IssueReading{AsOf: a.now().UTC()}
	err := saneOrder(p.Ref, p.Package, p.Days)
	if err != nil {
		return carrier.IssueReading{}, err
	}
	if p.Theirs == "" {
		p.Theirs = a.answers.number(p.Ref) // where this process heard it
	}
	if p.Theirs != "" {
		reading.Found, reading.Issued, reading.Why, err = a.byNumber(ctx, p)
	} else {
		reading.Found, reading.Issued, reading.Why, err = a.byLabel(ctx, p, reading.AsOf)
	}
	if err != nil {
		return carrier.IssueReading{}, err
	}
	return reading, nil
}

// byNumber reads an order whose number we know.
func (a *Adapter) byNumber(ctx context.Context, p carrier.Purchase) (carrier.Found, carrier.Issued, string, error) {
	const what = "orders/…"
	none := carrier.Issued{}
	var got placed
	err := a.ask(ctx, question{effect: reads, about: anOrder, what: what, path: "orders/" + url.PathEscape(p.Theirs)}, &got)
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason != carrier.Unauthorised {
		return carrier.FoundUnsure, none, "the operator no longer knows the order that it accepted: " + r.Text, nil
	}
	if err != nil {
		return "", none, "", err
	}
	if string(got.Reference) != p.Theirs || !got.of(p.Package) {
		return "", none, "", reads.silence("%s: the answer is about another order", what)
	}
	cards := got.made(p.Package)
	switch {
	case len(cards) == 0:
		return carrier.FoundPending, carrier.Issued{Ref: p.Theirs}, "the order has no eSIM yet: " + a.quote(string(got.Status)), nil
	case len(cards) > 1:
		return carrier.FoundUnsure, none, fmt.Sprintf("the order has %d eSIMs", len(cards)), nil
	}
	card := cardNumber(string(cards[0].ICCID))
	full, err := a.profile(ctx, card)
	switch {
	case err != nil:
		return "", none, "", err
	case full.Label != "" && string(full.Label) != p.Ref:
		return carrier.FoundUnsure, none, "the order's eSIM bears another reference, " + a.quote(string(full.Label)), nil
	case full.Label == "":
		if err := a.label(ctx, card, p.Ref); err != nil {
			return "", none, "", err
		}
	}
	found, i, why := full.judge(got.Reference, "found by the order's number")
	return found, i, why, nil
}

// judge says whether an eSIM that is ours can be installed yet.
func (p profile) judge(order text, why string) (carrier.Found, carrier.Issued, string) {
	i := p.issued(order)
	if !i.Made() {
		return carrier.FoundPending, carrier.Issued{Ref: i.Ref}, "the eSIM has no code to install it yet"
	}
	return carrier.FoundDone, i, why
}

// byLabel looks for our label among the eSIMs that were ordered since we asked, and
// puts it on the first that has none.
func (a *Adapter) byLabel(ctx context.Context, p carrier.Purchase, now time.Time) (carrier.Found, carrier.Issued, string, error) {
	free, err := a.answers.turn(ctx)
	if err != nil {
		return "", carrier.Issued{}, "", err
	}
	defer free()
	since := p.AskedAt
	if since.IsZero() {
		since = now
	}
	orders, err := a.ordersSince(ctx, p.Package, since.Add(-clockSkew))
	if err != nil {
		return "", carrier.Issued{}, "", err
	}
	slices.Reverse(orders) // the oldest first
	var nobodys *candidate
	unmade := text("")
	for _, o := range orders {
		if ref := a.answers.of(string(o.Reference)); ref != "" && ref != p.Ref {
			continue // its answer came, to somebody else
		}
		cards := o.made(p.Package)
		if len(cards) == 0 {
			unmade = o.Reference
			continue
		}
		for _, m := range cards {
			c := candidate{order: o.Reference, card: cardNumber(string(m.ICCID))}
			if c.full, err = a.profile(ctx, c.card); err != nil {
				return "", carrier.Issued{}, "", err
			}
			if string(c.full.Label) == p.Ref {
				found, i, why := c.full.judge(c.order, "found by our reference on the eSIM")
				return found, i, why, nil
			}
			if c.full.Label != "" || nobodys != nil || len(cards) > 1 {
				continue
			}
			fresh, err := a.fresh(ctx, c.card)
			if err != nil {
				return "", carrier.Issued{}, "", err
			}
			if fresh {
				nobodys = &c
			}
		}
	}
	switch {
	case nobodys != nil:
		return a.take(ctx, *nobodys, p)
	case unmade != "":
		return carrier.FoundPending, carrier.Issued{Ref: string(unmade)}, "an order of this bundle has no eSIM yet", nil
	}
	return carrier.FoundAbsent, carrier.Issued{}, "no eSIM of this bundle bears our reference or none", nil
}

// fresh reports whether an eSIM has the bundle that it was ordered with and never had
// another. An order of more for an eSIM that exists looks like one of a new eSIM, and
// that eSIM is some line's.
func (a *Adapter) fresh(ctx context.Context, card string) (bool, error) {
	list, err := a.assignments(ctx, card)
	return len(list) == 1, err
}

// candidate is an eSIM that may be ours.
type candidate struct {
	order text
	card  string
	full  profile
}

// take labels an eSIM that nobody has, and sees whether it is ours then: somebody
// else may have had the same thought.
func (a *Adapter) take(ctx context.Context, c candidate, p carrier.Purchase) (carrier.Found, carrier.Issued, string, error) {
	if err := a.label(ctx, c.card, p.Ref); err != nil {
		return "", carrier.Issued{}, "", err
	}
	full, err := a.profile(ctx, c.card)
	if err != nil {
		return "", carrier.Issued{}, "", err
	}
	if string(full.Label) != p.Ref {
		return "", carrier.Issued{}, "", reads.silence("esims/…: the eSIM does not bear the reference that was put on it")
	}
	found, i, why := full.judge(c.order, "an eSIM of this bundle, ordered since we asked, bore no reference")
	return found, i, why, nil
}

// answers remembers which order is whose, as far as this process heard: until its
// eSIM is made and has a label, nobody else could tell. And it lets one at a time
// label what nobody has.
type answers struct {
	mu      sync.Mutex
	refs    map[string]string // by the operator's number of the order
	numbers map[string]string // by our reference
	old     []string          // the operator's numbers, the oldest first
	busy    chan struct{}
}

const answersMost = 10_000

func (s *answers) keep(number, ref string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refs == nil {
		s.refs, s.numbers = map[string]string{}, map[string]string{}
	}
	if len(s.old) >= answersMost {
		delete(s.numbers, s.refs[s.old[0]])
		delete(s.refs, s.old[0])
		s.old = s.old[1:]
	}
	s.refs[number], s.numbers[ref] = ref, number
	s.old = append(s.old, number)
}

func (s *answers) of(number string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refs[number]
}

func (s *answers) number(ref string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.numbers[ref]
}

// turn waits until nobody else labels.
func (s *answers) turn(ctx context.Context) (free func(), err error) {
	s.mu.Lock()
	if s.busy == nil {
		s.busy = make(chan struct{}, 1)
	}
	busy := s.busy
	s.mu.Unlock()
	select {
	case busy <- struct{}{}:
		return func() { <-busy }, nil
	case <-ctx.Done():
		return nil, reads.silence("waiting for another look-up: %s", ctx.Err())
	}
}
