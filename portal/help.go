package portal

import (
	"context"
	"strings"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/portal/prose"
	"github.com/tsuzuku/tsuzuku/ui"
)

// helpPage is everything help.html may use.
type helpPage struct {
	ui.Frame
	Query  string
	Asked  bool
	Topics []topicRow
	Reach  reach
}

// topicRow is one topic in a list.
type topicRow struct{ ID, Title, Begins string }

// helpPage lists the topics of help, or those that a question is about.
func (s *Server) helpPage(_ context.Context, v *visit) (answer, error) {
	p := helpPage{Frame: v.frame(v.voice.T("help.title")), Reach: v.reach()}
	query := []rune(strings.TrimSpace(v.r.URL.Query().Get("q")))
	p.Query = strings.ToValidUTF8(string(query[:min(len(query), prose.MostQuery)]), "")
	p.Asked = p.Query != ""
	if p.Asked {
		for _, page := range prose.Search(v.voice.Lang, p.Query) {
			p.Topics = append(p.Topics, topicRow{page.ID, page.Title, page.Begins()})
		}
		return show("help.html", p), nil
	}
	for _, topic := range prose.Topics {
		if page, ok := prose.Help(v.voice.Lang, topic); ok {
			p.Topics = append(p.Topics, topicRow{page.ID, page.Title, ""})
		}
	}
	return show("help.html", p), nil
}

// prosePage is everything prose.html may use.
type prosePage struct {
	ui.Frame
	Page  prose.Page
	Help  bool // it is a topic of help
	Reach reach
}

// helpTopic shows one topic of help.
func (s *Server) helpTopic(ctx context.Context, v *visit) (answer, error) {
	page, ok := prose.Help(v.voice.Lang, v.r.PathValue("topic"))
	if !ok {
		return noSuchPage(ctx, v)
	}
	return show("prose.html", prosePage{Frame: v.frame(page.Title), Page: page, Help: true, Reach: v.reach()}), nil
}

// legalPage shows one of the pages that the law asks for.
func (s *Server) legalPage(_ context.Context, v *visit) (answer, error) {
	page, ok := s.Legal.Page(v.voice.Lang, v.r.PathValue("page"), v.sellerFacts())
	if !ok {
		return answer{}, fault.Because(fault.NotFound, "page", "There is no such page.", nil)
	}
	return show("prose.html", prosePage{Frame: v.frame(page.Title), Page: page}), nil
}

// sellerFacts are what legal pages say of the seller: as configured, else as the
// catalogue says.
func (v *visit) sellerFacts() prose.Facts {
	f := v.server.Seller
	f.URL = v.server.URL
	return f.Or(prose.Facts{Name: v.shop.Seller.Name, Address: v.shop.Seller.Address, Number: v.shop.Seller.InvoiceNumber})
}

// reach is where the seller can be reached, besides a case.
type reach struct {
	Mail, Phone, PhoneLink, Hours, Chat string
	Community                           []communityLink
}

// communityLink is a group of travellers.
type communityLink struct{ Name, To string }

// reach says where the seller can be reached.
func (v *visit) reach() reach {
	c := v.server.Points
	r := reach{Mail: c.Mail, Phone: c.Phone, Hours: c.Hours, Chat: c.Chat}
	if r.Mail == "" {
		if contact := v.frame("").Contact; strings.Contains(contact, "@") {
			r.Mail = contact
		}
	}
	for _, digit := range c.Phone {
		if digit >= '0' && digit <= '9' || digit == '+' {
			r.PhoneLink += string(digit)
		}
	}
	for _, l := range c.Community {
		r.Community = append(r.Community, communityLink(l))
	}
	return r
}
