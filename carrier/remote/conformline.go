package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// What an examiner asks about a line: what is refused, and what acts once.

func checkAbsent(ctx context.Context, x *examiner) error {
	return x.isAbsent(ctx, x.extension())
}

func checkStatus(ctx context.Context, x *examiner) error {
	s, err := x.Status(ctx, x.Line)
	if err != nil {
		return err
	}
	if s.State == carrier.LineIsOver || s.State == carrier.LineDead {
		return fmt.Errorf("the line is %q: give one that can be extended", s.State)
	}
	return nil
}

func checkPackages(ctx context.Context, x *examiner) error {
	all, err := x.Packages(ctx, x.Line)
	if err != nil {
		return err
	}
	for _, p := range all {
		if p.Code != x.Package {
			continue
		}
		if p.PerDay != (x.Days > 0) {
			return fmt.Errorf("its per_day is %t, and %d days are to be ordered", p.PerDay, x.Days)
		}
		return nil
	}
	return fmt.Errorf("%q is not among the %d for this line", x.Package, len(all))
}

func checkBalance(ctx context.Context, x *examiner) error {
	_, err := x.Balance(ctx)
	if _, refused := errors.AsType[*carrier.Refusal](err); refused {
		return nil
	}
	return err
}

// asked is an extend of the bed's line with other members in place of its own;
// nil takes one out.
func (x *examiner) asked(members map[string]any) map[string]any {
	q := map[string]any{"call": "extend", "ref": x.ref(), "line": lineOf(x.Line), "package": x.Package}
	if x.Days > 0 {
		q["days"] = x.Days
	}
	maps.Copy(q, members)
	maps.DeleteFunc(q, func(_ string, v any) bool { return v == nil })
	return q
}

func checkUnknownLine(ctx context.Context, x *examiner) error {
	line := map[string]any{"id": "no-such-line-" + x.run}
	if err := x.wantRefused(ctx, "extend", x.asked(map[string]any{"line": line}), carrier.LineUnknown); err != nil {
		return err
	}
	return x.wantRefused(ctx, "status", map[string]any{"call": "status", "line": line}, carrier.LineUnknown)
}

func checkOtherICCID(ctx context.Context, x *examiner) error {
	line := map[string]any{"id": x.Line.ID, "iccid": "8999900000000000009"}
	return x.unchanged(ctx, func() error {
		return x.wantRefused(ctx, "extend", x.asked(map[string]any{"line": line}), carrier.LineUnknown)
	})
}

func checkNoICCID(ctx context.Context, x *examiner) error {
	return x.unchanged(ctx, func() error {
		for _, iccid := range []any{"89811", "89811000000000000A7", "8981100000000000017F", 8981100000000000017, strings.Repeat("8", 50)} {
			q := x.asked(map[string]any{"line": map[string]any{"id": x.Line.ID, "iccid": iccid}})
			if err := x.wantRefused(ctx, fmt.Sprintf("%v", iccid), q, carrier.BadRequest, carrier.LineUnknown); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkUnknownPackage(ctx context.Context, x *examiner) error {
	return x.unchanged(ctx, func() error {
		return x.wantRefused(ctx, "extend", x.asked(map[string]any{"package": "nosuchpackage"}), carrier.PackageGone, carrier.BadRequest)
	})
}

func checkDays(ctx context.Context, x *examiner) error {
	wrong := []any{1, 30}
	if x.Days > 0 {
		wrong = []any{nil, 0, -1, 366, json.RawMessage("1.5"), json.RawMessage("99999999999999999999"), "three", []int{1}}
	}
	return x.unchanged(ctx, func() error {
		for _, days := range wrong {
			if err := x.wantRefused(ctx, fmt.Sprintf("days %s", days), x.asked(map[string]any{"days": days}), carrier.BadRequest); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkRefs(ctx context.Context, x *examiner) error {
	return x.unchanged(ctx, func() error {
		for _, ref := range []any{nil, "", "Upper", "a b", "a-b", strings.Repeat("r", 41), 7} {
			if err := x.wantRefused(ctx, fmt.Sprintf("ref %v", ref), x.asked(map[string]any{"ref": ref}), carrier.BadRequest); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkEnded(ctx context.Context, x *examiner) error {
	switch {
	case x.Ended == carrier.Profile{}:
		return skipped("give a line past its end")
	case !x.able || x.config.Capabilities.AfterEndSeconds > 0:
		return skipped("the capabilities do not say that every ended line is refused")
	}
	return x.wantRefused(ctx, "extend", x.asked(map[string]any{"line": lineOf(x.Ended)}), carrier.LineEnded, carrier.LineTerminal)
}

func checkExtends(ctx context.Context, x *examiner) error {
	before, err := x.figures(ctx)
	if err != nil {
		return err
	}
	e := x.extension()
	r, err := x.Extend(ctx, e)
	if err != nil {
		return err
	}
	x.acted = e
	if err := x.isDone(ctx, e, r); err != nil {
		return err
	}
	after, err := x.figures(ctx)
	x.one = after.since(before)
	if err == nil && x.one == (growth{}) {
		err = errors.New("the status shows no difference: whether something acts once or twice cannot be seen")
	}
	return err
}

// isDone wants an extension to be found with its receipt.
func (x *examiner) isDone(ctx context.Context, e carrier.Extension, r carrier.Receipt) error {
	got, err := x.LookUp(ctx, e)
	switch {
	case err != nil:
		return err
	case got.Found != carrier.FoundDone:
		return fmt.Errorf("look-up says %q, must be done", got.Found)
	case got.Receipt.Ref != r.Ref:
		return fmt.Errorf("look-up has the receipt %q, and extend gave %q", got.Receipt.Ref, r.Ref)
	}
	return nil
}

// grownOnce runs what must extend the line once, and looks.
func (x *examiner) grownOnce(ctx context.Context, do func() error) error {
	if x.one == (growth{}) {
		return skipped("it cannot be seen what one extension does")
	}
	before, err := x.figures(ctx)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := x.figures(ctx)
	if got := after.since(before); err == nil && got != x.one {
		err = fmt.Errorf("the line is %v; one extension is %v", got, x.one)
	}
	return err
}

func checkAgain(ctx context.Context, x *examiner) error {
	return x.grownOnce(ctx, func() error {
		e := x.extension()
		first, err := x.Extend(ctx, e)
		if err != nil {
			return err
		}
		for range 2 {
			again, err := x.Extend(ctx, e)
			if err != nil {
				return fmt.Errorf("again: %w", err)
			}
			if again != first {
				return fmt.Errorf("the receipts differ: %q, then %q", first.Ref, again.Ref)
			}
		}
		return x.isDone(ctx, e, first)
	})
}

func checkReplay(ctx context.Context, x *examiner) error {
	return x.grownOnce(ctx, func() error {
		e := x.extension()
		r := x.signed(about("extend", e))
		for range 2 {
			if _, err := x.post(ctx, r); err != nil {
				return err
			}
		}
		return x.settled(ctx, e)
	})
}

// sideBySide is how many ask at the same time.
const sideBySide = 6

func checkAtOnce(ctx context.Context, x *examiner) error {
	return x.grownOnce(ctx, func() error {
		e := x.extension()
		var all sync.WaitGroup
		refs, errs := make([]string, sideBySide), make([]error, sideBySide)
		for i := range sideBySide {
			all.Go(func() {
				r, err := x.Extend(ctx, e)
				refs[i], errs[i] = r.Ref, err
			})
		}
		all.Wait()
		seen := ""
		for i, err := range errs {
			if err != nil && !errors.Is(err, carrier.ErrUnknown) && !errors.Is(err, carrier.ErrNotSent) {
				return err
			}
			if err == nil && seen != "" && refs[i] != seen {
				return fmt.Errorf("the receipts differ: %q and %q", seen, refs[i])
			}
			seen = max(seen, refs[i])
		}
		return x.settled(ctx, e)
	})
}

func checkOtherContents(ctx context.Context, x *examiner) error {
	if x.acted.Ref == "" {
		return skipped("nothing was extended before")
	}
	other := map[string]any{"ref": x.acted.Ref}
	if x.Days > 0 {
		other["days"] = x.Days + 1
	} else {
		all, err := x.Packages(ctx, x.Line)
		if err != nil {
			return err
		}
		for _, p := range all {
			if p.Code != x.Package {
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
	return x.unchanged(ctx, func() error {
		return x.wantRefused(ctx, "extend", x.asked(other), carrier.BadRequest)
	})
}

// checkSilence hangs up when the last byte has left. What became of it must be
// found, and asking again must not make it two.
func checkSilence(ctx context.Context, x *examiner) error {
	return x.grownOnce(ctx, func() error {
		e := x.extension()
		gone, hangUp := context.WithCancel(ctx)
		defer hangUp()
		gone = httptrace.WithClientTrace(gone, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { hangUp() }})
		if _, err := x.Extend(gone, e); err == nil {
			return skipped("the answer was faster than we hung up")
		}
		if err := x.told(ctx, e); err != nil {
			return err
		}
		if _, err := x.Extend(ctx, e); err != nil {
			return fmt.Errorf("the same ref, asked for again: %w", err)
		}
		return x.settled(ctx, e)
	})
}

// told waits until look-up decides.
func (x *examiner) told(ctx context.Context, e carrier.Extension) error {
	return x.lookUntil(ctx, e, func(f carrier.Found) bool { return f != carrier.FoundUnsure })
}

// settled waits until look-up says done.
func (x *examiner) settled(ctx context.Context, e carrier.Extension) error {
	return x.lookUntil(ctx, e, func(f carrier.Found) bool { return f == carrier.FoundDone })
}

// lookPause is how long to wait between two look-ups.
const lookPause = 200 * time.Millisecond

func (x *examiner) lookUntil(ctx context.Context, e carrier.Extension, enough func(carrier.Found) bool) error {
	for waited := time.Duration(0); ; waited += lookPause {
		got, err := x.LookUp(ctx, e)
		switch {
		case err != nil:
			return err
		case enough(got.Found):
			return nil
		case waited >= x.Patience:
			return fmt.Errorf("look-up still says %q after %v", got.Found, x.Patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookPause):
		}
	}
}

func checkCancel(ctx context.Context, x *examiner) error {
	if !x.able || x.acted.Ref == "" {
		return skipped("nothing was extended before")
	}
	if !x.config.Capabilities.Cancel {
		return x.wantRefused(ctx, "cancel", about("cancel", x.acted), carrier.OperatorRefuses)
	}
	e := x.extension()
	if _, err := x.Extend(ctx, e); err != nil {
		return err
	}
	for range 2 {
		if err := x.Cancel(ctx, e); err != nil {
			return err
		}
	}
	return x.isAbsent(ctx, e)
}
