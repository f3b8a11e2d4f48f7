package order

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/payment"
)

// Work is an order that the seller's staff carry out by hand, because its
// operator has no API. The order is the entry of the work list: it is on it from
// the transaction in which its operator counts as asked until it is answered, so
// that a crash loses nothing and no second list can disagree.
type Work struct {
	Order    Order
	Line     line.Line
	Operator string    // its name
	Package  string    // the operator's code of what is ordered
	Days     int       // of a package that is sold by the day; else 0
	By       time.Time // when it must be answered; the order is held then
	Exports  int
	Exported time.Time // the first time; zero: never
	Answer   Answer    // empty while nobody answered
}

// Answer is what staff wrote down about a work.
type Answer struct {
	Said      Said
	Reference string // the operator's own: the proof
	Reason    string // why it was not done
	Staff     string
	At        time.Time
	File      File // without its content
}

// Said is how a work was answered. The values are stored; do not rename.
type Said string

// The answers.
const (
	WorkDone    Said = "done"
	WorkRefused Said = "refused"
)

// File is a document that proves something.
type File struct {
	Name    string
	SHA256  string // hexadecimal
	Bytes   int
	Content []byte
}

// Proof is what shows that a work was done.
type Proof struct {
	Reference string    // the operator's own; never empty
	EndsAt    time.Time // the end that the operator shows; zero: not told
	File      File      // without Name: none

	// Line is the line that the operator made, where one was ordered: its profile with
	// the ICCID, and the code. Its Ref is Reference.
	Line carrier.Issued
}

// The bounds of a proof.
const (
	MostFile      = 2 << 20 // bytes
	mostReference = 200     // bytes
	mostFileName  = 200     // bytes
)

// byHand is the work that an order is, with the rules it was accepted under. It
// fails with [fault.Conflict] for an order that an adapter carries out.
func (d *Desk) byHand(ctx context.Context, tx db.Tx, o Order) (Work, *catalogue.Catalogue, error) {
	w := Work{Order: o}
	cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
	if err != nil {
		return w, nil, err
	}
	no := fault.New(fault.Conflict, "Order %s is not carried out by hand.", o.ID)
	if o.Kind == TopUp || o.AskedAt.IsZero() {
		return w, cat, no
	}
	var l line.Line
	if o.Kind != NewLine {
		if l, err = line.Get(ctx, tx, o.Account, o.Line); err != nil {
			return w, cat, err
		}
	}
	w, hand, err := d.handWork(cat, l, o)
	if err != nil || !hand {
		return w, cat, cmp.Or[error](err, no)
	}
	known, err := answers(ctx, tx, []Work{w})
	if err != nil {
		return w, cat, err
	}
	return known[0], cat, nil
}

// handWork is the work that an order is which was asked for; false where an adapter
// carries it out, also one that is not configured: it is not this one.
func (d *Desk) handWork(cat *catalogue.Catalogue, l line.Line, o Order) (w Work, hand bool, err error) {
	w = Work{Order: o, Line: l}
	if o.Kind == NewLine {
		return d.handPurchase(cat, w)
	}
	c := d.carrierOf(cat, l)
	if c == nil || !c.Abilities().ByHand {
		return w, false, nil
	}
	_, e, err := d.extension(cat, l, o)
	if err != nil {
		return w, true, err
	}
	by, _ := handTime(c, o)
	op, _ := cat.Operator(l.Operator)
	w.Operator, w.Package, w.Days, w.By = op.Name, e.Package, e.Days, by
	return w, true, nil
}

// handPurchase is the work of ordering a new line of whoever was asked for it; false
// where an adapter does that, and where it comes from stock.
func (d *Desk) handPurchase(cat *catalogue.Catalogue, w Work) (_ Work, hand bool, err error) {
	plan, err := fedBy(cat, w.Order)
	if err != nil {
		return w, false, err
	}
	c, p, err := d.purchase(cat, plan, w.Order)
	if err != nil || !c.Abilities().IssuesByHand {
		return w, false, nil //nolint:nilerr // nobody sells it any more: that is not staff
	}
	by, _ := handTime(c, w.Order)
	op, _ := cat.Operator(plan.Operator)
	w.Operator, w.Package, w.Days, w.By = op.Name, p.Package, p.Days, by
	return w, true, nil
}

// handTime is when staff must have carried out an order that was asked for; false
// where an adapter carries it out.
func handTime(c carrier.Carrier, o Order) (by time.Time, ok bool) {
	if c == nil {
		return time.Time{}, false
	}
	able := c.Abilities()
	hand := able.ByHand
	if o.Kind == NewLine {
		hand = able.IssuesByHand
	}
	return o.AskedAt.Add(able.SettlesWithin), hand
}

// HandTime says until when staff carry out an order by hand; ok is false where
// they do not, or nobody has been asked yet.
func (d *Desk) HandTime(cat *catalogue.Catalogue, l line.Line, o Order) (by time.Time, ok bool) {
	if o.Kind == TopUp || o.AskedAt.IsZero() || o.State != Fulfilling {
		return time.Time{}, false
	}
	w, hand, err := d.handWork(cat, l, o)
	return w.By, hand && err == nil
}

// HandWithinNew is how long staff may take to order a new line of a plan, with a term:
// the longest of its operators without an API; 0 where all have one.
func (d *Desk) HandWithinNew(cat *catalogue.Catalogue, p catalogue.Plan, term string) (within time.Duration) {
	if t, _ := p.Term(term); t.FromStock {
		return 0
	}
	for _, from := range d.makers(cat, p, term, nil) {
		if i, _ := d.issuer(cat, from); i.Abilities().IssuesByHand {
			within = max(within, i.Abilities().SettlesWithin)
		}
	}
	return within
}

// HandWithin is how long staff may take for a line whose operator has no API; 0
// where it has one.
func (d *Desk) HandWithin(cat *catalogue.Catalogue, l line.Line) time.Duration {
	if c := d.carrierOf(cat, l); c != nil && c.Abilities().ByHand {
		return c.Abilities().SettlesWithin
	}
	return 0
}

func (d *Desk) carrierOf(cat *catalogue.Catalogue, l line.Line) carrier.Carrier {
	op, ok := cat.Operator(l.Operator)
	if !ok {
		return nil
	}
	return d.Carriers[op.Carrier]
}

// answers reads what staff wrote down about works, and what was exported of them.
func answers(ctx context.Context, tx db.Tx, works []Work) ([]Work, error) {
	at := make(map[Key]int, len(works))
	rows := make([][]any, len(works))
	for i, w := range works {
		at[w.Order.Ref()] = i
		rows[i] = []any{w.Order.Account, w.Order.ID}
	}
	err := tx.Several(ctx, `SELECT account_id, order_id, exports, exported_at, answer, reference, reason, staff, answered_at, file_name, file_sha256, file_bytes
		FROM (VALUES ($1,$2)) AS v JOIN works ON account_id = column1 AND order_id = column2`, rows, func(row db.Row) error {
		var k Key
		var w Work
		var first, answered db.Instant
		err := row.Scan(&k.Account, &k.ID, &w.Exports, &first, &w.Answer.Said, &w.Answer.Reference, &w.Answer.Reason, &w.Answer.Staff, &answered,
			&w.Answer.File.Name, &w.Answer.File.SHA256, &w.Answer.File.Bytes)
		if err != nil {
			return err
		}
		w.Answer.At = answered.Time
		known := &works[at[k]]
		known.Exports, known.Exported, known.Answer = w.Exports, first.Time, w.Answer
		return nil
	})
	return works, err
}

// MostWorks is how many works are listed at most.
const MostWorks = 1000

// Works lists what staff have to do, the oldest first. It reads across accounts.
func (d *Desk) Works(ctx context.Context) ([]Work, error) {
	return db.Seen(ctx, d.DB, d.works)
}

func (d *Desk) works(ctx context.Context, tx db.Tx) ([]Work, error) {
	var out []Work
	var last Order
	for len(out) < MostWorks {
		// Whether an order is one of theirs its own version of the catalogue says, so
		// that no query can: those that wait for adapters are read, and left out.
		waiting, err := all(ctx, tx, `SELECT `+columns+` FROM orders
			WHERE state IN ('fulfilling','held') AND kind IN ('term','pack','line') AND asked_at IS NOT NULL
			  AND (asked_at > $1 OR asked_at = $1 AND (account_id, id) > ($2, $3))
			ORDER BY asked_at, account_id, id LIMIT $4`, askedAfter(last), last.Account, last.ID, MostWorks)
		if err != nil {
			return nil, err
		}
		theirs, err := d.handWorks(ctx, tx, waiting)
		if err != nil {
			return nil, err
		}
		out = append(out, theirs...)
		if len(waiting) < MostWorks {
			break
		}
		last = waiting[len(waiting)-1]
	}
	return out[:min(len(out), MostWorks)], nil
}

// askedAfter is where a page begins that follows an order; the zero one: the first.
func askedAfter(o Order) any {
	if o.AskedAt.IsZero() {
		return int64(0)
	}
	return db.At(o.AskedAt)
}

// handWorks are those of orders that staff carry out, and nobody has answered.
func (d *Desk) handWorks(ctx context.Context, tx db.Tx, waiting []Order) ([]Work, error) {
	refs := make([]line.Ref, len(waiting))
	for i, o := range waiting {
		refs[i] = line.Ref{Account: o.Account, ID: o.Line}
	}
	lines, err := line.Bare(ctx, tx, refs)
	if err != nil {
		return nil, err
	}
	var theirs []Work
	for i, o := range waiting {
		cat, err := d.Shelf.At(ctx, tx, o.Catalogue)
		if err != nil {
			return nil, err
		}
		w, hand, err := d.handWork(cat, lines[refs[i]], o)
		if err != nil {
			return nil, err
		}
		if hand {
			theirs = append(theirs, w)
		}
	}
	theirs, err = answers(ctx, tx, theirs)
	return slices.DeleteFunc(theirs, func(w Work) bool { return w.Answer.Said != "" }), err
}

// Export lists what staff have to do and remembers that it was exported, before
// anybody sees it; the works say how it was before. It may be repeated. With
// onlyNew, what was exported before is left out.
func (d *Desk) Export(ctx context.Context, staff string, onlyNew bool) ([]Work, error) {
	if staff == "" {
		return nil, Act{}.check()
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) ([]Work, error) {
		all, err := d.works(ctx, tx)
		if err != nil {
			return nil, err
		}
		if onlyNew {
			all = slices.DeleteFunc(all, func(w Work) bool { return w.Exports > 0 })
		}
		var b db.Batch
		for _, w := range all {
			b.Add(`INSERT INTO works (account_id, order_id, exports, exported_at, exported_by) VALUES ($1,$2,1,$3,$4)
				ON CONFLICT (account_id, order_id) DO UPDATE SET exports = works.exports + 1`,
				w.Order.Account, w.Order.ID, db.At(tx.Now()), staff)
		}
		return all, tx.Batch(ctx, &b)
	})
}

// Done ends an order that a member of staff carried out: it is completed. It
// fails with [fault.Conflict] for one that was answered before, is not by hand, or
// can only be given back.
func (d *Desk) Done(ctx context.Context, k Key, p Proof, a Act) (Order, error) {
	if err := p.check(); err != nil {
		return Order{}, err
	}
	if typed := &p.Line.Profile; typed.ICCID != "" {
		iccid, err := line.ParseICCID(typed.ICCID)
		if err != nil {
			return Order{}, err
		}
		typed.ICCID, typed.ID = iccid, cmp.Or(typed.ID, iccid)
	}
	o, err := d.act(ctx, k, a, "work done", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		cat, err := d.unanswered(ctx, tx, o)
		if err == nil {
			err = p.fits(o)
		}
		if err != nil {
			return o, err
		}
		addAnswer(b, tx, o, Answer{Said: WorkDone, Reference: p.Reference, Reason: a.Reason, Staff: a.Staff, File: p.File})
		if o.State == Held {
			if err := o.servable(ctx, tx); err != nil {
				return o, err
			}
			o = addMove(b, tx, o, Fulfilling, nil)
			if o.Kind != NewLine {
				if err := addReservation(ctx, b, tx, o); err != nil {
					return o, err
				}
			}
		}
		return d.addBooks(b, tx, cat, finished{o, carrier.Receipt{Ref: p.Reference, EndsAt: p.EndsAt}, p.Line})
	})
	if db.IsUnique(err) {
		err = fault.Wrap(fault.Conflict, err, "This profile is a line already.")
	}
	return o, err
}

// fits fails where a proof says of which line it is and none was ordered, or does not
// and one was.
func (p Proof) fits(o Order) error {
	switch {
	case o.Kind != NewLine && p.Line != (carrier.Issued{}):
		return fault.New(fault.Invalid, "Order %s is for a line that exists: leave out the profile, its ICCID and its code.", o.ID)
	case o.Kind == NewLine && (p.Line.Profile.ICCID == "" || !carrier.IsCode(p.Line.Code)):
		return fault.New(fault.Invalid, "Order %s is of a new line. Give its ICCID and its code (LPA:1$…): the customer installs it with that.", o.ID)
	case o.Kind == NewLine && !p.EndsAt.IsZero():
		return fault.New(fault.Invalid, "Order %s is of a new line, whose end is the plan's: leave it out.", o.ID)
	}
	return nil
}

// NotDone ends an order that a member of staff certainly did not carry out, and
// will not: the money goes back. It fails as [Desk.Done] does, and while a dispute
// of its payment is open.
func (d *Desk) NotDone(ctx context.Context, k Key, a Act) (Order, error) {
	return d.act(ctx, k, a, "work refused", func(ctx context.Context, b *db.Batch, tx db.Tx, o Order) (Order, error) {
		if _, err := d.unanswered(ctx, tx, o); err != nil {
			return o, err
		}
		addAnswer(b, tx, o, Answer{Said: WorkRefused, Reason: a.Reason, Staff: a.Staff})
		return d.addGiveBack(ctx, b, tx, o, string(carrier.OperatorRefuses), "by hand, "+a.Staff+": "+a.Reason)
	})
}

// unanswered fails unless an order is a work that waits for its answer; else it is
// the catalogue under which that was accepted.
func (d *Desk) unanswered(ctx context.Context, tx db.Tx, o Order) (*catalogue.Catalogue, error) {
	w, cat, err := d.byHand(ctx, tx, o)
	switch {
	case err != nil:
		return cat, err
	case w.Answer.Said != "":
		return cat, fault.New(fault.Conflict, "Order %s was answered before: %s, by %s at %s. That cannot be changed.",
			o.ID, w.Answer.Said, w.Answer.Staff, w.Answer.At.Format(time.RFC3339))
	case o.State != Fulfilling && o.State != Held:
		return cat, fault.New(fault.Conflict, "Order %s is %s: it is no longer to be done. If it was done all the same, take it back at the operator.", o.ID, o.State)
	}
	return cat, nil
}

func (p Proof) check() error {
	switch {
	case p.Reference == "" || len(p.Reference) > mostReference:
		return fault.New(fault.Invalid, "Give the operator's reference, at most %d characters: it is the proof.", mostReference)
	case len(p.File.Name) > mostFileName || len(p.File.Content) > MostFile:
		return fault.New(fault.Invalid, "A proof's file has at most %d bytes, and its name %d.", MostFile, mostFileName)
	case p.File.Name == "" && len(p.File.Content) > 0, p.File.Name != "" && len(p.File.Content) == 0:
		return fault.New(fault.Invalid, "A proof's file has a name, and is not empty.")
	}
	return nil
}

// addAnswer appends an answer; the guard fails where somebody else was faster.
func addAnswer(b *db.Batch, tx db.Tx, o Order, a Answer) {
	sum := ""
	if a.File.Name != "" {
		hash := sha256.Sum256(a.File.Content)
		sum = hex.EncodeToString(hash[:])
		b.Add(`INSERT INTO work_files (account_id, order_id, content) VALUES ($1,$2,$3)`, o.Account, o.ID, a.File.Content)
	}
	b.Guard(`INSERT INTO works (account_id, order_id, exports, answer, reference, reason, staff, answered_at, file_name, file_sha256, file_bytes)
		VALUES ($1,$2,0,$3,$4,$5,$6,$7,$8,$9,$10)
		ON CONFLICT (account_id, order_id) DO UPDATE
		   SET answer = excluded.answer, reference = excluded.reference, reason = excluded.reason, staff = excluded.staff,
		       answered_at = excluded.answered_at, file_name = excluded.file_name, file_sha256 = excluded.file_sha256, file_bytes = excluded.file_bytes
		 WHERE works.answer = ''`,
		o.Account, o.ID, a.Said, a.Reference, clip(a.Reason), a.Staff, db.At(tx.Now()), storable(a.File.Name, mostFileName), sum, len(a.File.Content))
}

// GetWork reads the work of an order, whether answered or not, with its file.
func (d *Desk) GetWork(ctx context.Context, k Key) (Work, error) {
	return db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Work, error) {
		o, err := Get(ctx, tx, k)
		if err != nil {
			return Work{}, err
		}
		w, _, err := d.byHand(ctx, tx, o)
		if err != nil || w.Answer.File.Name == "" {
			return w, err
		}
		err = tx.QueryRow(ctx, `SELECT content FROM work_files WHERE account_id = $1 AND order_id = $2`, k.Account, k.ID).Scan(&w.Answer.File.Content)
		return w, err
	})
}

// The titles of cases about work, and the reason of an order that is held because
// nobody answered.
const (
	CaseWorkWaiting = "work_waiting" // half of the time is over
	workLate        = "work_late"
)

// awaitStaff is for an order that staff carry out: nobody else can say what became
// of it. The customer is told at once, the staff by a case when half of their time
// is over, and at its end the order is held. Money never goes back by itself: a
// person may be doing it just then.
func (d *Desk) awaitStaff(ctx context.Context, o Order, by time.Time) (Order, error) {
	now := d.DB.Now()
	if !now.Before(by) {
		return d.hold(ctx, o, workLate, "nobody has written down until "+by.Format(time.RFC3339)+" what became of it")
	}
	return db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Order, error) {
		o, half := o, o.AskedAt.Add(by.Sub(o.AskedAt)/2)
		var b db.Batch
		if o.DueAt = half; !tx.Now().Before(half) {
			o.DueAt = by
			addCase(&b, tx, d.IDs, o, CaseWorkWaiting, "to be done by hand until "+by.Format(time.RFC3339))
		}
		b.Guard(`UPDATE orders SET due_at = $3, evidence = $4, told = true WHERE account_id = $1 AND id = $2 AND state = 'fulfilling'`,
			o.Account, o.ID, db.At(o.DueAt), "on the work list until "+by.Format(time.RFC3339))
		if !o.Told {
			o.Told = true
			if err := message.AddTo(&b, tx.Now(), d.IDs.Under("msg", o.Account), message.Draft{
				Account: o.Account, Key: string(message.OrderByHand) + "/" + o.ID, Kind: message.OrderByHand, Order: o.ID, Line: o.Line,
				Facts: message.Facts{Amount: o.Charged(), Order: o.ID, NextNewsAt: by},
			}); err != nil {
				return o, err
			}
		}
		return o, conflict(tx.Batch(ctx, &b), o.ID)
	})
}

// oneDoor fails for an order whose work waits for an answer: what was proven, and
// by whom, would be nowhere.
func (d *Desk) oneDoor(ctx context.Context, tx db.Tx, o Order) error {
	if o.State != Fulfilling && o.State != Held {
		return nil
	}
	w, _, err := d.byHand(ctx, tx, o)
	if fault.KindOf(err) == fault.Conflict {
		return nil
	}
	if err == nil && w.Answer.Said == "" {
		err = fault.New(fault.Conflict, "Order %s is carried out by hand. Say what became of it with: tsuzuku carrier work done, or: tsuzuku carrier work refuse", o.ID)
	}
	return err
}

// addGiveBack appends that an order is not served: the money goes back. Of money
// that the customer's bank has given back for good nothing is sent a second time.
func (d *Desk) addGiveBack(ctx context.Context, b *db.Batch, tx db.Tx, o Order, reason, evidence string) (Order, error) {
	about, err := Disputes(ctx, tx, o)
	if err != nil {
		return o, err
	}
	if i := slices.IndexFunc(about, func(d Dispute) bool { return d.State == payment.DisputeOpen }); i >= 0 {
		return o, errDisputed(about[i])
	}
	if lost, ok := givenBackByBank(about, o); ok {
		return d.addGivenBack(ctx, b, tx, o, lost)
	}
	return d.addGiveUp(ctx, b, tx, o, reason, evidence)
}
