// Package es2plus is the adapter to a seller's own SM-DP+, the server that phones
// download eSIM profiles from: it sells new lines by ES2+ of GSMA SGP.22, in JSON
// over mutual TLS, and reads what the SM-DP+ tells of profiles. ES2+ delivers
// profiles and knows nothing of data; so this adapter stands on another one, which
// renews the lines and reads their figures.
//
// # What proves what
//
// A new line is made in two steps. DownloadOrder sets a profile aside; nobody can
// install it. Its ICCID is stored with the intent ([carrier.Reserver]). ConfirmOrder
// then gives it a matching identifier and releases it. The identifier is ours, made
// from our reference and a secret, and the specification lets an SM-DP+ take each
// once. That is the key under which ConfirmOrder may be asked again:
//
//   - Executed-Success: done, now or before.
//   - Failed, 8.2.6/3.3, the matching identifier is in use: done before. Nobody else
//     can know it, and it was never sent with another ICCID.
//   - Failed with any other code after a silence: proves nothing. 8.2.1/3.3, the
//     profile is not available, is said of one that we confirmed and of one that
//     somebody took back at the SM-DP+'s own console. A person looks.
//   - Silence, HTTP 5xx, Expired, codes of reasons 4 and 5 (processing, transport): no
//     answer.
//
// A silence of DownloadOrder proves nothing either, and matters less: what it may
// have set aside cannot be installed, so the next one may be asked for. An order
// without an ICCID was never confirmed, which makes it absent for certain.
//
// A line that nobody installed is taken back by CancelOrder with that identifier:
//
//   - Executed-Success: done now.
//   - Failed, 8.2.6/3.10, another matching identifier: done before. The profile was
//     released under ours, and nothing else takes it away.
//   - Failed, 8.1.1/3.10, another EID, of which we never name one: a phone has it.
//   - Failed, 8.2.1/3.3, the state: mostly, a phone has it. An SM-DP+ that looks at states
//     before identifiers says so of one that was cancelled, too. So it is a refusal, and
//     no proof that the line stays.
//
// Some SM-DP+ have getProfileStatus beside the functions of the specification. Where
// it is configured, a silence is settled by that, and nothing is asked again.
//
// The facts are from SGP.22 versions 2.0 to 2.5 and from public clients of it.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package es2plus

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// Name is the adapter's name in catalogue and rows.
const Name = "es2plus"

// settlesWithin is several times the longest that a request can linger between us
// and the SM-DP+.
const settlesWithin = 10 * time.Minute

// Config is what the seller's engineer knows about the SM-DP+.
type Config struct {
	URL       string // scheme and host of its ES2+ address; a path before the specification's is allowed
	Requester string // our functionRequesterIdentifier, an OID that was agreed
	Version   string // of SGP.22 in X-Admin-Protocol, such as 2.2.0; empty: that
	Address   string // of the SM-DP+ for phones, as it stands in codes
	Status    bool   // it has getProfileStatus

	// Secret is what matching identifiers are made from, at least 32 characters.
	Secret string

	// Points add to what notification points mean, beyond those of the
	// specification. See [DefaultPoints].
	Points map[int]carrier.ProfileState
}

// Adapter is an SM-DP+, with another operator's adapter for everything but new lines
// and profiles, as one [carrier.Carrier].
type Adapter struct {
	carrier.Carrier // renews

	config Config
	client *Client
	now    func() time.Time
	points map[int]carrier.ProfileState
}

var (
	_ carrier.Reserver      = (*Adapter)(nil)
	_ carrier.ProfileTeller = (*Adapter)(nil)
)

// New returns an adapter. renews carries the lines that this one makes; they are
// known to it by their ICCID. nonce makes 32 hexadecimal digits, never the same
// twice.
func New(c Config, renews carrier.Carrier, client *outbound.Client, now func() time.Time, nonce func() string) (*Adapter, error) {
	var errs []error
	if renews == nil {
		errs = append(errs, errors.New("ES2+ renews no lines; name the operator that does"))
	}
	if c.Address == "" || strings.ContainsAny(c.Address, "$/ \t") {
		errs = append(errs, fmt.Errorf("%q is not the name of an SM-DP+ for phones, such as smdp.example.com", c.Address))
	}
	if len(c.Secret) < leastSecret {
		errs = append(errs, fmt.Errorf("matching identifiers need a secret of at least %d characters", leastSecret))
	}
	points := maps.Clone(DefaultPoints)
	for n, state := range c.Points {
		if n <= lastStandardPoint || rank(state) == 0 {
			errs = append(errs, fmt.Errorf("notification point %d=%s: give a number above %d, and installed, enabled, disabled or deleted", n, state, lastStandardPoint))
		}
		points[n] = state
	}
	cl, err := NewClient(c.URL, c.Requester, c.Version, client, nonce)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return &Adapter{renews, c, cl, now, points}, nil
}

// Name implements [carrier.Carrier].
func (a *Adapter) Name() string { return Name }

// Abilities implements [carrier.Carrier]: the other operator's, and new lines.
func (a *Adapter) Abilities() carrier.Abilities { return With(a.Carrier.Abilities(), a.config.Status) }

// With is what an operator can do whose lines are made by ES2+.
func With(able carrier.Abilities, status bool) carrier.Abilities {
	able.Issues, able.IssuesByHand, able.Reserves, able.Withdraws, able.Finishes = true, false, true, true, !status
	able.SettlesWithin = max(able.SettlesWithin, settlesWithin)
	return able
}

// Client is the SM-DP+ by its functions, for staff.
func (a *Adapter) Client() *Client { return a.client }

// absolute refuses what is not the address of a server.
func absolute(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%q is not an absolute address such as https://es2.example.com", address)
	}
	return nil
}
