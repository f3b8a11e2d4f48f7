package esimaccess

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// A new eSIM is ordered, not made while we wait: the answer is a number of the
// order, and the profile is there about half a minute later. Unlike a top-up, an
// order keeps our reference, so it is found by that: by the order's number where
// we know it, else among all that was made since we asked.

var _ carrier.Issuer = (*Adapter)(nil)

// Paging of what was made within a time.
const (
	pageSize = 500 // the most that the operator gives
	pagesMax = 20
)

// orderQuestion is the question of /esim/order.
type orderQuestion struct {
	TransactionID string      `json:"transactionId"`
	Packages      []orderItem `json:"packageInfoList"`
}

type orderItem struct {
	Package string `json:"packageCode"`
	Count   int    `json:"count"`
	Days    int    `json:"periodNum,omitempty"`
}

// Issue implements [carrier.Issuer]: one request, whatever comes of it.
func (a *Adapter) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	const path = "/esim/order"
	if err := saneOrder(p); err != nil {
		return carrier.Issued{}, err
	}
	var got struct {
		OrderNo       text `json:"orderNo"`
		TransactionID text `json:"transactionId"`
	}
	err := a.call(ctx, changes, path, orderQuestion{p.Ref, []orderItem{{p.Package, 1, p.Days}}}, &got)
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason == carrier.StillInProgress {
		// That is said of an order which exists. Nobody has refused anything.
		return carrier.Issued{}, changes.silence("%s: %s", path, r.Text)
	}
	switch {
	case err != nil:
		return carrier.Issued{}, err
	case got.OrderNo == "":
		return carrier.Issued{}, changes.silence("%s: a yes without a number", path)
	case got.TransactionID != "" && string(got.TransactionID) != p.Ref:
		return carrier.Issued{}, changes.silence("%s: the answer is about another request", path)
	}
	return carrier.Issued{Ref: string(got.OrderNo)}, nil
}

// saneOrder refuses what would be a bug of ours to send.
func saneOrder(p carrier.Purchase) error {
	no := func(why string) error { return &carrier.Refusal{Reason: carrier.BadRequest, Text: why} }
	switch {
	case p.Ref == "" || len(p.Ref) > refMax:
		return no("the reference must have 1 to 50 characters")
	case p.Package == "":
		return no("no package is named")
	case p.Days < 0 || p.Days > daysMax:
		return no("days must be 0 to 365")
	}
	return nil
}

// LookUpIssue implements [carrier.Issuer]: one query where the order's number is
// known, else one for every 500 eSIMs made since it was asked for.
func (a *Adapter) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	reading := carrier.IssueReading{AsOf: a.now().UTC()}
	var ours []made
	var err error
	if p.Theirs != "" {
		ours, err = a.madeUnder(ctx, p)
	} else {
		ours, err = a.madeSince(ctx, p, reading.AsOf)
	}
	no, refused := errors.AsType[*carrier.Refusal](err)
	switch {
	case refused && no.Reason == carrier.StillInProgress && p.Theirs != "":
		reading.Found, reading.Issued.Ref, reading.Why = carrier.FoundPending, p.Theirs, "the eSIM is still being made"
		return reading, nil
	case refused && no.Reason == carrier.StillInProgress:
		return carrier.IssueReading{}, reads.silence("/esim/query: %s", no.Text) // of which order, it does not say
	case refused && no.Reason == carrier.LineUnknown && p.Theirs != "":
		reading.Found, reading.Why = carrier.FoundUnsure, "the operator no longer knows the order that it accepted: "+no.Text
		return reading, nil
	case err != nil:
		return carrier.IssueReading{}, err
	}
	reading.Found, reading.Issued, reading.Why = judgeMade(ours, p)
	return reading, nil
}

// made is an eSIM as a look-up of its order shows it.
type made struct {
	line
	OrderNo       text `json:"orderNo"`
	TransactionID text `json:"transactionId"`
	Code          text `json:"ac"`
}

// judgeMade says what became of an order, from the eSIMs that were made for it.
func judgeMade(ours []made, p carrier.Purchase) (carrier.Found, carrier.Issued, string) {
	switch {
	case len(ours) == 0 && p.Theirs != "":
		return carrier.FoundPending, carrier.Issued{Ref: p.Theirs}, "the order has no eSIM yet"
	case len(ours) == 0:
		return carrier.FoundAbsent, carrier.Issued{}, "no eSIM was made under this reference"
	case len(ours) > 1:
		return carrier.FoundUnsure, carrier.Issued{}, fmt.Sprintf("%d eSIMs were made under this reference", len(ours))
	}
	m := ours[0]
	i := carrier.Issued{
		Ref: string(m.OrderNo), Profile: carrier.Profile{ID: string(m.TranNo), ICCID: cardNumber(string(m.ICCID))}, Code: string(m.Code),
	}
	if i.Ref == "" {
		i.Ref = p.Ref // under which the operator has it, too
	}
	switch m.Status {
	case "CREATE", "PAYING", "PAID", "GETTING_RESOURCE":
		return carrier.FoundPending, carrier.Issued{Ref: i.Ref}, "the eSIM is still being made: " + carrier.Clip(string(m.Status))
	case "CANCEL", "REVOKE", "REVOKED":
		return carrier.FoundUnsure, carrier.Issued{}, "the eSIM was made, and is " + carrier.Clip(string(m.Status)) + " already"
	}
	if i.Profile.ID == "" || i.Profile.ICCID == "" || !strings.HasPrefix(i.Code, "LPA:1$") {
		return carrier.FoundPending, carrier.Issued{Ref: i.Ref}, "the eSIM has no number or no code to install it yet"
	}
	if !m.active() {
		i.InstallBy = m.ExpiredTime.Time
	}
	return carrier.FoundDone, i, "found by reference"
}

// madeUnder reads the eSIMs of an order whose number we know.
func (a *Adapter) madeUnder(ctx context.Context, p carrier.Purchase) ([]made, error) {
	question := struct {
		OrderNo string         `json:"orderNo"`
		Pager   map[string]int `json:"pager"`
	}{p.Theirs, map[string]int{"pageNum": 1, "pageSize": 5}}
	all, _, err := a.madePage(ctx, question)
	if err != nil {
		return nil, err
	}
	var ours []made
	for _, m := range all {
		if m.TransactionID == "" || string(m.TransactionID) == p.Ref {
			ours = append(ours, m)
		}
	}
	if len(ours) < len(all) {
		return nil, reads.silence("/esim/query: the answer is about another order")
	}
	return ours, nil
}

// madeSince looks for our reference among everything that was made since the
// order was asked for.
func (a *Adapter) madeSince(ctx context.Context, p carrier.Purchase, now time.Time) (ours []made, err error) {
	from := p.AskedAt
	if from.IsZero() {
		from = now
	}
	for page := 1; page <= pagesMax; page++ {
		question := struct {
			From  string         `json:"startTime"`
			To    string         `json:"endTime"`
			Pager map[string]int `json:"pager"`
		}{
			from.UTC().Add(-clockSkew).Format(time.RFC3339), now.UTC().Add(clockSkew).Format(time.RFC3339),
			map[string]int{"pageNum": page, "pageSize": pageSize},
		}
		all, total, err := a.madePage(ctx, question)
		if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason == carrier.LineUnknown {
			return ours, nil // nothing at all was made
		}
		if err != nil {
			return nil, err
		}
		for _, m := range all {
			if string(m.TransactionID) == p.Ref {
				ours = append(ours, m)
			}
		}
		if len(all) == 0 || int64(page)*pageSize >= total {
			return ours, nil
		}
	}
	return nil, reads.silence("/esim/query: more than %d eSIMs were made since", pagesMax*pageSize)
}

// madePage reads one page of a query, and how many eSIMs there are in all.
func (a *Adapter) madePage(ctx context.Context, question any) (list []made, total int64, err error) {
	const path = "/esim/query"
	var obj json.RawMessage
	if err := a.call(ctx, reads, path, question, &obj); err != nil {
		return nil, 0, err
	}
	raw, err := rows(obj, "esimList")
	if err != nil {
		return nil, 0, reads.silence("%s: %s", path, a.quote(err.Error()))
	}
	list = make([]made, len(raw))
	for i, row := range raw {
		if err := json.Unmarshal(row, &list[i]); err != nil {
			return nil, 0, reads.silence("%s: %s", path, a.quote(err.Error()))
		}
	}
	var p struct {
		Pager struct {
			Total whole `json:"total"`
		} `json:"pager"`
	}
	if err := json.Unmarshal(obj, &p); err != nil || !p.Pager.Total.given {
		p.Pager.Total.n = int64(len(list)) // a bare list has no pager
		if len(list) == pageSize {
			return nil, 0, reads.silence("%s: a full page, and not a word of how many there are", path)
		}
	}
	return list, p.Pager.Total.n, nil
}
