package world

import (
	"context"
	_ "embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// stockBatch is the delivery of eSIMs that the demo begins with.
const stockBatch = "demo"

// FillStock is a delivery of eSIMs for the terms that are sold from stock, and of printed
// cards that were sold elsewhere: the operator has them with their first package, and the
// shop has their codes. What an earlier demo had left is withdrawn: this town does not
// know it.
func (s *Strangers) FillStock(ctx context.Context, d *db.DB, box *seal.Box, cat *catalogue.Catalogue) error {
	var all []stock.Item
	for _, p := range cat.Plans {
		op, _ := cat.Operator(p.Operator)
		for _, t := range p.Terms {
			if !t.FromStock || op.Carrier != "cmi" {
				continue
			}
			for range profilesMost {
				card := s.CMI.AddCard(cmisim.Card{ICCID: s.iccid("8523"), Package: t.Package, ESIM: true})
				i, err := stock.Item{
					ICCID: card, Kind: stock.ESIM, Operator: op.ID, ProfileID: card, Plan: p.ID, Term: t.ID, Batch: stockBatch,
				}.Sealed(box, s.CMI.Code(card))
				if err != nil {
					return err
				}
				all = append(all, i)
			}
			all = append(all, s.print(box, p, t)...)
		}
	}
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, _, err := stock.Withdraw(ctx, tx, stockBatch); err != nil {
			return err
		}
		var b db.Batch
		for _, i := range all {
			stock.Add(&b, i, tx.Now())
		}
		return tx.Batch(ctx, &b)
	})
}

// held is a line in the traveller's phone.
type held struct {
	line.Line
	Plan, Operator string // their names
	Adapter        string
	Code           string // what it is installed with; empty: it was installed long ago
}

var errNoLine = errors.New("world: the traveller has no such line")

// phone are the lines of the demo customer, the newest first.
func (p *Panel) phone(ctx context.Context) ([]held, error) {
	return db.Seen(ctx, p.Desk.DB, func(ctx context.Context, tx db.Tx) (all []held, err error) {
		a, err := account.ByEmail(ctx, tx, Traveller)
		if err != nil {
			return nil, err
		}
		cat, err := p.Desk.Shelf.Current(ctx, tx)
		if err != nil {
			return nil, err
		}
		lines, err := line.List(ctx, tx, a.ID)
		if err != nil {
			return nil, err
		}
		for _, l := range lines {
			op, _ := cat.Operator(l.Operator)
			plan, _ := cat.Plan(l.Plan)
			h := held{Line: l, Plan: plan.Name[locale.En], Operator: op.Name, Adapter: op.Carrier}
			e, bought, err := line.GetESIM(ctx, tx, a.ID, l.ID)
			if err != nil {
				return nil, err
			}
			if bought {
				if e, err = e.Opened(p.Desk.Codes); err != nil {
					return nil, err
				}
				h.Code = e.Code
			}
			all = append(all, h)
		}
		slices.SortFunc(all, func(a, b held) int { return strings.Compare(b.ID, a.ID) })
		return all, nil
	})
}

//go:embed phones.html
var phonesHTML string

var phonesPage = template.Must(template.New("phones").Parse(phonesHTML))

// phonesView is everything that phones.html may use.
type phonesView struct {
	Now   time.Time
	Lines []held
	Cards []sold
	Works []order.Work
	Said  string
}

func (p *Panel) showPhones(w http.ResponseWriter, r *http.Request) {
	lines, err := p.phone(r.Context())
	cards, err2 := p.unclaimed(r.Context())
	works, err3 := p.Desk.Works(r.Context())
	if err := errors.Join(err, err2, err3); err != nil {
		http.Error(w, "the database does not answer", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = phonesPage.Execute(w, phonesView{p.Strangers.Clock.Now(), lines, cards, works, r.URL.Query().Get("said")}) // a demo page; who left does not see the rest
}

// phones is what the traveller does with a line: installs it, or uses data.
func (p *Panel) phones(w http.ResponseWriter, r *http.Request) {
	all, err := p.phone(r.Context())
	at := slices.IndexFunc(all, func(h held) bool { return h.ID == r.PostFormValue("line") })
	if err == nil && at < 0 {
		err = errNoLine
	}
	said := ""
	if err == nil {
		switch r.PostFormValue("do") {
		case "install":
			said, err = p.Strangers.install(all[at])
		case "use":
			said, err = p.use(r.Context(), all[at], 100<<20)
		case "use-1gb":
			said, err = p.use(r.Context(), all[at], 1<<30)
		default:
			err = errors.New("install it, or use it")
		}
	}
	if err != nil {
		said = "That cannot be done: " + err.Error()
	}
	if p.Moved(r.Context()); r.Context().Err() != nil {
		return
	}
	http.Redirect(w, r, "/sim/phones?said="+url.QueryEscape(said), http.StatusSeeOther)
}

// install is a phone that installs an eSIM. Not every operator hears of that.
func (s *Strangers) install(h held) (said string, err error) {
	const heard, unheard = "The eSIM is installed, and the operator knows it.", "The eSIM is installed. This operator hears of it when it is used."
	card := h.ICCID
	switch h.Adapter {
	case "esimaccess":
		s.Access.Install(h.ProfileID)
	case "esimgo":
		s.ESIMGo.Install(card)
	case "cmi":
		s.CMI.Install(card)
	case "es2plus":
		if err := s.SMDP.Install(h.Code, "89049032005008882600000000000001"); err != nil {
			return "", err
		}
		return heard, s.SMDP.Enable(card)
	default:
		return unheard, nil
	}
	return heard, nil
}

// use is a phone that uses data, and with its first use begins what begins with that.
func (p *Panel) use(ctx context.Context, h held, bytes int64) (said string, err error) {
	s, card := p.Strangers, h.ICCID
	switch h.Adapter {
	case "esimaccess":
		s.Access.Use(h.ProfileID, bytes)
	case "airalo":
		s.Airalo.Use(card, bytes>>20)
	case "esimgo":
		s.ESIMGo.Use(card, bytes)
	case "cmi":
		s.CMI.Use(card, bytes)
	case RemoteName, "es2plus":
		if !s.Remote.Use(h.ProfileID, bytes) {
			return "", errNoLine
		}
	case "manual":
		now := s.Clock.Now()
		st := s.ByHand.use(card, h.Usage.Total, bytes, now)
		return "Data was used. A member of staff saw it at the operator's website, and wrote it down.",
			p.Desk.EnterStatus(ctx, h.ID, st, order.Act{Staff: "demo", Reason: "as the operator's website shows it"})
	default:
		s.Simple.Use(h.ProfileID, time.Time{}, h.Usage.Total)
		st, err := s.Simple.Status(ctx, carrier.Profile{ID: h.ProfileID})
		if err != nil {
			return "", err
		}
		if st.Used, st.AsOf = st.Used+bytes, s.Clock.Now(); st.Total > 0 {
			st.Used = min(st.Used, st.Total)
		}
		s.Simple.Set(h.ProfileID, st)
	}
	return "Data was used. The shop sees it when it asks the operator: open the line's page, or let time pass.", nil
}

// work is a member of staff who has been at an operator's website: the order was
// carried out there, or was not.
func (p *Panel) work(w http.ResponseWriter, r *http.Request) {
	k, err := order.KeyOf(r.PostFormValue("order"))
	var all []order.Work
	if err == nil {
		all, err = p.Desk.Works(r.Context())
	}
	at := slices.IndexFunc(all, func(w order.Work) bool { return w.Order.Ref() == k })
	said := "The order was carried out, and the proof is stored."
	act := order.Act{Staff: "demo", Reason: "by hand, at the operator's website"}
	switch {
	case err != nil:
	case at < 0:
		err = errors.New("that order is not on the work list")
	case r.PostFormValue("do") == "refuse":
		said = "The order was refused, and the money goes back."
		_, err = p.Desk.NotDone(r.Context(), k, act)
	default:
		proof := order.Proof{Reference: "YM-" + k.ID[len(k.ID)-6:]}
		if all[at].Order.Kind == order.NewLine {
			card := p.Strangers.iccid("8109")
			proof.Line = carrier.Issued{Ref: proof.Reference, Profile: carrier.Profile{ID: card, ICCID: card}, Code: "LPA:1$rsp.yamanami.invalid$" + card[8:]}
			p.Strangers.ByHand.set(card, carrier.Status{Total: all[at].Order.Bytes})
		} else {
			p.Strangers.ByHand.more(all[at].Line.ICCID, all[at].Order.Bytes)
		}
		_, err = p.Desk.Done(r.Context(), k, proof, act)
	}
	if err != nil {
		said = "That cannot be done: " + err.Error()
	}
	http.Redirect(w, r, "/sim/phones?said="+url.QueryEscape(said), http.StatusSeeOther)
}

// more is an extension by hand.
func (b *byHand) more(iccid string, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	st := b.lines[iccid]
	st.Total += bytes
	b.lines[iccid] = st
}
