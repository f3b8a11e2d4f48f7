package intake

import (
	"cmp"
	"context"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/phone"
	"github.com/tsuzuku/tsuzuku/stock"
)

// The columns that both kinds of stock have.
var (
	iccid    = Column{"iccid", true, "the number of the SIM, 19 or 20 digits", "8981100000000000010"}
	profile  = Column{"operator_id", false, "the operator's own identifier of the SIM; empty: it knows only the ICCID", "OP-4711"}
	plan     = Column{"plan", true, "the id of the plan in the catalogue", "machi-5gb"}
	term     = Column{"term", true, "the id of the plan's term that the SIM comes with", "3d"}
	operator = Column{"operator", false, "the operator's id; the plan names it already, so this only checks", "kazemachi"}
	batch    = Column{"batch", true, "your own name for the delivery; a batch can be withdrawn as a whole", "2026-03-a"}
	expires  = Column{"expires", false, "the last day to begin using it, or an instant", "2027-03-31"}
	msisdn   = Column{"msisdn", false, "its telephone number with the country's calling code, if it has one; a card is then claimed by a code sent there, too", "+818012345678"}
)

// like is a column with another sample.
func like(c Column, sample string) Column {
	c.Sample = sample
	return c
}

var sims = Kind{
	Name: "sims", Says: "SIM cards that were printed and not sold here; their buyers claim them",
	Columns: []Column{
		like(iccid, "8981100000000000028"), like(profile, "OP-4712"), like(plan, "hinode-visitor-5"), like(term, "5gb-21d"),
		{"claim_code", true, "the code that is printed with the card, at least 6 characters; it is kept as a hash", "7KQ4-22MD"},
		batch, expires, operator, msisdn,
	},
	read: readSIM, compare: compareStock,
}

var esims = Kind{
	Name: "esims", Says: "bought activation codes, to be sold here or given for codes to redeem",
	Columns: []Column{
		iccid, profile, plan, term,
		{"code", false, "LPA:1$address$matching identifier; or leave it empty and fill the next two", "LPA:1$smdp.example$K1-8F3A-77"},
		{"smdp", false, "the address of the SM-DP+, where there is no code", ""},
		{"matching_id", false, "the matching identifier, where there is no code", ""},
		batch, expires, operator, like(msisdn, ""),
	},
	read: readESIM, compare: compareStock,
}

// item is a row of stock with its code, which is sealed when it is stored.
type item struct {
	stock.Item
	code string
}

func (i item) keys() []string {
	keys := []string{"iccid " + i.ICCID}
	if i.ProfileID != "" {
		keys = append(keys, "operator_id "+i.Operator+" "+i.ProfileID)
	}
	if i.MSISDN != "" {
		keys = append(keys, "msisdn "+i.MSISDN)
	}
	if i.Kind == stock.ESIM {
		keys = append(keys, "code "+i.code)
	}
	return keys
}

func (d *Desk) readItem(r *record, k stock.Kind) item {
	s := d.sold(r, true)
	i := item{Item: stock.Item{
		ICCID: r.iccid(), Kind: k, Operator: s.operator.ID, ProfileID: r.cell("operator_id"), MSISDN: r.number("msisdn"),
		Plan: s.plan.ID, Term: s.term.ID, Batch: r.cell("batch"), ExpiresAt: r.moment(d.Orders.DB.Now(), "expires", s.zone, true),
	}}
	switch {
	case len(r.mistakes) > 0:
	case k == stock.SIM && !s.plan.Facts.PhysicalSIM:
		r.wrong("plan", "Plan %q comes on no card: its facts say physical_sim: false. Import codes with the kind esims, or correct the catalogue.", s.plan.ID)
	case k == stock.ESIM && !s.plan.Facts.ESIM:
		r.wrong("plan", "Plan %q comes as no eSIM: its facts say esim: false. Import cards with the kind sims, or correct the catalogue.", s.plan.ID)
	}
	return i
}

// leastClaim is how long a claim code is at least, without hyphens.
const leastClaim = 6

func readSIM(d *Desk, r *record) entry {
	i := d.readItem(r, stock.SIM)
	i.code = stock.Typed(r.cell("claim_code"))
	if len(i.code) < leastClaim {
		r.wrong("claim_code", "A claim code has at least %d characters, or it could be guessed.", leastClaim)
	}
	return i
}

func readESIM(d *Desk, r *record) entry {
	i := d.readItem(r, stock.ESIM)
	i.code = r.cell("code")
	if address, match := r.cell("smdp"), r.cell("matching_id"); i.code == "" && address != "" && match != "" {
		i.code = "LPA:1$" + address + "$" + match
	} else if i.code != "" && (address != "" || match != "") && i.code != "LPA:1$"+address+"$"+match {
		r.wrong("code", "The code, and the address with its matching identifier, are not the same. Leave one of the two empty.")
	}
	switch {
	case i.code == "":
		r.wrong("code", "The activation code is missing. Fill code, or smdp and matching_id.")
	case !carrier.IsCode(i.code):
		r.wrong("code", "This is no activation code. It looks like LPA:1$smdp.example.com$K1-8F3A-77: the address is a name without https://, and the matching identifier is of letters, digits and hyphens.")
	}
	return i
}

func compareStock(ctx context.Context, tx db.Tx, d *Desk, set []entry, b *db.Batch) ([]fate, error) {
	iccids := make([]string, len(set))
	profiles := map[string][]string{} // by operator
	for i, e := range set {
		iccids[i] = e.(item).ICCID
		if p := e.(item).ProfileID; p != "" {
			profiles[e.(item).Operator] = append(profiles[e.(item).Operator], p)
		}
	}
	there, err := stock.Several(ctx, tx, iccids)
	if err != nil {
		return nil, err
	}
	lines, err := takenLines(ctx, tx, iccids, profiles)
	if err != nil {
		return nil, err
	}
	fates := make([]fate, len(set))
	var members []*db.Batch
	for i, e := range set {
		e := e.(item)
		if old, found := there[e.ICCID]; found && old.State != stock.Withdrawn {
			fates[i] = d.same(old, e)
			continue
		}
		if lines.have(e.Operator, e.ProfileID, e.ICCID) {
			fates[i] = fate{column: "iccid", wrong: "This SIM is a customer's line already. Remove the row."}
			continue
		}
		m := &db.Batch{}
		if err := d.addItem(m, tx, e); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	b.Join(members...)
	return fates, nil
}

// same says whether a row is what is in stock. Whether that was given meanwhile does
// not matter.
func (d *Desk) same(old stock.Item, e item) fate {
	told := [...][3]string{
		{"plan", old.Plan, e.Plan},
		{"term", old.Term, e.Term},
		{"operator_id", old.ProfileID, e.ProfileID},
		{"batch", old.Batch, e.Batch},
		{"msisdn", written(old.MSISDN), e.MSISDN},
		{"expires", old.ExpiresAt.UTC().String(), e.ExpiresAt.UTC().String()},
	}
	const instead = " To correct it, withdraw its batch (tsuzuku stock withdraw) and import it again."
	switch {
	case old.Kind != e.Kind:
		return fate{column: "iccid", wrong: "This SIM is in stock as " + string(old.Kind) + "." + instead}
	case !old.Knows(d.Orders.Codes, e.code):
		return fate{column: cmp.Or(map[stock.Kind]string{stock.SIM: "claim_code"}[e.Kind], "code"), wrong: "This SIM is in stock with another code." + instead}
	}
	for _, t := range told {
		if t[1] != t[2] {
			return fate{column: t[0], wrong: "This SIM is in stock with " + cmp.Or(t[1], "nothing") + " here." + instead}
		}
	}
	return fate{there: true}
}

// written is a number in stock as it is written today: older imports took any.
func written(msisdn string) string {
	if n, err := phone.ReadWhole(msisdn); err == nil {
		return string(n)
	}
	return msisdn
}

func (d *Desk) addItem(b *db.Batch, tx db.Tx, e item) (err error) {
	i := e.Item
	if i.Kind == stock.SIM {
		i = i.Claimable(d.Orders.Codes, e.code)
	} else if i, err = i.Sealed(d.Orders.Codes, e.code); err != nil {
		return err
	}
	stock.Add(b, i, tx.Now())
	return nil
}

// taken are numbers that lines have.
type taken struct {
	iccids   map[string]db.Entry
	profiles map[string]map[string]db.Entry
}

func takenLines(ctx context.Context, tx db.Tx, iccids []string, profiles map[string][]string) (t taken, err error) {
	if t.iccids, err = db.LocateAll(ctx, tx, line.ICCIDKind, iccids); err != nil {
		return t, err
	}
	t.profiles = map[string]map[string]db.Entry{}
	for op, all := range profiles {
		if t.profiles[op], err = db.LocateAll(ctx, tx, line.ProfileKind(op), all); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (t taken) have(operator, profile, iccid string) bool {
	_, a := t.iccids[iccid]
	_, b := t.profiles[operator][profile]
	return a || b
}
