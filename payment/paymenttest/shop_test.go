package paymenttest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
	"github.com/tsuzuku/tsuzuku/payment"
)

// shop is a provider and its adapter in one, in memory. It keeps every promise
// but the one that wrong names.
type shop struct {
	wrong string

	mu    sync.Mutex
	now   time.Time
	deals map[string]*deal // by our reference
	seq   int
	next  map[Kind]outboundsim.Fault
	late  []func()
	sent  []Notification
}

type deal struct {
	id        string
	amount    money.Money
	expiresAt time.Time
	state     payment.State
	reason    payment.Reason
	code      string
	captured  int64
	disputed  int64
	byHand    int64
	refunds   map[string]int64
}

func newShop(wrong string) *shop {
	return &shop{
		wrong: wrong,
		now:   time.Date(2031, 5, 6, 7, 8, 9, 0, time.UTC),
		deals: map[string]*deal{},
		next:  map[Kind]outboundsim.Fault{},
	}
}

func (s *shop) Name() string { return "shop" }

func (s *shop) Limits() payment.Limits {
	return payment.Limits{
		Rails:         []payment.Rail{payment.Card},
		Currencies:    map[payment.Rail][]money.Currency{payment.Card: {"JPY", "USD"}},
		Min:           map[money.Currency]int64{"JPY": 50},
		Partial:       true,
		SettlesWithin: time.Minute,
		Keyed:         s.wrong != "is not keyed",
	}
}

// act carries do out, or does with it what was armed.
func (s *shop) act(do func()) error {
	f := s.next[Acts]
	delete(s.next, Acts)
	switch f {
	case outboundsim.Refuse:
		if s.wrong == "takes a refused connection for silence" {
			return payment.ErrUnknown
		}
		return payment.ErrNotSent
	case outboundsim.Busy:
		return payment.ErrNotSent
	case outboundsim.LoseRequest:
		if s.wrong == "takes silence for nothing" {
			return payment.ErrNotSent
		}
		return payment.ErrUnknown
	case outboundsim.ActLater:
		s.late = append(s.late, do)
		return payment.ErrUnknown
	case outboundsim.Twice:
		do()
	case outboundsim.LoseAnswer, outboundsim.Break, outboundsim.Garble:
		do()
		return payment.ErrUnknown
	case outboundsim.None, outboundsim.Stale:
	}
	do()
	return nil
}

func (s *shop) read() error {
	f := s.next[Reads]
	delete(s.next, Reads)
	if f == outboundsim.None {
		return nil
	}
	if s.wrong == "answers an unread question with unknown" {
		return payment.ErrUnknown
	}
	return payment.ErrNotSent
}

func (s *shop) Start(_ context.Context, a payment.Attempt) (payment.Observation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.act(func() { s.open(a) })
	if err != nil && s.wrong == "takes silence at the start for dead" {
		return payment.Observation{State: payment.Dead}, nil
	}
	if err != nil {
		return payment.Observation{}, err
	}
	return s.look(a), nil
}

func (s *shop) open(a payment.Attempt) {
	if old, ok := s.deals[a.Ref]; ok && s.wrong != "opens a second attempt" {
		if s.wrong == "charges a repeated start" {
			old.amount.Minor += a.Amount.Minor
		}
		return
	}
	s.seq++
	amount := a.Amount
	if s.wrong == "takes a hundred times as much" {
		amount.Minor *= 100
	}
	s.deals[a.Ref] = &deal{
		id: fmt.Sprint("deal", s.seq), amount: amount, expiresAt: a.ExpiresAt,
		state: payment.NeedsCustomer, refunds: map[string]int64{},
	}
	s.notify("opened", a.Ref)
}

func (s *shop) look(a payment.Attempt) payment.Observation {
	d, ok := s.deals[a.Ref]
	if !ok {
		if s.wrong == "says dead of what it never saw" {
			return payment.Observation{State: payment.Dead, Reason: payment.TooLate, AsOf: s.now}
		}
		return payment.Observation{State: payment.Unknown, AsOf: s.now}
	}
	if d.state == payment.NeedsCustomer && s.now.After(d.expiresAt) && s.wrong != "never lapses" {
		d.state, d.reason = payment.Dead, payment.TooLate
	}
	obs := payment.Observation{
		State: d.state, ProviderID: d.id, Amount: d.amount, Reason: d.reason, Code: d.code, AsOf: s.now,
		Refunded: money.Of(d.refunded(), d.amount.Currency), Disputed: money.Of(d.disputed, d.amount.Currency),
	}
	if d.state == payment.NeedsCustomer && s.wrong != "hides the way" {
		obs.Next.RedirectURL = "https://shop.test/" + d.id
	}
	switch {
	case s.wrong == "forgets why":
		obs.Reason = ""
	case s.wrong == "regresses after two days" && s.now.Sub(a.CreatedAt) > 47*time.Hour:
		obs.State = payment.Dead
	case s.wrong == "regresses when refunded" && d.refunded() == d.captured && d.captured > 0:
		obs.State = payment.Dead
	case s.wrong == "takes a dispute for death" && d.disputed > 0:
		obs.State = payment.Dead
	case s.wrong == "does not count refunds":
		obs.Refunded = money.Money{}
	case s.wrong == "takes a refusal for payment" && d.code != "":
		obs.State = payment.Paid
	case s.wrong == "mixes attempts":
		obs.Amount = money.Of(1000, d.amount.Currency)
	}
	return obs
}

func (d *deal) refunded() int64 {
	sum := d.byHand
	for _, n := range d.refunds {
		sum += n
	}
	return sum
}

func (s *shop) Resume(ctx context.Context, a payment.Attempt, returned url.Values) (payment.Observation, error) {
	s.mu.Lock()
	d := s.deals[a.Ref]
	approved := d != nil && d.code == "approved"
	if approved && returned.Get("back") != "" {
		d.captured, d.state, d.code = d.amount.Minor, payment.Paid, ""
	}
	s.mu.Unlock()
	return s.Query(ctx, a)
}

func (s *shop) Query(_ context.Context, a payment.Attempt) (payment.Observation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.read(); err != nil {
		return payment.Observation{}, err
	}
	return s.look(a), nil
}

func (s *shop) Abandon(_ context.Context, a payment.Attempt) (payment.Observation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.wrong == "says dead and closes nothing" {
		return payment.Observation{State: payment.Dead, Reason: payment.Abandoned, AsOf: s.now}, nil
	}
	if _, ok := s.deals[a.Ref]; !ok && s.wrong == "calls a lost start dead" {
		return payment.Observation{State: payment.Dead, Reason: payment.Abandoned, AsOf: s.now}, nil
	}
	err := s.act(func() {
		s.open(a)
		d := s.deals[a.Ref]
		if d.state == payment.NeedsCustomer || s.wrong == "abandons what was paid" {
			d.state, d.reason = payment.Dead, payment.Abandoned
		}
	})
	if err != nil {
		return payment.Observation{}, err
	}
	return s.look(a), nil
}

func (s *shop) Refund(_ context.Context, r payment.Refund) (payment.RefundObservation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	refused := false
	err := s.act(func() {
		d := s.deals[r.Attempt.Ref]
		key := r.Ref
		if s.wrong == "refunds again when asked again" {
			s.seq++
			key += strconv.Itoa(s.seq)
		}
		if _, done := d.refunds[key]; done {
			return
		}
		if d.refunded()+r.Amount.Minor > d.captured && s.wrong != "refunds more than was paid" {
			refused = true
			return
		}
		d.refunds[key] = r.Amount.Minor
	})
	if err != nil {
		return payment.RefundObservation{}, err
	}
	if refused {
		return payment.RefundObservation{State: payment.RefundFailed, Code: "too_much", AsOf: s.now}, nil
	}
	return payment.RefundObservation{State: payment.RefundDone, ProviderID: "re_" + r.Ref, Amount: r.Amount, AsOf: s.now}, nil
}

func (s *shop) QueryRefund(_ context.Context, r payment.Refund) (payment.RefundObservation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.read(); err != nil {
		return payment.RefundObservation{}, err
	}
	d := s.deals[r.Attempt.Ref]
	for ref, n := range d.refunds {
		if strings.HasPrefix(ref, r.Ref) {
			return payment.RefundObservation{State: payment.RefundDone, Found: true, Amount: money.Of(n, d.amount.Currency), AsOf: s.now}, nil
		}
	}
	found := s.wrong == "finds refunds that are not there" || d.byHand > 0 && s.wrong == "takes refunds by hand for ours"
	return payment.RefundObservation{Found: found, AsOf: s.now}, nil
}

const secret = "whisper"

func (s *shop) notify(kind, ref string) {
	s.seq++
	s.sent = append(s.sent, s.sign(secret, fmt.Sprintf("%d,%s,%s,%s", s.seq, kind, ref, s.deals[ref].id)))
}

func (s *shop) sign(secret, body string) Notification {
	at := strconv.FormatInt(s.now.Unix(), 10)
	return Notification{http.Header{"Signed": {at + "," + mac(secret, at+body)}}, []byte(body)}
}

func mac(secret, text string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(text))
	return hex.EncodeToString(h.Sum(nil))
}

func (s *shop) Notification(_ context.Context, h http.Header, body []byte) (payment.Doorbell, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, sum, _ := strings.Cut(h.Get("Signed"), ",")
	signed := mac(secret, at+string(body)) == sum
	switch s.wrong {
	case "believes every notification":
		signed = true
	case "believes a notification without a signature":
		if h.Get("Signed") == "" {
			at, signed = strconv.FormatInt(s.now.Unix(), 10), true
		}
	case "believes another's key":
		signed = signed || mac("another", at+string(body)) == sum
	case "signs only the beginning":
		signed = len(body) > 30
	case "refuses genuine notifications":
		signed = false
	}
	unix, _ := strconv.ParseInt(at, 10, 64)
	if s.wrong != "believes old notifications" && s.now.Unix()-unix > 300 {
		signed = false
	}
	parts := strings.Split(string(body), ",")
	if !signed || len(parts) != 4 {
		return payment.Doorbell{}, payment.ErrForged
	}
	if s.wrong == "rings for nobody" {
		parts[2], parts[3] = "", ""
	}
	return payment.Doorbell{EventID: parts[0], Kind: parts[1], Ref: parts[2], ProviderID: parts[3]}, nil
}

// bench puts the shop on the bench.
func (s *shop) bench() Bench {
	arm := func(k Kind, f outboundsim.Fault) func() { return func() { s.next[k] = f } }
	refs := 0
	locked := func(f func()) { s.mu.Lock(); defer s.mu.Unlock(); f() }
	b := Bench{
		Provider: s,
		NewAttempt: func() payment.Attempt {
			refs++
			return payment.Attempt{
				Ref: fmt.Sprintf("%026d", refs), Rail: payment.Card, Amount: money.Of(3000, "JPY"),
				CreatedAt: s.now, ExpiresAt: s.now.Add(time.Hour),
			}
		},
		Pay:          func(ref string) url.Values { return s.pay(ref) },
		Authenticate: func(ref string) url.Values { return s.pay(ref) },
		GiveUp:       func(string) {},
		Decline: func(ref string) {
			locked(func() {
				if d := s.deals[ref]; d.state == payment.NeedsCustomer {
					d.reason, d.code = payment.NoFunds, "51"
				}
			})
		},
		Advance:         func(d time.Duration) { locked(func() { s.now = s.now.Add(d) }) },
		Captured:        func(ref string) money.Money { return s.total(ref, func(d *deal) int64 { return d.captured }) },
		Refunded:        func(ref string) money.Money { return s.total(ref, (*deal).refunded) },
		RefundByHand:    func(ref string, m money.Money) { locked(func() { s.deals[ref].byHand += m.Minor }) },
		Dispute:         func(ref string) { locked(func() { s.deals[ref].disputed = s.deals[ref].captured }) },
		Notifications:   func() []Notification { return s.sent },
		Forged:          func() []Notification { return []Notification{s.sign("another", "1,paid,x,deal1")} },
		Lapses:          time.Minute,
		LoseNextRequest: arm(Acts, outboundsim.LoseRequest), LoseNextAnswer: arm(Acts, outboundsim.LoseAnswer),
		NextActsLater: arm(Acts, outboundsim.ActLater), BreakNext: arm(Acts, outboundsim.Break),
		GarbleNext: arm(Acts, outboundsim.Garble), RefuseNext: arm(Acts, outboundsim.Refuse),
		BusyNext: arm(Acts, outboundsim.Busy), TwiceNext: arm(Acts, outboundsim.Twice),
		LoseNextRead: arm(Reads, outboundsim.LoseRequest), BreakNextRead: arm(Reads, outboundsim.Break),
		GarbleNextRead: arm(Reads, outboundsim.Garble), BusyNextRead: arm(Reads, outboundsim.Busy),
	}
	b.DeliverLate = func() {
		locked(func() {
			for _, do := range s.late {
				do()
			}
			s.late = nil
		})
	}
	return b
}

// pay is the customer's yes; a shop that needs the customer back keeps it as
// an approval until Resume.
func (s *shop) pay(ref string) url.Values {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.deals[ref]
	open := ok && (d.state == payment.NeedsCustomer || d.state == payment.Dead && s.wrong == "lets the dead pay and does not say so")
	if !open {
		return nil
	}
	if s.wrong == "captures only when the customer comes back" {
		d.code = "approved"
		return url.Values{"back": {"1"}}
	}
	d.captured += d.amount.Minor
	if d.state == payment.NeedsCustomer {
		d.state, d.reason, d.code = payment.Paid, "", ""
	}
	s.notify("paid", ref)
	return nil
}

func (s *shop) total(ref string, of func(*deal) int64) money.Money {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.deals[ref]
	if !ok || of(d) == 0 {
		return money.Money{}
	}
	return money.Of(of(d), d.amount.Currency)
}
