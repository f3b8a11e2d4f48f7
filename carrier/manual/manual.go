// Package manual is the adapter to operators without any API: the seller's staff
// extend lines and order new ones by hand, at the operator's website or by letter,
// and write down what became of it.
//
// There is nobody to call. Asking is putting an order on the staff's work list,
// and the order itself is that entry (package order); so the outcome is unknown
// from the first moment, and stays so until a person answers. An answer ends the
// order in the transaction that stores it, and never by way of this adapter. What
// a look-up can say is that nobody has answered yet; once the time that the seller
// allows is over, that makes the order held, and never gives money back by itself:
// somebody may be doing it just then.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package manual

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Name is the adapter's name in catalogue and rows.
const Name = "manual"

// The bounds of the time that staff may take.
const (
	WithinLeast = 15 * time.Minute
	WithinMost  = 7 * 24 * time.Hour
)

// Adapter is people as a [carrier.Carrier].
type Adapter struct {
	within time.Duration
	now    func() time.Time
}

var _ carrier.Issuer = (*Adapter)(nil)

// New returns an adapter to staff who answer within that time.
func New(within time.Duration, now func() time.Time) (*Adapter, error) {
	if within < WithinLeast || within > WithinMost {
		return nil, fmt.Errorf("staff may take %v to %v, not %v", WithinLeast, WithinMost, within)
	}
	return &Adapter{within, now}, nil
}

// Name implements [carrier.Carrier].
func (a *Adapter) Name() string { return Name }

// Abilities implements [carrier.Carrier]. A person can do whatever the operator
// can; what that is stands in the plan's policy, and nobody can check it here.
func (a *Adapter) Abilities() carrier.Abilities {
	return carrier.Abilities{
		Modes:    []carrier.Mode{carrier.ModeExtend, carrier.ModeQueue, carrier.ModeParallel, carrier.ModeSameDay},
		AfterEnd: carrier.AnyTime, PerDay: true, UsageDelay: carrier.AnyTime, SettlesWithin: a.within, RatePerSecond: 1000, KeepsRef: true, Issues: true, ByHand: true, IssuesByHand: true,
	}
}

// Prepare implements [carrier.Carrier]. There is nothing to remember.
func (a *Adapter) Prepare(_ context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	switch {
	case e.Package == "":
		return nil, &carrier.Refusal{Reason: carrier.BadRequest, Text: "no package is named"}
	case e.Profile == carrier.Profile{}:
		return nil, &carrier.Refusal{Reason: carrier.LineUnknown, Text: "a person needs an identifier or an ICCID of the line"}
	}
	return nil, nil
}

// Extend implements [carrier.Carrier]: from now on a person may do it.
func (a *Adapter) Extend(context.Context, carrier.Extension) (carrier.Receipt, error) {
	return carrier.Receipt{}, fmt.Errorf("%w: on the work list", carrier.ErrUnknown)
}

// LookUp implements [carrier.Carrier]: whoever is still asked about it has not been
// answered.
func (a *Adapter) LookUp(context.Context, carrier.Extension) (carrier.Reading, error) {
	return carrier.Reading{Found: carrier.FoundUnsure, AsOf: a.now().UTC(), Why: "on the work list, and nobody has answered"}, nil
}

// Issue implements [carrier.Issuer]: from now on a person may order the line.
func (a *Adapter) Issue(_ context.Context, p carrier.Purchase) (carrier.Issued, error) {
	if p.Package == "" {
		return carrier.Issued{}, &carrier.Refusal{Reason: carrier.BadRequest, Text: "no package is named"}
	}
	return carrier.Issued{}, fmt.Errorf("%w: on the work list", carrier.ErrUnknown)
}

// LookUpIssue implements [carrier.Issuer], as LookUp does.
func (a *Adapter) LookUpIssue(context.Context, carrier.Purchase) (carrier.IssueReading, error) {
	return carrier.IssueReading{Found: carrier.FoundUnsure, AsOf: a.now().UTC(), Why: "on the work list, and nobody has answered"}, nil
}

// Cancel implements [carrier.Carrier].
func (a *Adapter) Cancel(context.Context, carrier.Extension) error {
	return &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "what was done by hand is taken back by hand, if at all"}
}

// Status implements [carrier.Carrier]: nothing is known but what staff write down,
// and that they write on the line itself.
func (a *Adapter) Status(context.Context, carrier.Profile) (carrier.Status, error) {
	return carrier.Status{}, nil
}

// Packages implements [carrier.Carrier]: there is no list but the catalogue.
func (a *Adapter) Packages(context.Context, carrier.Profile) ([]carrier.Package, error) {
	return nil, nil
}

// Balance implements [carrier.Carrier].
func (a *Adapter) Balance(context.Context) (carrier.Cost, error) {
	return carrier.Cost{}, &carrier.Refusal{Reason: carrier.OperatorRefuses, Text: "nobody can be asked for it"}
}

// Notification implements [carrier.Carrier]: nobody sends any.
func (a *Adapter) Notification(http.Header, []byte) (carrier.Doorbell, error) {
	return carrier.Doorbell{}, &carrier.Refusal{Reason: carrier.Unauthorised, Text: "people send no notifications"}
}
