package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/assistant"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Turn is what the assistant answers.
type Turn struct {
	Conversation string       `json:"conversation" doc:"Send it with the next turn."`
	Number       int          `json:"number" minimum:"1" doc:"Of the turn within its conversation."`
	Asked        string       `json:"asked" doc:"What was said, as it is kept: of long numbers only the last four digits."`
	Language     string       `json:"language" doc:"Of the answer: that of the sentence, or of what was offered."`
	Text         []string     `json:"text" nullable:"false" doc:"Paragraphs, for the customer as they are."`
	Options      []ChatOption `json:"options" nullable:"false" doc:"What can be chosen now: by its token, or by its number as a text."`
	Links        []ChatLink   `json:"links" nullable:"false" doc:"Pages of the shop. An order is confirmed and paid there, never here."`
}

// ChatOption is one numbered thing to choose.
type ChatOption struct {
	Number int    `json:"number"`
	Option string `json:"option" doc:"What the next turn sends." example:"3.1"`
	Text   string `json:"text"`
}

// ChatLink leads to a page of the shop, where the customer signs in.
type ChatLink struct {
	URL  string `json:"url" format:"uri"`
	Text string `json:"text"`
}

type turnInput struct {
	OfAccount
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"With it, the same turn sent again gets the same answer."`
	Body           struct {
		Conversation string `json:"conversation,omitempty" maxLength:"64" doc:"Absent: a new one begins."`
		Text         string `json:"text,omitempty" maxLength:"2000" doc:"A sentence in Chinese, Japanese or English, 500 characters at most."`
		Option       string `json:"option,omitempty" maxLength:"20" doc:"Instead of a text: an option of an answer of this conversation."`
		Line         string `json:"line,omitempty" maxLength:"64" doc:"Which line it is about, where that is known."`
		Currency     string `json:"currency,omitempty" pattern:"^[A-Z]{3}$" doc:"In which the customer would pay."`
	}
}

func (s *Server) addChat(d huma.API) {
	add(s, d, route{
		id: "say", method: http.MethodPost, path: "/accounts/{account}/chat", scope: Renew, tag: "Assistant",
		summary: "Say something to the assistant, for a customer",
		about: "It understands by rules, without a model, and does what the pages do: it may keep until when the customer stays, and make a quote. " +
			"It never confirms an order and never pays: the answer leads to the shop's own review. Conversations are forgotten 30 days after their last turn.",
	}, s.chat)
}

func (s *Server) chat(ctx context.Context, c *call, in *turnInput) (Turn, error) {
	err := s.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error { return c.customer(ctx, tx, in.Account) })
	if err != nil {
		return Turn{}, err
	}
	say := func(ctx context.Context) (Turn, error) { return s.turn(ctx, c, in) }
	if in.IdempotencyKey == "" {
		return say(ctx)
	}
	r, err := c.requested(in.Account, in.IdempotencyKey, "say", in.Body)
	if err != nil {
		return Turn{}, err
	}
	return once(ctx, s, r, say)
}

func (s *Server) turn(ctx context.Context, c *call, in *turnInput) (Turn, error) {
	desk := &assistant.Desk{DB: s.DB, Order: s.Desk, Advice: s.Advice}
	who := assistant.Asker{
		Account: in.Account, Page: c.voice.Lang, Channel: assistant.API, Conversation: in.Body.Conversation, Anew: in.Body.Conversation == "",
	}
	if in.Body.Currency != "" {
		who.Wants = []money.Currency{money.Currency(in.Body.Currency)}
	}
	said := assistant.Words{Text: in.Body.Text, Option: in.Body.Option, Line: in.Body.Line, After: -1}
	talk, t, err := desk.Turn(ctx, who, said, func(l locale.Language, a assistant.Answer) assistant.Said {
		return ui.NewVoice(l, c.voice.Zone, c.voice.Now).Chat(a)
	})
	if err != nil {
		return Turn{}, err
	}
	out := Turn{
		Conversation: talk.ID, Number: t.Number, Asked: t.Asked, Language: string(t.Language), Text: slices.Concat([]string{}, t.Said.Text),
		Options: []ChatOption{}, Links: []ChatLink{},
	}
	for i, text := range t.Said.Options {
		out.Options = append(out.Options, ChatOption{i + 1, assistant.Token(t.Number, i+1), text})
	}
	for _, l := range t.Said.Links {
		out.Links = append(out.Links, ChatLink{strings.TrimSuffix(s.URL, "/") + l.To, l.Text})
	}
	return out, nil
}
