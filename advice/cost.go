package advice

import "github.com/tsuzuku/tsuzuku/money"

// Costs is what counts besides the price, so that plans can be compared that
// are cheap and fall short, or dear and never do. It is the yardstick of the
// advice and of its examination alike. Amounts are minor units of Currency.
type Costs struct {
	Currency money.Currency

	Hassle     int64 // of every purchase: choosing, paying, waiting
	PerGB      int64 // of 1e9 bytes that were wanted and came slowly or not
	SlowDayMax int64 // the most that a day of throttling counts
	OutageDay  int64 // of a whole day without data; part of a day in proportion
}

// YenCosts are the defaults: an hour without data counts 33 yen, a day of being
// throttled at most 500, a purchase 100.
func YenCosts() Costs {
	return Costs{Currency: "JPY", Hassle: 100, PerGB: 250, SlowDayMax: 500, OutageDay: 800}
}

// Slow is what a day counts on which so many bytes were wanted beyond the full
// speed of a line that is throttled then.
func (c Costs) Slow(bytes int64) int64 {
	if c.PerGB <= 0 || bytes <= 0 {
		return 0
	}
	if bytes/gb >= c.SlowDayMax/c.PerGB+1 {
		return c.SlowDayMax
	}
	return min(c.SlowDayMax, money.DivRound(bytes/1000*c.PerGB, gb/1000, money.HalfUp))
}

// gb is what [Costs.PerGB] counts.
const gb = 1_000_000_000

// Outage is what so many minutes of a day without data count.
func (c Costs) Outage(minutes int) int64 {
	return money.DivRound(c.OutageDay*int64(min(max(minutes, 0), minutesPerDay)), minutesPerDay, money.HalfUp)
}

// Day is what a day counts on which demand bytes were wanted, evenly over the
// day, and served as it was. A day on which nothing was wanted counts nothing:
// nobody missed it.
func (c Costs) Day(demand int64, s Served) int64 {
	cost := c.Slow(s.Slow)
	if s.Missing > 0 && demand > 0 {
		cost += c.Outage(int(float64(s.Missing) / float64(demand) * minutesPerDay))
	}
	return cost
}

// Attitude is how much a traveller minds to run out. It is chosen by the
// traveller and never raised silently.
type Attitude string

// The attitudes.
const (
	Cheapest Attitude = "cheapest" // running out is a nuisance
	Balanced Attitude = "balanced" // the defaults
	Carefree Attitude = "carefree" // running out spoils the day
)

// Attitudes is every attitude, from the least worry to the most.
var Attitudes = []Attitude{Cheapest, Balanced, Carefree}

// For is the yardstick of an attitude; an unknown one is [Balanced].
func (c Costs) For(a Attitude) Costs {
	num, den := int64(1), int64(1)
	switch a {
	case Cheapest:
		den = 2
	case Carefree:
		num = 3
	case Balanced:
	}
	c.PerGB, c.SlowDayMax, c.OutageDay = c.PerGB*num/den, c.SlowDayMax*num/den, c.OutageDay*num/den
	return c
}
