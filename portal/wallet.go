package portal

import (
	"context"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// walletPage is everything wallet.html may use.
type walletPage struct {
	ui.Frame
	Balances   []string
	Owed       []owedRow
	OwedWhy    []string // what that stops, and what to do
	Aside      []string // what is set aside for orders that wait
	Expiring   []string // what of it expires next, and when
	CanTopUp   bool
	Amount     string
	Currencies []ui.Choice
	Error      string
	Entries    []entryRow
	Points     string     // empty for a customer who never had any
	Earned     []entryRow // and spent
}

// owedRow is what a customer owes because a payment was taken back.
type owedRow struct {
	Text, Order, Amount, Currency string
}

// entryRow is one transfer in or out of the wallet or the points.
type entryRow struct {
	Text   string
	Order  string // "" where none caused it
	At     ui.Moment
	Amount string // with its sign
}

// entriesShown is how much of a history a page shows.
const entriesShown = 20

// expiringShown is how many ends of value a page names for one wallet.
const expiringShown = 3

// walletCurrencies are those that wallets are kept in.
var walletCurrencies = []money.Currency{"JPY", "USD", "CNY", "TWD", "HKD", "KRW"}

// walletPage shows what is in the wallet, what was, and how to put more in.
func (s *Server) walletPage(ctx context.Context, v *visit) (answer, error) {
	q := v.r.URL.Query()
	p, err := v.wallet(ctx, q.Get("amount"), money.Currency(q.Get("currency")))
	if err != nil {
		return answer{}, err
	}
	return show("wallet.html", p), nil
}

// maxAmount bounds what is repeated of a typed amount.
const maxAmount = 15

func (v *visit) wallet(ctx context.Context, amount string, c money.Currency) (walletPage, error) {
	type facts struct {
		balances []money.Money
		aside    []money.Money
		owed     []order.Dispute
		expiring []order.Expiring
		entries  []ledger.Entry
		points   money.Money
		earned   []ledger.Entry
	}
	f, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (f facts, err error) {
		if f.balances, err = ledger.Balances(ctx, tx, v.account.ID, ledger.Wallet); err != nil {
			return f, err
		}
		if f.aside, err = ledger.SetAside(ctx, tx, v.account.ID); err != nil {
			return f, err
		}
		if f.owed, err = order.Debts(ctx, tx, v.account.ID); err != nil {
			return f, err
		}
		for _, m := range f.balances {
			next, err := v.server.Desk.Expires(ctx, tx, v.account.ID, m.Currency)
			if err != nil {
				return f, err
			}
			f.expiring = append(f.expiring, next[:min(len(next), expiringShown)]...)
		}
		if f.entries, err = ledger.Entries(ctx, tx, v.account.ID, ledger.Wallet, entriesShown); err != nil {
			return f, err
		}
		if f.points, err = ledger.Balance(ctx, tx, v.account.ID, ledger.Points, money.Points); err != nil {
			return f, err
		}
		f.earned, err = ledger.Entries(ctx, tx, v.account.ID, ledger.Points, entriesShown)
		return f, err
	})
	if err != nil {
		return walletPage{}, err
	}
	if c == "" {
		c = v.shop.Seller.BaseCurrency
	}
	if len(amount) > maxAmount {
		amount = ""
	}
	p := walletPage{
		Frame: v.frame(v.voice.T("wallet.title")), Balances: v.amounts(f.balances), Amount: amount,
		CanTopUp: v.server.Desk.Wallet == order.WalletFull, Entries: v.entryRows(f.entries, ledger.Wallet),
	}
	v.addOwed(&p, f.owed)
	for _, m := range f.aside {
		p.Aside = append(p.Aside, v.voice.Say("wallet.aside", locale.Args{"amount": m}))
	}
	for _, e := range f.expiring {
		p.Expiring = append(p.Expiring, v.voice.Say("wallet.expires", locale.Args{"amount": e.Amount, "time": v.voice.Moment(e.At, v.shopZone()).Text}))
	}
	if len(f.earned) > 0 {
		p.Points, p.Earned = v.voice.Money(f.points), v.entryRows(f.earned, ledger.Points)
	}
	for _, w := range walletCurrencies {
		p.Currencies = append(p.Currencies, ui.Choice{Value: string(w), Name: v.voice.Currency(w), Chosen: w == c})
	}
	return p, nil
}

// addOwed says what is owed, each with the button that pays it.
func (v *visit) addOwed(p *walletPage, debts []order.Dispute) {
	if len(debts) == 0 {
		return
	}
	p.OwedWhy = []string{v.voice.T(v.stops()), v.voice.T("owed.how")}
	for _, d := range debts {
		open := d.Open()
		p.Owed = append(p.Owed, owedRow{v.voice.Say("wallet.owed", locale.Args{"amount": open}), d.Order, open.Decimal(), string(open.Currency)})
	}
}

func (v *visit) amounts(all []money.Money) (out []string) {
	for _, m := range all {
		if !m.IsZero() {
			out = append(out, v.voice.Money(m))
		}
	}
	return out
}

// entryRows says the entries of one of the customer's books.
func (v *visit) entryRows(entries []ledger.Entry, book ledger.Book) (rows []entryRow) {
	for _, e := range entries {
		row := entryRow{Text: v.voice.T("entry." + entryWord(e, book)), At: v.voice.Moment(e.At, v.shopZone())}
		if strings.HasPrefix(e.Subject, "ord_") {
			row.Order = e.Subject
		}
		amount := e.Amount
		if e.From == book {
			amount = amount.Neg()
		}
		row.Amount = v.voice.Money(amount)
		if amount.Minor > 0 {
			row.Amount = "+" + row.Amount
		}
		rows = append(rows, row)
	}
	return rows
}

// entryWord is the key of what an entry is called.
func entryWord(e ledger.Entry, book ledger.Book) string {
	switch {
	case e.From == book && (e.Step == "paid" || e.Step == "set_aside" || e.Step == "expired"):
		return e.Step
	case strings.HasPrefix(e.Step, "disputed:") && e.From == book:
		return "disputed"
	case strings.HasPrefix(e.Step, "disputed:"):
		return "dispute_won"
	case e.From == book && e.Step == "credited":
		return "taken_back"
	case e.From == book:
		return "out"
	case e.From == ledger.Opening:
		return "opening"
	case e.From == ledger.Granted:
		return "granted"
	case e.Step == "returned":
		return "returned"
	case e.Step == "refunded", e.Step == "credited", e.Step == "credited_anew":
		return "refunded"
	case book == ledger.Points:
		return "earned"
	case e.From == ledger.Due:
		return "topup"
	}
	return "in"
}

// topUp fixes an amount to be put into the wallet, and goes on to its review.
func (s *Server) topUp(ctx context.Context, v *visit) (answer, error) {
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	typed, c := v.field("amount"), money.Currency(v.field("currency"))
	amount, err := readAmount(typed, c)
	var q order.Quote
	if err == nil {
		q, err = s.Desk.QuoteTopUp(ctx, v.account.ID, amount)
	}
	if fault.KindOf(err) == fault.Invalid {
		p, again := v.wallet(ctx, typed, c)
		p.Error = v.voice.Fault(err)
		return answer{template: "wallet.html", page: p, status: fault.Invalid.Status()}, again
	}
	if err != nil {
		return answer{}, err
	}
	return goTo("/quotes/" + q.ID), nil
}

// readAmount reads an amount as people type it: digits of any width, with or
// without separators.
func readAmount(typed string, c money.Currency) (money.Money, error) {
	if c.Validate() != nil {
		return money.Money{}, fault.Because(fault.Invalid, "wallet_currency", "Wallets are not kept in this currency. Choose another one.", nil)
	}
	clean := strings.NewReplacer(",", "", " ", "").Replace(norm.NFKC.String(typed[:min(len(typed), 3*maxAmount)]))
	m, err := money.Parse(clean, c)
	if err != nil {
		return m, fault.Because(fault.Invalid, "amount_format", "This is not an amount.",
			map[string]string{"example": money.Of(300_000, c).Decimal()})
	}
	return m, nil
}
