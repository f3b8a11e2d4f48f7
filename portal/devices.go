package portal

import (
	"cmp"
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/device"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// devicesPage is everything devices.html may use.
type devicesPage struct {
	ui.Frame
	Query  string
	Error  string
	Places []ui.Choice

	Phone      string // what the answer is about; "" before the first question
	About      string // its version, or how the question was understood
	Candidates []phoneLink
	All        string // the one answer for all plans; "" where there are several
	Answers    []answerView
	Verdicts   []verdictView
	Lock       string
	None       bool // nothing is on sale
	Unknown    string
	Ask        template.URL // to the seller, with the model filled in
	AskText    string
	Case       string // where a case about it is opened
}

// phoneLink leads to the answer about one model.
type phoneLink struct{ Name, To string }

// answerView is for how many of the plans on sale one answer holds.
type answerView struct {
	Badge ui.Badge
	Plans string
}

// verdictView is one verdict with the plans that it is about.
type verdictView struct {
	Badge   ui.Badge
	Network string
	Comes   string // as what its plans come, and whether with 5G: "eSIM / SIM · 5G", which every language writes so
	Words   device.Words
	Plans   []planLink
}

// planLink leads to the list of phones for a plan.
type planLink struct{ ID, Name string }

// askDevice understands what was typed. Numbers that name one phone do not go
// into an address.
func (s *Server) askDevice(ctx context.Context, v *visit) (answer, error) {
	typed := v.field("q")
	q, err := device.ParseQuery(typed)
	to := url.Values{}
	if place := soldIn(v.field("sold_in")); place != "" {
		to.Set("sold_in", place)
	}
	if err == nil && q.Kind == device.ByName {
		list, e := db.Seen(ctx, s.DB, s.devices.Current)
		if e != nil {
			return answer{}, e
		}
		if list.Search(q).Serial {
			err = serialNumber()
		}
		to.Set("q", typed)
	}
	if err != nil {
		p := v.devicesPage(typed, soldIn(v.field("sold_in")))
		p.Error = v.voice.Fault(err)
		return answer{template: "devices.html", page: p, status: fault.KindOf(err).Status()}, nil
	}
	switch q.Kind {
	case device.ByEID:
		to.Set("phone", "eid")
	case device.ByIMEI:
		to.Set("tac", q.TAC)
	case device.ByName:
	}
	return goTo("/devices?" + to.Encode()), nil
}

func serialNumber() error {
	return fault.Because(fault.Invalid, "device_serial",
		"This looks like a serial number, which does not say what a phone can do. Dial *#06# and type the IMEI, or the name of the phone.", nil)
}

// soldIn is a place that the form offers, or "".
func soldIn(place string) string {
	if slices.Contains(device.Places, place) {
		return place
	}
	return ""
}

// devicesPage is the form, and nothing else yet.
func (v *visit) devicesPage(typed, place string) devicesPage {
	p := devicesPage{Frame: v.publicFrame(v.voice.T("devices.title"), v.voice.T("devices.lead")), Query: typed}
	p.Places = []ui.Choice{{Value: "", Name: v.voice.T("devices.sold_in.any"), Chosen: place == ""}}
	for _, c := range device.Places {
		p.Places = append(p.Places, ui.Choice{Value: c, Name: device.Place(v.voice.Lang, c), Chosen: c == place})
	}
	return p
}

// devicesAnswer shows the form, and the answer to what the address asks.
func (s *Server) devicesAnswer(ctx context.Context, v *visit) (answer, error) {
	asked := v.r.URL.Query()
	place := soldIn(asked.Get("sold_in"))
	typed := asked.Get("q")
	type known struct {
		list  *device.List
		found device.Found
		asked bool
	}
	k, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (k known, err error) {
		if k.list, err = s.devices.Current(ctx, tx); err != nil {
			return k, err
		}
		k.found, k.asked, err = phoneOf(ctx, tx, k.list, asked)
		return k, err
	})
	if fault.KindOf(err) == fault.Invalid {
		p := v.devicesPage("", place)
		p.Error = v.voice.Fault(err)
		return answer{template: "devices.html", page: p, status: http.StatusUnprocessableEntity}, nil
	}
	if err != nil {
		return answer{}, err
	}
	phone := k.found.Phone.In(place)
	p := v.devicesPage(typed, cmp.Or(place, phone.SoldIn))
	switch {
	case !k.asked:
	case len(k.found.Candidates) > 0:
		for _, m := range k.found.Candidates {
			p.Candidates = append(p.Candidates, phoneLink{m.FullName(), phoneAddress(m.ID(), "", cmp.Or(place, phone.SoldIn))})
		}
		p.unknown(v, phone, v.voice.T("devices.unknown.none"))
	case phone.Model == nil && !phone.EID:
		title := v.voice.T("devices.unknown.any")
		if phone.Name != "" {
			title = v.voice.Say("devices.unknown", locale.Args{"phone": phone.Name})
		}
		p.unknown(v, phone, title)
	default:
		p.known(v, k.list, k.found, phone)
	}
	return showAll("devices.html", p), nil
}

// phoneOf is the phone that an address asks about.
func phoneOf(ctx context.Context, tx db.Tx, list *device.List, asked url.Values) (device.Found, bool, error) {
	id, tac, text := asked.Get("phone"), asked.Get("tac"), asked.Get("q")
	switch {
	case id == "eid":
		return device.Found{Phone: device.Phone{EID: true}}, true, nil
	case id != "":
		m, ok := list.Model(id)
		if !ok {
			return device.Found{}, true, nil
		}
		if p, ok := list.WithCode(m, asked.Get("code")); ok {
			return device.Found{Phone: p}, true, nil
		}
		return device.Found{Phone: list.Phone(m)}, true, nil
	case tac != "":
		f, err := list.Resolve(ctx, tx, device.Query{Kind: device.ByIMEI, TAC: tac})
		return f, true, err
	case asked.Has("q"):
		q, err := device.ParseQuery(text)
		if err != nil {
			return device.Found{}, true, err
		}
		f, err := list.Resolve(ctx, tx, q)
		return f, true, err
	}
	return device.Found{}, false, nil
}

func phoneAddress(id, code, place string) string {
	to := url.Values{"phone": {id}}
	if code != "" {
		to.Set("code", code)
	}
	if place != "" {
		to.Set("sold_in", place)
	}
	return "/devices?" + to.Encode()
}

// unknown says that a phone is in no list, and how to find out.
func (p *devicesPage) unknown(v *visit, phone device.Phone, title string) {
	p.Unknown = title
	place := v.voice.T("devices.sold_in.any")
	if phone.SoldIn != "" {
		place = device.Place(v.voice.Lang, phone.SoldIn)
	}
	args := locale.Args{"phone": cmp.Or(phone.Name, "?"), "place": place}
	p.Case = newCase + "?" + url.Values{"topic": {"device"}, "phone": {cmp.Or(phone.Name, p.Query, "?")}, "place": {place}}.Encode()
	p.AskText = v.voice.Say("devices.ask.body", args)
	p.Ask = p.ContactAbout(v.voice.Say("devices.ask.subject", args), p.AskText)
}

// known says what is known of a phone for every plan on sale. Plans for which
// the same is true stand together.
func (p *devicesPage) known(v *visit, list *device.List, found device.Found, phone device.Phone) {
	p.Phone = phone.Called()
	switch {
	case phone.EID:
		p.Phone, p.About = v.voice.T("devices.eid"), v.voice.T("devices.eid.lead")
	case found.Typo:
		p.About = v.voice.Say("devices.typo", locale.Args{"typed": p.Query})
	case phone.Exact:
		p.About = v.voice.Say("devices.version", locale.Args{"code": phone.Possible[0].Code})
	}
	type group struct {
		network string
		facts   catalogue.Facts
	}
	at := map[group]int{}
	var verdicts []device.Verdict
	for _, plan := range v.shop.Plans {
		if !plan.OnSale {
			continue
		}
		g := group{plan.Network, catalogue.Facts{ESIM: plan.Facts.ESIM, PhysicalSIM: plan.Facts.PhysicalSIM, FiveG: plan.Facts.FiveG}}
		i, ok := at[g]
		if !ok {
			i = len(verdicts)
			at[g] = i
			network, _ := v.shop.Network(plan.Network)
			verdict := list.Judge(phone, v.shop, plan)
			verdicts = append(verdicts, verdict)
			view := verdictView{Badge: v.voice.DeviceBadge(verdict.Answer), Network: network.Name, Comes: comes(plan.Facts), Words: verdict.In(v.voice.Lang, network)}
			p.Lock, view.Words.Lock = cmp.Or(p.Lock, view.Words.Lock), ""
			p.Verdicts = append(p.Verdicts, view)
		}
		p.Verdicts[i].Plans = append(p.Verdicts[i].Plans, planLink{plan.ID, plan.NameIn(v.voice.Lang)})
	}
	p.None = len(verdicts) == 0
	order := make(map[string]int, len(verdicts)) // the best answers first
	for i, verdict := range verdicts {
		order[p.Verdicts[i].Plans[0].ID] = verdict.Answer.Rank()
	}
	slices.SortStableFunc(p.Verdicts, func(a, b verdictView) int { return cmp.Compare(order[a.Plans[0].ID], order[b.Plans[0].ID]) })
	p.addAnswers(v)
}

func comes(f catalogue.Facts) string {
	var as []string
	if f.ESIM {
		as = append(as, "eSIM")
	}
	if f.PhysicalSIM {
		as = append(as, "SIM")
	}
	says := strings.Join(as, " / ")
	if f.FiveG {
		says += " · 5G"
	}
	return says
}

// addAnswers sums the verdicts up: what holds for how many plans, the best first.
func (p *devicesPage) addAnswers(v *visit) {
	of := 0
	for _, one := range p.Verdicts {
		of += len(one.Plans)
	}
	for rest := p.Verdicts; len(rest) > 0; {
		badge, n := rest[0].Badge, 0
		for len(rest) > 0 && rest[0].Badge == badge {
			n, rest = n+len(rest[0].Plans), rest[1:]
		}
		if n == of {
			p.All = v.voice.Say("devices.all", locale.Args{"n": n})
		}
		p.Answers = append(p.Answers, answerView{badge, v.voice.Say("devices.some", locale.Args{"n": n, "of": of})})
	}
}

// planDevicesPage is everything plan_devices.html may use.
type planDevicesPage struct {
	ui.Frame
	Plan     string
	PlanID   string
	Coverage []string
	Brands   []brandView
	Notes    []string
	Source   string
}

// brandView is the models of one brand.
type brandView struct {
	Name   string
	Models []modelView
}

// modelView is one model's answer; Notes are numbers of the page's notes.
type modelView struct {
	Name   string
	To     string
	Answer string
	Tone   ui.Tone
	Notes  []int
}

// planDevices is where a plan works, and the list of phones for it, to be read
// or printed.
func (s *Server) planDevices(ctx context.Context, v *visit) (answer, error) {
	plan, ok := v.shop.Plan(v.r.PathValue("id"))
	if !ok {
		return answer{}, fault.Because(fault.NotFound, "no_such_plan", "There is no such plan.", nil)
	}
	list, err := db.Seen(ctx, s.DB, s.devices.Current)
	if err != nil {
		return answer{}, err
	}
	network, _ := v.shop.Network(plan.Network)
	p := planDevicesPage{Plan: plan.NameIn(v.voice.Lang), PlanID: plan.ID, Coverage: device.CoverageIn(v.voice.Lang, network, plan.Facts.FiveG)}
	p.Frame = v.frame(v.voice.Say("devices.list.title", locale.Args{"plan": p.Plan}))
	numbers := map[device.Code]int{}
	for _, m := range list.Models {
		if n := len(p.Brands); n == 0 || p.Brands[n-1].Name != m.Brand {
			p.Brands = append(p.Brands, brandView{Name: m.Brand})
		}
		verdict := list.Judge(list.Phone(m), v.shop, plan)
		badge := v.voice.DeviceBadge(verdict.Answer)
		row := modelView{Name: m.Name, To: m.ID(), Answer: badge.Word, Tone: badge.Tone}
		for _, u := range verdict.Unless {
			if numbers[u.Exception] == 0 {
				p.Notes = append(p.Notes, device.About(v.voice.Lang, u.Exception))
				numbers[u.Exception] = len(p.Notes)
			}
			row.Notes = append(row.Notes, numbers[u.Exception])
		}
		brand := &p.Brands[len(p.Brands)-1]
		brand.Models = append(brand.Models, row)
	}
	compiled, err := time.Parse(time.DateOnly, device.Compiled)
	if err != nil {
		return answer{}, err
	}
	p.Source = v.voice.Say("devices.source", locale.Args{"date": locale.Day(v.voice.Lang, compiled, time.UTC)})
	return showAll("plan_devices.html", p), nil
}
