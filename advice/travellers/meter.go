package travellers

// Holding is a plan as far as a meter notices it, bought again whenever it ends.
type Holding struct {
	Days     int   // calendar days of one period
	Volume   int64 // bytes a period; 0: no such limit
	DailyCap int64 // bytes a day; 0: no such limit
	Kbps     int   // after that; 0: nothing
}

// Reading is what the operator's meter shows of one day.
type Reading struct {
	Bytes  int64
	Capped bool // throttled or empty at some moment
}

// slowUse is how much of a throttled line is used while there is something to
// wait for (chosen: pages time out, people give up).
const slowUse = 0.3

// Meter is what the meter showed of the first n days under a holding. What goes
// beyond the plan comes slowly or not at all, and is not seen.
func (t *Traveller) Meter(h Holding, n int) []Reading {
	out := make([]Reading, n)
	left := h.Volume
	for i := range out {
		if h.Days > 0 && i%h.Days == 0 {
			left = h.Volume
		}
		allowed := t.Days[i].Demand
		switch {
		case h.Volume > 0:
			allowed = left
		case h.DailyCap > 0:
			allowed = h.DailyCap
		}
		out[i] = Read(t.Days[i].Demand, allowed, h.Kbps)
		left -= min(left, t.Days[i].Demand)
		// An empty line that nobody uses shows nothing, but it is empty.
		out[i].Capped = out[i].Capped || h.Volume > 0 && left == 0
	}
	return out
}

// Read is what a meter shows of a day on which so many bytes could come at full
// speed and the others at kbps. Demand is spread evenly over the day.
func Read(demand, allowed int64, kbps int) Reading {
	if demand <= allowed {
		return Reading{Bytes: demand}
	}
	rest := float64(demand-allowed) / float64(demand)
	slow := rest * 24 * 3600 * float64(kbps) * 1000 / 8 * slowUse
	return Reading{Bytes: allowed + min(demand-allowed, int64(slow)), Capped: true}
}
