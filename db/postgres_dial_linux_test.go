package db

import (
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// A host that loses its power in the middle of a question says no good-bye. What the
// kernel is asked to do then is all that ends the question; that it does so was seen by
// hand, as it takes its time.
func TestSilentHostsAreGivenUp(t *testing.T) {
	c, err := pgx.ParseConfig("postgres://u:p@127.0.0.1:1,127.0.0.1:2/shop?sslmode=disable&target_session_attrs=read-write")
	if err != nil {
		t.Fatal(err)
	}
	dialSoon(c)
	if c.ConnectTimeout != dialLimit {
		t.Errorf("a host may take %v to accept a connection", c.ConnectTimeout)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // of this test alone
	conn, err := c.DialFunc(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // as above
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct{ option, value int }{
		"unacknowledged for, in ms": {tcpUserTimeout, int(silenceMost.Milliseconds())},
		"asked after so long, in s": {syscall.TCP_KEEPIDLE, 5},
		"asked again after, in s":   {syscall.TCP_KEEPINTVL, 5},
		"given up after so many":    {syscall.TCP_KEEPCNT, 3},
	} {
		var got int
		failed := raw.Control(func(fd uintptr) { got, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, want.option) })
		if failed != nil || err != nil || got != want.value {
			t.Errorf("%s: %d, want %d (%v, %v)", name, got, want.value, failed, err)
		}
	}
	local := filepath.Join(t.TempDir(), "s")
	l, err = net.Listen("unix", local)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // as above
	if conn, err = c.DialFunc(t.Context(), "unix", local); err != nil {
		t.Fatalf("a socket of this machine: %v", err)
	}
	_ = conn.Close() // as above
}

// Who cannot reach any of several hosts is told of all of them.
func TestEveryHostIsNamed(t *testing.T) {
	c, err := pgx.ParseConfig("postgres://u:p@10.0.0.1,10.0.0.2:5433/shop?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := hosts(c), "10.0.0.1 port 5432 or 10.0.0.2 port 5433"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if c, err = pgx.ParseConfig("postgres://u:p@localhost/shop?sslmode=prefer"); err != nil {
		t.Fatal(err)
	}
	if got, want := hosts(c), "localhost port 5432"; got != want { // with TLS and without is one host
		t.Errorf("%q, want %q", got, want)
	}
}
