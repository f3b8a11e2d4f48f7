package advice

// kept makes w the way of what is paid for already.
func (r *room) kept(s *State, w *way) {
	w.reset(-1)
	w.add(r.running(s))
	for i := range s.Waiting {
		c := &s.Waiting[i]
		x := r.stretchOf(c.Service, c.Days, c.Bytes)
		x.first = -1
		w.add(x)
	}
}

func (w *way) reset(offer int) { w.offer, w.n, w.covers, w.price = offer, 0, 0, 0 }

func (r *room) running(s *State) stretch {
	c := &s.Running
	x := r.stretchOf(c.Service, c.Days, c.Bytes)
	if c.DailyCap == 0 {
		x.first = -1
	}
	return x
}

func (r *room) stretchOf(s Service, days int, bytes int64) stretch {
	x := stretch{
		kind: -1, limit: kind{float64(s.DailyCap), s.ThrottleKbps > 0}, volume: s.Volume > 0, slow: s.ThrottleKbps > 0,
		days: min(days, MaxOfferDays), bytes: float64(max(bytes, 0)), first: float64(max(bytes, 0)),
	}
	for i, k := range r.t.kinds {
		if k == x.limit {
			x.kind = i
		}
	}
	return x
}

// with makes w what is paid for once an offer is bought, too.
func (r *room) with(offer int, q *Question, w *way) {
	o := &r.t.shop.Offers[offer]
	kept := &r.ways[0]
	fresh := r.stretchOf(o.Service, o.Days, o.Volume)
	fresh.first = -1
	w.reset(offer)
	switch {
	case o.Kind == Pack:
		w.keep(kept)
		w.stretches[0].enlarge(o)
	case kept.n == 0:
		w.add(fresh)
	default:
		w.combine(kept, fresh, r.t.shop.Rules.modeFor(&q.State))
	}
	w.price = float64(o.Price+r.fee(o, q)) + r.t.costs[r.a].hassle
}

// keep adds all of another way.
func (w *way) keep(kept *way) {
	for _, s := range kept.stretches[:kept.n] {
		w.add(s)
	}
}

// enlarge adds a pack to the running period.
func (s *stretch) enlarge(o *Offer) {
	switch {
	case s.volume:
		s.bytes += float64(o.Volume)
	case o.Volume == 0: // full speed until the reset
		s.first = 1e18
	case s.first >= 0:
		s.first += float64(o.Volume)
	}
}

// combine makes w what is paid for after a purchase in the given mode.
func (w *way) combine(kept *way, fresh stretch, mode Mode) {
	switch mode {
	case Replace:
		w.add(fresh)
		return
	case Parallel:
		w.beside(kept, fresh)
		return
	case Extend:
		last := &kept.stretches[kept.n-1]
		if last.volume && fresh.volume {
			w.keep(kept)
			w.stretches[w.n-1].days += fresh.days
			w.stretches[w.n-1].bytes += fresh.bytes
			w.covers += fresh.days
			return
		}
	case Queue:
	}
	w.keep(kept)
	w.add(fresh)
}

// beside lets the new period run beside the old ones: two volumes are used up
// one after the other, an endless one makes the other idle.
func (w *way) beside(kept *way, fresh stretch) {
	old := kept.stretches[0]
	if old.volume && fresh.volume {
		old.days = max(old.days, fresh.days)
		old.bytes += fresh.bytes
		w.add(old)
	} else {
		w.add(fresh)
		if old.days -= fresh.days; old.days > 0 {
			old.first = -1
			w.add(old)
		}
	}
	for _, s := range kept.stretches[1:kept.n] {
		w.add(s)
	}
}

func (r *room) fee(o *Offer, q *Question) int64 {
	if q.Wallet >= o.Price {
		return 0
	}
	return o.Fee
}

// missingAfter is how many steps of the minimum spend are missing once so much
// more was spent.
func (r *room) missingAfter(spent int64) int {
	if r.t.step == 0 {
		return 0
	}
	missing := r.t.shop.Rules.MinimumSpend - spent
	return int(min(max((missing+r.t.step-1)/r.t.step, 0), spendSteps))
}
