package assistant

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// doing is one turn while it is done.
type doing struct {
	desk *Desk
	who  Asker
	f    ground
	line line.Line // that is spoken of; zero: none
}

// doAll does what was heard, and returns what came of it.
func (d *Desk) doAll(ctx context.Context, who Asker, f ground, s State, commands []Command) (all []Piece, err error) {
	t := doing{desk: d, who: who, f: f}
	if i := slices.IndexFunc(f.lines, func(l line.Line) bool { return l.ID == s.Line }); i >= 0 {
		t.line = f.lines[i]
	}
	for _, c := range commands {
		var p Piece
		if ofLine(c) && t.line.ID == "" {
			p = NoLine{}
		} else if p, err = t.do(ctx, s, c); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// do does one command.
func (t doing) do(ctx context.Context, s State, c Command) (Piece, error) {
	switch c := c.(type) {
	case Status:
		return t.status(ctx)
	case Forecast:
		return t.forecast(ctx)
	case Advise:
		return t.advise(ctx, c.Attitude)
	case Compare:
		return t.compare(ctx, nil)
	case ChooseFor:
		return t.chooseFor(ctx, c)
	case Choose:
		return t.choose(ctx, c.Item)
	case Review:
		return t.review(ctx, s.Quote)
	case Orders:
		return t.orders(ctx)
	case PickLine:
		return t.pick(c.Line), nil
	}
	return t.end(ctx, s, c)
}

// end does commands about the end of the stay, and those that only say something.
func (t doing) end(ctx context.Context, s State, c Command) (Piece, error) {
	switch c := c.(type) {
	case AskEnd:
		told, err := db.Seen(ctx, t.desk.DB, func(ctx context.Context, tx db.Tx) (line.Day, error) {
			return line.Stay(ctx, tx, t.who.Account, t.line.ID)
		})
		if told < line.DayOf(t.desk.DB.Now(), t.zone()) {
			told = 0 // it is asked anew
		}
		return EndAsked{t.line, told}, err
	case TellEnd:
		return t.tell(ctx, c.Day)
	case DoubtEnd:
		return EndDoubted(c), nil
	case ForgetEnd:
		err := t.desk.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return line.TellStay(ctx, tx, t.who.Account, t.line.ID, 0) })
		return EndForgotten{t.line}, err
	case Person:
		return ToPeople{t.line.ID}, nil
	case Decline:
		return Fine{}, nil
	case Unknown:
		return Missed{s.Misses + 1}, nil
	case Unread:
		return NotRead{}, nil
	}
	return CanDo{}, nil
}

func (t doing) pick(id string) Piece {
	if i := slices.IndexFunc(t.f.lines, func(l line.Line) bool { return l.ID == id }); i >= 0 {
		return LinePicked{t.f.lines[i]}
	}
	if len(t.f.lines) == 0 {
		return NoLine{}
	}
	return WhichLine{t.f.lines}
}

// tell keeps until when the line is needed, as the form on its page does.
func (t doing) tell(ctx context.Context, day line.Day) (Piece, error) {
	ok, err := db.Written(ctx, t.desk.DB, func(ctx context.Context, tx db.Tx) (bool, error) {
		last, ok := line.ReadLastDay(advice.Date(day).String(), tx.Now(), t.zone())
		if !ok {
			return false, nil
		}
		return true, line.TellStay(ctx, tx, t.who.Account, t.line.ID, last)
	})
	if !ok {
		return EndRefused{t.line}, err
	}
	return EndKept{t.line, day}, err
}

// status shows the line, and has the operator asked anew where the figure is old, as
// its page does.
func (t doing) status(ctx context.Context) (Piece, error) {
	s, _, err := t.situation(ctx)
	if err != nil {
		return nil, err
	}
	if err := line.Refresh(ctx, t.desk.DB, s.Line, s.Now); err != nil {
		return nil, err
	}
	_, no := renewal.Offers(s)
	return Standing{s.Line, no}, nil
}

func (t doing) forecast(ctx context.Context) (Piece, error) {
	s, f, err := t.situation(ctx)
	if err != nil {
		return nil, err
	}
	if s.Line.At(s.Now) == line.Active { // as on its page
		if got, _, ok := t.desk.Advice.Forecast(ctx, s, f); ok {
			return Lasting{s, got}, nil
		}
	}
	return NoForecast{s.Line}, nil
}

func (t doing) advise(ctx context.Context, as advice.Attitude) (Piece, error) {
	s, f, err := t.situation(ctx)
	if err != nil {
		return nil, err
	}
	if as != "" {
		f.Attitude = as
	}
	offers, no := renewal.Offers(s)
	if no != nil {
		return Terms{Situation: s, Refusal: no}, nil
	}
	a, ok := t.desk.Advice.Ask(ctx, s, f)
	if !ok || !a.Holds(offers) {
		return NoAdvice{s.Line}, nil
	}
	return Advice{Situation: s, Answer: a, Attitude: f.Attitude, Offers: offers}, nil
}

// compare shows what can be bought: all of it, or those offers that wanted keeps,
// where there are some.
func (t doing) compare(ctx context.Context, wanted func(renewal.Situation, renewal.Offer) bool) (Piece, error) {
	s, f, err := t.situation(ctx)
	if err != nil {
		return nil, err
	}
	offers, no := renewal.Offers(s)
	out := Terms{Situation: s, Offers: offers, Refusal: no}
	if no != nil {
		return out, nil
	}
	if a, ok := t.desk.Advice.Ask(ctx, s, f); ok && a.Holds(offers) {
		if o, buys := a.Offered(&a.Best, offers); buys {
			out.Best = o.Item
		}
	}
	if wanted == nil {
		return out, nil
	}
	some := slices.DeleteFunc(slices.Clone(offers), func(o renewal.Offer) bool { return !wanted(s, o) })
	if out.None = len(some) == 0; !out.None {
		out.Offers = some
	}
	return out, nil
}

// chooseFor chooses the offer that lasts as long as was asked for; where none does, or
// several do, it shows them.
func (t doing) chooseFor(ctx context.Context, c ChooseFor) (Piece, error) {
	p, err := t.compare(ctx, func(s renewal.Situation, o renewal.Offer) bool { return lastsFor(s.Catalogue, o.Item, c) })
	terms, ok := p.(Terms)
	if err != nil || !ok || terms.None || len(terms.Offers) != 1 {
		return p, err
	}
	return t.choose(ctx, terms.Offers[0].Item)
}

// choose fixes the offer as the renew page does, for an account that may buy.
func (t doing) choose(ctx context.Context, item renewal.Item) (Piece, error) {
	a, err := db.Seen(ctx, t.desk.DB, func(ctx context.Context, tx db.Tx) (account.Account, error) {
		return account.Get(ctx, tx, t.who.Account)
	})
	if err != nil {
		return nil, err
	}
	if err := a.MayBuy(); err != nil {
		return Failed{err}, nil
	}
	s, _, err := t.situation(ctx)
	if err != nil {
		return nil, err
	}
	q, err := t.desk.Order.Quote(ctx, t.who.Account, t.line.ID, item, s.Currency)
	if f, ok := errors.AsType[*fault.Error](err); ok && strings.HasPrefix(f.Reason, "renewal.") {
		if _, no := renewal.Decide(s, item); no != nil {
			return Refused{s.Line, no}, nil
		}
		return Failed{err}, nil
	}
	if err != nil {
		return nil, err
	}
	return Quoted{q, s.Line, t.desk.Order.HandWithin(s.Catalogue, s.Line)}, nil
}

// review shows the quote that was made last, while it can be accepted.
func (t doing) review(ctx context.Context, id string) (Piece, error) {
	if id == "" {
		return NoQuote{}, nil
	}
	return db.Seen(ctx, t.desk.DB, func(ctx context.Context, tx db.Tx) (Piece, error) {
		q, err := order.GetQuote(ctx, tx, t.who.Account, id)
		if fault.KindOf(err) == fault.NotFound || err == nil && !tx.Now().Before(q.ExpiresAt) {
			return NoQuote{}, nil
		}
		if err != nil {
			return nil, err
		}
		if o, found, err := order.ByQuote(ctx, tx, t.who.Account, id); err != nil || found {
			if err != nil {
				return nil, err
			}
			return t.order(ctx, tx, o)
		}
		l, err := line.Get(ctx, tx, t.who.Account, q.Line)
		return Quoted{q, l, t.desk.Order.HandWithin(t.f.shop, l)}, err
	})
}

// situation reads what a decision about the line depends on, in the currency that the
// customer would pay in: as the door knows, or what the wallet has.
func (t doing) situation(ctx context.Context) (s renewal.Situation, f advice.Facts, err error) {
	err = t.desk.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		if s, err = t.desk.Order.Situation(ctx, tx, t.who.Account, t.line.ID, "", ""); err != nil {
			return err
		}
		priced, err := order.PricedIn(ctx, tx, s.Catalogue, s.Line.Plan)
		if err != nil {
			return err
		}
		wanted := slices.Clone(t.who.Wants)
		balances, err := ledger.Balances(ctx, tx, t.who.Account, ledger.Wallet)
		if err != nil {
			return err
		}
		for _, m := range balances {
			if m.Minor > 0 {
				wanted = append(wanted, m.Currency)
			}
		}
		s.Currency = order.PayIn(s.Catalogue, priced, wanted...)
		if s.Rate, err = order.Rate(ctx, tx, s.Catalogue, s.Currency); err != nil {
			return err
		}
		f, err = advice.FactsOf(ctx, tx, t.who.Account, t.line.ID)
		return err
	})
	return s, f, err
}
