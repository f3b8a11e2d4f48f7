package db

import "sync"

// bell wakes sleepers of this process. The rows are the work: a lost or a
// needless ring costs a moment, nothing else.
type bell struct {
	mu        sync.Mutex
	listeners map[string]map[chan struct{}]bool
}

// Ring wakes everyone in this process who listens to topic. Call it after the
// transaction that made the work, never inside.
func (d *DB) Ring(topic string) {
	d.bell.mu.Lock()
	defer d.bell.mu.Unlock()
	for c := range d.bell.listeners[topic] {
		select {
		case c <- struct{}{}:
		default: // it has not woken up from the last ring yet
		}
	}
}

// Listen returns a channel that receives after [DB.Ring], and a function to
// stop listening. Rings that come while nobody receives become one.
func (d *DB) Listen(topic string) (<-chan struct{}, func()) {
	c := make(chan struct{}, 1)
	d.bell.mu.Lock()
	defer d.bell.mu.Unlock()
	if d.bell.listeners == nil {
		d.bell.listeners = map[string]map[chan struct{}]bool{}
	}
	if d.bell.listeners[topic] == nil {
		d.bell.listeners[topic] = map[chan struct{}]bool{}
	}
	d.bell.listeners[topic][c] = true
	return c, func() {
		d.bell.mu.Lock()
		defer d.bell.mu.Unlock()
		delete(d.bell.listeners[topic], c)
	}
}
