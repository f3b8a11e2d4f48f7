package carriersim

import (
	"context"
	"fmt"
	"slices"

	"github.com/tsuzuku/tsuzuku/carrier"
)

var _ carrier.Withdrawer = (*Sim)(nil)

// Withdraw implements [carrier.Withdrawer]. [Sim.ChooseIssue] decides its fate, too.
func (s *Sim) Withdraw(ctx context.Context, p carrier.Purchase, profile carrier.Profile) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault := None
	if s.ChooseIssue != nil {
		fault = s.ChooseIssue(p)
	}
	switch {
	case ctx.Err() != nil || fault == NotSent:
		return fmt.Errorf("%w: no connection", carrier.ErrNotSent)
	case s.silent || fault == LoseRequest:
		return fmt.Errorf("%w: request lost", carrier.ErrUnknown)
	case fault == ActLater:
		s.laterBacks = append(s.laterBacks, profile)
		return fmt.Errorf("%w: no answer in time", carrier.ErrUnknown)
	case fault == Refuse:
		return &carrier.Refusal{Reason: carrier.OperatorRefuses, Code: "no", Text: "the simulated operator refuses"}
	}
	err := s.takeBack(profile)
	if fault == LoseAnswer {
		return fmt.Errorf("%w: answer lost", carrier.ErrUnknown)
	}
	return err
}

// takeBack takes a profile back that nobody has installed.
func (s *Sim) takeBack(profile carrier.Profile) error {
	fate, err := s.fate(profile)
	switch {
	case err != nil:
		return err
	case fate == carrier.FateInstalled:
		return carrier.Still(string(s.lines[profile.ID].State))
	case fate == carrier.FateThere:
		s.lines[profile.ID] = carrier.Status{State: carrier.LineDead, AsOf: s.Now()}
		s.back = append(s.back, profile.ID)
	}
	return nil
}

// Withdrawal implements [carrier.Withdrawer].
func (s *Sim) Withdrawal(ctx context.Context, _ carrier.Purchase, profile carrier.Profile) (carrier.Withdrawal, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.unread(ctx); err != nil {
		return carrier.Withdrawal{}, err
	}
	w := carrier.Withdrawal{AsOf: s.Now(), Why: "found by its number"}
	var err error
	if w.Fate, err = s.fate(profile); err != nil {
		return carrier.Withdrawal{}, err
	}
	if w.Fate == carrier.FateInstalled {
		w.InstalledAt = s.lines[profile.ID].StartsAt
	}
	return w, nil
}

func (s *Sim) fate(profile carrier.Profile) (carrier.Fate, error) {
	line, known := s.lines[profile.ID]
	switch {
	case !known:
		return "", &carrier.Refusal{Reason: carrier.LineUnknown, Code: "absent", Text: "no such line"}
	case slices.Contains(s.back, profile.ID):
		return carrier.FateGone, nil
	case line.State == carrier.LineNew:
		return carrier.FateThere, nil
	}
	return carrier.FateInstalled, nil
}

// TakenBack counts the profiles that were taken back.
func (s *Sim) TakenBack() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.back)
}

// Withdrawn counts how often a profile was taken back.
func (s *Sim) Withdrawn(profile string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range s.back {
		if id == profile {
			n++
		}
	}
	return n
}
