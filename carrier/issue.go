package carrier

import (
	"context"
	"regexp"
	"time"
)

// Issuer is a [Carrier] whose operator also sells new eSIM profiles. It is a
// further ability: an adapter that has it says so in [Abilities.Issues], and one
// that stands for several operators may be an Issuer by its type and still say
// no.
//
// What is said at the top of this package holds here as it does for an
// extension: the intent is stored first, Issue is called once, and after
// [ErrUnknown] the order is only looked up. Making a profile may take the
// operator a while; an order that is accepted and not carried out yet is looked
// up in the same way.
type Issuer interface {
	Carrier

	// Issue orders one new profile with its first package. It sends at most
	// one request that could change something, and never repeats it by itself.
	Issue(ctx context.Context, p Purchase) (Issued, error)

	// LookUpIssue finds out what became of an order, by our Ref. It finds it
	// whether or not the purchase has Theirs. Where [Abilities.Finishes] says so it
	// carries the order out, if it was lost.
	LookUpIssue(ctx context.Context, p Purchase) (IssueReading, error)
}

// Reserver is an [Issuer] whose operator sets a profile aside before it can be
// ordered. It is a further ability, like Issuer: see [Abilities.Reserves].
type Reserver interface {
	Issuer

	// Reserve sets a profile aside for a purchase that is paid, and returns what must
	// be remembered of it before Issue; for a purchase that has a Snapshot it returns
	// that and asks nobody. Nobody can use what is set aside, so that silence is
	// ErrNotSent: it may be repeated, and what an answer that was lost had set
	// aside stays so, unused.
	Reserve(ctx context.Context, p Purchase) (Snapshot, error)
}

// Purchase is one order of a new profile.
type Purchase struct {
	Ref     string // ours, at most 40 of [0-9a-z_]; the same for every call about this purchase
	Package string // the operator's code of what the profile comes with

	// Days is how many days of a per-day package are ordered; 0 when the
	// package has its own length.
	Days int

	// AskedAt is the instant at which Issue was first allowed to be called.
	AskedAt time.Time

	// Theirs is the operator's number of the order as [Issued.Ref] had it;
	// empty where no answer came.
	Theirs string

	// Snapshot is what Reserve returned for this purchase; empty where the operator
	// sets nothing aside.
	Snapshot Snapshot
}

// Issued is the operator's yes to a [Purchase].
type Issued struct {
	Ref string // the operator's number of the order, never empty

	// Profile is what was made. It is empty while the operator has accepted
	// the order and has not carried it out; everything below is empty then, too.
	Profile Profile

	// Code is what a phone installs the profile with, as GSMA SGP.22 writes it:
	// LPA:1$address of the SM-DP+$matching identifier. Never empty with a Profile.
	Code string

	// InstallBy is the last moment to install it, exclusive; zero where the
	// operator does not say.
	InstallBy time.Time
}

// codes is an activation code of SGP.22, section 4.1. Operators write matching
// identifiers in small letters, too, and with points and underlines.
var codes = regexp.MustCompile(`^LPA:1\$[0-9A-Za-z.:-]{1,255}\$[0-9A-Za-z._-]{1,255}(\$[0-9.]*(\$1?)?)?$`)

// IsCode reports whether a code has the form that a phone installs a profile with:
// LPA:1$address$matching identifier, and what may follow it.
func IsCode(s string) bool { return codes.MatchString(s) }

// Made reports whether there is a profile, and not only an order for one.
func (i Issued) Made() bool { return i.Profile != (Profile{}) }

// IssueReading is the answer to a look-up of a purchase.
type IssueReading struct {
	Found  Found
	Issued Issued    // with FoundDone; with FoundPending, its Ref alone
	AsOf   time.Time // when the reading began: nothing that happened later is in it
	Why    string    // what was looked at, for staff
}
