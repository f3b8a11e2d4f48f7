package carriertest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

var noon = time.Date(2031, 5, 4, 12, 0, 0, 0, time.UTC)

// town is the smallest operator that a carrier can be tested with. It keeps
// our references. Everything is one address, POST /, with a question that
// names what is wanted.
type town struct {
	mu    sync.Mutex
	now   time.Time
	lines map[string][]string // references of the extensions of each line

	orders  map[string][]int // by reference: the numbers of the profiles ordered
	ordered int
	ready   int // profiles up to this number are made

	withdrawn bool // it sells nothing for lines that exist
	spent     int

	fates    map[string]carrier.Fate // of new profiles, where it is not that they are there
	taken    int
	stumbles bool // at the next that is taken back
}

type question struct{ Want, Line, Ref, Package string }

type answer struct {
	No    string
	Ref   string
	Count int
	Made  bool
	Left  int
	Sells []string
	Fate  carrier.Fate
}

func (o *town) Now() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *town) Advance(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now = o.now.Add(d)
}

func (o *town) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	defer o.mu.Unlock()
	var q question
	if json.NewDecoder(r.Body).Decode(&q) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	refs, known := o.lines[q.Line]
	a := answer{Count: len(refs)}
	switch {
	case q.Want == "balance":
		a.Left = 1000 - o.spent
	case q.Want == "shop":
		if a.Sells = []string{"new", "week"}; o.withdrawn {
			a.Sells = a.Sells[:1]
		}
	case q.Want == "order" && q.Package != "new":
		a.No = "no such package"
	case q.Want == "order":
		o.ordered++
		o.orders[q.Ref] = append(o.orders[q.Ref], o.ordered)
		a.Ref = fmt.Sprint(o.ordered)
	case q.Want == "ordered":
		if all := o.orders[q.Ref]; len(all) > 0 {
			a.Ref, a.Count, a.Made = fmt.Sprint(all[0]), o.ordered, all[0] <= o.ready
		}
	case (q.Want == "fate" || q.Want == "take back") && o.made(q.Line):
		o.serveFate(q, &a)
	case !known:
		a.No = "no such line"
	case q.Want == "extend" && q.Line == "ended":
		a.No = "ended"
	case q.Want == "extend" && q.Package != "week":
		a.No = "no such package"
	case q.Want == "extend":
		o.lines[q.Line] = append(refs, q.Ref)
		o.spent += price
		a.Ref = "op-" + q.Ref
	case q.Want == "find":
		for _, ref := range refs {
			if ref == q.Ref {
				a.Ref = "op-" + ref
			}
		}
	}
	_ = json.NewEncoder(w).Encode(a) // into memory
}

// made reports whether a line is a profile that was made to order.
func (o *town) made(line string) bool {
	n, err := strconv.Atoi(strings.TrimPrefix(line, "new-"))
	return err == nil && strings.HasPrefix(line, "new-") && n <= o.ready
}

// serveFate says what became of a profile, and takes it back.
func (o *town) serveFate(q question, a *answer) {
	a.Fate = cmp.Or(o.fates[q.Line], carrier.FateThere)
	switch {
	case q.Want == "fate":
	case a.Fate == carrier.FateThere:
		a.Fate = carrier.FateGone
		o.fates[q.Line] = a.Fate
		o.taken++
		if o.stumbles {
			a.No, o.stumbles = "something is wrong with us", false
		}
	default:
		a.No = "not as it was"
	}
}

// adapter is an honest carrier, and every dishonest one by a flaw's name.
type adapter struct {
	flaw string
	wire *outboundsim.Wire
	now  func() time.Time
}

func (a *adapter) ask(ctx context.Context, q question) (answer, error) {
	silence := carrier.ErrNotSent
	changes := q.Want == "extend" || q.Want == "order" || q.Want == "take back"
	if changes && a.flaw != "lost answers were not sent" {
		silence = carrier.ErrUnknown
	}
	if !changes && a.flaw == "lost readings are unknown" {
		silence = carrier.ErrUnknown
	}
	body, _ := json.Marshal(q)
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://operator.example/", bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	resp, err := (&http.Client{Transport: a.wire}).Do(r)
	op, dialled := errors.AsType[*net.OpError](err)
	switch {
	case a.flaw == "errors of no kind" && err != nil:
		return answer{}, err
	case a.flaw == "cancelling is a refusal" && errors.Is(err, context.Canceled):
		return answer{}, &carrier.Refusal{Reason: carrier.BadRequest}
	case dialled && op.Op == "dial" && a.flaw != "refused connections are unknown":
		return answer{}, fmt.Errorf("%w: %w", carrier.ErrNotSent, err)
	case err != nil && a.flaw == "lost answers are refusals":
		return answer{}, &carrier.Refusal{Reason: carrier.OperatorRefuses}
	case err != nil:
		return answer{}, fmt.Errorf("%w: %w", silence, err)
	}
	defer func() { _ = resp.Body.Close() }() // in memory
	if resp.StatusCode == http.StatusTooManyRequests && a.flaw != "busy is unknown" {
		return answer{}, carrier.ErrNotSent
	}
	got, err := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK || err != nil {
		if a.flaw == "5xx is a refusal" {
			return answer{}, &carrier.Refusal{Reason: carrier.OperatorRefuses}
		}
		return answer{}, fmt.Errorf("%w: status %d", silence, resp.StatusCode)
	}
	var ans answer
	if err := json.Unmarshal(got, &ans); err != nil {
		if a.flaw == "garbled answers are a yes" {
			return answer{Ref: "?"}, nil
		}
		return answer{}, fmt.Errorf("%w: %w", silence, err)
	}
	switch {
	case ans.No == "":
		return ans, nil
	case ans.No == "something is wrong with us" && a.flaw != "stumbles are refusals":
		return answer{}, fmt.Errorf("%w: %s", silence, ans.No)
	case a.flaw == "refusals are unknown":
		return answer{}, carrier.ErrUnknown
	case ans.No == "ended" && a.flaw != "ended is any refusal":
		return answer{}, &carrier.Refusal{Reason: carrier.LineEnded, Text: ans.No}
	case ans.No == "no such line":
		return answer{}, &carrier.Refusal{Reason: carrier.LineUnknown, Text: ans.No}
	}
	return answer{}, &carrier.Refusal{Reason: carrier.PackageGone, Text: ans.No}
}

func (a *adapter) Name() string { return "town" }

func (a *adapter) Abilities() carrier.Abilities {
	settles := time.Minute
	if a.flaw == "settles at once" {
		settles = 0
	}
	return carrier.Abilities{
		Modes: []carrier.Mode{carrier.ModeExtend}, SettlesWithin: settles, RatePerSecond: 1, KeepsRef: a.flaw != "pictures of any age", Issues: true, Withdraws: true,
	}
}

func (a *adapter) Prepare(ctx context.Context, e carrier.Extension) (carrier.Snapshot, error) {
	_, err := a.ask(ctx, question{Want: "look", Line: e.Profile.ID})
	return nil, err
}

func (a *adapter) Extend(ctx context.Context, e carrier.Extension) (carrier.Receipt, error) {
	q := question{Want: "extend", Line: e.Profile.ID, Ref: e.Ref, Package: e.Package}
	if a.flaw == "lines are mixed up" && q.Line == "c" {
		q.Line = "b"
	}
	ans, err := a.ask(ctx, q)
	if err != nil && a.flaw == "asks again by itself" {
		ans, err = a.ask(ctx, q)
	}
	if err != nil && a.flaw == "asks again after the time limit" && errors.Is(err, carrier.ErrUnknown) {
		_, _ = a.ask(ctx, q)
	}
	r := carrier.Receipt{Ref: ans.Ref}
	if a.flaw == "a receipt of the past" {
		r.EndsAt = noon.Add(-time.Hour)
	}
	if a.flaw == "a receipt without a reference" {
		r.Ref = ""
	}
	return r, err
}

func (a *adapter) LookUp(ctx context.Context, e carrier.Extension) (carrier.Reading, error) {
	r := carrier.Reading{Found: carrier.FoundAbsent, AsOf: a.now()}
	ans, err := a.ask(ctx, question{Want: "find", Line: e.Profile.ID, Ref: e.Ref})
	switch {
	case err != nil:
		return carrier.Reading{}, err
	case ans.Ref != "" && a.flaw != "done looks absent", ans.Count > 0 && a.flaw == "any extension is this one":
		r.Found, r.Receipt.Ref = carrier.FoundDone, "op-"+e.Ref
	case a.flaw == "absent looks done":
		r.Found, r.Receipt.Ref = carrier.FoundDone, "op-"+e.Ref
	}
	switch a.flaw {
	case "readings without an age":
		r.AsOf = time.Time{}
	case "readings as of their answer":
		r.AsOf = a.now()
	case "readings that never settle":
		r.AsOf = e.AskedAt
	case "readings that settle at once":
		r.AsOf = r.AsOf.Add(time.Hour)
	}
	return r, nil
}

func (a *adapter) Issue(ctx context.Context, p carrier.Purchase) (carrier.Issued, error) {
	q := question{Want: "order", Ref: p.Ref, Package: p.Package}
	ans, err := a.ask(ctx, q)
	if err != nil && a.flaw == "asks again by itself" {
		ans, err = a.ask(ctx, q)
	}
	if err == nil && a.flaw == "a number nobody gave" {
		ans.Ref = ""
	}
	return carrier.Issued{Ref: ans.Ref}, err
}

func (a *adapter) LookUpIssue(ctx context.Context, p carrier.Purchase) (carrier.IssueReading, error) {
	r := carrier.IssueReading{Found: carrier.FoundAbsent, AsOf: a.now()}
	ans, err := a.ask(ctx, question{Want: "ordered", Ref: p.Ref})
	switch {
	case err != nil:
		return carrier.IssueReading{}, err
	case ans.Ref == "" || a.flaw == "found by their number alone" && p.Theirs == "":
		if a.flaw == "readings that never settle" {
			r.AsOf = p.AskedAt
		}
		return r, nil
	case !ans.Made && a.flaw != "pending looks done":
		r.Found, r.Issued.Ref = carrier.FoundPending, ans.Ref
		return r, nil
	}
	if a.flaw == "profiles are mixed up" {
		ans.Ref = "1"
	}
	r.Found, r.Issued = carrier.FoundDone, carrier.Issued{
		Ref: ans.Ref, Profile: carrier.Profile{ID: "new-" + ans.Ref, ICCID: "8999900000000000" + fmt.Sprintf("%03s", ans.Ref)},
		Code: "LPA:1$smdp.example$" + ans.Ref,
	}
	if a.flaw == "a code that is none" {
		r.Issued.Code = ans.Ref
	}
	return r, nil
}

func (a *adapter) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	seen, err := a.Withdrawal(ctx, p, profile)
	switch {
	case a.flaw == "unknown lines are gone" && refusedFor(err, carrier.LineUnknown):
		return nil
	case err != nil:
		return err
	case seen.Fate == carrier.FateGone && a.flaw == "taken back once is refused":
		return &carrier.Refusal{Reason: carrier.OperatorRefuses}
	case seen.Fate == carrier.FateGone:
		return nil
	case seen.Fate == carrier.FateInstalled && a.flaw == "installed is any refusal":
		return &carrier.Refusal{Reason: carrier.OperatorRefuses}
	case seen.Fate == carrier.FateInstalled && a.flaw == "installed is taken back":
		return nil
	case seen.Fate == carrier.FateInstalled:
		return carrier.Still("")
	}
	q := question{Want: "take back", Line: profile.ID}
	if a.flaw == "another is taken back" {
		q.Line = "new-1"
	}
	_, err = a.ask(ctx, q)
	if err != nil && a.flaw == "asks again by itself" {
		_, err = a.ask(ctx, q)
	}
	if refusedFor(err, carrier.PackageGone) && a.flaw != "what changed meanwhile is a refusal" { // it is not as it was
		if seen, again := a.Withdrawal(ctx, p, profile); again == nil && seen.Fate == carrier.FateInstalled {
			return carrier.Still("")
		}
	}
	return err
}

func refusedFor(err error, reason carrier.Reason) bool {
	no, ok := errors.AsType[*carrier.Refusal](err)
	return ok && no.Reason == reason
}

func (a *adapter) Withdrawal(ctx context.Context, _ carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	w := carrier.Withdrawal{AsOf: a.now()}
	ans, err := a.ask(ctx, question{Want: "fate", Line: profile.ID})
	if err != nil && (a.flaw != "what is not heard is there" || !errors.Is(err, carrier.ErrNotSent)) {
		return carrier.Withdrawal{}, err
	}
	w.Fate = cmp.Or(ans.Fate, carrier.FateThere)
	switch {
	case a.flaw == "gone looks there" && w.Fate == carrier.FateGone:
		w.Fate = carrier.FateThere
	case a.flaw == "there looks gone" && w.Fate == carrier.FateThere:
		w.Fate = carrier.FateGone
	case a.flaw == "readings without an age":
		w.AsOf = time.Time{}
	case a.flaw == "readings that settle at once":
		w.AsOf = w.AsOf.Add(time.Hour)
	case a.flaw == "readings as of their answer":
		w.AsOf = a.now()
	}
	return w, nil
}

func (a *adapter) Cancel(context.Context, carrier.Extension) error {
	return &carrier.Refusal{Reason: carrier.OperatorRefuses}
}

func (a *adapter) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	s := carrier.Status{State: carrier.LineActive, AsOf: a.now()}
	if strings.HasPrefix(p.ID, "new-") {
		s.State = carrier.LineNew
		if a.flaw == "new profiles are running" {
			s.State = carrier.LineActive
		}
		return s, nil
	}
	if p.ID == "ended" {
		s.State = carrier.LineIsOver
	}
	if a.flaw == "figures of the future" {
		s.AsOf = s.AsOf.Add(time.Second)
	}
	_, err := a.ask(ctx, question{Want: "look", Line: p.ID})
	return s, err
}

func (a *adapter) Packages(ctx context.Context, p carrier.Profile) ([]carrier.Package, error) {
	if p != (carrier.Profile{}) {
		if _, err := a.ask(ctx, question{Want: "look", Line: p.ID}); err != nil {
			return nil, err
		}
	}
	ans, err := a.ask(ctx, question{Want: "shop"})
	if err != nil && a.flaw == "an unread shop is empty" {
		return nil, nil
	}
	if err != nil || a.flaw == "an empty shelf" {
		return nil, err
	}
	if a.flaw == "sells what it sold once" {
		ans.Sells = []string{"new", "week"}
	}
	if a.flaw == "lists a package twice" {
		ans.Sells = append(ans.Sells, "week")
	}
	cost := carrier.Cost{Units: price, Scale: 1, Currency: "USD"}
	if a.flaw == "prices of yesterday" {
		cost.Units++
	}
	var all []carrier.Package
	for _, code := range ans.Sells {
		if a.flaw == "another price for everybody" && p == (carrier.Profile{}) {
			cost.Units = 2 * price
		}
		all = append(all, carrier.Package{Code: code, Cost: cost, TopUp: code == "week", New: code == "new", AsOfDate: a.now()})
	}
	return all, nil
}

// price is what the town's package costs.
const price = 7

func (a *adapter) Health(ctx context.Context) (carrier.Health, error) {
	_, err := a.ask(ctx, question{Want: "balance"})
	return carrier.Health{OK: a.flaw != "never well"}, err
}

func (a *adapter) Balance(ctx context.Context) (carrier.Cost, error) {
	ans, err := a.ask(ctx, question{Want: "balance"})
	return carrier.Cost{Units: int64(ans.Left), Scale: 1, Currency: "USD"}, err
}

func (a *adapter) Notification(_ http.Header, body []byte) (carrier.Doorbell, error) {
	var n struct{ ID string }
	if err := json.Unmarshal(body, &n); err != nil || n.ID == "" {
		switch a.flaw {
		case "notifications panic":
			_ = body[0]
		case "bells without a name":
			return carrier.Doorbell{}, nil
		}
		return carrier.Doorbell{}, &carrier.Refusal{Reason: carrier.BadRequest}
	}
	return carrier.Doorbell{EventID: n.ID}, nil
}

// open is a bench with this flaw, or with an honest carrier.
func open(flaw string) Bench {
	o := &town{now: noon, lines: map[string][]string{"a": nil, "b": nil, "c": nil, "ended": nil}, orders: map[string][]int{}, fates: map[string]carrier.Fate{}}
	w := &outboundsim.Wire{Stranger: o}
	var able carrier.Carrier = &adapter{flaw, w, o.Now}
	if flaw == "says that it takes back" {
		able = struct{ carrier.Issuer }{able.(carrier.Issuer)}
	}
	return Bench{
		Carrier: able,
		Profile: carrier.Profile{ID: "a"}, Package: "week", NewPackage: "new", Charges: true,
		Withdraw: func() { o.mu.Lock(); defer o.mu.Unlock(); o.withdrawn = true },
		Ended:    carrier.Profile{ID: "ended"}, Others: []carrier.Profile{{ID: "b"}, {ID: "c"}},
		Now: o.Now, Advance: o.Advance,
		ByHand: func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.lines["a"] = append(o.lines["a"], "by hand")
		},
		Extensions: func() int {
			o.mu.Lock()
			defer o.mu.Unlock()
			n := 0
			for _, ref := range o.lines["a"] {
				if ref != "by hand" {
					n++
				}
			}
			return n
		},
		FinishMaking: func() {
			o.mu.Lock()
			defer o.mu.Unlock()
			o.ready = o.ordered
		},
		Profiles: func() int {
			o.mu.Lock()
			defer o.mu.Unlock()
			return o.ordered
		},
		Install: func(i carrier.Issued) {
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.fates[i.Profile.ID] == "" {
				o.fates[i.Profile.ID] = carrier.FateInstalled
			}
		},
		TakenBack:   func() int { o.mu.Lock(); defer o.mu.Unlock(); return o.taken },
		StumbleNext: func() { o.mu.Lock(); defer o.mu.Unlock(); o.stumbles = true },
	}.On(w, isExtension)
}

func isExtension(r *http.Request) bool {
	body, _ := io.ReadAll(r.Body) // in memory
	r.Body = io.NopCloser(bytes.NewReader(body))
	var q question
	return json.Unmarshal(body, &q) == nil && (q.Want == "extend" || q.Want == "order" || q.Want == "take back")
}
