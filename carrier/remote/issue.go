package remote

import (
	"context"
	"errors"
	"regexp"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// New lines, where the server's capabilities say that it sells them. One reference
// makes one line, so that it is looked up by that, and asked for once.

var _ carrier.Issuer = (*Adapter)(nil)

// codes are what a phone installs a line with; what may follow the matching identifier
// is the SM-DP+'s own.
var codes = regexp.MustCompile(`^LPA:1\$[0-9A-Za-z.:-]{1,255}\$[0-9A-Za-z-]{1,100}(\$[0-9.]*(\$1)?)?$`)

// issued is what all answers say about a new line.
type issued struct {
	Ref       string  `json:"ref"`
	Line      profile `json:"line"`
	Code      string  `json:"code"`
	InstallBy instant `json:"install_by"`
}

// read is the new line as the port has it; with made alone its number counts: it is
// still being made.
func (i issued) read(made bool) (carrier.Issued, error) {
	out := carrier.Issued{Ref: carrier.Clip(i.Ref)}
	switch {
	case i.Ref == "" || len(i.Ref) > textMost:
		return out, errors.New("the new line has no ref of an order, or one that is too long")
	case !made:
		return out, nil
	case i.Line.ID == "" || len(i.Line.ID) > textMost || !iccids.MatchString(i.Line.ICCID):
		return out, errors.New("the new line has no id, or no ICCID")
	case !codes.MatchString(i.Code):
		return out, errors.New("the new line has no code of the form LPA:1$address$matching identifier")
	}
	out.Profile, out.Code, out.InstallBy = carrier.Profile{ID: i.Line.ID, ICCID: i.Line.ICCID}, i.Code, i.InstallBy.Time
	return out, nil
}

// aboutNew asks about a purchase.
func aboutNew(call string, p carrier.Purchase) question {
	return question{Call: call, Ref: p.Ref, Package: p.Package, Days: p.Days}
}

// Issue implements [carrier.Issuer]: one request, whatever comes of it.
func (a *Adapter) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	if err := saneOrder(p.Ref, p.Package, p.Days); err != nil {
		return carrier.Issued{}, err
	}
	var got struct {
		Outcome string `json:"outcome"`
		Issued  issued `json:"issued"`
	}
	if err := a.call(ctx, changes, aboutNew("issue", p), &got); err != nil {
		return carrier.Issued{}, err
	}
	if got.Outcome != "done" && got.Outcome != "accepted" {
		return carrier.Issued{}, changes.silence("issue: the outcome is %q", carrier.Clip(got.Outcome))
	}
	i, err := got.Issued.read(got.Outcome == "done")
	if err != nil {
		return carrier.Issued{}, changes.silence("issue: %w", err)
	}
	return i, nil
}

// LookUpIssue implements [carrier.Issuer]. The reading is as old as the operator says,
// and never newer than when we began.
func (a *Adapter) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	if err := saneOrder(p.Ref, p.Package, p.Days); err != nil {
		return carrier.IssueReading{}, err
	}
	began := a.now().UTC()
	var got struct {
		Found  carrier.Found `json:"found"`
		AsOf   instant       `json:"as_of"`
		Text   string        `json:"text"`
		Issued issued        `json:"issued"`
	}
	if err := a.call(ctx, reads, aboutNew("lookup_issue", p), &got); err != nil {
		return carrier.IssueReading{}, err
	}
	if got.AsOf.IsZero() {
		return carrier.IssueReading{}, reads.silence("lookup_issue: the answer has no as_of")
	}
	reading := carrier.IssueReading{Found: got.Found, AsOf: began, Why: "the operator says " + carrier.Clip(string(got.Found)) + " " + carrier.Quote(got.Text)}
	if got.AsOf.Before(began) {
		reading.AsOf = got.AsOf.Time
	}
	var err error
	switch got.Found {
	case carrier.FoundDone, carrier.FoundPending:
		reading.Issued, err = got.Issued.read(got.Found == carrier.FoundDone)
	case carrier.FoundAbsent:
		if p.Theirs != "" { // it was accepted, and what was accepted is not given up by itself
			reading.Found, reading.Why = carrier.FoundUnsure, "the operator accepted the order, and knows nothing of it now"
		}
	case carrier.FoundUnsure:
	default:
		err = errors.New("found " + carrier.Clip(string(got.Found)))
	}
	if err != nil {
		return carrier.IssueReading{}, reads.silence("lookup_issue: %w", err)
	}
	return reading, nil
}
