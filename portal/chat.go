package portal

import (
	"context"
	"strconv"
	"strings"

	"github.com/tsuzuku/tsuzuku/assistant"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/ui"
)

// chatPath is where customers talk with the assistant; its query may say about which
// line.
const chatPath = "/chat"

// turnsShown is how many turns of a conversation a page shows: the newest.
const turnsShown = 6

// chatPage is everything chat.html may use.
type chatPage struct {
	ui.Frame
	Kept    string
	Turns   []turnRow
	Options []chatOption // of the newest answer, or of the opening
	Opening []string     // paragraphs, where nothing was said yet
	Last    int          // the number of the newest turn; 0: nothing was said yet
	Line    string       // that the customer came from
	About   string       // the same in words
	Text    string       // that was not taken
	Most    int          // characters of a sentence
	Error   string
}

// turnRow is what was asked and answered.
type turnRow struct {
	Lang    string // of the answer
	Newest  bool
	Asked   string
	Text    []string
	Options []string // of an answer that is not the newest: what could be bought, and of which line
	Links   []chatLink
}

// chatLink leads on; the main one is what the answer is for.
type chatLink struct {
	assistant.Link
	Main bool
}

// chatOption is one numbered button.
type chatOption struct{ Token, Number, Text, Lang string }

// chatRoutes are those of the dialogue with the assistant.
func (s *Server) chatRoutes() []route {
	return []route{
		{"GET " + chatPath, customer, s.chatPage},
		{"POST " + chatPath, customer, s.say},
		{"POST " + chatPath + "/forget", customer, s.forgetChat},
	}
}

func (s *Server) assistant() *assistant.Desk {
	return &assistant.Desk{DB: s.DB, Order: s.Desk, Advice: s.Advice}
}

// speaks puts answers into words for the visitor.
func (v *visit) speaks(l locale.Language, a assistant.Answer) assistant.Said {
	return ui.NewVoice(l, v.zone(), v.voice.Now).Chat(a)
}

// chatPage shows the conversation, the newest at its end.
func (s *Server) chatPage(ctx context.Context, v *visit) (answer, error) {
	p, err := v.chat(ctx, v.r.URL.Query().Get("line"))
	return show("chat.html", p), err
}

func (v *visit) chat(ctx context.Context, about string) (chatPage, error) {
	type facts struct {
		turns []assistant.Turn
		lines []line.Line
		about line.Line
	}
	f, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (f facts, err error) {
		c, err := assistant.Newest(ctx, tx, v.account.ID, assistant.Portal)
		if err != nil {
			return f, err
		}
		if f.turns, err = c.Newest(ctx, tx, turnsShown); err != nil {
			return f, err
		}
		if f.lines, err = line.List(ctx, tx, v.account.ID); err != nil {
			return f, err
		}
		if about != "" {
			f.about, err = line.Get(ctx, tx, v.account.ID, about)
		}
		return f, err
	})
	if err != nil {
		return chatPage{}, err
	}
	p := chatPage{
		Frame: v.frame(v.voice.T("chat.title")), Most: assistant.MostText,
		Kept: v.voice.Say("chat.kept", locale.Args{"days": int(assistant.Kept.Hours() / 24)}),
	}
	if f.about.ID != "" {
		p.Line, p.About = f.about.ID, v.voice.Say("chat.about", locale.Args{"line": v.voice.LineName(v.shop, f.about)})
	}
	if len(f.turns) == 0 {
		first := assistant.Opening(v.voice.Lang, v.shop, len(f.lines), v.speaks)
		p.Opening, p.Options = first.Text, chatOptions(0, v.voice.Lang, first.Options)
	}
	for i, t := range f.turns {
		row := turnRow{Lang: string(t.Language), Asked: t.Asked, Text: t.Said.Text}
		for _, l := range t.Said.Links {
			row.Links = append(row.Links, chatLink{l, strings.HasPrefix(l.To, "/quotes/")})
		}
		if row.Newest = i == len(f.turns)-1; row.Newest {
			p.Last, p.Options = t.Number, chatOptions(t.Number, t.Language, t.Said.Options)
		} else {
			row.Options = things(t)
		}
		p.Turns = append(p.Turns, row)
	}
	return p, nil
}

// things are the options of a turn that name something, which stand before those that
// ask something.
func things(t assistant.Turn) (named []string) {
	for i, o := range t.Offered {
		switch c := o.Command.(type) {
		case assistant.Choose, assistant.TellEnd:
		case assistant.PickLine:
			if c.Line == "" {
				return named
			}
		default:
			return named
		}
		named = append(named, t.Said.Options[i])
	}
	return named
}

func chatOptions(turn int, l locale.Language, texts []string) (all []chatOption) {
	for i, text := range texts {
		all = append(all, chatOption{assistant.Token(turn, i+1), strconv.Itoa(i + 1), text, string(l)})
	}
	return all
}

// say takes a sentence or a tap, and leads to the answer.
func (s *Server) say(ctx context.Context, v *visit) (answer, error) {
	after, err := strconv.Atoi(v.field("after"))
	if err != nil {
		after = -1 // no turn follows it: nothing is a repetition
	}
	who := assistant.Asker{
		Account: v.account.ID, Page: v.voice.Lang, Channel: assistant.Portal, Wants: []money.Currency{money.Currency(v.cookie(currencyCookie))},
	}
	words := assistant.Words{Text: v.field("text"), Option: v.field("option"), Line: v.field("line"), After: after}
	_, _, err = s.assistant().Turn(ctx, who, words, v.speaks)
	switch kind := fault.KindOf(err); kind {
	case "":
		return goTo(chatPath + "#last"), nil
	case fault.Invalid, fault.TooMany:
		p, again := v.chat(ctx, words.Line)
		if again != nil {
			return answer{}, again
		}
		p.Text, p.Error = words.Text, v.voice.Fault(err)
		return answer{template: "chat.html", page: p, status: kind.Status()}, nil
	case fault.Denied, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
	}
	return answer{}, err
}

// forgetChat deletes the conversation.
func (s *Server) forgetChat(ctx context.Context, v *visit) (answer, error) {
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return assistant.Forget(ctx, tx, v.account.ID, assistant.Portal)
	})
	return goTo(chatPath), err
}
