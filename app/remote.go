package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/remote"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// check reports which settings of a remote operator are missing.
func (r Remote) check() error {
	var errs []error
	for name := range r.names() {
		missing := map[string]bool{"url": r.URL[name] == "", "key": r.Key[name] == "", "capabilities": r.Capabilities[name] == ""}
		for _, what := range slices.Sorted(maps.Keys(missing)) {
			if missing[what] {
				errs = append(errs, fmt.Errorf("the remote operator %q is configured in part: give --remote-%s %s=… too", name, what, name))
			}
		}
	}
	return errors.Join(errs...)
}

func (r Remote) names() map[string]bool {
	all := map[string]bool{}
	for name := range r.URL {
		all[name] = true
	}
	for name := range r.Key {
		all[name] = true
	}
	for name := range r.Capabilities {
		all[name] = true
	}
	return all
}

// remotes builds the adapters to servers that speak the contract.
func (a *Adapters) remotes(c Config, env Env, ids *id.Source) error {
	for _, name := range slices.Sorted(maps.Keys(c.Remote.URL)) {
		if _, taken := builtIn(c.Manual)[name]; taken {
			return fmt.Errorf("--remote-url: %q is the name of another adapter; choose one of your own", name)
		}
		able, err := readCapabilities(c.Remote.Capabilities[name])
		if err != nil {
			return wrap(name, err)
		}
		r, err := remote.New(remote.Config{
			Name: name, URL: c.Remote.URL[name], Keys: strings.Fields(string(c.Remote.Key[name])), Capabilities: able,
		}, env.client(name, int(able.CallsPerSecond)), env.Now, nonce(ids))
		if err != nil {
			return wrap(name, err)
		}
		a.Carriers[name], a.CarrierHooks[name] = r, signedHook
	}
	return nil
}

func readCapabilities(file string) (remote.Capabilities, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the engineer chooses the file
	if err != nil {
		return remote.Capabilities{}, err
	}
	able, err := remote.ReadCapabilities(text)
	if err != nil {
		return able, fmt.Errorf("%s: %w", file, err)
	}
	return able, nil
}

// RemoteServer is a server that speaks the contract, for its author.
type RemoteServer struct {
	URL string
	Key Secret // as in [Remote]
}

// Examination is what a server is examined with.
type Examination struct {
	Line, Ended carrier.Profile
	Package     string
	Days        int
	NewPackage  string // empty: no new lines are made
	NewDays     int
	File        string // capabilities to compare with; empty: none
}

// Examine plays the contract against the server.
func (s RemoteServer) Examine(ctx context.Context, env Env, e Examination) (remote.Report, error) {
	bed := remote.Bed{
		URL: s.URL, Keys: strings.Fields(string(s.Key)), Line: e.Line, Ended: e.Ended, Package: e.Package, Days: e.Days,
		NewPackage: e.NewPackage, NewDays: e.NewDays,
		Client: func(perSecond int) *outbound.Client { return env.client("remote", perSecond) },
		Now:    env.Now, Nonce: nonce(id.NewSource(env.Now, env.Random)),
	}
	if e.File != "" {
		able, err := readCapabilities(e.File)
		if err != nil {
			return nil, err
		}
		bed.Expect = &able
	}
	return remote.Conform(ctx, bed)
}

// Capabilities asks the server for its document.
func (s RemoteServer) Capabilities(ctx context.Context, env Env) (remote.Capabilities, error) {
	return remote.AskCapabilities(ctx, s.URL, strings.Fields(string(s.Key)), env.client("remote", 1), env.Now, nonce(id.NewSource(env.Now, env.Random)))
}
