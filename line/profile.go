package line

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// ProfileState is what a phone last did with a line's eSIM profile. The values are
// stored; do not rename.
type ProfileState string

// The states of a profile on its phone.
const (
	ProfileInstalled ProfileState = "installed" // and not switched on yet
	ProfileEnabled   ProfileState = "enabled"
	ProfileDisabled  ProfileState = "disabled"
	ProfileDeleted   ProfileState = "deleted"
)

// rank says which of two states of one instant counts; 0 of what is none.
func (s ProfileState) rank() int {
	switch s {
	case ProfileInstalled:
		return 1
	case ProfileEnabled:
		return 2
	case ProfileDisabled:
		return 3
	case ProfileDeleted:
		return 4
	}
	return 0
}

// Profile is what is known of a line's eSIM profile on its phone. It says nothing
// about service: that goes on when a profile is deleted.
type Profile struct {
	State ProfileState
	At    time.Time // when the phone did it, by the clock of who told us
	Heard time.Time // when we were told
}

// ClockAhead is how far the clock of who tells of profiles may be ahead of ours. A time
// that is further ahead would shut out every later one.
const ClockAhead = 24 * time.Hour

// TellProfile records what a phone did with a line's profile, unless something later
// is known: notifications that come late, twice or in another order never move a
// state backwards. Of one instant the further state counts, deleted being the last. It
// reports whether the state was taken. It fails with [fault.Invalid] for a state that
// is none, and for a time more than [ClockAhead] ahead.
func TellProfile(ctx context.Context, tx db.Tx, account, line string, s ProfileState, at time.Time) (taken bool, err error) {
	if s.rank() == 0 || at.IsZero() || at.After(tx.Now().Add(ClockAhead)) {
		return false, fault.New(fault.Invalid, "A profile is installed, enabled, disabled or deleted, at a time that has come.")
	}
	n, err := tx.Exec(ctx, `INSERT INTO line_profiles (account_id, line_id, state, rank, at, heard_at) VALUES ($1,$2,$3,$4,$5,$6)
		ON CONFLICT (account_id, line_id) DO UPDATE SET state = excluded.state, rank = excluded.rank, at = excluded.at, heard_at = excluded.heard_at
		WHERE line_profiles.at < excluded.at OR (line_profiles.at = excluded.at AND line_profiles.rank < excluded.rank)`,
		account, line, s, s.rank(), db.At(at), db.At(tx.Now()))
	return n == 1, err
}

// GetProfile reads what is known of a line's profile. found is false where nobody has
// told anything.
func GetProfile(ctx context.Context, tx db.Tx, account, line string) (p Profile, found bool, err error) {
	var at, heard db.Instant
	err = tx.QueryRow(ctx, `SELECT state, at, heard_at FROM line_profiles WHERE account_id = $1 AND line_id = $2`, account, line).
		Scan(&p.State, &at, &heard)
	if errors.Is(err, db.ErrNoRows) {
		return Profile{}, false, nil
	}
	p.At, p.Heard = at.Time, heard.Time
	return p, err == nil, err
}
