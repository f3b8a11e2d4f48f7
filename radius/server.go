// Package radius is the door for gateways that count what lines use: a server of
// RADIUS accounting (RFC 2866 and 2869). A report is answered when it is stored, so
// that what was not stored comes again; one that will never be of use is answered, too.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package radius

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
)

// Client is a network whose gateways report to us, and what they prove it by.
type Client struct {
	Network netip.Prefix
	Secret  []byte
}

// Outcome is what became of a packet, as it is counted.
type Outcome string

// The outcomes besides those of [order.Metering].
const (
	Stranger   Outcome = "stranger"   // of no client's network; not answered
	Forged     Outcome = "forged"     // not made with the client's secret; not answered
	Unreadable Outcome = "unreadable" // it lacks what a report must have
	Repeated   Outcome = "repeated"   // the same packet again
	Busy       Outcome = "busy"       // too many at once; not answered, so that it comes again
	Failed     Outcome = "failed"     // not stored; not answered, so that it comes again
	Restart    Outcome = "restart"    // a gateway began anew
	Ignored    Outcome = "ignored"    // about nothing that we count, or whether we are there
)

// Server takes reports. Its fields are set before it serves.
type Server struct {
	Desk    *order.Desk
	DB      *db.DB
	Clients []Client
	Find    []Find // where the card's number is, tried in this order
	Log     *slog.Logger

	once    sync.Once
	mu      sync.Mutex
	tallies map[Outcome]int64
	recent  recent
	quiet   *rate.Limiter // of what is logged, so that nobody fills our disk
}

// What is done at once, and what waits for it.
const (
	workers = 16
	waiting = 1024
)

// letter is a packet with its sender.
type letter struct {
	from netip.AddrPort
	body []byte
}

// Serve takes packets until ctx ends, and finishes those that it has taken. It closes
// the connection.
func (s *Server) Serve(ctx context.Context, conn net.PacketConn) error {
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	letters := make(chan letter, waiting)
	var all sync.WaitGroup
	work := context.WithoutCancel(ctx)
	for range workers {
		all.Go(func() {
			for l := range letters {
				if reply := s.Take(work, l.from, l.body); reply != nil {
					_, _ = conn.WriteTo(reply, net.UDPAddrFromAddrPort(l.from)) // who does not get it asks again
				}
			}
		})
	}
	err := s.listen(ctx, conn, letters)
	close(letters)
	all.Wait()
	return err
}

func (s *Server) listen(ctx context.Context, conn net.PacketConn, letters chan<- letter) error {
	buf := make([]byte, maxLen+1)
	for {
		n, from, err := conn.ReadFrom(buf)
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		udp, ok := from.(*net.UDPAddr)
		if !ok {
			continue
		}
		l := letter{netip.AddrPortFrom(udp.AddrPort().Addr().Unmap(), udp.AddrPort().Port()), append([]byte(nil), buf[:n]...)}
		select {
		case letters <- l:
		default:
			s.tally(Busy)
		}
	}
}

// Take carries out one packet, and returns what to answer; nil: nothing.
func (s *Server) Take(ctx context.Context, from netip.AddrPort, body []byte) []byte {
	s.once.Do(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.recent.answers, s.quiet = map[key]answered{}, rate.NewLimiter(rate.Every(10*time.Second), 20)
	})
	client, ok := s.client(from.Addr())
	if !ok {
		s.tally(Stranger)
		return nil
	}
	p, err := parse(body)
	if err != nil || !p.genuine(client.Secret) {
		s.tally(Forged)
		s.say(ctx, "a packet was not made with its network's secret", "from", from.Addr(), "network", client.Network)
		return nil
	}
	k := key{from, p.id, p.authenticator}
	before, known := s.enter(k)
	if known {
		s.tally(Repeated)
		return before // nil while the first one is being stored
	}
	outcome, err := s.carry(ctx, p, from.Addr())
	s.tally(outcome)
	if err != nil {
		s.leave(k, nil)
		s.say(ctx, "a report was not stored, and is not answered", "from", from.Addr(), "err", err)
		return nil
	}
	reply := p.answer(client.Secret)
	s.leave(k, reply)
	return reply
}

// carry does what a genuine packet asks for. An error means that it must come again.
func (s *Server) carry(ctx context.Context, p packet, from netip.Addr) (Outcome, error) {
	if p.code != accountingRequest {
		return Ignored, nil // whether we are there
	}
	r, ok := read(p, s.Find, from, s.DB.Now())
	switch {
	case !ok:
		s.say(ctx, "a report lacks its kind, its session or the card's number", "from", from)
		return Unreadable, nil
	case r.none:
		return Ignored, nil
	case r.restarts:
		err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return line.Restarted(ctx, tx, r.gateway, r.at) })
		return orFailed(Restart, err), err
	}
	became, err := s.Desk.Meter(ctx, r.number, r.count)
	switch became {
	case order.MeterNoLine, order.MeterElsewhere, order.MeterAbsurd, order.MeterFell, order.MeterOld:
		s.say(ctx, "a report changes no figure", "why", string(became), "gateway", r.gateway, string(r.number.Kind), masked(r.number.Value), "at", r.at)
	case order.MeterCounted, order.MeterKnown:
	}
	return orFailed(Outcome(became), err), err
}

func orFailed(o Outcome, err error) Outcome {
	if err != nil {
		return Failed
	}
	return o
}

// masked is the end of a number, by which staff recognise it.
func masked(digits string) string { return "…" + digits[max(0, len(digits)-4):] }

// client is the narrowest network that an address is in.
func (s *Server) client(a netip.Addr) (found Client, ok bool) {
	for _, c := range s.Clients {
		if c.Network.Contains(a) && (!ok || c.Network.Bits() > found.Network.Bits()) {
			found, ok = c, true
		}
	}
	return found, ok
}

func (s *Server) say(ctx context.Context, what string, args ...any) {
	if s.quiet.Allow() {
		s.Log.WarnContext(ctx, "radius: "+what, args...)
	}
}

func (s *Server) tally(o Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tallies == nil {
		s.tallies = map[Outcome]int64{}
	}
	s.tallies[o]++
}

// Tallies are how many packets there were, by what became of them.
func (s *Server) Tallies() map[Outcome]int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.tallies)
}

// key is what makes a packet the same as another one (RFC 2866, 3).
type key struct {
	from          netip.AddrPort
	id            byte
	authenticator [sumLen]byte
}

// recent are the packets of a moment ago with their answers: one that comes again is
// answered again without being looked at. What is forgotten is carried out again, which
// changes nothing.
type recent struct {
	answers map[key]answered
	order   []key
}

type answered struct{ reply []byte } // nil while it is being stored

const mostRecent = 4096

func (s *Server) enter(k key) (reply []byte, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a, ok := s.recent.answers[k]; ok {
		return a.reply, true
	}
	s.recent.answers[k] = answered{}
	s.recent.order = append(s.recent.order, k)
	if len(s.recent.order) > mostRecent {
		delete(s.recent.answers, s.recent.order[0])
		s.recent.order = s.recent.order[1:]
	}
	return nil, false
}

// leave keeps the answer; nil: the packet was not carried out, and may come again.
func (s *Server) leave(k key, reply []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if reply == nil {
		delete(s.recent.answers, k)
		return
	}
	if _, ok := s.recent.answers[k]; ok {
		s.recent.answers[k] = answered{reply}
	}
}
