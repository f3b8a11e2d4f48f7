package remote

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// What an examiner asks about taking new lines back, which it has made before. That a
// line stays which a phone has cannot be examined from here.

// takesBack skips what is about taking lines back where none are.
func (x *examiner) takesBack() error {
	switch {
	case !x.able || !x.config.Capabilities.Withdraws:
		return skipped("the capabilities do not say that new lines are taken back")
	case x.bought.Ref == "":
		return skipped("no new line was made before")
	}
	return nil
}

// unwanted makes a line to be taken back.
func (x *examiner) unwanted(ctx context.Context) (carrier.Purchase, carrier.Profile, error) {
	p := x.purchase()
	if _, err := x.Issue(ctx, p); err != nil {
		return p, carrier.Profile{}, err
	}
	made, err := x.madeLine(ctx, p)
	return p, made.Profile, err
}

// fated wants one of the fates of a line.
func (x *examiner) fated(ctx context.Context, p carrier.Purchase, line carrier.Profile, fates ...carrier.Fate) (carrier.Fate, error) {
	w, err := x.Withdrawal(ctx, p, line)
	if err != nil {
		return "", err
	}
	for _, f := range fates {
		if w.Fate == f {
			return f, nil
		}
	}
	return "", fmt.Errorf("lookup_withdraw says %q, must be %q", w.Fate, fates)
}

func checkUnwantedRefused(ctx context.Context, x *examiner) error {
	if err := x.takesBack(); err != nil {
		return err
	}
	made := x.boughtAs.Profile
	for what, q := range map[string]map[string]any{
		"an unknown line":         {"ref": x.bought.Ref, "line": map[string]any{"id": "no-such-line-" + x.run}},
		"a line of no such order": {"ref": x.bought.Ref, "line": lineOf(x.Line)},
		"an unknown ref":          {"ref": x.ref(), "line": lineOf(made)},
	} {
		for _, call := range []string{"withdraw", "lookup_withdraw"} {
			q["call"] = call
			if err := x.wantRefused(ctx, call+" of "+what, q, carrier.LineUnknown); err != nil {
				return err
			}
		}
	}
	_, err := x.fated(ctx, x.bought, made, carrier.FateThere)
	return err
}

func checkUnwanted(ctx context.Context, x *examiner) error {
	if err := x.takesBack(); err != nil {
		return err
	}
	p, line, err := x.unwanted(ctx)
	if err != nil {
		return err
	}
	if _, err := x.fated(ctx, p, line, carrier.FateThere); err != nil {
		return err
	}
	for _, turn := range []string{"once", "again"} {
		if err := x.Withdraw(ctx, p, line); err != nil {
			return fmt.Errorf("withdraw, %s: %w", turn, err)
		}
		if _, err := x.fated(ctx, p, line, carrier.FateGone); err != nil {
			return err
		}
	}
	if _, err := x.fated(ctx, x.bought, x.boughtAs.Profile, carrier.FateThere); err != nil {
		return fmt.Errorf("another line: %w", err)
	}
	return x.over(ctx, line)
}

// over wants a line to be dead, or forgotten.
func (x *examiner) over(ctx context.Context, line carrier.Profile) error {
	s, err := x.Status(ctx, line)
	if no, refused := errors.AsType[*carrier.Refusal](err); refused && no.Reason == carrier.LineUnknown {
		return nil
	}
	if err == nil && s.State != carrier.LineDead {
		err = fmt.Errorf("the status of a line that was taken back is %q, must be terminal", s.State)
	}
	return err
}

// checkUnwantedSilence hangs up when the last byte has left.
func checkUnwantedSilence(ctx context.Context, x *examiner) error {
	if err := x.takesBack(); err != nil {
		return err
	}
	p, line, err := x.unwanted(ctx)
	if err != nil {
		return err
	}
	gone, hangUp := context.WithCancel(ctx)
	defer hangUp()
	gone = httptrace.WithClientTrace(gone, &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { hangUp() }})
	if err := x.Withdraw(gone, p, line); err == nil {
		return skipped("the answer was faster than we hung up")
	}
	if err := x.Withdraw(ctx, p, line); err != nil && !errors.Is(err, carrier.ErrUnknown) && !errors.Is(err, carrier.ErrNotSent) {
		return fmt.Errorf("the same line, asked for again: %w", err)
	}
	for waited := time.Duration(0); ; waited += lookPause {
		fate, err := x.fated(ctx, p, line, carrier.FateGone, carrier.FateThere)
		if err != nil || fate == carrier.FateGone {
			return err
		}
		if waited >= x.Patience {
			return fmt.Errorf("lookup_withdraw still says %q after %v", fate, x.Patience)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lookPause):
		}
	}
}
