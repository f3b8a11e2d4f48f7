package portal

import (
	"slices"
	"strconv"
	"time"
)

// The answer times between which a line counts as slow. Below the first nobody
// minds another page; beyond the second it was the customer who took their time.
const (
	slowFrom = 400 * time.Millisecond
	readFrom = 10 * time.Second
)

// slowLine says whether one more page of a stranger would be felt: the customer
// saves data, the browser has measured a slow line (the client hints ECT and RTT
// of the Network Information API, which Chromium sends where a page has asked for
// them), or we have: between making the quote and being asked for its page lie one
// answer of ours and one request over the customer's line.
func (v *visit) slowLine(quoted time.Time) bool {
	h := v.r.Header
	if h.Get("Save-Data") == "on" || slices.Contains([]string{"slow-2g", "2g", "3g"}, h.Get("ECT")) {
		return true
	}
	if rtt, err := strconv.Atoi(h.Get("RTT")); err == nil {
		return rtt >= int(slowFrom/time.Millisecond)
	}
	took := v.voice.Now.Sub(quoted)
	return took >= slowFrom && took < readFrom
}
