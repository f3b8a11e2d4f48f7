package portal

import (
	"context"
	"sync"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

const (
	uploadsAtOnce   = 16 // forms with files that are read at once: each may take 15 MB of memory
	uploadsPerOwner = 2  // of one customer
	mostUploadsDay  = 2 << 30
)

// uploading bounds how many forms with files are read at once.
type uploading struct {
	mu  sync.Mutex
	of  map[string]int // by account
	all int
}

// begin takes room for one, until end is called. It fails with [fault.TooMany].
func (u *uploading) begin(account string) (end func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.all >= uploadsAtOnce || u.of[account] >= uploadsPerOwner {
		return nil, fault.Because(fault.TooMany, "uploads_busy", "Other files are on their way at the moment. Please send yours again in a minute.", nil)
	}
	if u.of == nil {
		u.of = map[string]int{}
	}
	u.all, u.of[account] = u.all+1, u.of[account]+1
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.all--
		if u.of[account]--; u.of[account] == 0 {
			delete(u.of, account)
		}
	}, nil
}

// room counts what is about to be kept, towards what all customers together may send in
// a day. It fails with [fault.TooMany].
func (v *visit) room(ctx context.Context, bytes int) error {
	return v.server.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return v.server.Door.Room(ctx, tx, "files", int64(bytes), mostUploadsDay)
	})
}
