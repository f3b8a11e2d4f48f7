package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/device"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Phone is what is known of a phone, and whether lines work in it.
type Phone struct {
	Name       string    `json:"name,omitempty" doc:"Absent: no list has it."`
	Code       string    `json:"code,omitempty" doc:"The maker's, where it is this very version."`
	EID        bool      `json:"eid,omitempty" doc:"An EID was given: it has an eSIM, and nobody knows which model it is."`
	SoldIn     string    `json:"soldIn,omitempty"`
	Candidates []string  `json:"candidates,omitempty" nullable:"false" doc:"It could be any of these: ask with one of them."`
	Verdicts   []Verdict `json:"verdicts" nullable:"false" doc:"One a plan; none where the phone is not known."`
}

// Verdict is whether a phone works with a plan.
type Verdict struct {
	Plan   string   `json:"plan"`
	Answer string   `json:"answer" enum:"works,limited,fits,lock_risk,unknown,no_esim,no_tray,no_band" doc:"limited: it lacks a band; fits: the line goes in, and its bands are not known; lock_risk: a carrier sells it locked."`
	ESIM   string   `json:"esim" doc:"What the phone takes."`
	FiveG  string   `json:"fiveG"`
	Text   string   `json:"text"`
	Areas  []Area   `json:"areas,omitempty" nullable:"false"`
	Unless []Unless `json:"unless,omitempty" nullable:"false" doc:"Whom it is different for."`
}

// Area is a kind of place, and how well the phone works there.
type Area struct {
	Area    string   `json:"area"`
	Level   string   `json:"level"`
	Missing []string `json:"missing,omitempty" nullable:"false" doc:"The bands that it lacks."`
}

// Unless is a group of the same phones for which the answer is another one.
type Unless struct {
	Exception string   `json:"exception"`
	Text      string   `json:"text"`
	SoldIn    []string `json:"soldIn,omitempty" nullable:"false"`
	Carrier   bool     `json:"carrier,omitempty" doc:"Those that a carrier sold."`
	Answer    string   `json:"answer"`
}

type checkInput struct {
	Body struct {
		Phone  string `json:"phone" minLength:"1" maxLength:"200" doc:"A name in any writing, a maker's code, an IMEI or an EID." example:"iPhone 15"`
		SoldIn string `json:"soldIn,omitempty" pattern:"^[A-Z]{2}$" doc:"Where it was bought, ISO 3166."`
		Plan   string `json:"plan,omitempty" maxLength:"64" doc:"Absent: every plan that is on sale."`
	}
}

func (s *Server) addDevices(d huma.API) {
	add(s, d, route{
		id: "check-device", method: http.MethodPost, path: "/devices/check", scope: Read, tag: "Catalogue",
		summary: "Whether a phone takes a line, plan by plan, and why not",
		about:   "Of an IMEI only the first eight digits are used, and nothing is kept. It is not part of the address, so that no log has it.",
	}, s.checkDevice)
}

func (s *Server) checkDevice(ctx context.Context, c *call, in *checkInput) (Phone, error) {
	q, err := device.ParseQuery(in.Body.Phone)
	if err != nil {
		return Phone{}, err
	}
	return db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (Phone, error) {
		cat, err := s.Shelf.Current(ctx, tx)
		if err != nil {
			return Phone{}, err
		}
		if _, ok := cat.Plan(in.Body.Plan); !ok && in.Body.Plan != "" {
			return Phone{}, fault.Because(fault.NotFound, "no_such_plan", "There is no such plan.", nil)
		}
		list, err := s.devices.Current(ctx, tx)
		if err != nil {
			return Phone{}, err
		}
		found, err := list.Resolve(ctx, tx, q)
		if err != nil {
			return Phone{}, err
		}
		return phoneOf(c.voice, cat, list, found, in.Body.SoldIn, in.Body.Plan), nil
	})
}

func phoneOf(v ui.Voice, cat *catalogue.Catalogue, list *device.List, found device.Found, soldIn, plan string) Phone {
	phone := found.Phone.In(soldIn)
	out := Phone{Name: phone.Called(), EID: phone.EID, SoldIn: phone.SoldIn, Verdicts: []Verdict{}}
	if phone.Exact {
		out.Code = phone.Possible[0].Code
	}
	for _, m := range found.Candidates {
		out.Candidates = append(out.Candidates, m.FullName())
	}
	if phone.Model == nil && !phone.EID {
		return out
	}
	for _, p := range cat.Plans {
		if plan != "" && p.ID != plan || plan == "" && !p.OnSale {
			continue
		}
		network, _ := cat.Network(p.Network)
		out.Verdicts = append(out.Verdicts, verdictOf(v, p, network, list.Judge(phone, cat, p)))
	}
	return out
}

func verdictOf(v ui.Voice, p catalogue.Plan, network catalogue.Network, judged device.Verdict) Verdict {
	out := Verdict{
		Plan: p.ID, Answer: string(judged.Answer), ESIM: string(judged.ESIM), FiveG: string(judged.FiveG), Text: judged.In(v.Lang, network).Lead,
	}
	for _, a := range judged.Areas {
		out.Areas = append(out.Areas, Area{string(a.Kind), string(a.Level), a.Missing})
	}
	for _, u := range judged.Unless {
		out.Unless = append(out.Unless, Unless{string(u.Exception), device.About(v.Lang, u.Exception), u.SoldIn, u.Carrier, string(u.Answer)})
	}
	return out
}
