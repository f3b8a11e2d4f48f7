package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/payment/paypay/paypaysim"
	"github.com/tsuzuku/tsuzuku/world"
)

// What the simulated operator is called, and sells.
const (
	operatorName = world.RemoteName
	packageMore  = "MORE-1GB"
	packageNew   = "NEW-1GB"
)

// errand is what the strangers are told when they begin: a line of JSON on their
// standard input. They end when that ends.
type errand struct {
	Seed  uint64
	Shop  string // its address, for notifications
	Lines []remotesim.Line
}

// addresses are where the strangers are: a line of JSON on their standard output.
type addresses struct {
	Operator, Provider string // what the shop calls
	Books              string // for the judge
}

// books are what the strangers did, by the shop's own names for it.
type books struct {
	Acts    map[string]int // how often the operator acted for an order
	Charges []charge
}

// charge is money that the provider took.
type charge struct {
	Ref, Order         string // the shop's reference, and the order in its description
	Captured, Refunded int64  // yen
}

// strangers are the operator and the payment provider. Their process is none of those
// that are killed.
type strangers struct {
	shop     string
	operator *remotesim.Sim
	provider *paypaysim.Sim

	mu     sync.Mutex
	random *rand.Rand
	calm   bool              // they are well again
	orders map[string]string // by the reference of a payment
	issues map[string]int    // how often a new line was asked for, by the order
	told   []paypaysim.Notification
}

// beStrangers is main of the strangers' process.
func beStrangers(ctx context.Context) error {
	in := json.NewDecoder(os.Stdin)
	var e errand
	if err := in.Decode(&e); err != nil {
		return fmt.Errorf("no errand: %w", err)
	}
	s := &strangers{shop: e.Shop, random: rand.New(rand.NewPCG(e.Seed, 1)), orders: map[string]string{}, issues: map[string]int{}} //nolint:gosec // chosen again by the same seed
	s.operator = &remotesim.Sim{
		Key: operatorKey(), Now: time.Now,
		Flaw:     remotesim.ActsTwice, // who asks for one thing twice gets it twice, and is found out
		Packages: []remotesim.Package{{Code: packageMore, Bytes: 1 << 30, Days: 1}, {Code: packageNew, Bytes: 1 << 30, Days: 1, New: true}},
	}
	for _, l := range e.Lines {
		s.operator.Add(l)
	}
	var at addresses
	var err error
	if at.Operator, err = listen(ctx, s.reading(s.moody(s.operator))); err != nil {
		return err
	}
	pages := http.NewServeMux()
	if at.Books, err = listen(ctx, pages); err != nil {
		return err
	}
	s.provider = paypaysim.New(paypaysim.Config{
		APIKey: world.PayPayKey, APISecret: world.PayPaySecret, MerchantID: world.PayPayMerchant, Now: time.Now,
		Rand: rand.New(rand.NewPCG(e.Seed, 2)), PageBase: at.Books, CodeLife: 2 * time.Minute, Deliver: s.delivery, //nolint:gosec // as above
	})
	pages.Handle("/pay/", s.provider.Pages())
	pages.HandleFunc("GET /books", s.showBooks)
	pages.HandleFunc("POST /calm", func(http.ResponseWriter, *http.Request) { s.with(func() { s.calm = true }) })
	if at.Provider, err = listen(ctx, s.reading(s.moody(s.provider))); err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(at); err != nil {
		return err
	}
	go s.tell(ctx)
	go s.haveMoods(ctx)
	_, _ = io.Copy(io.Discard, os.Stdin) // until the parent has had enough, or is no more
	return nil
}

// listen serves h on a port of its own and returns its address.
func listen(ctx context.Context, h http.Handler) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // it ends with the process
	return "http://" + l.Addr().String(), nil
}

func operatorKey() []byte {
	key := make([]byte, 32) // those of world.RemoteKey
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

func (s *strangers) with(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	do()
}

// chance is true so many times of a thousand, while the strangers have moods.
func (s *strangers) chance(permille int) (yes bool) {
	s.with(func() { yes = !s.calm && s.random.IntN(1000) < permille })
	return yes
}

func (s *strangers) upTo(d time.Duration) (out time.Duration) {
	s.with(func() { out = time.Duration(s.random.Int64N(int64(d))) })
	return out
}

// moody takes its time before and after it acts, so that there are moments to die in,
// and now and then loses an answer or spoils it, after having acted.
func (s *strangers) moody(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.chance(300) {
			<-time.After(s.upTo(300 * time.Millisecond))
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if s.chance(400) {
			<-time.After(s.upTo(500 * time.Millisecond))
		}
		switch {
		case s.chance(20):
			panic(http.ErrAbortHandler) // the connection ends without an answer
		case s.chance(10):
			http.Error(w, "spoilt", http.StatusInternalServerError)
			return
		}
		for name, values := range rec.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes()) // who hung up hears nothing
	})
}

// reading notes of which order a payment is, and how often a new line was asked for: the
// operator takes an order of one only once.
func (s *strangers) reading(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
		if err != nil {
			panic(http.ErrAbortHandler) // it was cut off
		}
		var said struct{ MerchantPaymentID, OrderDescription, Call, Ref string }
		if json.Unmarshal(body, &said) == nil {
			s.with(func() {
				if said.OrderDescription != "" {
					s.orders[said.MerchantPaymentID] = strings.TrimPrefix(said.OrderDescription, "Order ")
				}
				if said.Call == "issue" {
					s.issues[said.Ref]++
				}
			})
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		h.ServeHTTP(w, r)
	})
}

// haveMoods lets the operator say no, or act later, and the provider decline, now and then.
func (s *strangers) haveMoods(ctx context.Context) {
	for ctx.Err() == nil {
		if s.chance(60) {
			s.operator.RefuseNext("operator_refuses")
		}
		if s.chance(25) {
			s.operator.ActAfter(s.upTo(90 * time.Second))
		}
		if s.chance(60) {
			s.provider.DeclineNext(1)
		}
		<-time.After(time.Second)
	}
}

// delivery is how a notification arrives; it is asked under the provider's lock.
func (s *strangers) delivery(string) (d paypaysim.Delivery) {
	if s.chance(300) {
		s.with(func() {
			all := []paypaysim.Delivery{paypaysim.Early, paypaysim.Behind, paypaysim.Twice, paypaysim.Never, paypaysim.Forged}
			d = all[s.random.IntN(len(all))]
		})
	}
	return d
}

// tell posts notifications to the shop when they are due, as often as the provider does.
func (s *strangers) tell(ctx context.Context) {
	client := &http.Client{Timeout: 5 * time.Second}
	for ctx.Err() == nil {
		<-time.After(100 * time.Millisecond)
		s.told = append(s.told, s.provider.Notifications()...)
		rest := s.told[:0]
		for _, n := range s.told {
			if n.DueAt.After(time.Now()) {
				rest = append(rest, n)
				continue
			}
			status, answer := s.post(ctx, client, n)
			if n.Attempt > 0 && !s.provider.Accepts(status, answer) {
				s.provider.Failed(n)
			}
		}
		s.told = rest
	}
}

func (s *strangers) post(ctx context.Context, client *http.Client, n paypaysim.Notification) (status int, answer []byte) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.shop+"/hooks/payment/paypay", bytes.NewReader(n.Body))
	if err != nil {
		return 0, nil
	}
	r.Header = n.Header.Clone()
	resp, err := client.Do(r)
	if err != nil {
		return 0, nil // the shop is not there
	}
	defer resp.Body.Close()           //nolint:errcheck // read to its end
	answer, _ = io.ReadAll(resp.Body) // half an answer is none
	return resp.StatusCode, answer
}

func (s *strangers) showBooks(w http.ResponseWriter, _ *http.Request) {
	b := books{Acts: s.operator.Acts()}
	s.with(func() {
		for ref, n := range s.issues {
			if b.Acts[ref] > 0 {
				b.Acts[ref] = n
			}
		}
	})
	for _, c := range s.provider.Charges() {
		one := charge{Ref: c.Ref, Captured: c.Captured.Minor, Refunded: c.Refunded.Minor}
		s.with(func() { one.Order = s.orders[c.Ref] })
		b.Charges = append(b.Charges, one)
	}
	_ = json.NewEncoder(w).Encode(b) // who hung up hears nothing
}
