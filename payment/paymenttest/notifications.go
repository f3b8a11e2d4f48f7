package paymenttest

import (
	"bytes"
	"errors"
	"net/http"

	"github.com/tsuzuku/tsuzuku/payment"
)

func notifications(t tester, b Bench) {
	if b.Notifications == nil {
		t.Skip("this provider notifies nobody")
	}
	a, b2 := bought(t, b), begin(t, b, b.NewAttempt())
	rung := false
	events := map[string]bool{}
	for _, n := range b.Notifications() {
		bell, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil {
			t.Errorf("a genuine notification is refused: %v", err)
			continue
		}
		if bell.EventID == "" || bell.Kind == "" {
			t.Errorf("doorbell %+v lacks the event's identifier or kind", bell)
		}
		if again, err := b.Notification(t.Context(), n.Header, n.Body); err != nil || again != bell {
			t.Errorf("the same notification again: %+v, %v; was %+v", again, err, bell)
		}
		events[bell.EventID] = true
		if bell.Ref != "" && bell.Ref != a.Ref && bell.Ref != b2.Ref {
			t.Errorf("doorbell names an attempt that is not ours: %+v", bell)
		}
		if bell.Ref == b2.Ref && bell.ProviderID == a.ProviderID {
			t.Errorf("doorbell mixes two attempts: %+v", bell)
		}
		rung = rung || bell.Ref == a.Ref || (bell.MoneyID != "" && bell.MoneyID == a.MoneyID) || (bell.ProviderID != "" && bell.ProviderID == a.ProviderID)
	}
	if !rung {
		t.Errorf("no notification of %d rang for the attempt that was paid", len(events))
	}
}

func forged(t tester, b Bench) {
	if b.Notifications == nil {
		t.Skip("this provider notifies nobody")
	}
	if b.Unsigned {
		t.Skip("its notifications carry no signature")
	}
	bought(t, b)
	for _, n := range b.Notifications() {
		genuine, err := b.Notification(t.Context(), n.Header, n.Body)
		if err != nil {
			t.Errorf("a genuine notification is refused: %v", err)
			continue
		}
		refuses(t, b, "an empty body", n.Header, nil, genuine)
		refuses(t, b, "half a body", n.Header, n.Body[:len(n.Body)/2], genuine)
		if _, err := b.Notification(t.Context(), http.Header{}, bytes.Clone(n.Body)); !errors.Is(err, payment.ErrForged) && len(n.Header) > 0 && signedInHeader(t, b, n) {
			t.Errorf("without its headers: error %v, want ErrForged", err)
		}
		for i := range n.Body {
			if !letterOrDigit(n.Body[i]) {
				continue // white space and the like may be free to change
			}
			body := bytes.Clone(n.Body)
			body[i] ^= 1
			refuses(t, b, "a changed byte of the body", n.Header, body, genuine)
		}
	}
	if b.Forged == nil {
		return
	}
	for _, n := range b.Forged() {
		if bell, err := b.Notification(t.Context(), n.Header, n.Body); !errors.Is(err, payment.ErrForged) {
			t.Errorf("another's notification: %+v, %v; want ErrForged", bell, err)
		}
	}
}

// refuses wants ErrForged, or at least a change that changed nothing: a byte
// that no signature covers may differ as long as we read the same.
func refuses(t tester, b Bench, what string, h http.Header, body []byte, genuine payment.Doorbell) {
	t.Helper()
	bell, err := b.Notification(t.Context(), h, body)
	if err == nil && bell != genuine {
		t.Fatalf("%s is believed: %+v, was %+v", what, bell, genuine)
	}
	if err != nil && !errors.Is(err, payment.ErrForged) {
		t.Fatalf("%s: error %v does not wrap ErrForged", what, err)
	}
}

// signedInHeader reports whether a header carries the signature: some change of
// one byte in some header is refused.
func signedInHeader(t tester, b Bench, n Notification) bool {
	for name, values := range n.Header {
		h := n.Header.Clone()
		changed := []byte(values[0])
		for i := range changed {
			if letterOrDigit(changed[i]) {
				changed[i] ^= 1
			}
		}
		h.Set(name, string(changed))
		if _, err := b.Notification(t.Context(), h, n.Body); err != nil {
			return true
		}
	}
	return false
}

func stale(t tester, b Bench) {
	if b.Notifications == nil || b.Advance == nil {
		t.Skip("this provider notifies nobody, or nobody's clock moves")
	}
	if b.Timeless || b.Unsigned {
		t.Skip("its signatures cover no time")
	}
	bought(t, b)
	sent := b.Notifications()
	b.Advance(hour)
	for _, n := range sent {
		if bell, err := b.Notification(t.Context(), n.Header, n.Body); !errors.Is(err, payment.ErrForged) {
			t.Errorf("an hour later: %+v, %v; want ErrForged", bell, err)
		}
	}
}

func letterOrDigit(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
