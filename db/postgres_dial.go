package db

import (
	"net"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// dialLimit is how long one host of the URL may take to accept a connection,
	// unless the URL says connect_timeout: there may be another host behind it.
	dialLimit = 5 * time.Second

	// silenceMost is about how long a host may be silent on the network, not even
	// acknowledging what was sent, before its connections are given up. A host that
	// loses its power, or its network, says no good-bye: without this a question that
	// is under way would wait for a quarter of an hour, and the worker with it, long
	// after another host has taken over.
	silenceMost = 20 * time.Second
)

// dialSoon lets connections notice that their host is gone. A server that is merely busy
// with a long query is not silent: its kernel answers.
func dialSoon(c *pgx.ConnConfig) {
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = dialLimit
	}
	d := &net.Dialer{
		Timeout: c.ConnectTimeout, ControlContext: giveUpSilent,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: silenceMost / 4, Interval: silenceMost / 4, Count: 3},
	}
	c.DialFunc = d.DialContext
}
