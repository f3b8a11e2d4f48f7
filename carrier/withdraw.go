package carrier

import (
	"context"
	"time"
)

// Installed is why an operator does not take a profile back: a phone has it.
const Installed Reason = "installed"

// Withdrawer is an [Issuer] whose operator takes a new profile back that no phone has.
// It is a further ability, like Issuer: see [Abilities.Withdraws].
//
// The intent is stored first. Withdraw may be called again for the same profile: what
// was taken back stays so. After [ErrUnknown] the profile is looked at, with Withdrawal.
type Withdrawer interface {
	Issuer

	// Withdraw takes a profile back, whole, and its price where the operator gives
	// it. One that was taken back before is done. One that a phone has is a
	// [*Refusal] with [Installed].
	Withdraw(ctx context.Context, p Purchase, profile Profile) error

	// Withdrawal says what became of a profile. It changes nothing.
	Withdrawal(ctx context.Context, p Purchase, profile Profile) (Withdrawal, error)
}

// Fate is what became of a profile that was to be taken back.
type Fate string

// The fates.
const (
	FateGone      Fate = "gone"      // taken back: no phone can have it
	FateThere     Fate = "there"     // not taken back, and no phone has it
	FateInstalled Fate = "installed" // a phone has it, or had
)

// Withdrawal is the answer to what became of a profile.
type Withdrawal struct {
	Fate        Fate
	InstalledAt time.Time // zero where the operator does not say
	AsOf        time.Time // when the reading began
	Why         string    // for staff
}

// Still is the answer to who wants a profile taken back that a phone has.
func Still(code string) error {
	return &Refusal{Reason: Installed, Code: Clip(code), Text: "the profile is installed"}
}
