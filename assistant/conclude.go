package assistant

import (
	"slices"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// mostOptions is how many options an answer has: they are said in one digit.
const mostOptions = 9

// Conclude makes the options of an answer that has these pieces, and the state that
// the next sentence is understood by.
func Conclude(s State, pieces []Piece, g Ground) (State, []Option) {
	s.Yes, s.About = Saved{}, ""
	missed := false
	var all []Option
	done := doneBy(pieces)
	for _, p := range slices.Backward(pieces) {
		options, yes, about := s.after(p, g)
		for _, o := range options {
			if len(all) < mostOptions && !slices.Contains(done, o.Command) && !slices.ContainsFunc(all, func(a Option) bool { return a.Command == o.Command }) {
				all = append(all, o)
			}
		}
		if s.Yes.Command == nil {
			s.Yes.Command = yes
		}
		if s.About == "" {
			s.About = about
		}
		switch p := p.(type) {
		case Missed:
			s.Misses, missed = p.Times, true
		case Quoted:
			s.Quote = p.Quote.ID
		case NoQuote:
			s.Quote = ""
		}
	}
	if !missed {
		s.Misses = 0
	}
	if s.About != AboutLine {
		s.Waits = nil
	}
	s.Offered = nil
	for _, o := range all {
		s.Offered = append(s.Offered, Saved{o.Command})
	}
	return s, all
}

// doneBy are the commands that pieces answer: nobody asks that again at once.
func doneBy(pieces []Piece) (all []Command) {
	for _, p := range pieces {
		switch p := p.(type) {
		case Standing:
			all = append(all, Status{})
		case Lasting:
			all = append(all, Forecast{})
		case Advice:
			all = append(all, Advise{}, Advise{p.Attitude})
		case Terms:
			all = append(all, Compare{})
		case Order:
			all = append(all, Orders{})
		}
	}
	return all
}

// options are options of commands that need no facts to be named.
func options(all ...Command) (out []Option) {
	for _, c := range all {
		out = append(out, Option{Command: c})
	}
	return out
}

// after is what can come after a piece: what is offered, what a yes means, and what
// a bare value is about.
func (s State) after(p Piece, g Ground) (all []Option, yes Command, about Slot) {
	switch p := p.(type) {
	case Standing:
		if p.Refusal != nil {
			return s.other(g, Orders{}, Person{}, Menu{}), nil, ""
		}
		return s.other(g, Forecast{}, Advise{}, Compare{}, AskEnd{}, Menu{}), nil, ""
	case Lasting:
		return options(Advise{}, Compare{}, AskEnd{}, Menu{}), Advise{}, ""
	case NoForecast:
		return options(Status{}, Compare{}, Person{}, Menu{}), nil, ""
	case Advice:
		return p.options()
	case NoAdvice:
		return options(Compare{}, Status{}, Menu{}), Compare{}, ""
	case Terms:
		return p.options()
	case Quoted:
		return options(Compare{}, Status{}, Menu{}), Review{}, ""
	case NoQuote, Refused:
		return options(Compare{}, Advise{}, Person{}, Menu{}), Compare{}, ""
	case Failed:
		return options(Person{}, Menu{}), nil, ""
	case EndAsked, EndRefused:
		return s.endOptions(g), nil, AboutEnd
	case EndKept:
		return options(Advise{}, Forecast{}, AskEnd{}, ForgetEnd{}, Menu{}), Advise{}, AboutEnd
	case EndDoubted:
		return options(TellEnd{p.First}, TellEnd{p.Other}, ForgetEnd{}), nil, AboutEnd
	case EndForgotten:
		return options(Advise{}, Compare{}, AskEnd{}, Menu{}), Advise{}, ""
	case WhichLine:
		return p.options(), nil, AboutLine
	case LinePicked:
		return s.other(g, Status{}, Forecast{}, Advise{}, Compare{}, AskEnd{}, Menu{}), nil, ""
	case Order, NoOrder:
		return options(Person{}, Status{}, Menu{}), nil, ""
	case ToPeople:
		return options(Status{}, Menu{}), nil, ""
	case NoLine:
		return options(Orders{}, Person{}), nil, ""
	case Missed:
		return missedOptions(p.Times, g), nil, ""
	}
	return options(opening(len(g.Lines))...), nil, ""
}

func missedOptions(times int, g Ground) []Option {
	switch times {
	case 1:
		return options(Status{}, Advise{}, Menu{})
	case 2:
		return options(opening(len(g.Lines))...)
	}
	return options(append([]Command{Person{}}, opening(len(g.Lines))...)...)
}

// other adds a way to another line, where there is one.
func (s State) other(g Ground, all ...Command) []Option {
	if len(g.Lines) > 1 {
		all = append(all, PickLine{})
	}
	return options(all...)
}

// daysAhead are the last days that are offered to somebody who only taps.
var daysAhead = []int{1, 3, 5, 7, 14}

func (s State) endOptions(g Ground) (all []Option) {
	for _, n := range daysAhead {
		all = append(all, Option{Command: TellEnd{dayOn(s.today(g)) + line.Day(n)}})
	}
	return append(all, options(ForgetEnd{}, Menu{})...)
}

// options are what is advised, and what else could be.
func (a Advice) options() (all []Option, yes Command, about Slot) {
	if o, buys := a.Answer.Offered(&a.Answer.Best, a.Offers); buys {
		all, yes = append(all, a.choice(o, true)), Choose{o.Item}
	}
	if o, buys := a.Answer.Offered(&a.Answer.Second, a.Offers); a.Answer.Close && buys {
		all = append(all, a.choice(o, false))
	}
	all = append(all, options(Compare{})...)
	for _, other := range advice.Attitudes {
		if other != a.Attitude {
			all = append(all, options(Advise{other})...)
		}
	}
	return append(all, options(AskEnd{}, Menu{})...), yes, ""
}

func (a Advice) choice(o renewal.Offer, best bool) Option {
	return Option{Command: Choose{o.Item}, Situation: a.Situation, Offer: &o, Best: best}
}

// options are the terms themselves.
func (t Terms) options() (all []Option, yes Command, about Slot) {
	if t.Refusal != nil {
		return options(Status{}, Person{}, Menu{}), nil, ""
	}
	for _, o := range t.Offers {
		if len(all) == mostOptions-1 && len(t.Offers) > mostOptions {
			break // the page has the rest
		}
		best := o.Item == t.Best
		if best {
			yes = Choose{o.Item}
		}
		all = append(all, Option{Command: Choose{o.Item}, Situation: t.Situation, Offer: &o, Best: best})
	}
	return append(all, options(Menu{})...), yes, ""
}

func (w WhichLine) options() (all []Option) {
	for _, l := range w.Lines {
		all = append(all, Option{Command: PickLine{l.ID}, Line: &l})
	}
	return all
}
