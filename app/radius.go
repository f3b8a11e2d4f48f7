package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/tsuzuku/tsuzuku/metrics"
	"github.com/tsuzuku/tsuzuku/radius"
)

// Radius is the server of RADIUS accounting, by which gateways count what lines use.
type Radius struct {
	Listen   string            `help:"Address on which gateways report what lines use, by RADIUS accounting over UDP, for example 10.0.0.5:1813. Unset: nobody listens." placeholder:"ADDRESS"`
	Client   map[string]Secret `help:"A network whose gateways report, and the secret shared with them: --radius-client 10.1.0.0/16=@/etc/tsuzuku/radius. The narrowest network counts." placeholder:"NETWORK=SECRET"`
	Operator []string          `help:"Operators of the catalogue whose lines are counted so. What their adapters say of usage is not taken any more." placeholder:"OPERATOR"`
	Find     []string          `default:"imsi=3GPP-IMSI" help:"Where the number of the card is, and what number: imsi, msisdn or iccid in 3GPP-IMSI, User-Name, Calling-Station-Id, Class or Chargeable-User-Identity; the first that is there counts. IMSI and MSISDN need the list of tsuzuku radius numbers." placeholder:"NUMBER=ATTRIBUTE"`
}

// leastRadiusSecret is how short a secret may be: whoever hears a packet can try secrets
// at home (RFC 2865, 3).
const leastRadiusSecret = 16

// check reports what is wrong.
func (c Radius) check() error {
	if c.Listen == "" {
		return nil
	}
	var errs []error
	if len(c.Client) == 0 || len(c.Operator) == 0 {
		errs = append(errs, errors.New("--radius-listen needs --radius-client and --radius-operator"))
	}
	for network, secret := range c.Client {
		if len(secret) < leastRadiusSecret {
			errs = append(errs, fmt.Errorf("--radius-client %s: give a secret of at least %d characters", network, leastRadiusSecret))
		}
	}
	_, err := c.clients()
	_, err2 := c.finds()
	return errors.Join(append(errs, err, err2)...)
}

func (c Radius) clients() (all []radius.Client, err error) {
	for _, network := range slices.Sorted(maps.Keys(c.Client)) {
		p, bad := netip.ParsePrefix(network)
		if a, notOne := netip.ParseAddr(network); notOne == nil {
			p, bad = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("--radius-client: %q is no network such as 10.1.0.0/16", network))
		}
		all = append(all, radius.Client{Network: p.Masked(), Secret: []byte(c.Client[network])})
	}
	return all, err
}

func (c Radius) finds() (all []radius.Find, err error) {
	for _, text := range c.Find {
		f, bad := radius.ParseFind(text)
		if bad != nil {
			err = errors.Join(err, fmt.Errorf("--radius-find: %w", bad))
		}
		all = append(all, f)
	}
	return all, err
}

// metered are the operators whose lines gateways count.
func (c Radius) metered() map[string]bool {
	if c.Listen == "" {
		return nil
	}
	all := map[string]bool{}
	for _, id := range c.Operator {
		all[id] = true
	}
	return all
}

// RadiusDoor is where gateways report. ok is false where nobody listens.
func (a *App) RadiusDoor(ctx context.Context) (conn net.PacketConn, serve func(context.Context) error, ok bool, err error) {
	c := a.Config.Radius
	if c.Listen == "" {
		return nil, nil, false, nil
	}
	conn, err = (&net.ListenConfig{}).ListenPacket(ctx, "udp", c.Listen)
	if err != nil {
		return nil, nil, false, fmt.Errorf("cannot listen on %s: %w. Choose another address with --radius-listen", c.Listen, err)
	}
	return conn, func(ctx context.Context) error { return a.radius.Serve(ctx, conn) }, true, nil
}

// radiusServer is built with the house, so that its counters are there from the start.
func (a *App) radiusServer() (*radius.Server, error) {
	clients, err := a.Config.Radius.clients()
	if err != nil {
		return nil, err
	}
	find, err := a.Config.Radius.finds()
	return &radius.Server{Desk: a.Desk, DB: a.DB, Clients: clients, Find: find, Log: a.Env.Log}, err
}

// radiusMetrics is what is counted of gateways' reports.
func (a *App) radiusMetrics() []metrics.Family {
	return []metrics.Family{{
		Name: "tsuzuku_radius_packets_total", Kind: metrics.Counter,
		Help: "Packets of RADIUS accounting, by what became of them; busy, failed, forged and stranger were not answered.",
		Read: func(context.Context) (all []metrics.Sample, err error) {
			tallies := a.radius.Tallies()
			for _, outcome := range slices.Sorted(maps.Keys(tallies)) {
				all = append(all, metrics.Sample{Labels: []metrics.Label{{Name: "outcome", Value: string(outcome)}}, Value: metrics.Whole(tallies[outcome])})
			}
			return all, nil
		},
	}}
}
