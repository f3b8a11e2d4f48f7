package message

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

const (
	maxAttempts  = 28              // then a message has failed: a relay may be away for a day
	maxDoubts    = 2               // so a letter to which nobody answered is sent once more
	maxDeaths    = 5               // and one whose worker died four times more: most of what it held had not left
	defaultLease = 2 * time.Minute // how long a claimed message is nobody else's
	claimAtOnce  = 20              // messages in one step
	maxTrouble   = 500             // bytes of an error that are kept
)

// ErrNotNeeded is what Sender.Fill returns for a message that is no longer true:
// the line was renewed, the account is closed.
var ErrNotNeeded = errors.New("message: no longer needed")

// ErrInboxOnly is what Sender.Fill returns, with the completed message, for one that
// its account wishes to be told by no channel: it stands in the inbox, and nowhere
// else.
var ErrInboxOnly = errors.New("message: for the inbox only")

// Sender sends what is due. Any number of them may run side by side, in any
// number of processes.
type Sender struct {
	DB         *db.DB
	Deliverers map[Channel]Deliverer
	From       From

	// Fill completes a message just before it is written, in a place where
	// everything may be read: the address and language of the account, what is
	// left on the line now. nil: messages are complete as they are. An error
	// of ErrNotNeeded withdraws the message: what it says is no longer true.
	Fill func(ctx context.Context, m Message) (Message, error)

	// NotBefore says when a message that is due, and may wait, may be sent: after
	// somebody's quiet hours. An instant that is not in the future, such as the
	// zero time: now. It reads in the transaction that would claim the message.
	// nil: nothing waits.
	NotBefore func(ctx context.Context, tx db.Tx, m Message) (time.Time, error)

	// Gone hears of a message whose address does not exist any more, in the
	// transaction that records it. nil: nobody does.
	Gone func(ctx context.Context, tx db.Tx, m Message) error

	// Lease is how long a claimed message is left to the worker that claimed
	// it; a delivery is given half of it. 0: two minutes.
	Lease time.Duration

	// AtOnce is how many letters of a step are delivered side by side. 0: all,
	// which is 20. The simulated town takes 1, to be the same every time.
	AtOnce int
}

// Step claims messages that are due, delivers them side by side outside of any
// transaction, and records what became of each. worked is false when nothing was
// due. An error is the database's; what a channel says is recorded in the row.
func (s *Sender) Step(ctx context.Context) (worked bool, err error) {
	candidates, err := db.Seen(ctx, s.DB, dueMessages)
	if err != nil || len(candidates) == 0 {
		return false, err
	}
	claimed, err := db.Written(ctx, s.DB, func(ctx context.Context, tx db.Tx) ([]Message, error) {
		return s.claim(ctx, tx, candidates)
	})
	if err != nil {
		return false, err
	}
	outcomes := s.deliverAll(ctx, claimed)
	if len(outcomes) == 0 {
		return true, nil
	}
	// What was sent is recorded even when the program is being stopped.
	ctx = context.WithoutCancel(ctx)
	err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return s.record(ctx, tx, outcomes)
	})
	return true, err
}

func dueMessages(ctx context.Context, tx db.Tx) ([]Message, error) {
	rows, err := tx.Query(ctx, `
		SELECT `+messageColumns+`
		  FROM messages
		 WHERE state IN ('due', 'sending', 'unknown') AND due_at <= $1
		 ORDER BY due_at, id
		 LIMIT $2`, db.At(tx.Now()), int64(claimAtOnce))
	if err != nil {
		return nil, err
	}
	return all(rows)
}

// claim makes the candidates that nobody else took ours for the length of the
// lease, and returns them. Those that must not be sent are put to rest.
func (s *Sender) claim(ctx context.Context, tx db.Tx, candidates []Message) ([]Message, error) {
	var claimed []Message
	for _, m := range candidates {
		// A row still marked as being sent, after its lease, belonged to a
		// worker that died: the letter may have left.
		if m.State == Sending {
			m.Doubts++
		}
		if o, rest := s.atRest(m, tx.Now()); rest {
			if err := o.settle(ctx, tx, m.Attempts); err != nil {
				return nil, err
			}
			continue
		}
		if waits, err := s.putOff(ctx, tx, m); err != nil {
			return nil, err
		} else if waits {
			continue
		}
		m.Deliverer = s.Deliverers[m.To.Channel].Name()
		n, err := tx.Exec(ctx, `
			UPDATE messages
			   SET state = 'sending', due_at = $4, attempts = attempts + 1, doubts = $5, deliverer = $6
			 WHERE account_id = $1 AND id = $2 AND attempts = $3
			   AND state IN ('due', 'sending', 'unknown') AND due_at <= $7`,
			m.Account, m.ID, m.Attempts, db.At(tx.Now().Add(s.lease())), m.Doubts,
			m.Deliverer, db.At(tx.Now()))
		if err != nil {
			return nil, err
		}
		if n == 1 {
			m.Attempts++
			claimed = append(claimed, m)
		}
	}
	return claimed, nil
}

// putOff lets a message wait that may not be sent now, without counting an attempt.
func (s *Sender) putOff(ctx context.Context, tx db.Tx, m Message) (waits bool, err error) {
	if s.NotBefore == nil || m.State != Due || !m.Kind.CanWait() || m.broken != nil {
		return false, nil
	}
	at, err := s.NotBefore(ctx, tx, m)
	if err != nil || !at.After(tx.Now()) {
		return false, err
	}
	_, err = tx.Exec(ctx, `
		UPDATE messages
		   SET due_at = $4
		 WHERE account_id = $1 AND id = $2 AND attempts = $3 AND state = 'due' AND due_at <= $5`,
		m.Account, m.ID, m.Attempts, db.At(at), db.At(tx.Now()))
	return true, err
}

// atRest says what becomes of a due message that must not be sent.
func (s *Sender) atRest(m Message, now time.Time) (outcome, bool) {
	switch {
	case m.Doubts >= maxDeaths, m.State == Unknown && m.Doubts >= maxDoubts:
		return outcome{m: m, state: Unknown, trouble: fmt.Sprintf("nobody knows whether it was sent, %d times", m.Doubts)}, true
	case !m.ExpiresAt.IsZero() && !m.ExpiresAt.After(now):
		return m.unsent(Withdrawn, "too late"), true
	case m.Attempts >= maxAttempts:
		return m.unsent(Failed, "tried too often"), true
	case s.Deliverers[m.To.Channel] == nil:
		return m.unsent(Failed, "nobody delivers by "+string(m.To.Channel)), true
	}
	return outcome{}, false
}

// unsent is the end of a message that nobody has confirmed. Of one that may
// have been sent before nothing better can be said than that.
func (m Message) unsent(s State, why string) outcome {
	if m.Doubts > 0 {
		s = Unknown
	}
	if m.Trouble != "" {
		why += "; before that: " + m.Trouble
	}
	return outcome{m: m, state: s, trouble: why}
}

// outcome is what a row will say after an attempt.
type outcome struct {
	m       Message
	state   State
	pause   time.Duration // until the next attempt, if there is to be one; 0: none
	receipt string
	trouble string
	gone    Address // where nobody can be reached any more
}

func (s *Sender) deliverAll(ctx context.Context, claimed []Message) []outcome {
	outcomes := make([]outcome, len(claimed))
	if s.AtOnce == 1 { // no other goroutine: the town decides who is first
		for i, m := range claimed {
			outcomes[i] = s.deliver(ctx, m)
		}
		return outcomes
	}
	free := make(chan struct{}, s.atOnce())
	var deliveries sync.WaitGroup
	for i, m := range claimed {
		free <- struct{}{}
		deliveries.Go(func() {
			defer func() { <-free }()
			outcomes[i] = s.deliver(ctx, m)
		})
	}
	deliveries.Wait()
	return outcomes
}

func (s *Sender) deliver(ctx context.Context, m Message) outcome {
	ctx, cancel := context.WithTimeout(ctx, s.lease()/2)
	defer cancel()
	if s.Fill != nil && m.broken == nil {
		filled, err := s.Fill(ctx, m)
		switch {
		case errors.Is(err, ErrNotNeeded):
			return m.unsent(Withdrawn, err.Error())
		case errors.Is(err, ErrInboxOnly):
			return outcome{m: filled, state: Sent, receipt: "inbox"}
		case err != nil:
			return outcome{m: m, state: Due, trouble: err.Error(), pause: pause(m.Attempts)}
		}
		m = filled
	}
	by := s.Deliverers[m.To.Channel]
	if by == nil { // another channel than the row had
		return m.unsent(Failed, "nobody delivers by "+string(m.To.Channel)).orOtherwise()
	}
	m.Deliverer = by.Name()
	l, err := s.From.write(m)
	if err != nil { // the words lack something; no repetition will mend it
		return m.unsent(Failed, err.Error()).orOtherwise()
	}
	receipt, err := by.Deliver(ctx, l)
	if err == nil {
		return outcome{m: m, state: Sent, receipt: receipt.Ref}
	}
	return m.after(err).orOtherwise()
}

// patience is after how many attempts that certainly failed a message takes the
// other way, where it has one.
const patience = 3

// after is what becomes of a message with which something went wrong.
func (m Message) after(err error) outcome {
	o := outcome{m: m, trouble: err.Error(), pause: pause(m.Attempts)}
	most := int64(maxAttempts)
	if m.Otherwise != (Address{}) {
		most = patience
	}
	refusal, refused := errors.AsType[*Refusal](err)
	switch {
	case refused:
		o.state, o.pause = Failed, 0
		if refusal.Reason == AddressDead {
			o.gone = m.To
		}
	case errors.Is(err, ErrNotSent) && m.Attempts < most:
		o.state = Due
	case errors.Is(err, ErrNotSent):
		return m.unsent(Failed, err.Error())
	default: // ErrUnknown, and whatever an adapter should not have said
		o.state = Unknown
		o.m.Doubts++
		if o.m.Doubts >= maxDoubts || m.Attempts >= maxAttempts {
			o.pause = 0
		}
	}
	return o
}

// orOtherwise sends a message that will not arrive, as far as anybody knows, the
// other way that it has.
func (o outcome) orOtherwise() outcome {
	if o.pause > 0 || o.m.Otherwise == (Address{}) {
		return o
	}
	o.m.To, o.m.Doubts = o.m.Otherwise, 0
	o.state, o.pause = Due, time.Second
	return o
}

// pause is how long to wait after the nth attempt: 1, 3, 9, 27, 60, 60 … minutes.
func pause(n int64) time.Duration {
	d := time.Minute
	for range n - 1 {
		if d *= 3; d > time.Hour {
			return time.Hour
		}
	}
	return d
}

func (s *Sender) record(ctx context.Context, tx db.Tx, outcomes []outcome) error {
	for _, o := range outcomes {
		if err := o.settle(ctx, tx, o.m.Attempts); err != nil {
			return err
		}
		if o.gone == (Address{}) || s.Gone == nil {
			continue
		}
		o.m.To = o.gone
		if err := s.Gone(ctx, tx, o.m); err != nil {
			return err
		}
	}
	return nil
}

// settle writes an outcome, unless another worker has claimed the message since
// (it then has more attempts than these). That a letter was sent is the truth
// whatever another worker thought of it, and written in any case. The row then
// says what was said, to whom and in which language, as Fill completed it.
func (o outcome) settle(ctx context.Context, tx db.Tx, attempts int64) error {
	var due, sent db.Instant
	f := o.m.Facts
	if o.pause > 0 {
		due = db.At(tx.Now().Add(o.pause))
	} else {
		f = f.scrubbed()
	}
	if o.state == Sent {
		sent = db.At(tx.Now())
	}
	facts, err := f.encode()
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		UPDATE messages
		   SET state = $4, due_at = $5, facts = $6, doubts = $7, sent_at = $8, receipt = $9, trouble = $10,
		       channel = $11, address = $12, language = $13, deliverer = $14
		 WHERE account_id = $1 AND id = $2
		   AND ($4 = 'sent' OR attempts = $3 AND state IN ('due', 'sending', 'unknown'))`,
		o.m.Account, o.m.ID, attempts, string(o.state), due, facts, o.m.Doubts, sent,
		shorten(o.receipt), shorten(o.trouble), string(o.m.To.Channel), o.m.To.Value, string(o.m.Language), o.m.Deliverer)
	if err != nil {
		return fmt.Errorf("message: record %s: %w", o.m.ID, err)
	}
	return nil
}

// shorten makes a stranger's words fit a column.
func shorten(s string) string {
	s = strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), "\ufffd")
	if len(s) > maxTrouble {
		s = strings.ToValidUTF8(s[:maxTrouble], "")
	}
	return s
}

func (s *Sender) lease() time.Duration {
	if s.Lease > 0 {
		return s.Lease
	}
	return defaultLease
}

func (s *Sender) atOnce() int {
	if s.AtOnce > 0 {
		return min(s.AtOnce, claimAtOnce)
	}
	return claimAtOnce
}
