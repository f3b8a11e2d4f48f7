package billing_test

import (
	"context"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// A document is made out to whom the customer named before it got its number; later
// wishes change only later ones, and the rest of what it says stays.
func TestRecipientStandsFromTheNumberOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		issue := func(id string) billing.Bill {
			b := in("A", id)
			b.Content.Recipient = ""
			if err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
				var batch db.Batch
				b.AddTo(&batch, tx.Now())
				return tx.Batch(ctx, &batch)
			}); err != nil {
				t.Fatal(err)
			}
			return b
		}
		wish := func(account string, r billing.Recipient) error {
			return env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error { return billing.SetRecipient(ctx, tx, account, r) })
		}
		read := func(b billing.Bill) billing.Bill {
			got, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (billing.Bill, error) {
				return billing.Get(ctx, tx, b.Account, b.ID)
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		plain := issue("b1")
		number(t, env.DB)
		if err := wish(plain.Account, billing.Recipient{Name: " Kumo\tK.K. \u202e", Address: "1-2-3 Chuo\r\n\n  Osaka "}); err != nil {
			t.Fatal(err)
		}
		named := issue("b2")
		number(t, env.DB)
		if err := wish(plain.Account, billing.Recipient{}); err != nil {
			t.Fatal(err)
		}
		last := issue("b3")
		number(t, env.DB)
		if c := read(plain).Content; c.Recipient != "" {
			t.Errorf("numbered before: %+v", c)
		}
		c := read(named).Content
		if c.Recipient != "Kumo K.K." || c.RecipientAddress != "1-2-3 Chuo\nOsaka" || c.What != named.Content.What || c.Seller != named.Content.Seller {
			t.Errorf("%+v", c)
		}
		if read(named).Number == 0 || read(last).Content.Recipient != "" {
			t.Errorf("%+v", read(last))
		}
		for _, bad := range []billing.Recipient{
			{Name: strings.Repeat("長", billing.MostName+1)},
			{Name: "x", Address: strings.Repeat("x", billing.MostAddress+1)},
			{Name: "x", Address: "1\n2\n3\n4\n5\n6"},
			{Address: "nobody lives here"},
		} {
			if err := wish(plain.Account, bad); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%.20q is kept: %v", bad, err)
			}
		}
	})
}
