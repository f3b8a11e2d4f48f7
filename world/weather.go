package world

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// Faults is how much goes wrong in a simulated town.
type Faults string

// The amounts. With some and wild, every run has weights of its own: a part of
// the faults never happens in it, and others happen often.
const (
	NoFaults   Faults = "none"
	SomeFaults Faults = "some" // a few in a hundred calls
	WildFaults Faults = "wild" // up to a quarter of all calls, by each kind
)

// Weather is what befalls calls, notifications, letters and our own processes
// in one run. All of it is decided by one source of chance, in the order in which
// it is asked.
type Weather struct {
	rand *rand.Rand

	wire     []weighed[outboundsim.Fault]
	operator []weighed[carriersim.Fault]
	tell     []weighed[string]
	letter   []weighed[inboxsim.Fault]

	stale   int // of 10,000 look-ups so many show what was
	outages []outage
	past    []outage      // all that there were
	crash   int           // one commit or call boundary in so many is the last of its process; 0: none is
	cut     int           // at one boundary of a transaction in so many the way to the database is cut; 0: at none
	skew    time.Duration // how much the second host's clock differs
	hosts   int           // how many processes of ours work on the same rows
	lateBy  time.Duration // at most, for what is done later

	count  map[string]int // what was injected, by kind
	failed failures
	hail   hail // at the second operator
}

// weighed is a fault and in how many of 10,000 cases it happens.
type weighed[F ~string] struct {
	fault F
	share int
}

// outage is a time in which a stranger cannot be reached.
type outage struct {
	who      string
	from, to time.Time
}

// NewWeather decides how a run will be. length is how long customers come.
func NewWeather(f Faults, r *rand.Rand, begin time.Time, length time.Duration) *Weather {
	w := &Weather{rand: r, hosts: 1, count: map[string]int{}, failed: failures{}, lateBy: 20 * time.Second}
	if f == NoFaults || f == "" {
		return w
	}
	most := 250
	if f == WildFaults {
		most = 2500
	}
	w.wire = weigh(r, most, outboundsim.Faults)
	w.operator = weigh(r, most, carriersim.Faults)
	w.tell = weigh(r, 4*most, []string{"early", "late", "behind", "twice", "never", "forged"})
	w.letter = weigh(r, most, []inboxsim.Fault{inboxsim.Busy, inboxsim.SilentBefore, inboxsim.SilentAfter})
	if r.IntN(2) == 0 {
		w.stale = 1 + r.IntN(most)
	}
	w.hosts = 1 + r.IntN(2)
	w.skew = time.Duration(r.IntN(4000)-2000) * time.Millisecond
	if w.hosts > 1 {
		w.count["second process"], w.count["clock skew, ms"] = 1, int(w.skew.Abs().Milliseconds())
	}
	w.lateBy = time.Duration(20+r.IntN(200)) * time.Second
	if r.IntN(4) > 0 {
		w.crash = 400 + r.IntN(8000)
	}
	if r.IntN(2) > 0 {
		w.cut = 400 + r.IntN(8000)
	}
	for range r.IntN(4) {
		who := []string{"stripe", "paypal", "linepay", "paypay", "alipay", "wechatpay", "simple", wholesaler, "mail"}[r.IntN(9)]
		from := begin.Add(time.Duration(r.Int64N(int64(length) + 1)))
		w.outages = append(w.outages, outage{who, from, from.Add(time.Duration(1+r.IntN(180)) * time.Minute)})
	}
	if w.cut > 0 { // and once for longer, but not so long that nobody would come back
		from := begin.Add(time.Duration(r.Int64N(int64(length) + 1)))
		w.outages = append(w.outages, outage{"database", from, from.Add(time.Duration(1+r.IntN(120)) * time.Second)})
	}
	w.past = w.outages
	return w
}

// weigh leaves each fault out or gives it a share of its own, up to most.
func weigh[F ~string](r *rand.Rand, most int, faults []F) (all []weighed[F]) {
	for _, f := range faults {
		if r.IntN(2) == 0 {
			all = append(all, weighed[F]{f, 1 + r.IntN(most)})
		}
	}
	return all
}

// pick decides one case; the zero fault mostly.
func pick[F ~string](w *Weather, kind string, from []weighed[F]) F {
	n := w.rand.IntN(10_000)
	for _, f := range from {
		if n -= f.share; n < 0 {
			w.count[kind+"/"+string(f.fault)]++
			return f.fault
		}
	}
	return ""
}

func (w *Weather) out(who string, now time.Time) bool {
	out := slices.ContainsFunc(w.outages, func(o outage) bool { return o.who == who && !now.Before(o.from) && now.Before(o.to) })
	if out {
		w.count["outage/"+who]++
	}
	return out
}

// atBank is the fate of one request to a bank.
func (w *Weather) atBank(b *Bank, now time.Time, r *http.Request) outboundsim.Fault {
	f := w.fateAtBank(b, now, r)
	if f != outboundsim.None && f != outboundsim.Stale {
		w.failed.add(now, wordsOf(r))
	}
	return f
}

func (w *Weather) fateAtBank(b *Bank, now time.Time, r *http.Request) outboundsim.Fault {
	if w.out(b.Name, now) {
		return outboundsim.Refuse
	}
	if r.Method == http.MethodGet && w.old() {
		return outboundsim.Stale
	}
	f := pick(w, "wire", w.wire)
	if (f == outboundsim.ActLater || f == outboundsim.Twice) && !b.Acts(r) || f == outboundsim.Twice && b.Keyless != nil && b.Keyless(r) {
		return outboundsim.LoseRequest
	}
	return f
}

// staleMost is how old an answer can be that does not say so. All strangers of the
// town settle later than that.
const staleMost = 3 * time.Minute

// old reports whether a look-up shows what was.
func (w *Weather) old() bool {
	if w.stale == 0 || w.rand.IntN(10_000) >= w.stale {
		return false
	}
	w.count["stale"]++
	return true
}

// lag is how long ago that was which a look-up at the operator shows.
func (w *Weather) lag() time.Duration {
	if !w.old() {
		return 0
	}
	return time.Duration(w.rand.Int64N(int64(staleMost)))
}

// atOperator is the fate of one extension, by our name for it.
func (w *Weather) atOperator(now time.Time, ref string) carriersim.Fault {
	f := carriersim.NotSent
	if !w.out("simple", now) {
		f = pick(w, "operator", w.operator)
	}
	if f != carriersim.None {
		w.failed.add(now, ref)
	}
	return f
}

func (w *Weather) delivery() string { return pick(w, "notification", w.tell) }

func (w *Weather) atMailbox(now time.Time) inboxsim.Fault {
	if w.out("mail", now) {
		return inboxsim.Busy
	}
	return pick(w, "letter", w.letter)
}

// crashes reports whether this boundary of a commit or call is the last one of
// its process.
func (w *Weather) crashes() bool {
	if w.crash == 0 || w.rand.IntN(w.crash) > 0 {
		return false
	}
	w.count["crash"]++
	return true
}

// cuts reports whether the way to the database is cut at this boundary: for this moment,
// or for a while.
func (w *Weather) cuts(now time.Time) bool {
	if w.out("database", now) {
		return true
	}
	if w.cut == 0 || w.rand.IntN(w.cut) > 0 {
		return false
	}
	w.count["database cut"]++
	return true
}

// clear ends every fault.
func (w *Weather) clear() {
	w.wire, w.operator, w.tell, w.letter, w.outages, w.crash, w.cut, w.stale = nil, nil, nil, nil, nil, 0, 0, 0
}

// later is when something that is put off happens.
func (w *Weather) later() time.Duration {
	return time.Second + time.Duration(w.rand.Int64N(int64(w.lateBy)))
}

// Postbox is the mailbox of the town: it knows when somebody last heard of what.
type Postbox struct {
	*inboxsim.Inbox
	heard  map[string]time.Time // when a letter arrived, by the address that it is about
	silent map[string]time.Time // when one was tried to which nobody answered
}

func newPostbox(now func() time.Time, w *Weather) *Postbox {
	p := &Postbox{heard: map[string]time.Time{}, silent: map[string]time.Time{}}
	p.Inbox = &inboxsim.Inbox{Now: now, Choose: func(l message.Letter) inboxsim.Fault {
		f := w.atMailbox(now())
		switch f {
		case inboxsim.None, inboxsim.SilentAfter, inboxsim.Slow:
			p.heard[l.Link] = now()
		case inboxsim.SilentBefore:
			p.silent[l.Link] = now()
		case inboxsim.Busy, inboxsim.Refuse:
		}
		return f
	}}
	return p
}
