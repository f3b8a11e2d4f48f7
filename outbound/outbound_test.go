package outbound_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// stranger is a real server on the loopback.
func stranger(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// transport is one of the client's own kind, whose connections end with the test.
func transport(t *testing.T) *http.Transport {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func request(t testing.TB, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mustBe checks that err is this one of the two, and not the other.
func mustBe(t *testing.T, err, want error) {
	t.Helper()
	for _, one := range []error{outbound.ErrNotSent, outbound.ErrSilent} {
		if got, wanted := errors.Is(err, one), errors.Is(want, one); got != wanted {
			t.Errorf("%v: is %q: %v, want %v", err, one, got, wanted)
		}
	}
}

func TestWholeAnswerComesBack(t *testing.T) {
	url := stranger(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Said", r.Header.Get("X-Say"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write(append([]byte(r.Method+" "), body...))
	})
	c := outbound.New(outbound.Options{Transport: transport(t)})
	r := request(t, http.MethodPut, url+"/x", strings.NewReader("hello"))
	r.Header.Set("X-Say", "yes")
	a, err := c.Do(t.Context(), r)
	if err != nil || a.Status != http.StatusTeapot || string(a.Body) != "PUT hello" || a.Header.Get("X-Said") != "yes" {
		t.Errorf("%+v, %v", a, err)
	}
}

// The zero options make a client for real strangers.
func TestZeroOptionsCall(t *testing.T) {
	url := stranger(t, func(http.ResponseWriter, *http.Request) {})
	if a, err := outbound.New(outbound.Options{}).Do(t.Context(), request(t, http.MethodGet, url, nil)); err != nil || a.Status != http.StatusOK {
		t.Errorf("%+v, %v", a, err)
	}
}

// Whatever fails before there is a connection was certainly not sent.
func TestWithoutConnectionNothingIsSent(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	untrusted := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") }))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	defer untrusted.Close()
	noName := transport(t)
	noName.DialContext = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "operator.example", IsNotFound: true}
	}
	endless := transport(t)
	dialling := make(chan struct{})
	endless.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		close(dialling)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	given, giveUp := context.WithCancel(t.Context())
	go func() { <-dialling; giveUp() }()

	for name, tt := range map[string]struct {
		ctx       context.Context
		transport *http.Transport
		url       string
	}{
		"refused":               {t.Context(), transport(t), closed},
		"no such name":          {t.Context(), noName, "http://operator.example"},
		"certificate untrusted": {t.Context(), transport(t), untrusted.URL},
		"given up while dialling": {
			given, endless, "http://operator.example",
		},
		"no such protocol": {t.Context(), transport(t), "htps://operator.example"},
	} {
		c := outbound.New(outbound.Options{Transport: tt.transport})
		_, err := c.Do(tt.ctx, request(t, http.MethodPost, tt.url, strings.NewReader("money")))
		t.Run(name, func(t *testing.T) { mustBe(t, err, outbound.ErrNotSent) })
	}
}

// Nothing is sent for somebody who has gone already, and nobody is told that a
// call began.
func TestCancelledBeforehandIsNotSent(t *testing.T) {
	url := stranger(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	for name, rate := range map[string]int{"unlimited": 0, "limited": 100} {
		c := outbound.New(outbound.Options{Transport: transport(t), RatePerSecond: rate, Observe: func(p outbound.Point) { t.Error(name, p) }})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := c.Do(ctx, request(t, http.MethodPost, url, nil))
		mustBe(t, err, outbound.ErrNotSent)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v does not say why", name, err)
		}
	}
}

// Once the stranger may have heard us, no error says otherwise.
func TestAfterAConnectionNobodyKnows(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"hangs up without a word": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"hangs up in the middle": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "half of i")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"hangs up between two chunks": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half of i")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		},
		"does not speak HTTP": func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, "220 mail.example ESMTP\r\n")
			_ = conn.Close()
		},
		"says too much": func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, outbound.MaxBody+1)) },
		"says too much, packed": func(w http.ResponseWriter, _ *http.Request) {
			var packed bytes.Buffer
			z := gzip.NewWriter(&packed)
			_, _ = z.Write(make([]byte, outbound.MaxBody+1)) // into memory
			_ = z.Close()
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(packed.Bytes())
		},
	} {
		t.Run(name, func(t *testing.T) {
			url := stranger(t, handler)
			c := outbound.New(outbound.Options{Transport: transport(t)})
			_, err := c.Do(t.Context(), request(t, http.MethodPost, url, strings.NewReader("money")))
			mustBe(t, err, outbound.ErrSilent)
		})
	}
}

func TestLongestAnswerIsRead(t *testing.T) {
	url := stranger(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, outbound.MaxBody)) })
	a, err := outbound.New(outbound.Options{Transport: transport(t)}).Do(t.Context(), request(t, http.MethodGet, url, nil))
	if err != nil || len(a.Body) != outbound.MaxBody {
		t.Errorf("%d bytes, %v", len(a.Body), err)
	}
}

// The caller gives up while the stranger thinks: it may have acted.
func TestCancelledUnderWayIsSilent(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan struct{})
	url := stranger(t, func(http.ResponseWriter, *http.Request) { cancel(); <-over })
	t.Cleanup(func() { close(over) }) // before the server is closed, which waits
	_, err := outbound.New(outbound.Options{Transport: transport(t)}).Do(ctx, request(t, http.MethodPost, url, strings.NewReader("money")))
	mustBe(t, err, outbound.ErrSilent)
}

// A request that may be repeated goes out on a kept connection, which dies
// after it was sent; Go dials again by itself and is refused. The error says
// "refused", and yet the first may have arrived.
func TestRefusedOnlyTheSecondTimeIsSilent(t *testing.T) {
	var heard atomic.Int64
	url := stranger(t, func(_ http.ResponseWriter, r *http.Request) {
		if heard.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
	})
	tr := transport(t)
	dials := 0
	tr.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if dials++; dials > 1 {
			return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	c := outbound.New(outbound.Options{Transport: tr})
	post := func() error {
		r := request(t, http.MethodPost, url, strings.NewReader("money"))
		r.Header.Set("Idempotency-Key", "k")
		_, err := c.Do(t.Context(), r)
		return err
	}
	if err := post(); err != nil {
		t.Fatal(err)
	}
	err := post()
	if heard.Load() != 2 || dials != 2 {
		t.Fatalf("heard %d times over %d dials, want 2 and 2: %v", heard.Load(), dials, err)
	}
	mustBe(t, err, outbound.ErrSilent)
}

// Without an Idempotency-Key nothing that could act is ever repeated.
func TestPostIsSentOnce(t *testing.T) {
	var heard atomic.Int64
	url := stranger(t, func(http.ResponseWriter, *http.Request) {
		if heard.Add(1) > 1 {
			panic(http.ErrAbortHandler)
		}
	})
	c := outbound.New(outbound.Options{Transport: transport(t)})
	for range 2 { // the second goes over the connection of the first
		_, _ = c.Do(t.Context(), request(t, http.MethodPost, url, strings.NewReader("money"))) // judged by what was heard
	}
	if heard.Load() != 2 {
		t.Errorf("heard %d times, want 2", heard.Load())
	}
}

// Of a transport that says nothing about connections only the error is known.
func TestOtherTransportsAreNotTrusted(t *testing.T) {
	for name, tt := range map[string]struct{ err, want error }{
		"dialling failed":    {&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, outbound.ErrNotSent},
		"no such name":       {&net.DNSError{Err: "no such host"}, outbound.ErrNotSent},
		"reading failed":     {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, outbound.ErrSilent},
		"time is over":       {context.DeadlineExceeded, outbound.ErrSilent},
		"an error of no one": {errors.New("oops"), outbound.ErrSilent},
	} {
		t.Run(name, func(t *testing.T) {
			c := outbound.New(outbound.Options{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, tt.err })})
			_, err := c.Do(t.Context(), request(t, http.MethodPost, "http://operator.example", nil))
			mustBe(t, err, tt.want)
			if !errors.Is(err, tt.err) {
				t.Errorf("%v does not say why", err)
			}
		})
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// A redirect is an answer like any other: our credentials stay here.
func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := stranger(t, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("followed, with %q", r.Header.Get("Authorization"))
	})
	for _, status := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		url := stranger(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, status) })
		c := outbound.New(outbound.Options{Transport: transport(t)})
		r := request(t, http.MethodGet, url, nil)
		r.Header.Set("Authorization", "Bearer secret")
		if a, err := c.Do(t.Context(), r); err != nil || a.Status != status || a.Header.Get("Location") != elsewhere {
			t.Errorf("%d: %+v, %v", status, a, err)
		}
		r = request(t, http.MethodGet, url, nil)
		r.Header.Set("Authorization", "Bearer secret")
		resp, err := (&http.Client{Transport: c.RoundTripper()}).Do(r)
		if err != nil || resp.StatusCode != status {
			t.Errorf("%d through a library: %v", status, err)
			continue
		}
		_ = resp.Body.Close() // in memory
	}
}

// piped is a transport to a stranger in this process, for tests in which time
// is not real: what the stranger does with a connection is serve.
func piped(t *testing.T, serve func(net.Conn)) *http.Transport {
	t.Helper()
	tr := transport(t)
	tr.DialContext = func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go serve(theirs)
		return ours, nil
	}
	return tr
}

// A stranger that never answers costs the time limit and not a moment more;
// 20 seconds where nobody says otherwise.
func TestSilenceEndsAtTheLimit(t *testing.T) {
	for name, tt := range map[string]struct{ limit, want time.Duration }{
		"by default": {0, 20 * time.Second}, "chosen": {3 * time.Second, 3 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := piped(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
				began := time.Now()
				_, err := outbound.New(outbound.Options{Transport: tr, Timeout: tt.limit}).
					Do(t.Context(), request(t, http.MethodPost, "http://operator.example", strings.NewReader("money")))
				mustBe(t, err, outbound.ErrSilent)
				if took := time.Since(began); took != tt.want {
					t.Errorf("took %s, want %s", took, tt.want)
				}
			})
		})
	}
}

// An answer that trickles in counts as silence too: the limit is for all of it.
func TestTricklingAnswerEndsAtTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hungUp := make(chan struct{})
		tr := piped(t, func(c net.Conn) {
			defer close(hungUp)
			if _, err := http.ReadRequest(bufio.NewReader(c)); err != nil {
				t.Error(err)
			}
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
			for ; err == nil; _, err = io.WriteString(c, ".") {
				time.Sleep(time.Second)
			}
		})
		began := time.Now()
		_, err := outbound.New(outbound.Options{Transport: tr, Timeout: 10 * time.Second}).
			Do(t.Context(), request(t, http.MethodGet, "http://operator.example", nil))
		mustBe(t, err, outbound.ErrSilent)
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("took %s, want 10s", took)
		}
		<-hungUp
	})
}

// Calls wait for their turn. One whose turn would come too late is not sent,
// and does not wait to find out.
func TestRateIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var at []time.Duration
		began := time.Now()
		c := outbound.New(outbound.Options{RatePerSecond: 2, Timeout: 2100 * time.Millisecond, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(began).Round(time.Millisecond))
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		})})
		var wg sync.WaitGroup
		var late atomic.Int64
		for range 8 {
			wg.Go(func() {
				_, err := c.Do(t.Context(), request(t, http.MethodGet, "http://operator.example", nil))
				if err != nil {
					mustBe(t, err, outbound.ErrNotSent)
					if time.Since(began) > 0 {
						t.Errorf("waited %s for nothing", time.Since(began))
					}
					late.Add(1)
				}
			})
		}
		wg.Wait()
		half := 500 * time.Millisecond
		if want := []time.Duration{0, 0, half, 2 * half, 3 * half, 4 * half}; !slices.Equal(at, want) || late.Load() != 2 {
			t.Errorf("sent at %v and %d too late, want %v and 2", at, late.Load(), want)
		}
	})
}

// Who goes away while waiting for a turn has sent nothing.
func TestCancelledWhileWaitingForItsTurnIsNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		c := outbound.New(outbound.Options{RatePerSecond: 1, Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			calls++
			return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
		})})
		if _, err := c.Do(t.Context(), request(t, http.MethodGet, "http://operator.example", nil)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Millisecond); cancel() }()
		_, err := c.Do(ctx, request(t, http.MethodGet, "http://operator.example", nil))
		mustBe(t, err, outbound.ErrNotSent)
		if calls != 1 {
			t.Errorf("%d calls, want 1", calls)
		}
	})
}

func TestCallInsideATransactionPanics(t *testing.T) {
	env := dbtest.SQLite(t)
	url := stranger(t, func(http.ResponseWriter, *http.Request) { t.Error("a request arrived") })
	c := outbound.New(outbound.Options{Transport: transport(t)})
	for name, run := range map[string]func(context.Context, func(context.Context, db.Tx) error) error{"write": env.DB.Write, "read": env.DB.Read} {
		err := run(t.Context(), func(ctx context.Context, _ db.Tx) error {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			_, _ = c.Do(ctx, request(t, http.MethodGet, url, nil)) // it panics
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The crash harness looks right before and right after every call, also one
// that fails.
func TestObserverSeesBothSidesOfACall(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	note := func(s string) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, s)
	}
	url := stranger(t, func(_ http.ResponseWriter, r *http.Request) {
		note("stranger")
		if r.URL.Path == "/dies" {
			panic(http.ErrAbortHandler)
		}
	})
	c := outbound.New(outbound.Options{Transport: transport(t), Observe: func(p outbound.Point) { note(string(p)) }})
	for _, path := range []string{"/", "/dies"} {
		seen = nil
		_, _ = c.Do(t.Context(), request(t, http.MethodPost, url+path, nil)) // judged by who saw what
		if want := []string{"before call", "stranger", "after call"}; !slices.Equal(seen, want) {
			t.Errorf("%s: %q, want %q", path, seen, want)
		}
	}
}
