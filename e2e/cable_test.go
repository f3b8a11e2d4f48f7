package e2e

import (
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// cable lies between the shop and PostgreSQL, and has faults.
type cable struct {
	url     string // of the database, through the cable
	network string
	address string // of the server

	mu     sync.Mutex
	random *rand.Rand
	ends   map[net.Conn]bool
	tearBy int           // each connection breaks after at most so many bytes; 0: never
	delay  time.Duration // of each piece that passes
	refuse int           // so many connections are still refused
	faults int           // that happened
}

// layCable leads from the database's URL to the same database.
func layCable(t *testing.T, database string) *cable {
	t.Helper()
	c, err := pgx.ParseConfig(database)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	k := &cable{ends: map[net.Conn]bool{}, random: rand.New(rand.NewPCG(7, 7))}
	k.network, k.address = pgconn.NetworkAddress(c.Host, c.Port)
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Host: l.Addr().String(), Path: "/" + c.Database,
		RawQuery: "sslmode=disable&connect_timeout=10",
	}
	k.url = u.String()
	t.Cleanup(func() {
		_ = l.Close()
		k.cut()
	})
	go k.accept(l)
	return k
}

func (k *cable) accept(l net.Listener) {
	for {
		from, err := l.Accept()
		if err != nil {
			return
		}
		k.mu.Lock()
		no := k.refuse > 0
		if no {
			k.refuse--
			k.faults++
		}
		k.mu.Unlock()
		if no {
			_ = from.Close()
			continue
		}
		to, err := net.Dial(k.network, k.address)
		if err != nil {
			_ = from.Close()
			continue
		}
		k.connect(from, to)
	}
}

func (k *cable) connect(from, to net.Conn) {
	k.mu.Lock()
	k.ends[from], k.ends[to] = true, true
	life := -1
	if k.tearBy > 0 {
		life = 1 + k.random.IntN(k.tearBy)
	}
	k.mu.Unlock()
	var left sync.Mutex
	pass := func(n int) bool {
		left.Lock()
		defer left.Unlock()
		if life < 0 {
			return true
		}
		life = max(0, life-n)
		return life > 0
	}
	both := func() {
		_, _ = from.Close(), to.Close()
		k.mu.Lock()
		defer k.mu.Unlock()
		delete(k.ends, from)
		delete(k.ends, to)
	}
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			defer both()
			k.carry(way[0], way[1], pass)
		}()
	}
}

// carry copies until an end closes or the cable tears.
func (k *cable) carry(from io.Reader, to io.Writer, pass func(int) bool) {
	piece := make([]byte, 2048)
	for {
		n, err := from.Read(piece)
		if err != nil {
			return
		}
		k.mu.Lock()
		delay := k.delay
		if delay > 0 {
			k.faults++
		}
		k.mu.Unlock()
		if delay > 0 {
			<-time.After(delay) // this is the fault itself
		}
		if !pass(n) {
			k.mu.Lock()
			k.faults++
			k.mu.Unlock()
			_, _ = to.Write(piece[:n/2])
			return
		}
		if _, err := to.Write(piece[:n]); err != nil {
			return
		}
	}
}

// cut breaks every connection there is.
func (k *cable) cut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for c := range k.ends {
		_ = c.Close()
		k.faults++
	}
}

func (k *cable) set(change func(*cable)) {
	k.mu.Lock()
	defer k.mu.Unlock()
	change(k)
}
