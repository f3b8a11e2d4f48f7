package carrier

import (
	"context"
	"errors"
	"time"
)

// Health is what an operator says of itself.
type Health struct {
	OK   bool          // it can carry out what it is asked
	Text string        // its own words, or what was asked instead; for staff
	Skew time.Duration // how far its clock is ahead of ours; 0 where it does not say
}

// HealthTeller is a [Carrier] whose operator has a question of its own for how it
// is. Errors are those of calls that change nothing.
type HealthTeller interface {
	Carrier

	// Health asks the operator how it is.
	Health(ctx context.Context) (Health, error)
}

// Ask asks an operator how it is, by the cheapest question that shows whether it
// knows us: the one it has for that, or the seller's balance. That it does not tell a
// balance is an answer, too. People are not asked: that is a [*Refusal].
func Ask(ctx context.Context, c Carrier) (Health, error) {
	if c.Abilities().ByHand {
		return Health{}, &Refusal{Reason: OperatorRefuses, Text: "staff carry it out by hand: there is nobody to ask"}
	}
	if t, ok := c.(HealthTeller); ok {
		return t.Health(ctx)
	}
	_, err := c.Balance(ctx)
	if r, refused := errors.AsType[*Refusal](err); refused && r.Reason == OperatorRefuses {
		return Health{OK: true, Text: r.Text}, nil
	}
	if err != nil {
		return Health{}, err
	}
	return Health{OK: true, Text: "it told the balance: it has no question for its health alone"}, nil
}
