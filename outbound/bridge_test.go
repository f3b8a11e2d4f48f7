package outbound_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/outbound"
)

func TestRoundTripperIsTheClient(t *testing.T) {
	url := stranger(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/dies" {
			panic(http.ErrAbortHandler)
		}
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Length", strconv.Itoa(len(body)))
		w.WriteHeader(http.StatusPaymentRequired)
		_, _ = w.Write(body)
	})
	points := 0
	library := &http.Client{Transport: outbound.New(outbound.Options{Transport: transport(t), Observe: func(outbound.Point) { points++ }}).RoundTripper()}
	resp, err := library.Do(request(t, http.MethodPost, url, strings.NewReader("hello")))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || string(body) != "hello" || resp.StatusCode != http.StatusPaymentRequired || resp.ContentLength != 5 || resp.Header.Get("X-Length") != "5" {
		t.Errorf("%s %+v %v", body, resp, err)
	}
	_ = resp.Body.Close() // in memory
	if points != 2 {
		t.Errorf("%d points seen, want 2", points)
	}
	resp, err = library.Do(request(t, http.MethodPost, url+"/dies", strings.NewReader("hello")))
	mustBe(t, err, outbound.ErrSilent)
	if resp != nil {
		_ = resp.Body.Close() // in memory
		t.Error("an answer beside the error")
	}
}

// A library waits for its body to be closed, also when nothing was sent.
func TestRoundTripperClosesTheBody(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	body := &closing{Reader: strings.NewReader("hello")}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://operator.example", body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := outbound.New(outbound.Options{}).RoundTripper().RoundTrip(r)
	mustBe(t, err, outbound.ErrNotSent)
	if resp != nil {
		_ = resp.Body.Close() // in memory
	}
	if !body.closed {
		t.Error("the body was left open")
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }
