package metrics

import (
	"slices"
	"time"
)

// Bounds are up to how long calls to strangers count into which bucket; what took
// longer counts into the last one, which has no bound.
var Bounds = []time.Duration{
	50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2500 * time.Millisecond, 5 * time.Second, 10 * time.Second, 20 * time.Second,
}

// Histogram counts how long something took, by [Bounds]. The zero value is empty. Its
// owner sees to it that it is used by one at a time.
type Histogram struct {
	counts [10]int64 // one more than there are bounds
	sum    time.Duration
}

// Note counts one.
func (h *Histogram) Note(took time.Duration) {
	i, _ := slices.BinarySearch(Bounds, took)
	h.counts[i]++
	h.sum += took
}

// Samples are its numbers under some labels.
func (h Histogram) Samples(labels ...Label) []Sample {
	var all []Sample
	total := int64(0)
	for i, n := range h.counts {
		total += n
		bound := "+Inf"
		if i < len(Bounds) {
			bound = Seconds(Bounds[i]).String()
		}
		all = append(all, Sample{Suffix: "_bucket", Labels: append(slices.Clone(labels), Label{"le", bound}), Value: Whole(total)})
	}
	return append(all, Sample{Suffix: "_sum", Labels: labels, Value: Seconds(h.sum)}, Sample{Suffix: "_count", Labels: labels, Value: Whole(total)})
}
