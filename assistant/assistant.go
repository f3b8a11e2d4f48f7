// Package assistant is a dialogue with a customer about their lines: what is
// left, how long it lasts, what to renew with, until when they stay, what can be
// bought, where an order is. It understands sentences in Chinese, Japanese and
// English by rules and tables, and taps on the options that its answers offer, in
// every language. It needs no model.
//
// A turn is heard, done and answered. Hearing ([Hear]) makes typed commands of a
// sentence or a tap, answering ([Conclude]) makes the options and the state that
// the next sentence is understood by: both are pure, so that a dialogue replays.
// Between them [Desk] does what the commands say, by the same functions as the
// pages and the API: it shows what they show, under the account of the one who
// asks, and refuses what they refuse. What comes of it are [Piece]s, typed facts;
// package ui puts them into words.
//
// No command confirms an order, and none pays. [Choose] makes the very quote that
// the renew page makes, and the answer leads to the portal's own review of it: only
// there it is accepted. Whatever is heard, said by whomever, costs nobody money.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package assistant

import (
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Command is one thing that a customer may want. The types below are all there are.
type Command interface{ command() }

// The commands. Those that are about a line mean the one that the conversation is
// about.
type (
	// Status asks what is left, and until when.
	Status struct{}
	// Forecast asks how long that lasts.
	Forecast struct{}
	// Advise asks what to renew with; Attitude "": as the account's.
	Advise struct{ Attitude advice.Attitude }
	// AskEnd says that the customer wants to tell when they leave.
	AskEnd struct{}
	// TellEnd tells the last day on which the line is needed.
	TellEnd struct{ Day line.Day }
	// DoubtEnd tells one of these days; which one is asked back.
	DoubtEnd struct{ First, Other line.Day }
	// ForgetEnd says that they do not know any more.
	ForgetEnd struct{}
	// Compare asks for the terms side by side.
	Compare struct{}
	// Choose fixes this offer, and leads to its review.
	Choose struct{ Item renewal.Item }
	// ChooseFor does so with the offer that lasts so long.
	ChooseFor struct{ Years, Months, Days int }
	// Review leads to the review of the quote that was made last.
	Review struct{}
	// Orders asks where the newest order is.
	Orders struct{}
	// Person asks for people.
	Person struct{}
	// PickLine speaks of this line; Line "": asks which.
	PickLine struct{ Line string }
	// Menu asks what can be done here.
	Menu struct{}
	// Decline says no to what was asked.
	Decline struct{}
	// Unknown is what was not understood.
	Unknown struct{}
	// Unread is written in a language that is not read here.
	Unread struct{}
)

func (Status) command()    {}
func (Forecast) command()  {}
func (Advise) command()    {}
func (AskEnd) command()    {}
func (TellEnd) command()   {}
func (DoubtEnd) command()  {}
func (ForgetEnd) command() {}
func (Compare) command()   {}
func (Choose) command()    {}
func (ChooseFor) command() {}
func (Review) command()    {}
func (Orders) command()    {}
func (Person) command()    {}
func (PickLine) command()  {}
func (Menu) command()      {}
func (Decline) command()   {}
func (Unknown) command()   {}
func (Unread) command()    {}

// ofLine reports whether a command cannot be done without knowing which line.
func ofLine(c Command) bool {
	switch c.(type) {
	case Status, Forecast, Advise, AskEnd, TellEnd, DoubtEnd, ForgetEnd, Compare, Choose, ChooseFor:
		return true
	}
	return false
}

// Piece is one thing that an answer says, as facts. The types below are all there
// are.
type Piece interface{ piece() }

// The pieces.
type (
	// Standing is a line as it stands.
	Standing struct {
		Line    line.Line
		Refusal *renewal.Refusal // why nothing can be bought for it now; nil: something can
	}
	// Lasting is how long it lasts.
	Lasting struct {
		Situation renewal.Situation
		Forecast  advice.Forecast
	}
	// NoForecast says that nothing can be said of a line's use.
	NoForecast struct{ Line line.Line }
	// Advice is what to renew with.
	Advice struct {
		Situation renewal.Situation
		Answer    advice.Answer
		Attitude  advice.Attitude
		Offers    []renewal.Offer // what can be bought now
	}
	// NoAdvice says that there is none now.
	NoAdvice struct{ Line line.Line }
	// Terms are what can be bought, side by side, or why nothing can.
	Terms struct {
		Situation renewal.Situation
		Offers    []renewal.Offer
		Best      renewal.Item     // what is recommended; zero: nothing
		None      bool             // nothing lasts just as long as was asked for
		Refusal   *renewal.Refusal // without Offers
	}
	// Quoted is an offer that is fixed and can be confirmed on its page.
	Quoted struct {
		Quote  order.Quote
		Line   line.Line
		Within time.Duration // in which staff put it through by hand; 0: it needs nobody
	}
	// NoQuote says that nothing is chosen, or that it can not be had any more.
	NoQuote struct{}
	// Refused is why an offer can not be had.
	Refused struct {
		Line    line.Line
		Refusal *renewal.Refusal
	}
	// Failed is why something was not done, for the customer to read.
	Failed struct{ Err error }
	// EndAsked asks when the customer leaves. Told is what they said before; 0: nothing.
	EndAsked struct {
		Line line.Line
		Told line.Day
	}
	// EndKept says until when the line is needed.
	EndKept struct {
		Line line.Line
		Day  line.Day
	}
	// EndDoubted asks which of two days is meant.
	EndDoubted struct{ First, Other line.Day }
	// EndRefused says that a day can not be the last one.
	EndRefused struct{ Line line.Line }
	// EndForgotten says that nothing is known of the end any more.
	EndForgotten struct{ Line line.Line }
	// Order is where an order stands, in the words of its page.
	Order struct {
		Order     order.Order
		Live      order.Payment // the attempt that is open; zero without one
		Line      line.Line     // zero without one
		Billed    time.Time
		HandBy    time.Time            // until when staff carry it out; zero: nobody does
		Withdrawn bool                 // its new line was given back
		Credited  money.Money          // what was given back after it was completed
		Catalogue *catalogue.Catalogue // the order's version
	}
	// NoOrder says that there is none.
	NoOrder struct{}
	// ToPeople leads to the form of a case.
	ToPeople struct{ Line string } // "" where it is about none
	// WhichLine asks which line is meant.
	WhichLine struct{ Lines []line.Line }
	// LinePicked says which line is spoken of now.
	LinePicked struct{ Line line.Line }
	// NoLine says that the account has none.
	NoLine struct{}
	// CanDo says what can be done here.
	CanDo struct{}
	// Fine takes a no for an answer.
	Fine struct{}
	// Missed says that nothing was understood, for the first, second or third time.
	Missed struct{ Times int }
	// NotRead says which languages are read here.
	NotRead struct{}
)

func (Standing) piece()     {}
func (Lasting) piece()      {}
func (NoForecast) piece()   {}
func (Advice) piece()       {}
func (NoAdvice) piece()     {}
func (Terms) piece()        {}
func (Quoted) piece()       {}
func (NoQuote) piece()      {}
func (Refused) piece()      {}
func (Failed) piece()       {}
func (EndAsked) piece()     {}
func (EndKept) piece()      {}
func (EndDoubted) piece()   {}
func (EndRefused) piece()   {}
func (EndForgotten) piece() {}
func (Order) piece()        {}
func (NoOrder) piece()      {}
func (ToPeople) piece()     {}
func (WhichLine) piece()    {}
func (LinePicked) piece()   {}
func (NoLine) piece()       {}
func (CanDo) piece()        {}
func (Fine) piece()         {}
func (Missed) piece()       {}
func (NotRead) piece()      {}

// Option is one of the numbered things that an answer offers.
type Option struct {
	Command   Command
	Situation renewal.Situation // of an offer
	Offer     *renewal.Offer    // that Command chooses; nil: it chooses none
	Line      *line.Line        // that Command speaks of; nil: none
	Best      bool              // it is what is recommended
}

// Answer is what an assistant says: Pieces in their order, then what can be chosen.
type Answer struct {
	Shop    *catalogue.Catalogue // as of now
	Pieces  []Piece
	Options []Option
}

// Said is an answer in words.
type Said struct {
	Text    []string `json:"text"`    // paragraphs
	Options []string `json:"options"` // by the numbers of the answer's, from 1
	Links   []Link   `json:"links,omitempty"`
}

// Link leads to a page of the portal.
type Link struct {
	To   string `json:"to"` // a path
	Text string `json:"text"`
}

// Speaker puts an answer into words of one language, for one person.
type Speaker func(locale.Language, Answer) Said
