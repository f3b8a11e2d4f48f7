package order

import (
	"context"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/stock"
	"github.com/tsuzuku/tsuzuku/support"
)

// The titles of cases about cards.
const (
	CaseClaimAsked = "sim_claim_asked"   // somebody has a card and not its code
	CaseClaimTwice = "sim_claimed_twice" // the right code, for a card that is somebody else's
)

// Attempt counts one more try of somebody who may be guessing, in a transaction of its
// own, so that it is kept whatever comes of the try, and fails with [fault.TooMany].
type Attempt func(context.Context, db.Tx) error

// Claim gives a customer the line of a card that they hold, by the code that came
// with it, and returns the line. A card that is theirs already is found again.
//
// It fails with [fault.Denied], and says no more, whatever is wrong: no such card,
// another code, a card that was withdrawn, is too old, or is somebody else's; of the
// last a case is opened, with the owner. The attempt is counted in every case.
func (d *Desk) Claim(ctx context.Context, account, iccid, code string, try Attempt) (lineID string, err error) {
	if d.Codes == nil {
		return "", errNoMatch()
	}
	if err := d.DB.Write(ctx, try); err != nil {
		return "", err
	}
	lineID, err = db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		i, found, err := stock.Find(ctx, tx, iccid)
		if err != nil {
			return "", err
		}
		known := i.Knows(d.Codes, code) // also of no card, so that it takes as long
		if !found || !known || i.Kind != stock.SIM {
			return "", nil
		}
		return d.claimed(ctx, tx, account, i)
	})
	if err == nil && lineID == "" {
		err = errNoMatch()
	}
	return lineID, err
}

// ShowCard shows in a transaction which card a customer holds. Why it shows none is no
// error, so that what was tried is kept.
type ShowCard func(context.Context, db.Tx) (iccid string, refused *fault.Error, err error)

// ClaimProven is [Desk.Claim] for a customer who shows otherwise than by the card's own
// code that they hold it: by one that was sent to the line itself.
func (d *Desk) ClaimProven(ctx context.Context, account string, show ShowCard) (lineID string, err error) {
	type claim struct {
		line    string
		refused *fault.Error
	}
	c, err := db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (claim, error) {
		iccid, refused, err := show(ctx, tx)
		if err != nil || refused != nil {
			return claim{refused: refused}, err
		}
		i, found, err := stock.Find(ctx, tx, iccid)
		if err != nil || !found || i.Kind != stock.SIM {
			return claim{}, err
		}
		given, err := d.claimed(ctx, tx, account, i)
		return claim{line: given}, err
	})
	switch {
	case err != nil:
		return "", err
	case c.refused != nil:
		return "", c.refused
	case c.line == "":
		return "", errNoMatch()
	}
	return c.line, nil
}

// claimed is the line of a card whose code was right; "" where there is none for
// this customer.
func (d *Desk) claimed(ctx context.Context, tx db.Tx, account string, i stock.Item) (string, error) {
	var b db.Batch
	has, err := lineOf(ctx, tx, i)
	switch {
	case err != nil:
		return "", err
	case i.Account == account:
		return i.Line, nil
	case i.State == stock.Free && has.Account == "" && (i.ExpiresAt.IsZero() || tx.Now().Before(i.ExpiresAt)):
		given, err := d.addCard(ctx, &b, tx, account, i)
		if err != nil {
			return "", err
		}
		return given, tx.Batch(ctx, &b)
	case has.Account != "" && has.Account != account:
		// In the owner's account: a case in the other one would tell that the code was right.
		addCase(&b, tx, d.IDs, Order{Account: has.Account, Line: has.ID}, CaseClaimTwice, "ICCID "+i.ICCID+" was claimed with its right code by "+account)
		return "", tx.Batch(ctx, &b)
	}
	return "", nil
}

func errNoMatch() error {
	return fault.Because(fault.Denied, "claim_no_match",
		"This number and this code do not belong together, or the card was used already. Compare both with the card, or ask us to look.", nil)
}

// lineOf is the line that has the card's numbers; the zero Entry where there is none.
func lineOf(ctx context.Context, tx db.Tx, i stock.Item) (has db.Entry, err error) {
	for _, n := range [...][2]string{{line.ICCIDKind, i.ICCID}, {line.ProfileKind(i.Operator), i.ProfileID}} {
		has.Account, has.ID, err = db.Locate(ctx, tx, n[0], n[1])
		if fault.KindOf(err) != fault.NotFound {
			return has, err
		}
	}
	return db.Entry{}, nil
}

// addCard appends that a card is a customer's line, with the first period that it
// comes with: it begins as the operator says, which is asked at once.
func (d *Desk) addCard(ctx context.Context, b *db.Batch, tx db.Tx, account string, i stock.Item) (lineID string, err error) {
	cat, err := d.Shelf.Current(ctx, tx)
	if err != nil {
		return "", err
	}
	plan, ok := cat.Plan(i.Plan)
	term, ok2 := plan.Term(i.Term)
	op, ok3 := cat.Operator(i.Operator)
	if !ok || !ok2 || !ok3 {
		return "", fault.New(fault.Internal, "the catalogue lacks plan %s, its term %s or its operator, of card %s", i.Plan, i.Term, i.ICCID)
	}
	loc, err := op.Zone.Location()
	if err != nil {
		return "", err
	}
	lineID = d.IDs.Under("ln", account)
	stock.AddClaimed(b, i.ICCID, account, lineID, tx.Now())
	line.AddBought(b, line.Line{
		Account: account, ID: lineID, Operator: op.ID, Plan: plan.ID, ProfileID: i.ProfileID, ICCID: i.ICCID, MSISDN: i.MSISDN, State: line.New,
		Anchor: calendar.Anchor(tx.Now(), loc), Usage: line.Usage{Unlimited: plan.Kind != catalogue.Volume, Total: term.Volume},
	}, line.ESIM{
		Account: account, Line: lineID, Catalogue: cat.Version, Plan: plan.ID, Term: term.ID, Allowance: term.Volume,
		InstallBy: firstUseBy(plan, i.ExpiresAt, tx.Now(), loc),
	}, tx.Now())
	line.AddLookSoon(b, account, lineID, tx.Now())
	return lineID, nil
}

// firstUseBy is until when a new line must be in use: what the operator or the card
// says, or the plan's deadline from now, whichever is earlier; zero: at any time.
func firstUseBy(plan catalogue.Plan, by, now time.Time, loc *time.Location) time.Time {
	if deadline := plan.Activation.Deadline; deadline.N > 0 {
		ours := deadline.End(now, loc, calendar.Anchor(now, loc))
		if by.IsZero() || ours.Before(by) {
			return ours
		}
	}
	return by
}

// AskClaim opens a case of a customer who has a card and cannot prove it by its code.
// The attempt is counted.
func (d *Desk) AskClaim(ctx context.Context, account, iccid, words string, try Attempt) error {
	return d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := try(ctx, tx); err != nil {
			return err
		}
		var b db.Batch
		addCase(&b, tx, d.IDs, Order{Account: account}, CaseClaimAsked, "asks for the line of ICCID "+iccid+": "+strings.TrimSpace(storable(words, 500)))
		return tx.Batch(ctx, &b)
	})
}

// GiveCard lets staff give a customer the line of a card in stock, and closes what
// the customer asked about cards. It fails with [fault.NotFound] where there is no
// such card, and with [fault.Conflict] for one that is somebody's.
func (d *Desk) GiveCard(ctx context.Context, account, iccid string, a Act) (lineID string, err error) {
	if err := a.check(); err != nil {
		return "", err
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (string, error) {
		i, found, err := stock.Find(ctx, tx, iccid)
		if err != nil {
			return "", err
		}
		has, err := lineOf(ctx, tx, i)
		switch {
		case err != nil:
			return "", err
		case !found || i.Kind != stock.SIM:
			return "", fault.New(fault.NotFound, "There is no card %s in stock. Import it with the kind sims, or the customer's line with the kind lines.", iccid)
		case i.State != stock.Free || has.Account != "":
			return "", fault.New(fault.Conflict, "Card %s is not free: it is %s in stock, and line %q of account %q.", iccid, i.State, has.ID, has.Account)
		}
		var b db.Batch
		given, err := d.addCard(ctx, &b, tx, account, i)
		if err != nil {
			return "", err
		}
		if err := AddTrail(&b, tx, d.IDs, account, a, "line claim", iccid); err != nil {
			return "", err
		}
		if err := tx.Batch(ctx, &b); err != nil {
			return "", err
		}
		return given, d.closeAsked(ctx, tx, account)
	})
}

// closeAsked ends the case in which a customer asked for a card.
func (d *Desk) closeAsked(ctx context.Context, tx db.Tx, account string) error {
	all, err := support.List(ctx, tx, account, "", support.MostListed)
	if err != nil {
		return err
	}
	for _, c := range all {
		if c.Title != CaseClaimAsked || c.State != support.Open {
			continue
		}
		if _, err := support.Close(ctx, tx, d.IDs, c.Key()); err != nil {
			return err
		}
	}
	return nil
}
