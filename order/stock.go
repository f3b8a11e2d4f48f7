package order

import (
	"context"
	"log/slog"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// shelfIssuer makes new lines from the seller's stock, in the place of an operator:
// it is asked once the intent is stored, an answer that was lost is looked up, and
// one order has one item, however often it asks. The line's operator only renews it.
type shelfIssuer struct {
	carrier.Carrier // the operator's, or nil: nothing but what is below is asked of it

	db  *db.DB
	box *seal.Box
	log *slog.Logger

	account, plan, term string
	low                 int // at how many that are left staff are warned
}

// outOfStock is why nothing was issued.
const outOfStock = "out_of_stock"

// Abilities implements [carrier.Carrier]: our own rows say at once what there is.
func (s shelfIssuer) Abilities() carrier.Abilities {
	return carrier.Abilities{Issues: true, KeepsRef: true}
}

// Name implements [carrier.Carrier].
func (s shelfIssuer) Name() string { return "stock" }

// Issue implements [carrier.Issuer].
func (s shelfIssuer) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	type found struct {
		item stock.Item
		ok   bool
		left int64
	}
	f, err := db.Written(ctx, s.db, func(ctx context.Context, tx db.Tx) (f found, err error) {
		if f.item, f.ok, err = stock.Reserve(ctx, tx, s.plan, s.term, s.account, p.Ref); err != nil {
			return f, err
		}
		f.left, err = stock.Left(ctx, tx, s.plan, s.term)
		return f, err
	})
	if err != nil {
		return carrier.Issued{}, err // it may be reserved: it is looked up
	}
	if f.left <= int64(s.low) {
		s.log.WarnContext(ctx, "stock is low", "plan", s.plan, "term", s.term, "left", f.left)
	}
	if !f.ok {
		return carrier.Issued{}, &carrier.Refusal{Reason: outOfStock, Code: outOfStock, Text: "nothing is left of plan " + s.plan + ", term " + s.term}
	}
	return s.issued(f.item)
}

// LookUpIssue implements [carrier.Issuer].
func (s shelfIssuer) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	type found struct {
		item stock.Item
		ok   bool
		at   time.Time
	}
	f, err := db.Seen(ctx, s.db, func(ctx context.Context, tx db.Tx) (f found, err error) {
		f.at = tx.Now()
		f.item, f.ok, err = stock.OfOrder(ctx, tx, p.Ref)
		return f, err
	})
	if err != nil || !f.ok {
		return carrier.IssueReading{Found: carrier.FoundAbsent, AsOf: f.at, Why: "no item of stock is reserved for it"}, err
	}
	issued, err := s.issued(f.item)
	return carrier.IssueReading{Found: carrier.FoundDone, Issued: issued, AsOf: f.at, Why: "ICCID " + f.item.ICCID + " is reserved for it"}, err
}

// issued is an item as an operator would give it.
func (s shelfIssuer) issued(i stock.Item) (carrier.Issued, error) {
	code, err := i.Opened(s.box)
	return carrier.Issued{
		Ref: "stock:" + i.ICCID, Profile: carrier.Profile{ID: i.ProfileID, ICCID: i.ICCID}, Code: code, InstallBy: i.ExpiresAt,
	}, err
}

// fromStock is the issuer of a term whose new lines come from stock.
func (d *Desk) fromStock(cat *catalogue.Catalogue, p catalogue.Plan, t catalogue.Term, account string) (carrier.Issuer, bool) {
	op, _ := cat.Operator(p.Operator)
	return shelfIssuer{
		Carrier: d.Carriers[op.Carrier], db: d.DB, box: d.Codes, log: d.Log, account: account, plan: p.ID, term: t.ID, low: p.StockLow,
	}, t.FromStock && d.Codes != nil
}

// InStock fails where a term's new lines come from stock and none is left.
func (d *Desk) InStock(ctx context.Context, tx db.Tx, p catalogue.Plan, term string) error {
	t, _ := p.Term(term)
	if !t.FromStock {
		return nil
	}
	left, err := stock.Left(ctx, tx, p.ID, t.ID)
	if err == nil && left == 0 {
		err = fault.Because(fault.Unavailable, "sold_out", "This is sold out at the moment. Choose another plan or length, or ask us when there is more.", nil)
	}
	return err
}

// WithdrawStock takes what is free of a batch out of stock, and reports how many items
// and codes there were.
func (d *Desk) WithdrawStock(ctx context.Context, batch string, a Act) (items, codes int64, err error) {
	if err := a.check(); err != nil {
		return 0, 0, err
	}
	n, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (n [2]int64, err error) {
		if n[0], n[1], err = stock.Withdraw(ctx, tx, batch); err != nil {
			return n, err
		}
		var b db.Batch
		if err := AddTrail(&b, tx, d.IDs, "", a, "stock withdraw", batch); err != nil {
			return n, err
		}
		return n, tx.Batch(ctx, &b)
	})
	return n[0], n[1], err
}
