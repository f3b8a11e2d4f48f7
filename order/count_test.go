package order_test

import (
	"context"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// A try is counted also where what it found cannot be given, since the catalogue lacks
// its plan.
func TestTriesAreCountedWhateverComesOfThem(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		c := stockroom(t, env)
		const iccid, claim, code = "8981100000000000010", "7KQ4-22MD", "7KQ4-22MD-0XJZ-9TBE"
		box := seal.New("codes", "the codes of these tests", nil, nil)
		c.Desk.Codes = box
		c.write(t, func(ctx context.Context, tx db.Tx) error {
			if _, err := tx.Exec(ctx, `CREATE TABLE tries (n bigint NOT NULL)`); err != nil {
				return err
			}
			var b db.Batch
			stock.Add(&b, stock.Item{
				ICCID: iccid, Kind: stock.SIM, Operator: "kazemachi", ProfileID: "PF-1", Plan: "gone", Term: "5gb-21d", Batch: "cards",
			}.Claimable(box, claim), tx.Now())
			stock.AddCode(&b, box, code, stock.Code{Plan: "gone", Term: "3d", Batch: "codes"}, tx.Now())
			return tx.Batch(ctx, &b)
		})
		who := c.visitor(t, 0)
		try := order.Attempt(func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `INSERT INTO tries (n) VALUES (1)`)
			return err
		})
		if _, err := c.Desk.Claim(t.Context(), who, iccid, claim, try); fault.KindOf(err) != fault.Internal {
			t.Errorf("claimed: %v", err)
		}
		if _, err := c.Desk.Redeem(t.Context(), who, code, try); fault.KindOf(err) != fault.Internal {
			t.Errorf("redeemed: %v", err)
		}
		if n := c.count(t, `SELECT COUNT(*) FROM tries WHERE $1 <> ''`, who); n != 2 {
			t.Errorf("%d tries are counted, want 2", n)
		}
	})
}
