package portal

import (
	"context"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ui"
)

// rulesPage is everything rules.html may use.
type rulesPage struct {
	ui.Frame
	Plan      string
	PlanID    string
	Sentences []catalogue.Sentence
}

// rules says all rules of a plan in sentences, with their date and a contact.
func (s *Server) rules(_ context.Context, v *visit) (answer, error) {
	plan, ok := v.shop.Plan(v.r.PathValue("id"))
	if !ok {
		return answer{}, fault.Because(fault.NotFound, "no_such_plan", "There is no such plan.", nil)
	}
	p := rulesPage{Plan: plan.NameIn(v.voice.Lang), PlanID: plan.ID, Sentences: catalogue.Sentences(v.shop, plan, v.voice.Lang)}
	p.Frame = v.frame(p.Plan)
	return showAll("rules.html", p), nil
}
