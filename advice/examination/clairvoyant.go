package examination

import "github.com/tsuzuku/tsuzuku/advice"

// never is a cost that nothing reaches.
const never = 1 << 60

// path is every byte that will be wanted, one entry a day. The second is what is
// wanted while a service without a volume runs: people who need not count may
// use more.
type path struct {
	counted, carefree []int64
}

func (p path) days() int { return len(p.counted) }

func (p path) wanted(d int, s advice.Service) int64 {
	if unlimited(s) {
		return p.carefree[d]
	}
	return p.counted[d]
}

// clairvoyant finds what costs least for a path that is known: exactly, by
// dynamic programming over mornings. Under the rules of the examination (terms
// queue, a used-up volume may be replaced) three things cost nothing to leave
// out, as a test against trying everything shows: buying a term before the
// running one has ended, buying a pack before the day that needs it, and buying
// anything on a day beyond the last.
type clairvoyant struct {
	shop *advice.Shop
	path path

	idle   []int64 // cost of a day without service
	rest   []int64 // least cost from the morning of a day on, when nothing runs
	buying []int64 // the same, when a term is bought that morning
	packs  []int
	memo   map[runs]int64
}

// runs is a running period on a morning. Its end is the same for all of a memo.
type runs struct {
	day  int
	left int64
}

func newClairvoyant(s *advice.Shop, p path) *clairvoyant {
	n := p.days()
	c := &clairvoyant{shop: s, path: p, idle: make([]int64, n), rest: make([]int64, n+1), buying: make([]int64, n+1), memo: map[runs]int64{}}
	for i, o := range s.Offers {
		if o.Kind == advice.Pack {
			c.packs = append(c.packs, i)
		}
	}
	for d := n - 1; d >= 0; d-- {
		c.idle[d] = s.Costs.Day(p.counted[d], advice.Served{Missing: p.counted[d]})
		c.buying[d] = never
		for _, o := range s.Offers {
			if o.Kind == advice.Term {
				least := c.period(o.Service, d, d+o.Days, o.Volume)
				c.buying[d] = min(c.buying[d], o.Price+o.Fee+s.Costs.Hassle+least)
			}
		}
		c.rest[d] = min(c.idle[d]+c.rest[d+1], c.buying[d])
	}
	return c
}

// from is the least cost from the first morning on, for a line as it is.
func (c *clairvoyant) from(l line) int64 {
	if l.offer < 0 {
		return c.rest[0]
	}
	return c.period(l.service(), 0, l.days, l.left)
}

// period is the least cost from a morning on, when a service runs until the
// morning `end` and so much is left. rest and buying must be known after day.
func (c *clairvoyant) period(s advice.Service, day, end int, left int64) int64 {
	end = min(end, c.path.days())
	if len(c.packs) > 0 {
		clear(c.memo)
		return c.withPacks(s, day, end, left)
	}
	least, cost := int64(never), int64(0)
	for d := day; d < end; d++ {
		if s.Volume > 0 && left == 0 {
			least = min(least, cost+c.buying[d])
		}
		demand := c.path.wanted(d, s)
		var served advice.Served
		if served, left = serve(s, left, demand); served.Full != demand {
			cost += c.shop.Costs.Day(demand, served)
		}
	}
	return min(least, cost+c.rest[end])
}

func (c *clairvoyant) withPacks(s advice.Service, day, end int, left int64) int64 {
	if day == end {
		return c.rest[end]
	}
	if known, ok := c.memo[runs{day, left}]; ok {
		return known
	}
	demand := c.path.wanted(day, s)
	served, after := serve(s, left, demand)
	least := c.shop.Costs.Day(demand, served) + c.withPacks(s, day+1, end, after)
	if s.Volume > 0 && left == 0 {
		least = min(least, c.buying[day])
	}
	if served.Full < demand {
		for _, i := range c.packs {
			o := c.shop.Offers[i]
			least = min(least, o.Price+o.Fee+c.shop.Costs.Hassle+c.withPacks(s, day, end, left+o.Volume))
		}
	}
	c.memo[runs{day, left}] = least
	return least
}
