package carriertest

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
)

func checkExtends(t testing.TB, b Bench) {
	e := b.prepared(t, "ct_1")
	first := b.mustExtend(t, e, fine)
	b.plausible(t, first)
	later := b.mustFind(t, e, carrier.FoundDone).Receipt
	if !first.EndsAt.IsZero() && !later.EndsAt.IsZero() && !first.EndsAt.Equal(later.EndsAt) {
		t.Errorf("ends at %v when asked, %v when looked up", first.EndsAt, later.EndsAt)
	}
	if first.Total != 0 && later.Total != 0 && first.Total != later.Total {
		t.Errorf("%d bytes when asked, %d when looked up", first.Total, later.Total)
	}
	b.extended(t, 1)
}

func checkNeverAsked(t testing.TB, b Bench) {
	b.mustFind(t, b.prepared(t, "ct_1"), carrier.FoundAbsent)
	b.extended(t, 0)
}

// The line already carries the same package from before: what is looked for is
// this extension, not any.
func checkSecond(t testing.TB, b Bench) {
	need(t, b.LoseNextAnswer != nil, "lose answers")
	b.mustExtend(t, b.prepared(t, "ct_1"), fine)
	e := b.prepared(t, "ct_2")
	b.mustFind(t, e, carrier.FoundAbsent)
	b.LoseNextAnswer()
	b.mustExtend(t, e, unknown)
	b.mustFind(t, e, carrier.FoundDone)
	b.extended(t, 2)
}

// A reading may be older than an extension that was carried out. Compared with that,
// the earlier extension would show as the next one.
func checkOutOfDate(t testing.TB, b Bench) {
	if b.Abilities().KeepsRef {
		return // it is asked by name
	}
	first, next := b.prepared(t, "ct_1"), b.extension("ct_2", b.Profile)
	next.Earlier = &first
	if _, err := b.Prepare(t.Context(), next); kindOf(t, err) != notSent {
		t.Errorf("Prepare, before the last extension shows: %v, want ErrNotSent", err)
	}
	b.mustExtend(t, first, fine)
	if _, err := b.Prepare(t.Context(), next); err != nil {
		t.Errorf("Prepare, when it shows: %v", err)
	}
	b.extended(t, 1)
}

func checkByHand(t testing.TB, b Bench) {
	need(t, b.ByHand != nil, "extend a line at the operator's own site")
	e := b.prepared(t, "ct_1")
	b.ByHand()
	r, err := b.LookUp(t.Context(), e)
	if err != nil {
		t.Fatalf("LookUp: %v", err)
	}
	if r.Found == carrier.FoundDone {
		t.Errorf("LookUp: done (%s), but somebody else did that", r.Why)
	}
}

func checkSideBySide(t testing.TB, b Bench) {
	need(t, len(b.Others) > 0, "offer several lines")
	var all sync.WaitGroup
	errs := make([]error, len(b.Others)+1)
	for i, p := range append([]carrier.Profile{b.Profile}, b.Others...) {
		all.Go(func() {
			ctx, e := t.Context(), b.extension(fmt.Sprintf("ct_%d", i), p)
			var err error
			if e.Snapshot, err = b.Prepare(ctx, e); err != nil {
				errs[i] = fmt.Errorf("line %d: Prepare: %w", i, err)
				return
			}
			e.AskedAt = b.Now()
			if _, err = b.Extend(ctx, e); err != nil {
				errs[i] = fmt.Errorf("line %d: Extend: %w", i, err)
				return
			}
			r, err := b.LookUp(ctx, e)
			if err != nil || r.Found != carrier.FoundDone {
				errs[i] = fmt.Errorf("line %d: LookUp: %q, %w", i, r.Found, err)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Error(err)
	}
	b.extended(t, 1)
}

func checkEnded(t testing.TB, b Bench) {
	need(t, b.Ended != carrier.Profile{}, "offer a line past its end")
	e := b.extension("ct_1", b.Ended)
	s, err := b.Prepare(t.Context(), e)
	if err == nil {
		e.Snapshot, e.AskedAt = s, b.Now()
		_, err = b.Extend(t.Context(), e)
	}
	if r, ok := errors.AsType[*carrier.Refusal](err); !ok || r.Reason != carrier.LineEnded {
		t.Errorf("neither Prepare nor Extend refused with %s: %v", carrier.LineEnded, err)
	}
}

func checkUnknownLine(t testing.TB, b Bench) {
	p := carrier.Profile{ICCID: "8999900000000000009"}
	if b.Profile.ID != "" {
		p.ID = "nosuchline"
	}
	if _, err := b.Status(t.Context(), p); kindOf(t, err) != refused {
		t.Errorf("Status: %v, want a refusal", err)
	}
	e := b.extension("ct_1", p)
	s, err := b.Prepare(t.Context(), e)
	if err == nil {
		e.Snapshot, e.AskedAt = s, b.Now()
		_, err = b.Extend(t.Context(), e)
	}
	if kindOf(t, err) != refused {
		t.Errorf("neither Prepare nor Extend refused: %v", err)
	}
	b.extended(t, 0)
}

func checkUnknownPackage(t testing.TB, b Bench) {
	e := b.extension("ct_1", b.Profile)
	e.Package = "nosuchpackage"
	s, err := b.Prepare(t.Context(), e)
	if err == nil {
		e.Snapshot, e.AskedAt = s, b.Now()
		_, err = b.Extend(t.Context(), e)
	}
	if kindOf(t, err) != refused {
		t.Errorf("neither Prepare nor Extend refused: %v", err)
	}
	b.extended(t, 0)
}
