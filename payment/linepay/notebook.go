package linepay

import (
	"slices"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// maxPages bounds how many refunds are remembered. One that is forgotten is
// treated as one that another process asked for.
const maxPages = 4096

// notebook is what this process knows of the refunds it asked for. See the
// package's comment. The zero notebook is empty.
type notebook struct {
	mu    sync.Mutex
	pages map[string]*page // by the refund's Ref
	age   []string         // the same Refs, oldest first
}

// page is one refund that was asked for.
type page struct {
	sale   string
	amount int64    // minor units
	before []string // the refunds that were there before it was first asked for
	id     string   // LINE Pay's identifier, "" until known
	at     time.Time
	asking bool // a call is under way
}

// clocksDiffer is how much earlier than ours LINE Pay's clock may say that it is.
const clocksDiffer = time.Minute

// finding is what a list of refunds says about one of them.
type finding int

const (
	absent   finding = iota // not in the list
	present                 // this one, surely
	possible                // one of its amount, which may be another's
	busy                    // a call is under way that decides it
)

// begin notes that a refund is about to be asked for, and reports whether it
// may be: not while another call for it is under way, nor again before the
// first has settled.
func (n *notebook) begin(ref string, s sale, amount int64, now time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, again := n.pages[ref]
	switch {
	case again && (p.asking || p.id != "" || now.Before(p.at.Add(settles))):
		return false
	case !again:
		p = &page{sale: s.id, amount: amount, before: s.ids()}
		if n.pages == nil {
			n.pages = map[string]*page{}
		}
		n.pages[ref] = p
		n.age = append(n.age, ref)
		n.forget()
	}
	p.at, p.asking = now, true
	return true
}

func (n *notebook) forget() {
	for len(n.age) > maxPages {
		delete(n.pages, n.age[0])
		n.age = n.age[1:]
	}
}

// end notes what became of a call: LINE Pay's identifier of the refund, or ""
// if nobody knows. A refund that certainly was not made is forgotten, unless an
// earlier call for it may have been heard.
func (n *notebook) end(ref, id string, certainlyNot, first bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.pages[ref]
	if !ok {
		return
	}
	p.asking, p.id = false, id
	if certainlyNot && first {
		delete(n.pages, ref)
		n.age = slices.DeleteFunc(n.age, func(r string) bool { return r == ref })
	}
}

// knows reports whether this process asked for a refund before.
func (n *notebook) knows(ref string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, ok := n.pages[ref]
	return ok
}

// find looks for a refund in what its sale lists. What was added since it may have
// been asked for, of its amount, is its own, and then no other's: of several refunds
// of one amount each gets one.
func (n *notebook) find(r payment.Refund, s sale) (string, finding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	amount := r.Amount.Minor
	p, ours := n.pages[r.Ref]
	if ours && slices.Contains(r.Others, p.id) {
		p.id = "" // it was another's, which another process had asked for
	}
	if ours && p.id != "" {
		if slices.Contains(s.ids(), p.id) {
			return p.id, present
		}
		return "", absent
	}
	if ours && p.asking {
		return "", busy
	}
	others := slices.Clone(r.Others)
	for ref, q := range n.pages {
		if ref == r.Ref || q.sale != s.id {
			continue
		}
		if q.asking && q.amount == amount {
			return "", busy
		}
		others = append(others, q.id)
	}
	for _, g := range s.refunds {
		switch {
		case g.amount.Minor != amount || slices.Contains(others, g.id):
		case ours && slices.Contains(p.before, g.id):
		case ours:
			p.id = g.id
			return g.id, present
		case amount == s.amount.Minor:
			return g.id, present // the whole of it: there cannot be two
		case !r.Since.IsZero() && g.at.After(r.Since.Add(-clocksDiffer)):
			return g.id, present
		default:
			return "", possible
		}
	}
	return "", absent
}

// ids are the identifiers of a sale's refunds.
func (s sale) ids() []string {
	ids := make([]string, len(s.refunds))
	for i, g := range s.refunds {
		ids[i] = g.id
	}
	return ids
}
