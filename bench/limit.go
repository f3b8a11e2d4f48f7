package bench

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/locale"
)

// limit writes what a renewal writes and does nothing else: it reads nothing,
// decides nothing, checks nothing. It is what the engine can do with these rows
// and indexes. The order of the statements is the desk's.
//
// One renewal is one round trip a transaction on PostgreSQL, and one
// transaction after the other on SQLite. A set has every statement once, with
// as many rows as there are orders.
type limit struct {
	ids *id.Source
	now func() time.Time
	writer
	sale
}

// sale is what every renewal of the bench has in common.
type sale struct {
	version  int64 // of the catalogue
	zone     *time.Location
	net, tax int64
	points   int64
	series   *time.Location // whose year is in a bill's series
	content  string         // the beginning of a bill's JSON
	sold     string         // and its end
	zoneName string
}

// writer carries statements out in one durable transaction.
type writer interface {
	write(ctx context.Context, all []statement) error

	// analyse lets the engine count its rows, as a server does by itself from
	// time to time.
	analyse(ctx context.Context) error
	close() error
}

// statement is a text and its arguments, in the order in which the text names
// them, each once: SQLite's driver takes a quadratic time to find $n, and none to
// find a plain question mark. Several rows' arguments follow one another.
type statement struct {
	text string
	rows int // how often the text's tuple is repeated
	args []any
}

func openLimit(ctx context.Context, url string, ids *id.Source, now func() time.Time, cat *catalogue.Catalogue) (*limit, error) {
	plan, _ := cat.Plan(planID)
	op, _ := cat.Operator(plan.Operator)
	zone, err := op.Zone.Location()
	if err != nil {
		return nil, err
	}
	shop, err := cat.Seller.Zone.Location()
	if err != nil {
		return nil, err
	}
	names, err := json.Marshal(plan.Name)
	if err != nil {
		return nil, err
	}
	w, err := openWriter(ctx, url)
	if err != nil {
		return nil, err
	}
	price := plan.Terms[0].Prices[0].Minor // yen come first, and the standard rate is 10 percent
	l := &limit{ids: ids, now: now, writer: w, sale: sale{
		version: cat.Version, zone: zone, series: shop, zoneName: string(op.Zone),
		tax: price * 10 / 110, net: price - price*10/110, points: price / cat.Seller.Points.EarnPer["JPY"],
		content: `{"seller":` + strconv.Quote(cat.Seller.Name) + `,"seller_address":` + strconv.Quote(cat.Seller.Address) +
			`,"seller_number":` + strconv.Quote(cat.Seller.InvoiceNumber) +
			`,"what":` + strconv.Quote(plan.Name[locale.En]+" "+plan.Terms[0].ID) + `,"line":"`,
		sold: `,"names":` + string(names) + `,"sold":{"unit":` + strconv.Quote(string(plan.Terms[0].Length.Unit)) +
			`,"n":` + strconv.Itoa(plan.Terms[0].Length.N) + `}}`,
	}}
	return l, nil
}

// The first transaction: the order, paid, on its way to the operator.
const (
	insertOrder = `INSERT INTO orders (account_id, id, customer_key, quote_id, line_id, input_digest,
			state, kind, plan_id, item_id, catalogue_version, minor, currency, tool, effect,
			starts_at, ends_at, anchor, bytes, periods, attempts, due_at, expires_at, asked_at, placed_at, paid_at, updated_at, wallet_minor)
		VALUES ($1,$2,$3,$4,$5,$6,'fulfilling','term',$7,$8,$9,$10,'JPY','wallet','append',$11,$12,$13,$14,$15,1,$16,$17,$18,$19,$20,$21,$22)`
	takeLine       = `UPDATE lines SET extending = $1 WHERE account_id = $2 AND id = $3`
	insertTransfer = `INSERT INTO transfers (account_id, subject, step, n, from_book, to_book, minor, currency, at)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`
	debit = `UPDATE balances SET minor = minor - $1 WHERE account_id = $2 AND book = 'wallet' AND currency = 'JPY'`
)

// With sets the orders are there and paid, and the first transaction is this.
const (
	intendOrders = `UPDATE orders SET state = 'fulfilling', attempts = attempts + 1, due_at = column3, asked_at = column4, updated_at = column4
		FROM (VALUES ($1,$2,CAST($3 AS bigint),CAST($4 AS bigint))) AS v WHERE account_id = column1 AND id = column2`
	takeLines = `UPDATE lines SET extending = column3
		FROM (VALUES ($1,$2,$3)) AS v WHERE account_id = column1 AND id = column2`
)

// The second transaction: everything that completes the order.
const (
	completeOrder  = `UPDATE orders SET state = 'completed', operator_ref = $1, due_at = NULL, completed_at = $2, updated_at = $3 WHERE account_id = $4 AND id = $5`
	completeOrders = `UPDATE orders SET state = 'completed', operator_ref = column3, due_at = NULL, completed_at = column4, updated_at = column4
		FROM (VALUES ($1,$2,$3,CAST($4 AS bigint))) AS v WHERE account_id = column1 AND id = column2`
	insertPeriod = `INSERT INTO periods (account_id, line_id, number, order_id, plan_id, term_id, effect, starts_at, ends_at,
			allowance_bytes, state, operator_ref, created_at)
		VALUES ($1,$2,$3,$4,$5,$6,'append',$7,$8,$9,'queued',$10,$11)`
	renewLine = `UPDATE lines SET extending = '', periods = periods + 1, plan_id = $1, anchor = $2, ends_at = $3, grace_ends_at = $4, updated_at = $5
		WHERE account_id = $6 AND id = $7`
	renewLines = `UPDATE lines SET extending = '', periods = periods + 1, plan_id = column3, anchor = column4,
			ends_at = column5, grace_ends_at = column5, updated_at = column6
		FROM (VALUES ($1,$2,$3,CAST($4 AS bigint),CAST($5 AS bigint),CAST($6 AS bigint))) AS v WHERE account_id = column1 AND id = column2`
	givePoints = `INSERT INTO balances (account_id, book, currency, minor)
		VALUES ($1,'points','PTS',$2)
		ON CONFLICT (account_id, book, currency) DO UPDATE SET minor = balances.minor + excluded.minor`
	insertBill = `INSERT INTO bills (account_id, id, order_id, kind, series, minor, currency, tax_class, tax_rate, tax_scale, tax_minor, content, issued_at)
		VALUES ($1,$2,$3,'bill',$4,$5,'JPY','standard',10,1,$6,$7,$8)`
	insertMessage = `INSERT INTO messages (account_id, id, key, kind, channel, address, language, facts, order_id, line_id, state, due_at, expires_at, created_at)
		VALUES ($1,$2,$3,$4,'email','','',$5,$6,$7,'due',$8,$9,$10)`
)

const lease = int64(40 * time.Second / time.Microsecond)

// renew writes one renewal in two transactions.
func (l *limit) renew(ctx context.Context, it lot) error {
	it.order = l.ids.Under("ord", it.quote.Account)
	if err := l.write(ctx, l.place(it, l.now().UnixMicro())); err != nil {
		return err
	}
	return l.write(ctx, l.books([]lot{it}, l.now()))
}

// renewSet writes the renewals of orders that are paid in two transactions.
func (l *limit) renewSet(ctx context.Context, set []lot) error {
	return errors.Join(l.write(ctx, l.intend(set, l.now().UnixMicro())), l.write(ctx, l.books(set, l.now())))
}

func (l *limit) place(it lot, now int64) []statement {
	q := it.quote
	var digest [16]byte // of nothing: the limit compares with nobody's
	return []statement{
		{insertOrder, 1, []any{
			q.Account, it.order, q.ID, q.ID, q.Line, hex.EncodeToString(digest[:]), q.Plan, q.Item, l.version, q.Price.Minor,
			q.StartsAt.UnixMicro(), q.EndsAt.UnixMicro(), int64(q.Anchor), q.Bytes, int64(q.Periods), now + lease, q.ExpiresAt.UnixMicro(), now, now, now, now, q.Price.Minor,
		}},
		{takeLine, 1, []any{it.order, q.Account, q.Line}},
		{insertTransfer, 1, []any{q.Account, it.order, "paid", int64(0), "wallet", "due", q.Price.Minor, "JPY", now}},
		{debit, 1, []any{q.Price.Minor, q.Account}},
	}
}

func (l *limit) intend(set []lot, now int64) []statement {
	orders, lines := statement{text: intendOrders}, statement{text: takeLines}
	for _, it := range set {
		orders.add(it.quote.Account, it.order, now+lease, now)
		lines.add(it.quote.Account, it.quote.Line, it.order)
	}
	return []statement{orders, lines}
}

func (l *limit) books(set []lot, at time.Time) []statement {
	now := at.UnixMicro()
	series := "B" + at.In(l.series).Format("2006")
	orders, lines := statement{text: completeOrders}, statement{text: renewLines}
	periods, transfers, points := statement{text: insertPeriod}, statement{text: insertTransfer}, statement{text: givePoints}
	bills, messages := statement{text: insertBill}, statement{text: insertMessage}
	for _, it := range set {
		q, starts, ends := it.quote, it.quote.StartsAt.UnixMicro(), it.quote.EndsAt.UnixMicro()
		ref := "op-" + it.order
		orders.add(q.Account, it.order, ref, now)
		periods.add(q.Account, q.Line, int64(q.Periods+1), it.order, q.Plan, q.Item, starts, ends, q.Bytes, ref, now)
		lines.add(q.Account, q.Line, q.Plan, int64(q.Anchor), ends, now)
		transfers.add(q.Account, it.order, "completed", int64(0), "due", "revenue", l.net, "JPY", now)
		transfers.add(q.Account, it.order, "completed", int64(1), "due", "tax", l.tax, "JPY", now)
		transfers.add(q.Account, it.order, "completed", int64(2), "points_issued", "points", l.points, "PTS", now)
		points.add(q.Account, l.points)
		bills.add(q.Account, l.ids.Under("bl", q.Account), it.order, series, q.Price.Minor, l.tax, l.bill(it), now)
		confirmation, reminder := l.letters(it)
		messages.add(q.Account, l.ids.Under("msg", q.Account), "order_completed/"+it.order, "order_completed",
			confirmation, it.order, q.Line, now, nil, now)
		messages.add(q.Account, l.ids.Under("msg", q.Account), "reminder_3d/"+it.order, "reminder_3d",
			reminder, it.order, q.Line, ends-3*day, ends, now)
		messages.add(q.Account, l.ids.Under("msg", q.Account), "reminder_1d/"+it.order, "reminder_1d",
			reminder, it.order, q.Line, ends-day, ends, now)
		messages.add(q.Account, l.ids.Under("msg", q.Account), "reminder_3h/"+it.order, "reminder_3h",
			reminder, it.order, q.Line, ends-day/8, ends, now)
		messages.add(q.Account, l.ids.Under("msg", q.Account), "reminder_ended/"+it.order, "reminder_ended",
			reminder, it.order, q.Line, ends, ends+3*day, now)
	}
	if len(set) == 1 {
		q, ends := set[0].quote, set[0].quote.EndsAt.UnixMicro()
		orders = statement{completeOrder, 1, []any{"op-" + set[0].order, now, now, q.Account, set[0].order}}
		lines = statement{renewLine, 1, []any{q.Plan, int64(q.Anchor), ends, ends, now, q.Account, q.Line}}
	}
	return []statement{orders, periods, lines, transfers, points, bills, messages}
}

const day = int64(24 * time.Hour / time.Microsecond)

func (s *statement) add(args ...any) {
	s.rows++
	s.args = append(s.args, args...)
}

// bill is what a bill says, as JSON.
func (l *limit) bill(it lot) string {
	return l.content + it.quote.Line +
		`","from":"` + it.quote.StartsAt.In(l.zone).Format(time.RFC3339) +
		`","to":"` + it.quote.EndsAt.In(l.zone).Format(time.RFC3339) +
		`","tool":"wallet","zone":"` + l.series.String() + `"` + l.sold
}

// letters are what the confirmation and the reminders say, as JSON.
func (l *limit) letters(it lot) (confirmation, reminder string) {
	ends := `"ends_at":"` + it.quote.EndsAt.UTC().Format(time.RFC3339Nano)
	return `{"starts_at":"` + it.quote.StartsAt.UTC().Format(time.RFC3339Nano) + `",` + ends + `","zone":"` + l.zoneName +
			`","order":"` + it.order + `","amount":{"Minor":` + strconv.FormatInt(it.quote.Price.Minor, 10) + `,"Currency":"JPY"}` +
			`,"tool":"wallet","points":` + strconv.FormatInt(l.points, 10) + `}`,
		`{` + ends + `","renew_until":"` + it.quote.EndsAt.UTC().Format(time.RFC3339Nano) + `","zone":"` + l.zoneName + `"}`
}
