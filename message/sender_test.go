package message_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/inboxsim"
)

const lease = 2 * time.Minute

// office is a sender with an inbox at the other end.
type office struct {
	*testing.T
	dbtest.Env
	ids     *id.Source
	inbox   *inboxsim.Inbox
	sender  *message.Sender
	account string
}

func newOffice(t *testing.T, env dbtest.Env) *office {
	t.Helper()
	o := &office{T: t, Env: env, inbox: &inboxsim.Inbox{}}
	o.ids = id.NewSource(env.Clock.Now, rand.NewChaCha8([32]byte{1}))
	o.account = o.ids.Account()
	o.sender = &message.Sender{
		DB: env.DB, From: shop, Lease: lease, AtOnce: 1,
		Deliverers: map[message.Channel]message.Deliverer{message.Email: o.inbox},
	}
	return o
}

func (o *office) draft(key string) message.Draft {
	return message.Draft{
		Account: o.account, Key: key, Kind: message.Reminder1Day, Language: "en", Line: "ln_1",
		To:    message.Address{Channel: message.Email, Value: "ann@example.com"},
		Facts: full(),
	}
}

func (o *office) queue(drafts ...message.Draft) {
	o.Helper()
	err := o.DB.Write(o.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, d := range drafts {
			if err := message.Queue(ctx, tx, o.ids.Under("msg", d.Account), d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		o.Fatal(err)
	}
}

func (o *office) step() bool {
	o.Helper()
	worked, err := o.sender.Step(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	return worked
}

// run steps until nothing is due, n times with the longest pause in between.
func (o *office) run(n int) {
	o.Helper()
	for range n {
		for range 100 {
			if !o.step() {
				break
			}
		}
		o.Clock.Add(time.Hour)
	}
}

func (o *office) message(key string) message.Message {
	o.Helper()
	m, err := db.Seen(o.Context(), o.DB, func(ctx context.Context, tx db.Tx) (message.Message, error) {
		return message.ByKey(ctx, tx, o.account, key)
	})
	if err != nil {
		o.Fatal(err)
	}
	return m
}

// However the channel misbehaves, whatever other workers do while a letter is
// under way and whoever of them dies: a letter whose fate was always known is
// sent once, no letter is sent more than twice, both have the same identifier,
// and what the row says in the end is true.
func TestSender(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for seed := range uint64(15) {
			o := newOffice(t, env)
			random := rand.New(rand.NewPCG(seed, 0))
			o.account = o.ids.Account()
			worst := map[string]inboxsim.Fault{} // letters whose fate was unknown at some time
			var lock sync.Mutex
			o.inbox.Choose = func(l message.Letter) inboxsim.Fault {
				lock.Lock()
				defer lock.Unlock()
				if random.IntN(2) == 0 {
					return inboxsim.None
				}
				fault := inboxsim.Faults[random.IntN(len(inboxsim.Faults)-1)] // all but Slow, which takes real time
				if fault == inboxsim.SilentAfter || fault == inboxsim.SilentBefore {
					worst[l.ID] = fault
				}
				return fault
			}
			o.inbox.Meanwhile = func(message.Letter) {
				other := *o.sender
				other.Deliverers = map[message.Channel]message.Deliverer{message.Email: nobody{}}
				if _, err := other.Step(t.Context()); err != nil {
					t.Error(err)
				}
			}
			for i := range 8 {
				o.queue(o.draft(fmt.Sprint("m", i)))
			}
			o.run(8)
			for i := range 8 {
				o.audit(o.message(fmt.Sprint("m", i)), worst)
			}
		}
	})
}

// nobody is a deliverer that must get nothing to deliver.
type nobody struct{}

func (nobody) Name() string             { return "nobody" }
func (nobody) Channel() message.Channel { return message.Email }
func (nobody) Deliver(context.Context, message.Letter) (message.Receipt, error) {
	panic("a letter under way was claimed by another worker")
}

func (o *office) audit(m message.Message, doubtful map[string]inboxsim.Fault) {
	o.Helper()
	arrived := 0
	for _, k := range o.inbox.Letters() {
		if k.ID == m.ID {
			arrived = k.Times
		}
	}
	_, doubt := doubtful[m.ID]
	switch {
	case !m.DueAt.IsZero():
		o.Errorf("%s waits in state %s", m.ID, m.State)
	case m.State == message.Sent && arrived == 0, m.State == message.Failed && arrived > 0 && !doubt:
		o.Errorf("%s is %s and arrived %d times (%s)", m.ID, m.State, arrived, m.Trouble)
	case m.State != message.Sent && m.State != message.Failed && (m.State != message.Unknown || !doubt):
		o.Errorf("%s is %s without a reason (%s)", m.ID, m.State, m.Trouble)
	case arrived > 1 && !doubt, arrived > 2:
		o.Errorf("%s arrived %d times", m.ID, arrived)
	case m.Facts.Code+m.Facts.Link+m.Facts.StopLink != "":
		o.Errorf("%s keeps its secrets in state %s", m.ID, m.State)
	}
}

// The same key is the same message, for one account.
func TestQueuedOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		again := o.draft("k")
		again.Kind = message.OrderHeld
		other := o.draft("k")
		other.Account = o.ids.Account()
		other.To.Value = "bob@example.com"
		o.queue(o.draft("k"))
		o.queue(again, other)

		var batched db.Batch
		if err := message.AddTo(&batched, env.Clock.Now(), o.ids.Under("msg", o.account), again); err != nil {
			t.Fatal(err)
		}
		if batched.Len() != 1 {
			t.Errorf("queued in %d statements", batched.Len())
		}
		if err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return tx.Batch(ctx, &batched) }); err != nil {
			t.Fatal(err)
		}
		o.run(1)
		if n, m := len(o.inbox.To("ann@example.com")), len(o.inbox.To("bob@example.com")); n != 1 || m != 1 {
			t.Errorf("%d and %d letters, want one each", n, m)
		}
		if got := o.message("k").Kind; got != message.Reminder1Day {
			t.Errorf("the second draft replaced the first: %s", got)
		}
	})
}

// A letter that nobody will take is tried for a day, with growing pauses.
func TestAttemptsAreBounded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		o.inbox.Choose = func(message.Letter) inboxsim.Fault { return inboxsim.Busy }
		o.queue(o.draft("k"))
		var pauses []time.Duration
		for range 40 {
			o.step()
			m := o.message("k")
			if m.DueAt.IsZero() {
				break
			}
			pauses = append(pauses, m.DueAt.Sub(env.Clock.Now()))
			env.Clock.Set(m.DueAt)
		}
		want := []time.Duration{time.Minute, 3 * time.Minute, 9 * time.Minute, 27 * time.Minute}
		for len(want) < 27 {
			want = append(want, time.Hour)
		}
		if !slices.Equal(pauses, want) {
			t.Errorf("pauses %s, want %s", pauses, want)
		}
		if m := o.message("k"); m.State != message.Failed || o.inbox.Attempts() != 28 {
			t.Errorf("%s after %d attempts, want failed after 28", m.State, o.inbox.Attempts())
		}
	})
}

// A dead worker's letter may have left, but as a rule has not: twenty die with a
// worker. It is sent again, as the same letter, and after a fifth death no more.
func TestDeadWorkers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for deaths, want := range map[int]message.State{4: message.Sent, 5: message.Unknown} {
			o := newOffice(t, env)
			o.account = o.ids.Account()
			o.queue(o.draft("k"))
			for range deaths {
				if err := o.sender.ClaimAndDie(t.Context()); err != nil {
					t.Fatal(err)
				}
				if o.step() {
					t.Error("a claimed message was claimed again within its lease")
				}
				env.Clock.Add(lease)
			}
			o.step()
			m := o.message("k")
			if m.State != want || !m.DueAt.IsZero() || (o.inbox.Attempts() == 1) != (want == message.Sent) {
				t.Errorf("after %d deaths: %s, due %v, %d attempts; want %s for good", deaths, m.State, m.DueAt, o.inbox.Attempts(), want)
			}
		}
	})
}

// A letter whose worker died is still due when the relay is busy afterwards.
func TestDeathsAndThenABusyRelay(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		o.queue(o.draft("k"))
		for range 3 {
			if err := o.sender.ClaimAndDie(t.Context()); err != nil {
				t.Fatal(err)
			}
			env.Clock.Add(lease)
		}
		o.inbox.Choose = func(message.Letter) inboxsim.Fault { return inboxsim.Busy }
		o.step()
		o.inbox.Choose = nil
		env.Clock.Set(o.message("k").DueAt)
		o.step()
		if m := o.message("k"); m.State != message.Sent {
			t.Errorf("%s (%s), want sent", m.State, m.Trouble)
		}
	})
}

// A worker that is slower than its lease is overtaken. Whatever the other hears,
// the first one's success counts, so that nobody sends the letter again.
func TestOvertaken(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		for second, arrives := range map[inboxsim.Fault]int{
			inboxsim.None: 2, inboxsim.Busy: 1, inboxsim.Refuse: 1, inboxsim.SilentBefore: 1,
		} {
			o := newOffice(t, env)
			o.account = o.ids.Account()
			o.queue(o.draft("k"))
			overtaken := false
			o.inbox.Meanwhile = func(message.Letter) {
				if overtaken {
					return
				}
				overtaken = true
				o.inbox.Choose = func(message.Letter) inboxsim.Fault { return second }
				env.Clock.Add(lease)
				o.step()
			}
			o.run(5)
			got := o.inbox.Letters()
			if len(got) != 1 || got[0].Times != arrives {
				t.Errorf("second %q: arrived %+v, want one letter, %d times", second, got, arrives)
			}
			if m := o.message("k"); m.State != message.Sent || !m.DueAt.IsZero() {
				t.Errorf("second %q: %s, due %v; want sent for good", second, m.State, m.DueAt)
			}
		}
	})
}

// A reminder of a line that was renewed, and one that is late, is never sent;
// what is under way is not tried again.
func TestWithdrawn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		late, otherLine, otherKind, later := o.draft("late"), o.draft("line"), o.draft("kind"), o.draft("later")
		late.ExpiresAt = env.Clock.Now()
		late.Line = "ln_3"
		otherLine.Line = "ln_2"
		otherKind.Kind = message.OrderCompleted
		later.DueAt = env.Clock.Now().Add(24 * time.Hour)
		o.queue(o.draft("now"), late, otherLine, otherKind, later)
		withdraw := func() {
			err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				return message.Withdraw(ctx, tx, o.account, "ln_1", message.Reminders()...)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		withdraw()
		o.run(30)
		for key, want := range map[string]message.State{
			"now": message.Withdrawn, "late": message.Withdrawn, "later": message.Withdrawn,
			"line": message.Sent, "kind": message.Sent,
		} {
			m := o.message(key)
			if m.State != want || m.Facts.Link != "" {
				t.Errorf("%s: %s with link %q, want %s without", key, m.State, m.Facts.Link, want)
			}
		}

		o.queue(o.draft("under way"))
		o.inbox.Choose = func(message.Letter) inboxsim.Fault { return inboxsim.Busy }
		o.inbox.Meanwhile = func(message.Letter) { withdraw() }
		before := o.inbox.Attempts()
		o.run(10)
		if m, n := o.message("under way"), o.inbox.Attempts()-before; m.State != message.Withdrawn || n != 1 {
			t.Errorf("%s after %d attempts, want withdrawn after 1", m.State, n)
		}
	})
}

// One message that cannot be sent does not hold up the others.
func TestBadMessages(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		noChannel, noWords, unreadable := o.draft("sms"), o.draft("words"), o.draft("json")
		noChannel.To = message.Address{Channel: message.SMS, Value: "+8190"}
		noWords.Kind = message.SignInCode
		noWords.Facts.Code = ""
		o.queue(noChannel, noWords, unreadable, o.draft("good"))
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE messages SET facts = '{' WHERE key = 'json'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		o.run(1)
		for key, want := range map[string]string{"sms": "nobody delivers by sms", "words": "without the code", "json": "facts"} {
			if m := o.message(key); m.State != message.Failed || !strings.Contains(m.Trouble, want) {
				t.Errorf("%s: %s (%s), want failed: %s", key, m.State, m.Trouble, want)
			}
		}
		if m := o.message("good"); m.State != message.Sent || m.Receipt != "sim-"+m.ID || m.Deliverer != "inboxsim" || !m.SentAt.Equal(m.CreatedAt) {
			t.Errorf("good: %+v", m)
		}
	})
}

// More letters than one step takes go out in order of their deadline, each
// once, however many workers there are.
func TestManyWorkers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		o.sender.AtOnce = 0
		var drafts []message.Draft
		for i := range 70 {
			drafts = append(drafts, o.draft(fmt.Sprint(i)))
		}
		o.queue(drafts...)
		var workers sync.WaitGroup
		for range 3 {
			workers.Go(func() {
				for range 100 {
					worked, err := o.sender.Step(t.Context())
					if err != nil {
						t.Error(err)
					}
					if !worked {
						return
					}
				}
			})
		}
		workers.Wait()
		if n, all := o.inbox.Attempts(), len(o.inbox.Letters()); n != 70 || all != 70 {
			t.Errorf("%d attempts, %d letters; want 70 each", n, all)
		}
	})
}

// The inbox shows what was said, newest first, page by page; no codes, nothing
// that waits for its day, nothing of others.
func TestList(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		code, later, gone, others := o.draft("code"), o.draft("later"), o.draft("gone"), o.draft("others")
		code.Kind = message.SignInCode
		later.DueAt = env.Clock.Now().Add(1000 * time.Hour)
		gone.ExpiresAt = env.Clock.Now()
		others.Account = o.ids.Account()
		o.queue(code, later, gone, others)
		for i := range 5 {
			env.Clock.Add(time.Second)
			o.queue(o.draft(fmt.Sprint("m", i)))
		}
		o.run(1)
		var got []string
		after := ""
		for range 10 {
			page, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]message.Message, error) {
				return message.List(ctx, tx, o.account, 2, after)
			})
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, m := range page {
				got = append(got, m.Key)
				after = m.ID
			}
		}
		if want := "[m4 m3 m2 m1 m0]"; fmt.Sprint(got) != want {
			t.Errorf("inbox %v, want %s", got, want)
		}
	})
}

// A message is completed when it is due: what was not known is filled in and
// kept, what is no longer true is not said, and a failure to look is no failure
// of the message.
func TestFill(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		bare, untrue, later, sms, broken := o.draft("bare"), o.draft("untrue"), o.draft("later"), o.draft("sms"), o.draft("broken")
		bare.To, bare.Language = message.Address{}, ""
		o.queue(bare, untrue, later, sms, broken)
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE messages SET facts = '[' WHERE key = 'broken'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		trouble := fmt.Errorf("the database is away")
		o.sender.Fill = func(_ context.Context, m message.Message) (message.Message, error) {
			switch m.Key {
			case "bare":
				m.To = message.Address{Channel: message.Email, Value: "ann@example.com"}
				m.Language = "ja"
				m.Facts.LineName, m.Facts.Link = "京都", "/r/fresh"
			case "untrue":
				return m, fmt.Errorf("renewed: %w", message.ErrNotNeeded)
			case "later":
				return m, trouble
			case "sms":
				m.To = message.Address{Channel: message.SMS, Value: "+8190"}
			case "broken":
				t.Error("a message that cannot be read is completed")
			}
			return m, nil
		}
		o.step()
		if m := o.message("later"); m.State != message.Due || m.Trouble != trouble.Error() {
			t.Errorf("later: %s (%s), want it to wait", m.State, m.Trouble)
		}
		trouble = nil
		o.run(2)
		for key, want := range map[string]message.State{
			"bare": message.Sent, "later": message.Sent, "untrue": message.Withdrawn, "sms": message.Failed, "broken": message.Failed,
		} {
			if m := o.message(key); m.State != want || m.Facts.Link != "" {
				t.Errorf("%s: %s (%s) with link %q, want %s without", key, m.State, m.Trouble, m.Facts.Link, want)
			}
		}
		if m := o.message("bare"); m.To.Value != "ann@example.com" || m.Language != "ja" || m.Facts.LineName != "京都" {
			t.Errorf("the row forgot what was said: %+v", m)
		}
		for _, k := range o.inbox.Letters() {
			if k.ID == o.message("bare").ID && (k.Link != "https://shop.example/r/fresh" || !strings.Contains(k.Subject, "京都")) {
				t.Errorf("letter %q with link %q", k.Subject, k.Link)
			}
		}
	})
}
