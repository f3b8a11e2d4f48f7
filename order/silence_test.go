package order

import (
	"fmt"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/payment"
)

// A provider is silent once nothing comes back three times in a row. One that answers
// without proof, as Alipay does of every link that nobody has opened, is there.
func TestWhoAnswersIsNotSilent(t *testing.T) {
	now := time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)
	nothing := fmt.Errorf("bank: %w", payment.ErrNotSent)
	var s silence
	for range silentFrom {
		s.hear("bank", now, nothing)
		s.hear("hollow", now, fmt.Errorf("%w: %w", nothing, payment.ErrUnproven))
	}
	if !s.of("bank", now) || s.of("bank", now.Add(silentFor)) {
		t.Error("three silences in a row count for two minutes")
	}
	if s.of("hollow", now) {
		t.Error("an answer without proof is taken for silence")
	}
}
