package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// The bounds of what an operator may declare.
const (
	settlesLeast = 600              // seconds: twice as long as a request stays fresh
	settlesMost  = 7 * 86400        // seconds
	longest      = 10 * 366 * 86400 // seconds: no time is longer
	callsMost    = 1000             // a second
)

// Capabilities is the document of the contract, as its server and our file have it.
type Capabilities struct {
	Contract        int64    `json:"contract"`
	Modes           []string `json:"modes"`
	AfterEndSeconds int64    `json:"after_end_seconds"`
	ActiveOnly      bool     `json:"active_only"`
	PerDay          bool     `json:"per_day"`
	Cancel          bool     `json:"cancel"`
	Issues          bool     `json:"issues,omitempty"`
	Withdraws       bool     `json:"withdraws,omitempty"`
	UsageDelay      int64    `json:"usage_delay_seconds"`
	SettlesWithin   int64    `json:"settles_within_seconds"`
	CallsPerSecond  int64    `json:"calls_per_second"`
}

// required are the members that nothing may leave to be guessed.
var required = []string{
	"contract", "modes", "after_end_seconds", "active_only", "per_day", "cancel", "usage_delay_seconds", "settles_within_seconds", "calls_per_second",
}

// ReadCapabilities reads the document and says everything that is wrong with it.
func ReadCapabilities(text []byte) (Capabilities, error) {
	var c Capabilities
	var there map[string]json.RawMessage
	err := json.Unmarshal(text, &there)
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		return c, fmt.Errorf("the capabilities cannot be read: %w", err)
	}
	var errs []error
	for _, name := range required {
		if v, ok := there[name]; !ok || string(v) == "null" {
			errs = append(errs, fmt.Errorf("%s is missing", name))
		}
	}
	if len(errs) == 0 {
		errs = append(errs, c.check()...)
	}
	return c, errors.Join(errs...)
}

func (c Capabilities) check() (errs []error) {
	between := func(name string, n, least, most int64) {
		if n < least || n > most {
			errs = append(errs, fmt.Errorf("%s is %d, and must be from %d to %d", name, n, least, most))
		}
	}
	between("contract", c.Contract, 1, 1)
	between("after_end_seconds", c.AfterEndSeconds, 0, longest)
	between("usage_delay_seconds", c.UsageDelay, 0, longest)
	between("settles_within_seconds", c.SettlesWithin, settlesLeast, settlesMost)
	between("calls_per_second", c.CallsPerSecond, 1, callsMost)
	if len(c.Modes) == 0 {
		errs = append(errs, errors.New("modes is empty: what does a further package do?"))
	}
	if c.Withdraws && !c.Issues {
		errs = append(errs, errors.New("withdraws is true, and issues is not: which lines are taken back?"))
	}
	for i, m := range c.Modes {
		known := []carrier.Mode{carrier.ModeExtend, carrier.ModeQueue, carrier.ModeParallel, carrier.ModeSameDay}
		if !slices.Contains(known, carrier.Mode(m)) {
			errs = append(errs, fmt.Errorf("modes: %.40q is none of %q", m, known))
		}
		if slices.Index(c.Modes, m) < i {
			errs = append(errs, fmt.Errorf("modes: %.40q is there twice", m))
		}
	}
	return errs
}

// Abilities are the document as the port has it.
func (c Capabilities) Abilities() carrier.Abilities {
	a := carrier.Abilities{
		AfterEnd: time.Duration(c.AfterEndSeconds) * time.Second, ActiveOnly: c.ActiveOnly, PerDay: c.PerDay, Cancel: c.Cancel, Issues: c.Issues, Withdraws: c.Withdraws,
		UsageDelay: time.Duration(c.UsageDelay) * time.Second, SettlesWithin: time.Duration(c.SettlesWithin) * time.Second,
		RatePerSecond: int(c.CallsPerSecond), KeepsRef: true,
	}
	for _, m := range c.Modes {
		a.Modes = append(a.Modes, carrier.Mode(m))
	}
	return a
}

// AskCapabilities asks a server for the document, of which nothing is known yet.
func AskCapabilities(ctx context.Context, url string, keys []string, client *outbound.Client, now func() time.Time, nonce func() string) (Capabilities, error) {
	a, err := New(Config{Name: "asked", URL: url, Keys: keys, Capabilities: guess}, client, now, nonce)
	if err != nil {
		return Capabilities{}, err
	}
	return a.Capabilities(ctx)
}

// guess stands for the document of a server that has not been asked yet.
var guess = Capabilities{Contract: 1, Modes: []string{"extend"}, SettlesWithin: settlesLeast, CallsPerSecond: 1, Cancel: true, Issues: true, Withdraws: true}

// Capabilities asks the server for the document. It is for people who make the
// file or compare it; the adapter itself goes by the file.
func (a *Adapter) Capabilities(ctx context.Context) (Capabilities, error) {
	var got json.RawMessage
	if err := a.call(ctx, reads, question{Call: "capabilities"}, &got); err != nil {
		return Capabilities{}, err
	}
	c, err := ReadCapabilities(got)
	if err != nil {
		return c, reads.silence("capabilities: %w", err)
	}
	return c, nil
}
