package world

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// sold is a printed card that somebody bought at an airport: its number, the telephone
// number of its line, and the code that came with it, which the shop itself does not keep.
type sold struct {
	ICCID, Number, Claim, Plan string
}

// printed is how many such cards the demo begins with.
const printed = 3

// print makes cards of a term that its operator and the shop's stock know, and remembers
// what is printed on them.
func (s *Strangers) print(box *seal.Box, p catalogue.Plan, t catalogue.Term) (all []stock.Item) {
	for range printed {
		card := sold{
			ICCID: s.iccid("8523"), Number: fmt.Sprintf("+8170%08d", s.numbers.Int64N(1e8)), Plan: p.Name[locale.En],
			Claim: stock.NewCode(binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, s.numbers.Uint64()), s.numbers.Uint64())),
		}
		s.CMI.AddCard(cmisim.Card{ICCID: card.ICCID, Package: t.Package})
		s.drawer = append(s.drawer, card)
		all = append(all, stock.Item{
			ICCID: card.ICCID, Kind: stock.SIM, Operator: p.Operator, ProfileID: card.ICCID, MSISDN: card.Number, Plan: p.ID, Term: t.ID, Batch: stockBatch,
		}.Claimable(box, card.Claim))
	}
	return all
}

// unclaimed are the cards that are nobody's line yet.
func (p *Panel) unclaimed(ctx context.Context) ([]sold, error) {
	return db.Seen(ctx, p.Desk.DB, func(ctx context.Context, tx db.Tx) (all []sold, err error) {
		for _, card := range p.Strangers.drawer {
			i, found, err := stock.Find(ctx, tx, card.ICCID)
			if err != nil {
				return nil, err
			}
			if found && i.State == stock.Free {
				all = append(all, card)
			}
		}
		return all, nil
	})
}
