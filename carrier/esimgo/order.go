package esimgo

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// order is what is asked for: one bundle, for an eSIM that exists or for a new one.
type order struct {
	Bundle string
	Card   string // empty: a new eSIM
}

// orderQuestion is the question of orders. With assign a bundle goes on an eSIM at
// once, and not into the seller's stock.
type orderQuestion struct {
	Type   string      `json:"type"`
	Assign bool        `json:"assign"`
	Order  []orderItem `json:"order"`
}

type orderItem struct {
	Type     string   `json:"type"`
	Item     string   `json:"item"`
	Quantity int      `json:"quantity"` // as many as there are numbers of eSIMs
	ICCIDs   []string `json:"iccids,omitempty"`

	// AllowReassign would let the operator put the bundle on a new eSIM where it
	// does not fit the one that is named. It is written down as false always.
	AllowReassign bool `json:"allowReassign"`
}

func (o order) question(kind string) orderQuestion {
	item := orderItem{Type: "bundle", Item: o.Bundle, Quantity: 1}
	if o.Card != "" {
		item.ICCIDs = []string{o.Card}
	}
	return orderQuestion{kind, true, []orderItem{item}}
}

// placed is an order as the operator shows it.
type placed struct {
	Order []struct {
		Item   text   `json:"item"`
		ESIMs  []made `json:"esims"`
		ICCIDs []text `json:"iccids"`
	} `json:"order"`
	Valid         *bool   `json:"valid"` // of a rehearsal
	Assigned      *bool   `json:"assigned"`
	Status        text    `json:"status"`
	StatusMessage text    `json:"statusMessage"`
	Reference     text    `json:"orderReference"`
	CreatedDate   instant `json:"createdDate"`
	CreateDate    instant `json:"createDate"` // older answers
}

// made is an eSIM that an order put its bundle on.
type made struct {
	ICCID text `json:"iccid"`
}

// made is on which eSIMs an order put a bundle.
func (p placed) made(bundle string) []made {
	var all []made
	for _, o := range p.Order {
		if string(o.Item) != bundle {
			continue
		}
		seen := map[text]bool{}
		for _, m := range o.ESIMs {
			seen[m.ICCID] = true
			all = append(all, m)
		}
		for _, card := range o.ICCIDs {
			if !seen[card] {
				all = append(all, made{card})
			}
		}
	}
	return all
}

// of reports whether an order is of a bundle, and of nothing else.
func (p placed) of(bundle string) bool {
	for _, o := range p.Order {
		if string(o.Item) != bundle {
			return false
		}
	}
	return len(p.Order) > 0
}

// complete reports whether an order says that all was done. Its words are not
// documented but for this one; any other is no yes.
func (p placed) complete() bool {
	return (p.Status == "" || strings.EqualFold(string(p.Status), "completed")) && (p.Assigned == nil || *p.Assigned)
}

func (p placed) created() time.Time {
	if p.CreatedDate.IsZero() {
		return p.CreateDate.Time
	}
	return p.CreatedDate.Time
}

// rehearse has the operator check an order in all that it would check, without
// charging for it.
func (a *Adapter) rehearse(ctx context.Context, o order) error {
	var got placed
	q := question{effect: reads, about: anOrder, what: "orders (validate)", path: "orders", payload: o.question("validate")}
	if err := a.ask(ctx, q, &got); err != nil {
		return err
	}
	if got.Valid != nil && !*got.Valid {
		words := string(got.StatusMessage)
		return &carrier.Refusal{Reason: q.reason(0, words), Code: "not valid", Text: a.quote(words)}
	}
	return nil
}

// place orders, once.
func (a *Adapter) place(ctx context.Context, o order) (placed, error) {
	const what = "orders"
	var got placed
	q := question{effect: changes, about: anOrder, what: what, path: what, payload: o.question("transaction")}
	if err := a.ask(ctx, q, &got); err != nil {
		return placed{}, err
	}
	switch {
	case !short(string(got.Reference), 100, "-_"):
		return placed{}, changes.silence("%s: a yes that names no order", what)
	case len(got.Order) > 0 && !got.of(o.Bundle):
		return placed{}, changes.silence("%s: the answer is about another bundle", what)
	}
	return got, nil
}

// Paging of the list of orders. It has the newest first.
const (
	ordersPage = 100
	ordersMost = 20 // pages
)

// ordersSince reads the orders of one bundle that were made after an instant,
// newest first. The operator is asked for those alone; what it gives besides is
// left out.
func (a *Adapter) ordersSince(ctx context.Context, bundle string, since time.Time) ([]placed, error) {
	const what = "orders"
	var ours []placed
	seen := map[text]bool{}
	for page := 1; page <= ordersMost; page++ {
		query := url.Values{
			"includeIccids": {"true"}, "page": {strconv.Itoa(page)}, "limit": {strconv.Itoa(ordersPage)},
			"createdAt": {"gte:" + since.UTC().Format("2006-01-02T15:04:05.000Z")},
		}
		var answer json.RawMessage
		if err := a.ask(ctx, question{effect: reads, what: what, path: what + "?" + query.Encode()}, &answer); err != nil {
			return nil, err
		}
		list, err := readOrders(answer)
		if err != nil {
			return nil, reads.silence("%s: %s", what, a.quote(err.Error()))
		}
		fresh := 0
		for _, p := range list {
			if seen[p.Reference] {
				continue // of a list that grew meanwhile, or has no pages
			}
			seen[p.Reference] = true
			fresh++
			if p.of(bundle) && !p.created().Before(since) {
				ours = append(ours, p)
			}
		}
		if fresh == 0 || len(list) < ordersPage || list[len(list)-1].created().Before(since) && !list[0].created().Before(list[len(list)-1].created()) {
			return ours, nil
		}
	}
	return nil, reads.silence("%s: more than %d were made since", what, ordersMost*ordersPage)
}

// readOrders reads a list of orders, bare or within an object. What became of an
// order is decided by it, so that an order which cannot be read is no reading.
func readOrders(b json.RawMessage) ([]placed, error) {
	var list []placed
	if len(b) > 0 && b[0] == '{' {
		var in struct {
			Orders json.RawMessage `json:"orders"`
		}
		if err := json.Unmarshal(b, &in); err != nil {
			return nil, err
		}
		if b = in.Orders; b == nil {
			return nil, errors.New("no list of orders")
		}
	}
	if err := json.Unmarshal(b, &list); err != nil {
		return nil, err
	}
	for _, p := range list {
		if p.Reference == "" || p.created().IsZero() {
			return nil, errors.New("an order without a reference or a date")
		}
	}
	return list, nil
}
