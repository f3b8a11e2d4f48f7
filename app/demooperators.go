package app

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier/es2plus"
	"github.com/tsuzuku/tsuzuku/carrier/manual"
	"github.com/tsuzuku/tsuzuku/carrier/remote"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/world"
)

// demoStaffWithin is how long the demo's staff may take.
const demoStaffWithin = 12 * time.Hour

// townOperators connects the demo with the operators that are there for it alone: the
// real adapters, to a server that speaks our contract, to an SM-DP+, and to staff.
func (a *Adapters) townOperators(c Config, env Env, ids *id.Source) error {
	able := remote.Capabilities{
		Contract: 1, Modes: []string{"extend"}, PerDay: true, Cancel: true, Issues: true, Withdraws: true, SettlesWithin: 900, CallsPerSecond: 50,
	}
	tabi, err := remote.New(remote.Config{Name: world.RemoteName, URL: world.RemoteURL, Keys: []string{world.RemoteKey}, Capabilities: able},
		env.client(world.RemoteName, int(able.CallsPerSecond)), env.Now, nonce(ids))
	if err != nil {
		return wrap(world.RemoteName, err)
	}
	own, err := es2plus.New(es2plus.Config{
		URL: world.SMDPURL, Requester: world.SMDPRequester, Address: world.SMDPAddress, Status: true, Secret: string(c.Secret),
	}, tabi, env.client(es2plus.Name, 5), env.Now, nonce(ids))
	if err != nil {
		return wrap(es2plus.Name, err)
	}
	staff, err := manual.New(demoStaffWithin, env.Now)
	if err != nil {
		return wrap(manual.Name, err)
	}
	a.Carriers[tabi.Name()], a.CarrierHooks[tabi.Name()] = tabi, signedHook
	a.Carriers[own.Name()], a.CarrierHooks[own.Name()], a.Profiles = own, signedHook, own
	a.Carriers[staff.Name()] = staff
	return nil
}

// hearPhones takes what the SM-DP+ has to say of phones: in the demo there is no line
// with certificates on both sides between the two.
func (d *Demo) hearPhones(ctx context.Context) (worked bool, err error) {
	teller := d.App.adapters.Profiles
	for _, n := range d.Strangers.SMDP.Outbox() {
		worked = true
		event, bad := teller.ProfileEvent(nil, n.Body)
		if bad == nil {
			bad = d.App.Desk.Profiled(ctx, teller.Name(), event, n.Body)
		}
		err = errors.Join(err, bad)
	}
	return worked, err
}
