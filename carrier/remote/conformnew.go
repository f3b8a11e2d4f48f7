package remote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptrace"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// What an examiner asks about new lines, which are really made.

// sells skips what is about new lines where none are sold, or are not to be made.
func (x *examiner) sells() error {
	switch {
	case !x.able || !x.config.Capabilities.Issues:
		return skipped("the capabilities do not say that new lines are sold")
	case x.NewPackage == "":
		return skipped("give a package that comes with a new line")
	}
	return nil
}

// purchase is a new one of the bed's package.
func (x *examiner) purchase() carrier.Purchase {
	return carrier.Purchase{Ref: x.ref(), Package: x.NewPackage, Days: x.NewDays, AskedAt: x.now()}
}

// wanted is an issue of the bed's package with other members in place of its own; nil
// takes one out.
func (x *examiner) wanted(members map[string]any) map[string]any {
	q := map[string]any{"call": "issue", "ref": x.ref(), "package": x.NewPackage}
	if x.NewDays > 0 {
		q["days"] = x.NewDays
	}
	maps.Copy(q, members)
	maps.DeleteFunc(q, func(_ string, v any) bool { return v == nil })
	return q
}

func checkNewRefused(ctx context.Context, x *examiner) error {
	if err := x.sells(); err != nil {
		return err
	}
	days := any(30)
	if x.NewDays > 0 {
		days = 366
	}
	for what, tt := range map[string]struct {
		members map[string]any
		reasons []carrier.Reason
	}{
		"an unknown package": {map[string]any{"package": "nosuchpackage"}, []carrier.Reason{carrier.PackageGone, carrier.BadRequest}},
		"wrong days":         {map[string]any{"days": days}, []carrier.Reason{carrier.BadRequest}},
		"a bad ref":          {map[string]any{"ref": "Upper"}, []carrier.Reason{carrier.BadRequest}},
	} {
		q := x.wanted(tt.members)
		if err := x.wantRefused(ctx, what, q, tt.reasons...); err != nil {
			return err
		}
		if ref, _ := q["ref"].(string); ref != "Upper" {
			if err := x.noLine(ctx, carrier.Purchase{Ref: ref, Package: x.NewPackage, Days: x.NewDays}); err != nil {
				return err
			}
		}
	}
	return nil
}

// noLine wants a purchase to be absent.
func (x *examiner) noLine(ctx context.Context, p carrier.Purchase) error {
	got, err := x.LookUpIssue(ctx, p)
	if err == nil && got.Found != carrier.FoundAbsent {
		err = fmt.Errorf("lookup_issue says %q of a new line that was not made, must be absent", got.Found)
	}
	return err
}

func checkNewLine(ctx context.Context, x *examiner) error {
	if err := x.sells(); err != nil {
		return err
	}
	p := x.purchase()
	if err := x.noLine(ctx, p); err != nil {
		return err
	}
	first, err := x.Issue(ctx, p)
	if err != nil {
		return err
	}
	made, err := x.madeLine(ctx, p)
	if err != nil {
		return err
	}
	if first.Ref != made.Ref || first.Made() && first != made {
		return fmt.Errorf("issue gave %q with line %q, and lookup_issue %q with line %q", first.Ref, first.Profile.ID, made.Ref, made.Profile.ID)
	}
	x.bought, x.boughtAs = p, made
	s, err := x.Status(ctx, made.Profile)
	if err == nil && (s.State != carrier.LineNew || !s.StartsAt.IsZero()) {
		err = fmt.Errorf("the status of the new line is %q, and it started at %v; must be new, and not started", s.State, s.StartsAt)
	}
	return err
}

// madeLine waits until a new line is there.
func (x *examiner) madeLine(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	for waited := time.Duration(0); ; waited += lookPause {
		got, err := x.LookUpIssue(ctx, p)
		switch {
		case err != nil:
			return carrier.Issued{}, err
		case got.Found == carrier.FoundDone:
			return got.Issued, nil
		case got.Found == carrier.FoundAbsent:
			return carrier.Issued{}, errors.New("lookup_issue says absent, must be pending or done")
		case waited >= x.Patience:
			return carrier.Issued{}, fmt.Errorf("lookup_issue still says %q after %v", got.Found, x.Patience)
		}
		select {
		case <-ctx.Done():
			return carrier.Issued{}, ctx.Err()
		case <-time.After(lookPause):
		}
	}
}

func checkNewAgain(ctx context.Context, x *examiner) error {
	if x.bought.Ref == "" {
		return skipped("no new line was made before")
	}
	var all sync.WaitGroup
	again, errs := make([]carrier.Issued, sideBySide), make([]error, sideBySide)
	other := x.purchase()
	for i := range sideBySide {
		all.Go(func() { again[i], errs[i] = x.Issue(ctx, other) })
	}
	all.Wait()
	made, err := x.madeLine(ctx, other)
	if err != nil {
		return err
	}
	if made.Profile == x.boughtAs.Profile || made.Code == x.boughtAs.Code {
		return fmt.Errorf("two refs were given one line, %q", made.Profile.ID)
	}
	for i, err := range errs {
		switch {
		case err != nil && !errors.Is(err, carrier.ErrUnknown) && !errors.Is(err, carrier.ErrNotSent):
			return err
		case err == nil && (again[i].Ref != made.Ref || again[i].Made() && again[i].Profile != made.Profile):
			return fmt.Errorf("one ref was given %q, and then %q", again[i].Ref, made.Ref)
		}
	}
	last, err := x.Issue(ctx, x.bought)
	if err == nil && last != x.boughtAs {
		err = fmt.Errorf("the same ref was given line %q, and then %q", x.boughtAs.Profile.ID, last.Profile.ID)
	}
	return err
}

func checkNewOther(ctx context.Context, x *examiner) error {
	if x.bought.Ref == "" {
		return skipped("no new line was made before")
	}
	other := map[string]any{"ref": x.bought.Ref}
	if x.NewDays > 0 {
		other["days"] = x.NewDays + 1
	} else {
		all, err := x.Packages(ctx, carrier.Profile{})
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.New && p.Code != x.NewPackage {
				other["package"] = p.Code
				if p.PerDay {
					other["days"] = 1
				}
				break
			}
		}
		if other["package"] == nil {
			return skipped("there is no other package to ask for")
		}
	}
	return x.wantRefused(ctx, "the ref of a new line, for another", x.wanted(other), carrier.BadRequest)
}

// checkNewSilence hangs up when the last byte has left.
func checkNewSilence(ctx context.Context, x *examiner) error {
	if err := x.sells(); err != nil {
		return err
	}
	p := x.purchase()
	gone, hangUp := context.WithCancel(ctx)
	defer hangUp()
	gone = httptrace.WithClientTrace(gone, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { hangUp() }})
	if _, err := x.Issue(gone, p); err == nil {
		return skipped("the answer was faster than we hung up")
	}
	asked, err := x.Issue(ctx, p)
	if err != nil {
		return fmt.Errorf("the same ref, asked for again: %w", err)
	}
	made, err := x.madeLine(ctx, p)
	if err == nil && asked.Made() && asked != made {
		err = fmt.Errorf("the same ref was given line %q, and then %q", asked.Profile.ID, made.Profile.ID)
	}
	return err
}
