package airalo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// A new SIM is an order of a package whose type is sim, which is carried out while we
// wait. The operator keeps what we write as the order's description, and orders can be
// searched by it; so a lost answer is settled by the orders that bear our reference.
// That the description of such an order is another than was sent, as it is in the
// document's example of a top-up, no example shows.

var _ carrier.Issuer = (*Adapter)(nil)

// sim is a new SIM as its order has it.
type sim struct {
	ID       text `json:"id"`
	ICCID    text `json:"iccid"`
	Address  text `json:"lpa"`
	Matching text `json:"matching_id"`
	QR       text `json:"qrcode"` // the whole code: LPA:1$address$matching identifier
}

// code is what a phone installs it with; empty where the operator does not say it.
func (s sim) code() string {
	for _, code := range []string{string(s.QR), "LPA:1$" + string(s.Address) + "$" + string(s.Matching)} {
		parts := strings.Split(code, "$")
		if len(parts) >= 3 && parts[0] == "LPA:1" && short(parts[1], 255, ".-:") && short(parts[2], 255, "-._") {
			return code
		}
	}
	return ""
}

// issued is an order of one SIM as the port has it; without a code it is still being
// made.
func (s sim) issued(ref string) carrier.Issued {
	i := carrier.Issued{Ref: ref}
	card, code := cardNumber(string(s.ICCID)), s.code()
	if card != "" && code != "" && number(s.ID) != "" {
		i.Profile, i.Code = carrier.Profile{ID: number(s.ID), ICCID: card}, code
	}
	return i
}

// sanePurchase refuses what would be a bug of ours to send.
func sanePurchase(p carrier.Purchase) error {
	why := ""
	switch {
	case !short(p.Ref, refMax, "_"):
		why = "the reference must have 1 to 40 letters and digits"
	case p.Package == "" || len(p.Package) > packageMax:
		why = "the package must have 1 to 200 characters"
	case p.Days != 0:
		why = "this operator's packages have lengths of their own"
	default:
		return nil
	}
	return &carrier.Refusal{Reason: carrier.BadRequest, Text: why}
}

// Issue implements [carrier.Issuer]: one request, whatever comes of it.
func (a *Adapter) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	if err := sanePurchase(p); err != nil {
		return carrier.Issued{}, err
	}
	const what = "orders"
	var got struct {
		Data bought `json:"data"`
	}
	err := a.ask(ctx, question{
		effect: changes, what: what, path: what,
		payload: []field{{"package_id", p.Package}, {"quantity", "1"}, {"type", "sim"}, {"description", p.Ref}},
	}, &got)
	if err != nil {
		return carrier.Issued{}, soldOut(err)
	}
	o := got.Data
	switch ref := orderName(o.Code, o.ID); {
	case o.Package != "" && string(o.Package) != p.Package:
		return carrier.Issued{}, changes.silence("%s: the answer is about another package", what)
	case ref == "":
		return carrier.Issued{}, changes.silence("%s: a yes that names no order", what)
	case len(o.SIMs) != 1:
		return carrier.Issued{Ref: ref}, nil // whoever looks it up sees what it is
	default:
		return o.SIMs[0].issued(ref), nil
	}
}

// soldOut tells a package of which none is left from one that is not sold: the
// operator says it by a code, or of the quantity.
func soldOut(err error) error {
	no, refused := errors.AsType[*carrier.Refusal](err)
	if !refused || no.Code != "33" && !strings.HasPrefix(no.Text, `{"quantity":`) {
		return err
	}
	return &carrier.Refusal{Reason: carrier.OutOfStock, Code: no.Code, Text: no.Text}
}

// bought is an order with its SIMs.
type bought struct {
	order
	SIMs []sim `json:"sims"`
}

// LookUpIssue implements [carrier.Issuer]: the orders that bear our reference.
func (a *Adapter) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	reading := carrier.IssueReading{AsOf: a.now().UTC()}
	if err := sanePurchase(p); err != nil {
		return carrier.IssueReading{}, err
	}
	raw, err := a.ordersWith(ctx, url.Values{"filter[description]": {p.Ref}, "include": {"sims,status"}})
	if err != nil {
		return carrier.IssueReading{}, err
	}
	var ours []bought
	for _, row := range raw {
		var o bought
		if err := json.Unmarshal(row, &o); err != nil {
			return carrier.IssueReading{}, reads.silence("orders: %s", a.quote(err.Error()))
		}
		if string(o.Description) == p.Ref && string(o.Package) == p.Package {
			ours = append(ours, o)
		}
	}
	reading.Found, reading.Issued, reading.Why = judgeBought(ours, p.Theirs)
	return reading, nil
}

// judgeBought says what became of a purchase, from the orders that bear its reference,
// and from the number of the order that was accepted, if we heard it.
func judgeBought(ours []bought, theirs string) (carrier.Found, carrier.Issued, string) {
	none := carrier.Issued{}
	switch {
	case len(ours) > 1:
		return carrier.FoundUnsure, none, fmt.Sprintf("%d orders bear our reference", len(ours))
	case len(ours) == 0 && theirs != "":
		return carrier.FoundUnsure, none, "the operator accepted the order, and no longer shows it"
	case len(ours) == 0:
		return carrier.FoundAbsent, none, "no order bears our reference"
	}
	o := ours[0]
	ref, state := orderName(o.Code, o.ID), string(o.Status.in.Slug)
	switch {
	case state == "failed":
		return carrier.FoundAbsent, none, "the order that bears our reference failed"
	case ref == "":
		return carrier.FoundUnsure, none, "the order that bears our reference has no name"
	case len(o.SIMs) > 1:
		return carrier.FoundUnsure, none, fmt.Sprintf("the order that bears our reference has %d SIMs", len(o.SIMs))
	case state != "" && state != "completed", len(o.SIMs) == 0, !o.SIMs[0].issued(ref).Made():
		return carrier.FoundPending, carrier.Issued{Ref: ref}, "the order that bears our reference has no SIM yet: " + carrier.Clip(state)
	}
	return carrier.FoundDone, o.SIMs[0].issued(ref), "found by our reference"
}
