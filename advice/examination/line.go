package examination

import (
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/advice/travellers"
)

// line is the exact simulator that charges every buyer. It knows whole days:
// what is bought in the morning serves that day, and what runs out during a day
// is charged with the rest of it.
type line struct {
	shop    *advice.Shop
	offer   int   // what runs; -1: nothing
	days    int   // that are left of it, today included
	left    int64 // bytes of its volume; of an unlimited one, bytes of packs
	waiting []int // terms that begin when the running one ends
}

func newLine(s *advice.Shop) line { return line{shop: s, offer: -1} }

// service is what runs; the zero offer when nothing does.
func (l *line) service() advice.Service { return l.shop.Offers[l.offer].Service }

// used reports whether a volume runs of which nothing is left.
func (l *line) used() bool { return l.offer >= 0 && !unlimited(l.service()) && l.left == 0 }

// state is the line as a buyer may see it.
func (l *line) state() advice.State {
	var s advice.State
	if l.offer < 0 {
		return s
	}
	s.Running = advice.Cover{Service: l.service(), Days: l.days, Bytes: l.left}
	if unlimited(l.service()) && l.service().DailyCap > 0 {
		s.Running.Bytes += l.service().DailyCap // the new day's
	}
	for _, w := range l.waiting {
		o := l.shop.Offers[w]
		s.Waiting = append(s.Waiting, advice.Cover{Service: o.Service, Days: o.Days, Bytes: max(o.Volume, o.DailyCap)})
	}
	return s
}

// buy is what a purchase in the morning does, and what it costs: price, fee and
// hassle. A purchase that the shop's rules refuse, or that has nothing to add
// to, changes nothing, costs nothing and is not ok.
func (l *line) buy(offer int) (price, cost int64, ok bool) {
	if offer < 0 || offer >= len(l.shop.Offers) {
		return 0, 0, false
	}
	o := l.shop.Offers[offer]
	if !l.shop.Rules.Allows(o, l.state()) || o.Kind == advice.Pack && l.offer < 0 {
		return 0, 0, false
	}
	switch {
	case o.Kind == advice.Pack:
		l.left += o.Volume
	case l.offer < 0 || l.used():
		l.start(offer)
	default:
		l.waiting = append(l.waiting, offer)
	}
	return o.Price + o.Fee, o.Price + o.Fee + l.shop.Costs.Hassle, true
}

func (l *line) start(offer int) {
	o := l.shop.Offers[offer]
	l.offer, l.days, l.left = offer, o.Days, o.Volume
}

// live is one day on which so many bytes were wanted: how they were served, and
// what the meter shows of it.
func (l *line) live(demand int64) (advice.Served, travellers.Reading) {
	if l.offer < 0 {
		return advice.Served{Missing: demand}, travellers.Reading{Capped: demand > 0}
	}
	var served advice.Served
	served, l.left = serve(l.service(), l.left, demand)
	meter := travellers.Read(demand, served.Full, l.service().ThrottleKbps)
	meter.Capped = meter.Capped || l.used()
	if l.days--; l.days == 0 {
		l.offer, l.left = -1, 0
		if len(l.waiting) > 0 {
			l.start(l.waiting[0])
			l.waiting = l.waiting[1:]
		}
	}
	return served, meter
}

// serve meets a day's demand, and says what is left of the volume, or of packs
// beside an unlimited service, which are used once the day's cap is.
func serve(s advice.Service, left, demand int64) (advice.Served, int64) {
	switch {
	case s.Volume > 0:
		served := s.Serve(left, demand)
		return served, left - served.Full
	case s.DailyCap > 0:
		served := s.Serve(s.DailyCap+left, demand)
		return served, left - max(served.Full-s.DailyCap, 0)
	}
	return s.Serve(left, demand), left
}
