package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Account is one customer.
type Account struct {
	ID       string `json:"id"`
	State    string `json:"state" enum:"unverified,active,restricted,closing,closed"`
	Name     string `json:"name,omitempty"`
	Language string `json:"language"`
	Zone     string `json:"zone,omitempty" doc:"Where the customer's clocks are."`
	Attitude string `json:"attitude" doc:"How much they mind to run out."`
}

// Balances are what a customer has stored, and owes.
type Balances struct {
	Account string  `json:"account"`
	Wallet  []Money `json:"wallet" nullable:"false" doc:"One a currency."`
	Points  int64   `json:"points"`
	Aside   []Money `json:"aside" nullable:"false" doc:"Set aside for orders that wait for their rest, and not in the wallet; points have the currency PTS."`
	Owed    []Money `json:"owed" nullable:"false" doc:"What disputes left uncovered."`
}

// Bill is one numbered document.
type Bill struct {
	ID        string    `json:"id"`
	Order     string    `json:"order"`
	Kind      string    `json:"kind" doc:"bill, receipt or credit_note."`
	Number    string    `json:"number,omitempty" doc:"Absent for the few seconds until it has one."`
	Date      string    `json:"date" format:"date" doc:"In the shop's zone."`
	IssuedAt  time.Time `json:"issuedAt"`
	What      string    `json:"what"`
	Total     Money     `json:"total" doc:"With tax."`
	Tax       Money     `json:"tax"`
	RefersTo  string    `json:"refersTo,omitempty" doc:"A credit note's bill."`
	Qualified bool      `json:"qualified" doc:"It has everything that a Japanese qualified invoice must have."`
}

// Bills are the newest documents of a customer.
type Bills struct {
	Bills []Bill `json:"bills" nullable:"false" doc:"Newest first."`
}

type billsInput struct {
	OfAccount
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"How many at most."`
}

type billInput struct {
	Bill string `path:"bill" maxLength:"64"`
}

type findInput struct {
	Body struct {
		Email string `json:"email" maxLength:"320" example:"aiko@example.com"`
	}
}

func (s *Server) addAccounts(d huma.API) {
	add(s, d, route{
		id: "find-account", method: http.MethodPost, path: "/accounts/find", scope: Staff, tag: "Customers", summary: "The customer with a mail address",
		about: "For staff alone: what it answers must never reach whoever typed the address. The address is not part of the request's own, so that no log has it.",
	}, s.findAccount)
	add(s, d, route{
		id: "get-account", method: http.MethodGet, path: "/accounts/{account}", scope: Read, tag: "Customers", summary: "A customer",
	}, s.getAccount)
	add(s, d, route{
		id: "get-balances", method: http.MethodGet, path: "/accounts/{account}/balances", scope: Read, tag: "Customers", summary: "What is in a customer's wallet, their points, and what they owe",
	}, s.getBalances)
	add(s, d, route{
		id: "list-bills", method: http.MethodGet, path: "/accounts/{account}/bills", scope: Read, tag: "Customers", summary: "A customer's newest documents",
	}, s.listBills)
	add(s, d, route{
		id: "get-bill", method: http.MethodGet, path: "/bills/{bill}", scope: Read, tag: "Customers", summary: "One document",
	}, s.getBill)
}

// customer fails unless there is that customer and the key opens them.
func (c *call) customer(ctx context.Context, tx db.Tx, id string) error {
	if err := c.opens(id); err != nil {
		return err
	}
	_, err := accountOf(ctx, tx, id)
	return err
}

func accountOf(ctx context.Context, tx db.Tx, id string) (account.Account, error) {
	return account.Get(ctx, tx, id)
}

// planOfLine is the plan whose rules hold for an order's line.
func planOfLine(ctx context.Context, tx db.Tx, o order.Order) (string, error) {
	if o.Kind == order.NewLine {
		return o.Plan, nil // there is no line yet
	}
	l, err := line.Get(ctx, tx, o.Account, o.Line)
	return l.Plan, err
}

func asFault(err error) (*fault.Error, bool) { return errors.AsType[*fault.Error](err) }

func (s *Server) findAccount(ctx context.Context, c *call, in *findInput) (Account, error) {
	a, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
		a, err := account.ByEmail(ctx, tx, strings.TrimSpace(in.Body.Email))
		if err != nil {
			return a, err
		}
		return a, c.opens(a.ID)
	})
	return customerOf(a), err
}

func (s *Server) getAccount(ctx context.Context, c *call, in *OfAccount) (Account, error) {
	if err := c.opens(in.Account); err != nil {
		return Account{}, err
	}
	a, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) { return accountOf(ctx, tx, in.Account) })
	return customerOf(a), err
}

func customerOf(a account.Account) Account {
	return Account{a.ID, string(a.State), a.Name, string(a.Language), string(a.Zone), a.Attitude}
}

func (s *Server) getBalances(ctx context.Context, c *call, in *OfAccount) (Balances, error) {
	return db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (Balances, error) {
		out := Balances{Account: in.Account, Owed: []Money{}}
		if err := c.customer(ctx, tx, in.Account); err != nil {
			return out, err
		}
		wallet, err := ledger.Balances(ctx, tx, in.Account, ledger.Wallet)
		if err != nil {
			return out, err
		}
		points, err := ledger.Balance(ctx, tx, in.Account, ledger.Points, money.Points)
		if err != nil {
			return out, err
		}
		aside, err := ledger.SetAside(ctx, tx, in.Account)
		if err != nil {
			return out, err
		}
		debts, err := order.Debts(ctx, tx, in.Account)
		out.Wallet, out.Points, out.Aside = moneysOf(wallet), points.Minor, moneysOf(aside)
		for _, d := range debts {
			out.Owed = append(out.Owed, moneyOf(d.Open()))
		}
		return out, err
	})
}

func (s *Server) listBills(ctx context.Context, c *call, in *billsInput) (Bills, error) {
	bills, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) ([]billing.Bill, error) {
		if err := c.customer(ctx, tx, in.Account); err != nil {
			return nil, err
		}
		return billing.List(ctx, tx, in.Account, in.Limit)
	})
	out := Bills{Bills: []Bill{}}
	for _, b := range bills {
		out.Bills = append(out.Bills, billOf(c.voice, b))
	}
	return out, err
}

func (s *Server) getBill(ctx context.Context, c *call, in *billInput) (Bill, error) {
	owner, err := c.account(in.Bill)
	if err != nil {
		return Bill{}, err
	}
	b, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (billing.Bill, error) { return billing.Get(ctx, tx, owner, in.Bill) })
	if err != nil {
		return Bill{}, err
	}
	return billOf(c.voice, b), nil
}

func billOf(v ui.Voice, b billing.Bill) Bill {
	return Bill{
		ID: b.ID, Order: b.Order, Kind: string(b.Kind), Number: b.Title(), Date: b.Date(), IssuedAt: b.IssuedAt.UTC(), What: v.Billed(b.Content),
		Total: moneyOf(b.Total), Tax: moneyOf(b.Tax), RefersTo: b.RefersTo, Qualified: b.Qualified(),
	}
}
