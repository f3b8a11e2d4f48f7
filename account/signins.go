package account

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// KeepSignIns is for how long it is remembered who came in and who did not.
const KeepSignIns = 90 * 24 * time.Hour

// SignIn is somebody who came in, or did not.
type SignIn struct {
	At     time.Time
	Way    Way
	Reason string // why not: the reason of an error; "": came in
	Known  bool   // in a browser in which the owner had signed in before
	Agent  string // the browser, in words of ours
	Client string // the network address
}

// note writes down what came of somebody's wish to come in; account is "" for an
// address that nobody has. The statement is the same for both.
func (d *Door) note(ctx context.Context, tx db.Tx, account string, s SignIn) error {
	id := d.IDs.Free("si")
	if account != "" {
		id = d.IDs.Under("si", account)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO sign_ins (account_id, id, at, way, reason, known, agent, client)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		account, id, db.At(tx.Now()), string(s.Way), s.Reason, s.Known, s.Agent, plainClient(s.Client))
	return err
}

// noteRefused writes down that somebody did not come in, and why.
func (d *Door) noteRefused(ctx context.Context, tx db.Tx, account string, way Way, why string, from Browser) error {
	known, err := d.marked(ctx, tx, account, from.Mark)
	if err != nil {
		return err
	}
	return d.note(ctx, tx, account, SignIn{Way: way, Reason: why, Known: known, Agent: describe(from.Agent), Client: from.Client})
}

// plainClient is a network address and nothing else: a proxy that is set up wrongly
// may hand on whatever somebody wrote.
func plainClient(s string) string {
	a, err := netip.ParseAddr(strings.TrimSpace(s))
	if err != nil {
		return ""
	}
	return a.Unmap().WithZone("").String()
}

// NotLetIn writes down that an issuer let nobody in, for staff: whose account it would
// have been is not known.
func (d *Door) NotLetIn(ctx context.Context, why error, from Browser) {
	d.Tally.add(byIssuer, why)
	// That it cannot be written down is no reason to answer differently.
	_ = d.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return d.note(ctx, tx, "", SignIn{Way: byIssuer, Reason: reasonOf(why), Agent: describe(from.Agent), Client: from.Client})
	})
}

// SignIns lists who came into an account and who did not, the newest first; those of
// addresses that nobody has for "".
func SignIns(ctx context.Context, tx db.Tx, account string, most int) ([]SignIn, error) {
	rows, err := tx.Query(ctx, `
		SELECT at, way, reason, known, agent, client
		  FROM sign_ins
		 WHERE account_id = $1
		 ORDER BY id DESC
		 LIMIT $2`, account, int64(most))
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // Err below says more
	var all []SignIn
	for rows.Next() {
		var s SignIn
		var at db.Instant
		if err := rows.Scan(&at, &s.Way, &s.Reason, &s.Known, &s.Agent, &s.Client); err != nil {
			return nil, err
		}
		s.At = at.Time
		all = append(all, s)
	}
	return all, rows.Err()
}

// Tally counts who came in and who did not, since this process began. It is safe for
// concurrent use; nil counts nothing.
type Tally struct {
	mu     sync.Mutex
	counts map[Tallied]int64
}

// Tallied is what is counted together.
type Tallied struct {
	Way     Way
	Outcome string // in, refused, limited
}

// Outcomes are how a wish to come in can end, for [Tallied].
func Outcomes() []string { return []string{"in", "refused", "limited"} }

// Ways are all ways to come in.
func Ways() []Way { return []Way{byCode, byPassword, byPasskey, byIssuer} }

func (t *Tally) add(way Way, err error) {
	outcome := ""
	switch fault.KindOf(err) {
	case "":
		outcome = "in"
	case fault.Denied:
		outcome = "refused"
	case fault.TooMany:
		outcome = "limited"
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
	}
	if t == nil || outcome == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.counts == nil {
		t.counts = map[Tallied]int64{}
	}
	t.counts[Tallied{way, outcome}]++
}

// Of is how often it was.
func (t *Tally) Of(what Tallied) int64 {
	if t == nil {
		return 0
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[what]
}

// came counts what came of somebody's wish to come in.
func (d *Door) came(way Way, token string, a Account, err error) (string, Account, error) {
	d.Tally.add(way, err)
	return token, a, err
}
