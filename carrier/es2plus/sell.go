package es2plus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Packages lists what fits a line, as who renews it says. An SM-DP+ has no list of its
// profile types, so that there is none of everything.
func (a *Adapter) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	if p == (carrier.Profile{}) {
		return nil, nil
	}
	return a.Carrier.Packages(ctx, p)
}

// Reserve implements [carrier.Reserver]: a DownloadOrder of a profile of the type
// that the package names. The snapshot is the profile's ICCID.
func (a *Adapter) Reserve(ctx context.Context, p carrier.Purchase) (carrier.Snapshot, error) {
	if _, ok := aside(p); ok {
		return p.Snapshot, nil
	}
	if p.Package == "" {
		return nil, badRequest("no profile type is named")
	}
	iccid, err := a.client.DownloadOrder(ctx, Wish{Ref: p.Ref, ProfileType: p.Package})
	if err != nil {
		return nil, err
	}
	return carrier.Snapshot(iccid), nil
}

// aside is the ICCID that was set aside for a purchase.
func aside(p carrier.Purchase) (iccid string, ok bool) {
	iccid = string(p.Snapshot)
	return iccid, iccids.MatchString(iccid)
}

// Issue implements [carrier.Issuer]: one ConfirmOrder, whatever comes of it.
func (a *Adapter) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	iccid, ok := aside(p)
	if !ok || p.Ref == "" {
		return carrier.Issued{}, badRequest("no profile is set aside for this purchase")
	}
	matching := matchingID(a.config.Secret, p.Ref)
	got, err := a.client.ConfirmOrder(ctx, Confirmation{Ref: p.Ref, ICCID: iccid, MatchingID: matching, Release: true})
	if matchingInUse(err) {
		return a.issued(iccid, Confirmed{MatchingID: matching}), nil // sent before, and that was heard of too late
	}
	if err != nil {
		return carrier.Issued{}, err
	}
	return a.issued(iccid, got), nil
}

// matchingInUse reports whether our identifier was refused because it is at the SM-DP+
// already. Only our order knows it: it was confirmed.
func matchingInUse(err error) bool {
	no, refused := errors.AsType[*carrier.Refusal](err)
	return refused && no.Code == "8.2.6/3.3"
}

func (a *Adapter) issued(iccid string, c Confirmed) carrier.Issued {
	address := a.config.Address
	if strings.EqualFold(c.Address, address) || c.Address == "" || strings.ContainsAny(c.Address, "$/ ") {
		c.Address = address
	}
	return carrier.Issued{Ref: iccid, Profile: carrier.Profile{ID: iccid, ICCID: iccid}, Code: ActivationCode(cmp.Or(c.Address, address), c.MatchingID)}
}

// LookUpIssue implements [carrier.Issuer]. Without getProfileStatus it is the
// ConfirmOrder again, under the same matching identifier: see the package's comment
// on what that proves.
func (a *Adapter) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	reading := carrier.IssueReading{Found: carrier.FoundUnsure, AsOf: a.now().UTC()}
	iccid, ok := aside(p)
	if !ok {
		reading.Found, reading.Why = carrier.FoundAbsent, "no profile was set aside for it, so that none was confirmed"
		return reading, nil
	}
	matching := matchingID(a.config.Secret, p.Ref)
	if a.config.Status {
		return a.readIssue(ctx, reading, iccid, matching)
	}
	got, err := a.client.ConfirmOrder(ctx, Confirmation{Ref: p.Ref, ICCID: iccid, MatchingID: matching, Release: true})
	no, refused := errors.AsType[*carrier.Refusal](err)
	switch {
	case matchingInUse(err):
		reading.Found, reading.Issued = carrier.FoundDone, a.issued(iccid, Confirmed{MatchingID: matching})
		reading.Why = "its matching identifier is in use"
	case refused:
		reading.Why = "set aside was " + carrier.Quote(iccid) + ", and confirming it again was refused: " + no.Code + " " + no.Text
	case errors.Is(err, carrier.ErrUnknown):
		// The same may be asked again: that is what a look-up may be.
		return carrier.IssueReading{}, fmt.Errorf("%w: %s", carrier.ErrNotSent, err.Error())
	case err != nil:
		return carrier.IssueReading{}, err
	default:
		reading.Found, reading.Issued, reading.Why = carrier.FoundDone, a.issued(iccid, got), "confirmed"
	}
	return reading, nil
}

// readIssue settles an order by getProfileStatus.
func (a *Adapter) readIssue(ctx context.Context, reading carrier.IssueReading, iccid, matching string) (carrier.IssueReading, error) {
	got, err := a.client.ProfileStatus(ctx, iccid)
	if no, refused := errors.AsType[*carrier.Refusal](err); refused {
		reading.Why = "the SM-DP+ does not say what became of the profile: " + no.Code + " " + no.Text
		return reading, nil
	}
	if err != nil {
		return carrier.IssueReading{}, err
	}
	reading.Why = "the profile is " + got.State
	switch strings.ToUpper(got.State) {
	case "AVAILABLE", "ALLOCATED", "LINKED":
		reading.Found = carrier.FoundAbsent
	case "RELEASED", "DOWNLOADED", "INSTALLED", "ENABLED", "DISABLED", "DELETED":
		if got.MatchingID == matching {
			reading.Found, reading.Issued = carrier.FoundDone, a.issued(iccid, Confirmed{MatchingID: matching})
		} else {
			reading.Why += ", under another matching identifier"
		}
	}
	return reading, nil
}
