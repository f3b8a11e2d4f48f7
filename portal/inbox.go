package portal

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/ui"
)

// inboxPage is everything inbox.html may use.
type inboxPage struct {
	ui.Frame
	Messages []letterRow
	Older    string // where the page of older messages is; "" where there are none
}

// letterRow is one message in a list.
type letterRow struct {
	ID, Subject, Lang string
	At                ui.Moment
}

// inboxShown is how many messages a page of the inbox has.
const inboxShown = 25

// letters says who writes, for messages that are read again.
func (v *visit) letters() message.From {
	f := v.frame("")
	return message.From{Seller: v.shop.Seller.Name, URL: v.server.URL, Contact: f.Contact}
}

// inboxPage lists what was sent to the customer, the newest first.
func (s *Server) inboxPage(ctx context.Context, v *visit) (answer, error) {
	after := v.r.URL.Query().Get("after")
	all, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) ([]message.Message, error) {
		return message.List(ctx, tx, v.account.ID, inboxShown+1, after)
	})
	if err != nil {
		return answer{}, err
	}
	p := inboxPage{Frame: v.frame(v.voice.T("account.inbox"))}
	if len(all) > inboxShown {
		all = all[:inboxShown]
		p.Older = "/inbox?after=" + all[inboxShown-1].ID
	}
	for _, m := range all {
		letter, err := v.letters().Read(m)
		if err != nil {
			s.Log.WarnContext(ctx, "portal: a message has no words", "message", m.ID, "err", err)
			continue
		}
		p.Messages = append(p.Messages, letterRow{m.ID, letter.Subject, string(letter.Language), v.voice.Moment(m.CreatedAt, v.shopZone())})
	}
	return show("inbox.html", p), nil
}

// letterPage is everything letter.html may use.
type letterPage struct {
	ui.Frame
	Subject, Text, Lang string
	At                  ui.Moment
	Order, Case         string // that it is about
}

// letterPage shows one message as it was sent, without codes and links that opened
// something.
func (s *Server) letterPage(ctx context.Context, v *visit) (answer, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err == nil && k.limited() {
		err = errSignIn
	}
	if err != nil {
		return answer{}, err
	}
	m, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (message.Message, error) {
		return message.Listed(ctx, tx, k.account, id)
	})
	if err != nil {
		return answer{}, err
	}
	letter, err := v.letters().Read(m)
	if err != nil {
		return answer{}, err
	}
	p := letterPage{
		Frame: v.frame(letter.Subject), Subject: letter.Subject, Text: letter.Text, Lang: string(letter.Language),
		At: v.voice.Moment(m.CreatedAt, v.shopZone()), Order: m.Order, Case: m.Facts.Case,
	}
	return show("letter.html", p), nil
}
