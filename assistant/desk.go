package assistant

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

// Desk holds dialogues for the shop. It is safe for concurrent use.
type Desk struct {
	DB     *db.DB
	Order  *order.Desk
	Advice *advice.Adviser // nil: nothing is advised, and no forecast is made
}

// Asker is who speaks, and how a door knows them. That the account is theirs is for
// the door to see to.
type Asker struct {
	Account      string
	Page         locale.Language  // in which they read
	Wants        []money.Currency // in which they would pay, the first wish first
	Channel      Channel
	Conversation string // which one goes on; "": the newest of the channel
	Anew         bool   // a new one begins
}

// Words is what a customer sent: a sentence, or the token of an option.
type Words struct {
	Text   string
	Option string // see [Token]; it is taken before Text
	Line   string // of which line they were reading; "": none in particular
	After  int    // the number of the turn that they answer: the same sent twice is done once
}

// Token names an option of a turn: what a button sends. Turn 0 is the opening.
func Token(turn, option int) string { return strconv.Itoa(turn) + "." + strconv.Itoa(option) }

// optionOf is the turn and the number that a token names.
func optionOf(token string) (turn, option int, ok bool) {
	a, b, cut := strings.Cut(token, ".")
	turn, err1 := strconv.Atoi(a)
	option, err2 := strconv.Atoi(b)
	return turn, option, cut && err1 == nil && err2 == nil && turn >= 0 && option > 0
}

// ground is what a turn stands on.
type ground struct {
	talk  Conversation
	last  Turn // the newest; its Number is 0 where there is none
	shop  *catalogue.Catalogue
	lines []line.Line // the most urgent first
	in    Input
	asked string // what the customer will read that they asked
}

// Turn answers what somebody says, and keeps both. It fails with [fault.Invalid] for
// a sentence that is empty or too long, with [fault.TooMany], and with
// [fault.NotFound] for a line or a conversation that is not the account's.
func (d *Desk) Turn(ctx context.Context, who Asker, said Words, speak Speaker) (Conversation, Turn, error) {
	f, again, err := d.read(ctx, who, said, speak)
	if err != nil || again {
		return f.talk, f.last, err
	}
	now := d.DB.Now()
	known := Ground{Now: now, Page: who.Page, Lines: f.known(now)}
	state, commands := Hear(f.talk.State, f.in, known)
	pieces, err := d.doAll(ctx, who, f, state, commands)
	if err != nil {
		return f.talk, Turn{}, err
	}
	state, options := Conclude(state, pieces, known)
	t := Turn{Language: state.Language, Asked: f.asked, Input: f.in, Offered: state.Offered}
	t.Said = speak(state.Language, Answer{Shop: f.shop, Pieces: pieces, Options: options})
	f.talk.State = state
	if f.talk.ID == "" {
		f.talk.ID = d.Order.IDs.Under("cv", who.Account)
	}
	t, err = db.Written(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Turn, error) { return f.talk.keep(ctx, tx, t) })
	f.talk.Turns = t.Number
	return f.talk, t, err
}

// read reads what a turn stands on. again says that the very same was said before:
// last is what was answered.
func (d *Desk) read(ctx context.Context, who Asker, said Words, speak Speaker) (f ground, again bool, err error) {
	if said.Option == "" {
		if f.in.Text, err = checked(said.Text); err != nil {
			return f, false, err
		}
		f.in.Text = kept(f.in.Text)
		f.asked = f.in.Text
	}
	f, err = db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (ground, error) {
		g := ground{in: f.in, asked: f.asked}
		return g, g.readFrom(ctx, tx, d, who)
	})
	if err != nil {
		return f, false, err
	}
	if said.Option != "" {
		if err := d.tapped(ctx, &f, who, said.Option, speak); err != nil {
			return f, false, err
		}
	}
	if f.last.Number > said.After && f.last.Number == said.After+1 && f.last.Input == f.in {
		return f, true, nil
	}
	if said.Line != "" && said.Line != f.talk.State.Line {
		if !slices.ContainsFunc(f.lines, func(l line.Line) bool { return l.ID == said.Line }) {
			return f, false, line.NotFound()
		}
		f.talk.State.Line = said.Line
	}
	return f, false, d.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error { return mayTalk(ctx, tx, who.Account) })
}

func (f *ground) readFrom(ctx context.Context, tx db.Tx, d *Desk, who Asker) (err error) {
	switch {
	case who.Anew:
		f.talk = Conversation{Account: who.Account, Channel: who.Channel}
	case who.Conversation != "":
		f.talk, err = Get(ctx, tx, who.Account, who.Conversation)
	default:
		f.talk, err = Newest(ctx, tx, who.Account, who.Channel)
	}
	if err != nil {
		return err
	}
	if f.shop, err = d.Order.Shelf.Current(ctx, tx); err != nil {
		return err
	}
	if f.lines, err = line.List(ctx, tx, who.Account); err != nil {
		return err
	}
	line.SortByUrgency(f.lines, tx.Now())
	if f.talk.Turns > 0 {
		f.last, err = f.talk.turn(ctx, tx, f.talk.Turns)
	}
	return err
}

// tapped finds what an option says: one of the opening, or of a turn that is kept. Of
// one that is gone it is asked what the customer wants.
func (d *Desk) tapped(ctx context.Context, f *ground, who Asker, token string, speak Speaker) error {
	turn, option, ok := optionOf(token)
	f.in.Option = Saved{Menu{}}
	first := Opening(who.Page, f.shop, len(f.lines), speak)
	t := Turn{Said: first, Offered: offered(opening(len(f.lines)))}
	if ok && turn > 0 {
		var err error
		if t, err = db.Seen(ctx, d.DB, func(ctx context.Context, tx db.Tx) (Turn, error) {
			return f.talk.turn(ctx, tx, turn)
		}); err != nil {
			return err
		}
	}
	c, there := t.Offered.Pick(option)
	if !ok || !there || option > len(t.Said.Options) {
		f.asked = "…"
		return nil
	}
	f.in.Option, f.asked = Saved{c}, t.Said.Options[option-1]
	return nil
}

func offered(all []Command) (out Offered) {
	for _, c := range all {
		out = append(out, Saved{c})
	}
	return out
}

// Opening is what stands in a conversation that has not begun; its options are those
// of turn 0.
func Opening(l locale.Language, shop *catalogue.Catalogue, lines int, speak Speaker) Said {
	return speak(l, Answer{Shop: shop, Pieces: []Piece{CanDo{}}, Options: options(opening(lines)...)})
}

func (f ground) known(now time.Time) (all []Known) {
	for _, l := range f.lines {
		plan, _ := f.shop.Plan(l.Plan)
		state := l.At(now)
		all = append(all, Known{
			ID: l.ID, Name: l.Name, LastFour: l.LastFour(), Live: state == line.Active || state == line.Grace, Zone: zoneOf(f.shop, plan),
		})
	}
	return all
}

// zoneOf is the plan's operator's; UTC for what the catalogue does not have.
func zoneOf(c *catalogue.Catalogue, p catalogue.Plan) *time.Location {
	op, _ := c.Operator(p.Operator)
	if loc, err := op.Zone.Location(); err == nil {
		return loc
	}
	return time.UTC
}
