package assistant

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

var tablet = Known{ID: "ln_tablet", Name: "Tablet", LastFour: "4712", Live: true, Zone: tokyo}

// answers are what comes of commands in a shop that is made up: three terms, of which
// the second one is recommended.
func answers(s State, c Command) Piece {
	l := line.Line{ID: s.Line}
	switch c := c.(type) {
	case Status:
		return Standing{Line: l}
	case Forecast:
		return Lasting{}
	case Advise:
		return NoAdvice{}
	case Compare, ChooseFor:
		return Terms{Offers: []renewal.Offer{{Item: item("3d")}, {Item: item("10d")}, {Item: item("30d")}}, Best: item("10d")}
	case Choose:
		return Quoted{Quote: order.Quote{ID: "qt_" + c.Item.ID}}
	case Review:
		if s.Quote == "" {
			return NoQuote{}
		}
		return Quoted{Quote: order.Quote{ID: s.Quote}}
	case Orders:
		return NoOrder{}
	case AskEnd:
		return EndAsked{}
	case TellEnd:
		return EndKept{Day: c.Day}
	case DoubtEnd:
		return EndDoubted(c)
	case ForgetEnd:
		return EndForgotten{}
	case Person:
		return ToPeople{}
	case PickLine:
		if c.Line == "" {
			return WhichLine{[]line.Line{{ID: "ln_phone"}, {ID: "ln_tablet"}}}
		}
		return LinePicked{l}
	case Unknown:
		return Missed{s.Misses + 1}
	case Unread:
		return NotRead{}
	case Decline:
		return Fine{}
	}
	return CanDo{}
}

func item(id string) renewal.Item { return renewal.Item{Kind: renewal.Term, Plan: "p", ID: id} }

// tester is a test, of package testing or of rapid.
type tester interface {
	Helper()
	Fatal(args ...any)
}

// turn is one turn of a made-up dialogue. The state goes through its stored form, as in
// the shop.
func turn(t tester, s State, in Input, g Ground) (State, []Command) {
	t.Helper()
	s, commands := Hear(s, in, g)
	var pieces []Piece
	for _, c := range commands {
		pieces = append(pieces, answers(s, c))
	}
	s, options := Conclude(s, pieces, g)
	if len(options) > mostOptions || len(options) == 0 {
		t.Fatal(len(options), "options after", shorts(commands))
	}
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var again State
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	return again, commands
}

// Dialogues, a turn a line: what is said, and what is understood. Lines of the account
// are in the name: "two" has a phone and a tablet.
func TestDialogues(t *testing.T) {
	for _, d := range []struct {
		name, said string
		page       locale.Language
	}{
		{"a choice by number, ordinal and words", `
			compare > compare
			2 > choose 10d
			compare > compare
			the second one > choose 10d
			what are my options? > compare
			the last one > menu
			pay > review`, locale.En},
		{"a choice in Chinese", `
			比较一下 > compare
			第二个 > choose 10d
			确认付款 > review
			比较一下 > compare
			就这个吧 > choose 10d
			好的 > review`, locale.ZhHans},
		{"a choice in Japanese", `
			比較したい > compare
			2番目 > choose 10d
			支払いたい > review
			比較したい > compare
			はい、それで > choose 10d
			はい > review`, locale.Ja},
		{"a yes takes what is recommended, and never more than a quote", `
			compare > compare
			yes please > choose 10d
			compare > compare
			I'll take that one > choose 10d
			yes > review
			yes, pay now > review
			confirm > review`, locale.En},
		{"a no", `
			compare > compare
			no > decline`, locale.En},
		{"the end is corrected and taken back", `
			I leave on 12 December > end 2026-12-12
			no, the 13th > end 2026-12-13
			sorry, I meant Friday > end 2026-12-04
			I don't know any more > forget`, locale.En},
		{"the end is corrected in Japanese", `
			12月12日に帰ります > end 2026-12-12
			いや、13日です > end 2026-12-13
			やっぱり来週の金曜日 > end 2026-12-11
			まだわかりません > forget`, locale.Ja},
		{"the end is corrected in Chinese", `
			我12号走 > end 2026-12-12
			不对，13号 > end 2026-12-13
			改成下周五 > end 2026-12-11
			还不知道 > forget`, locale.ZhHans},
		{"a bare number answers the question for the day", `
			I want to tell you when I leave > end?
			15 > end 2026-12-15`, locale.En},
		{"a day that might be two is asked back", `
			I leave next Friday > end 2026-12-04 or 2026-12-11
			2 > end 2026-12-11`, locale.En},
		{"an early option is a day", `
			I want to tell you when I leave > end?
			1 > end 2026-12-03`, locale.En},
		{"two: which line is asked, and the question waits", `
			how much is left > line?
			2 > status
			what should I buy > advise
			and the phone? > line ln_phone
			how long will it last on 4712 > forecast
			switch to another line > line?
			the first one > line ln_phone`, locale.En},
		{"two: a told day waits, too", `
			我12号走 > line?
			Tablet > end 2026-12-12`, locale.ZhHans},
		{"two: a nickname is no day, and the question keeps its language", `
			还剩多少流量 > line?
			Ends tomorrow > status
			how long will "ends tomorrow" last? > forecast
			and the phone? > line ln_phone`, locale.ZhHans},
		{"two: what is not a line is asked again", `
			残りは？ > line?
			えーと > unknown + line?
			1 > status`, locale.Ja},
		{"what is not understood", `
			purple elephants > unknown
			purple elephants > unknown
			purple elephants > unknown
			help > menu
			purple elephants > unknown`, locale.En},
		{"the language of the sentence, whatever the page's", `
			还剩多少流量 > status
			残りはどのくらい？ > status
			how much is left > status
			얼마나 남았어요? > unread
			1 > status`, locale.Ko},
	} {
		t.Run(d.name, func(t *testing.T) {
			g := grounded(d.page, phone)
			if strings.HasPrefix(d.name, "two") {
				g.Lines = append(g.Lines, tablet)
			}
			if strings.Contains(d.name, "nickname") {
				g.Lines[1].Name = "Ends tomorrow"
			}
			var s State
			for step := range strings.Lines(strings.TrimSpace(d.said)) {
				said, want, _ := strings.Cut(strings.TrimSpace(step), " > ")
				var commands []Command
				s, commands = turn(t, s, Input{Text: said}, g)
				if got := shorts(commands); got != want {
					t.Errorf("%q is heard as %q, want %q", said, got, want)
				}
			}
		})
	}
}

// Misses are counted in a row: the third one offers a person first.
func TestMissesLeadToAPerson(t *testing.T) {
	g := grounded(locale.En, phone)
	var s State
	for i, first := range []string{"status", "status", "person", "person"} {
		s, _ = turn(t, s, Input{Text: "purple elephants"}, g)
		if got := short(s.Offered[0].Command); got != first || s.Misses != i+1 {
			t.Errorf("after %d misses %q is offered first, and %d are counted", i+1, got, s.Misses)
		}
	}
	if s, _ = turn(t, s, Input{Text: "hello"}, g); s.Misses != 0 {
		t.Errorf("%d misses after something was understood", s.Misses)
	}
}

// The language of an answer is that of the sentence; a tap is answered in that of what
// was tapped, until the pages are in another one.
func TestAnswersAreInTheLanguageOfTheSentence(t *testing.T) {
	var s State
	for _, step := range []struct {
		page locale.Language
		in   Input
		want locale.Language
	}{
		{locale.En, Input{Option: Saved{Status{}}}, locale.En},
		{locale.En, Input{Text: "还剩多少流量"}, locale.ZhHans},
		{locale.En, Input{Option: Saved{Status{}}}, locale.ZhHans},
		{locale.En, Input{Text: "2"}, locale.ZhHans},
		{locale.En, Input{Text: "還剩多少"}, locale.ZhHant},
		{locale.ZhHant, Input{Text: "多少"}, locale.ZhHant},
		{locale.Ja, Input{Text: "残量"}, locale.Ja},
		{locale.Ja, Input{Text: "还剩多少"}, locale.ZhHans},
		{locale.Ja, Input{Text: "3"}, locale.ZhHans},
		{locale.Ko, Input{Option: Saved{Menu{}}}, locale.Ko},
		{locale.Ko, Input{Text: "얼마나"}, locale.Ko},
		{locale.En, Input{Text: "残量"}, locale.Ja},
	} {
		if s, _ = turn(t, s, step.in, grounded(step.page, phone)); s.Language != step.want {
			t.Errorf("%s, %+v: %s, want %s", step.page, step.in, s.Language, step.want)
		}
	}
}

// A dialogue replays: the same turns from the same state are heard the same, whatever
// they are, and nothing that is heard confirms or pays.
func TestAnyDialogueReplays(t *testing.T) {
	var all []string
	for _, u := range utterances(t) {
		all = append(all, u.text)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := grounded(rapid.SampledFrom(locale.All).Draw(t, "page"), phone)
		if rapid.Bool().Draw(t, "two") {
			g.Lines = append(g.Lines, tablet)
		}
		var s State
		var said []Input
		var heard []string
		for range rapid.IntRange(1, 12).Draw(t, "turns") {
			in := Input{Text: rapid.OneOf(rapid.SampledFrom(all), rapid.String()).Draw(t, "text")}
			if c, ok := s.Offered.Pick(rapid.IntRange(1, 20).Draw(t, "tap")); ok {
				in = Input{Option: Saved{c}}
			}
			before := s
			var commands []Command
			s, commands = turn(t, s, in, g)
			if len(commands) == 0 || len(commands) > mostCommands {
				t.Fatalf("%+v: %d commands", in, len(commands))
			}
			if i := slices.IndexFunc(commands, func(c Command) bool { _, ok := c.(Choose); return ok }); i >= 0 && !offeredBefore(before, commands[i]) {
				t.Fatalf("%+v chooses what was not offered: %s", in, shorts(commands))
			}
			said, heard = append(said, in), append(heard, shorts(commands))
		}
		s = State{}
		for i, in := range said {
			var commands []Command
			if s, commands = turn(t, s, in, g); shorts(commands) != heard[i] {
				t.Fatalf("%+v is heard as %s, and then as %s", in, heard[i], shorts(commands))
			}
		}
	})
}

func offeredBefore(s State, c Command) bool {
	return slices.ContainsFunc(append(slices.Clone(s.Offered), s.Yes), func(o Saved) bool { return o.Command == c }) || s.Waits != nil
}
