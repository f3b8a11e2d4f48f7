package world

import (
	"sync"
	"time"
)

// Clock shows the real time moved by what somebody added on the panel. It is
// safe for concurrent use.
type Clock struct {
	Real func() time.Time

	mu     sync.Mutex
	offset time.Duration
}

// Now is what the clock shows, in UTC.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Real().Add(c.offset).UTC()
}

// Add moves the clock forward. Time does not go back: what was signed, stored
// and promised later than now would make no sense.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += max(0, d)
}
