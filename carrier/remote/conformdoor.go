package remote

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/signed"
)

// What an examiner asks about the door: signatures, health, words.

func bytesOf(b []byte) io.Reader { return bytes.NewReader(b) }

// errNobody says that there is nothing to examine.
var errNobody = errors.New("nobody is there")

func checkAnswers(ctx context.Context, x *examiner) error {
	r := x.signed(question{Call: "health"})
	got, err := x.post(ctx, r)
	switch {
	case errors.Is(err, outbound.ErrNotSent):
		return fmt.Errorf("%w: %w", errNobody, err)
	case err != nil:
		return err
	case got.Status != http.StatusOK:
		return fmt.Errorf("health is answered with HTTP status %d", got.Status)
	}
	return x.opened(r.id, got)
}

// skewMost is how far the clocks may be apart.
const skewMost = time.Minute

func checkHealth(ctx context.Context, x *examiner) error {
	h, err := x.Health(ctx)
	switch {
	case err != nil:
		return err
	case h.Skew.Abs() > skewMost:
		return fmt.Errorf("its clock is %v ahead of ours", h.Skew.Round(time.Second))
	case !h.OK:
		return fmt.Errorf("it says that the operator cannot be reached: %s", h.Text)
	}
	return nil
}

func checkCapabilities(ctx context.Context, x *examiner) error {
	c, err := x.Capabilities(ctx)
	if err != nil {
		return err
	}
	x.config.Capabilities, x.able = c, true
	x.client = x.Client(int(c.CallsPerSecond))
	switch {
	case x.Expect != nil && !reflect.DeepEqual(*x.Expect, c):
		return fmt.Errorf("it says %+v, and the file %+v", c, *x.Expect)
	case x.Days > 0 && !c.PerDay:
		return errors.New("per_day is false, and the package is to be ordered by the day")
	}
	return nil
}

// turnedAway wants 401 for a spoilt extend, and nothing done.
func (x *examiner) turnedAway(ctx context.Context, at time.Time, k signed.Keys, spoil func(*raw)) error {
	e := x.extension()
	r := x.signedBy(k, at, about("extend", e))
	if spoil != nil {
		spoil(&r)
	}
	if err := x.want(ctx, r, http.StatusUnauthorized); err != nil {
		return err
	}
	return x.isAbsent(ctx, e)
}

func (x *examiner) isAbsent(ctx context.Context, e carrier.Extension) error {
	got, err := x.LookUp(ctx, e)
	if err == nil && got.Found != carrier.FoundAbsent {
		err = fmt.Errorf("look-up says %q, must be absent", got.Found)
	}
	return err
}

func checkNoSignature(ctx context.Context, x *examiner) error {
	return x.turnedAway(ctx, x.now(), x.keys, func(r *raw) { r.header = http.Header{} })
}

func checkWrongSignature(ctx context.Context, x *examiner) error {
	return x.turnedAway(ctx, x.now(), x.anotherKey(), nil)
}

func checkChanged(ctx context.Context, x *examiner) error {
	return x.turnedAway(ctx, x.now(), x.keys, func(r *raw) { r.body = append(r.body, ' ') })
}

func checkOld(ctx context.Context, x *examiner) error {
	return x.turnedAway(ctx, x.now().Add(-2*signed.Fresh), x.keys, nil)
}

func checkFuture(ctx context.Context, x *examiner) error {
	return x.turnedAway(ctx, x.now().Add(2*signed.Fresh), x.keys, nil)
}

func checkTwoSignatures(ctx context.Context, x *examiner) error {
	both := append(x.anotherKey(), x.keys...)
	return x.want(ctx, x.signedBy(both, x.now(), question{Call: "health"}), http.StatusOK)
}

func checkNoCall(ctx context.Context, x *examiner) error {
	for _, body := range []string{`{"call":"nosuchcall"}`, `{}`, `[]`, `null`, `{"call":7}`, `extend`, ``} {
		if err := x.want(ctx, x.signed(body), http.StatusBadRequest); err != nil {
			return fmt.Errorf("%q: %w", body, err)
		}
	}
	return nil
}

func checkUnknownMembers(ctx context.Context, x *examiner) error {
	q := map[string]any{"call": "lookup", "ref": x.ref(), "line": lineOf(x.Line), "x_unknown": map[string]any{"a": []int{1}}}
	r := x.signed(q)
	got, err := x.post(ctx, r)
	switch {
	case err != nil:
		return err
	case got.Status != http.StatusOK:
		return fmt.Errorf("answered with HTTP status %d, must be 200", got.Status)
	case bytes.Contains(got.Body, []byte(`"refused"`)):
		return errors.New("it was refused")
	}
	return x.opened(r.id, got)
}

func lineOf(p carrier.Profile) map[string]any {
	l := map[string]any{"id": p.ID}
	if p.ICCID != "" {
		l["iccid"] = p.ICCID
	}
	return l
}
