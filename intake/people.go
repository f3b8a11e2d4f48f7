package intake

import (
	"context"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

var email = Column{"email", true, "the customer's mail address", "aiko@example.com"}

var customers = Kind{
	Name: "customers", Says: "customers, who then sign in with a code sent to their address",
	Columns: []Column{
		email,
		{"language", false, "en, zh-Hans, zh-Hant, ja or ko; empty: en", "ja"},
		{"name", false, "what they want to be called", "Aiko"},
		{"zone", false, "where their clocks are, as Asia/Tokyo; empty: not known", "Asia/Tokyo"},
	},
	read: readCustomer, compare: compareCustomers,
}

type customer struct{ account.New }

func (c customer) keys() []string { return []string{"email " + c.Email} }

func readCustomer(_ *Desk, r *record) entry {
	c := customer{account.New{Name: r.cell("name"), Zone: calendar.Zone(r.cell("zone"))}}
	var err error
	c.Email, err = account.Normalise(r.cell("email"))
	r.fails("email", err)
	if s := r.cell("language"); s != "" {
		known := false
		if c.Language, known = locale.Parse(s); !known {
			r.wrong("language", "%q is no language of ours. Write en, zh-Hans, zh-Hant, ja or ko.", s)
		}
	}
	if c.Zone != "" {
		_, err := c.Zone.Location()
		r.fails("zone", err)
	}
	return c
}

func compareCustomers(ctx context.Context, tx db.Tx, d *Desk, set []entry, b *db.Batch) ([]fate, error) {
	owners, err := owners(ctx, tx, set, func(e entry) string { return e.(customer).Email })
	if err != nil {
		return nil, err
	}
	fates := make([]fate, len(set))
	var members []*db.Batch
	for i, e := range set {
		c, m := e.(customer), &db.Batch{}
		if owner, there := owners[c.Email]; there {
			fates[i].there = true
			account.AddConfirmed(m, owner.Account, owner.ID, tx.Now()) // who only typed an address has confirmed nothing
		} else if _, err := account.AddNew(m, d.Orders.IDs, c.New, tx.Now()); err != nil {
			fates[i] = fate{column: "name", wrong: "This cannot be a customer: " + err.Error()}
			continue
		}
		members = append(members, m)
	}
	b.Join(members...)
	return fates, nil
}

// owners finds the accounts that mail addresses belong to.
func owners(ctx context.Context, tx db.Tx, set []entry, of func(entry) string) (map[string]db.Entry, error) {
	all := make([]string, len(set))
	for i, e := range set {
		all[i] = of(e)
	}
	slices.Sort(all)
	return db.LocateAll(ctx, tx, account.EmailKind, slices.Compact(all))
}

// unknown is what is wrong with a row about nobody.
func unknown(email string) fate {
	return fate{column: "email", wrong: "There is no customer " + email + ". Import customers first."}
}

var balances = Kind{
	Name: "balances", Says: "what customers have in their wallet and in points, each reference once",
	Columns: []Column{
		email,
		{"currency", true, "JPY, USD, CNY, TWD, HKD or KRW for the wallet; PTS for points", "JPY"},
		{"amount", true, "how much, in the currency's own unit: 1200, or 12.50", "1200"},
		{"reference", true, "your own name for this balance; it is booked once, however often it is imported", "old-shop-4711-jpy"},
	},
	read: readBalance, compare: compareBalances,
}

type balance struct {
	email, reference string
	amount           money.Money
}

func (b balance) keys() []string { return []string{"reference " + b.reference} }

// mostReference bounds the name of a balance.
const mostReference = 100

func readBalance(_ *Desk, r *record) entry {
	e := balance{reference: r.cell("reference")}
	var err error
	e.email, err = account.Normalise(r.cell("email"))
	r.fails("email", err)
	if len(e.reference) > mostReference {
		r.wrong("reference", "This is too long. Use at most %d characters.", mostReference)
	}
	currency := money.Currency(strings.ToUpper(r.cell("currency")))
	if currency != money.Points && !order.KeepsWallet(currency) {
		r.wrong("currency", "Wallets are not kept in %q. Write JPY, USD, CNY, TWD, HKD or KRW, or PTS for points.", r.cell("currency"))
		return e
	}
	e.amount, err = money.Parse(r.cell("amount"), currency)
	if !r.fails("amount", err) && e.amount.Minor <= 0 {
		r.wrong("amount", "A balance is more than nothing. Remove the row of a customer who has none.")
	}
	return e
}

// importKind is how the directory calls the references of imported balances.
const importKind = "import:balance"

func compareBalances(ctx context.Context, tx db.Tx, d *Desk, set []entry, b *db.Batch) ([]fate, error) {
	owners, err := owners(ctx, tx, set, func(e entry) string { return e.(balance).email })
	if err != nil {
		return nil, err
	}
	references := make([]string, len(set))
	for i, e := range set {
		references[i] = e.(balance).reference
	}
	booked, err := db.LocateAll(ctx, tx, importKind, references)
	if err != nil {
		return nil, err
	}
	fates := make([]fate, len(set))
	var rounds [][]*db.Batch // those of one account, whose wallet is one row, one after the other
	turn := map[string]int{}
	for i, e := range set {
		e := e.(balance)
		owner, known := owners[e.email]
		before, there := booked[e.reference]
		switch {
		case !known:
			fates[i] = unknown(e.email)
			continue
		case there && before == (db.Entry{Account: owner.Account, ID: e.amount.String()}):
			fates[i].there = true
			continue
		case there:
			fates[i] = fate{column: "reference", wrong: "This reference was booked already, with " + before.ID +
				", and nothing is booked twice. Give what is to be booked besides another reference."}
			continue
		}
		m := &db.Batch{}
		if err := d.addBalance(m, tx, owner.Account, e); err != nil {
			return nil, err
		}
		n := turn[owner.Account]
		turn[owner.Account]++
		if n == len(rounds) {
			rounds = append(rounds, nil)
		}
		rounds[n] = append(rounds[n], m)
	}
	for _, r := range rounds {
		b.Join(r...)
	}
	return fates, nil
}

// addBalance books a balance against the book of those that came from elsewhere, and
// who brought it.
func (d *Desk) addBalance(b *db.Batch, tx db.Tx, owner string, e balance) error {
	db.AddClaim(b, importKind, e.reference, owner, e.amount.String())
	book := ledger.Wallet
	if e.amount.Currency == money.Points {
		book = ledger.Points
	}
	ledger.Posting{Account: owner, Subject: "import/" + e.reference, Step: "opening", Transfers: []ledger.Transfer{
		{From: ledger.Opening, To: book, Amount: e.amount},
	}}.AddTo(b, tx.Now())
	return order.AddTrail(b, tx, d.Orders.IDs, owner, d.act(), "import balance", e.reference)
}
