package portal

import (
	"context"
	"slices"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/ui"
)

// tellingPath is where customers say how they wish to be told.
const tellingPath = "/account/messages"

// tellingPage is everything telling.html may use.
type tellingPage struct {
	ui.Frame
	From, To string // the quiet hours, as the fields of a form hold them
	Clocks   string // by which clocks
	Error    string
	Themes   []themeRow
}

// themeRow is one theme, and by which channels it is told.
type themeRow struct {
	Name, What string
	Always     string // why nobody can wish it away; "": one can
	Channels   []channelBox
}

// channelBox is one channel that can be chosen.
type channelBox struct {
	ID, Field, Value, Name string
	Chosen                 bool
}

// tellingPage shows how the customer is told.
func (s *Server) tellingPage(ctx context.Context, v *visit) (answer, error) {
	t, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (account.Telling, error) {
		return account.TellingOf(ctx, tx, v.account.ID)
	})
	if err != nil {
		return answer{}, err
	}
	p := v.telling(t)
	if v.r.URL.Query().Has("saved") {
		p.Notice = ui.Notice{Tone: ui.Good, Text: v.voice.T("account.saved")}
		if !t.Of(message.AboutLines).Mail {
			p.Notice = ui.Notice{Tone: ui.Warn, Text: v.voice.T("telling.none")}
		}
	}
	return show("telling.html", p), nil
}

func (v *visit) telling(t account.Telling) tellingPage {
	p := tellingPage{Frame: v.frame(v.voice.T("telling.title")), Clocks: v.voice.T("telling.operators")}
	if !t.Quiet.None() {
		p.From, p.To = calendar.Clock(t.Quiet.From), calendar.Clock(t.Quiet.To)
	}
	if loc := v.zone(); loc != nil {
		p.Clocks = v.voice.Say("telling.clocks", locale.Args{"zone": string(v.account.Zone), "time": locale.Clock(v.voice.Lang, v.voice.Now, loc)})
	}
	for _, theme := range message.Themes() {
		row := themeRow{Name: v.voice.T("telling." + string(theme)), What: v.voice.T("telling." + string(theme) + ".what")}
		if theme.Always() {
			row.Always = v.voice.T("telling." + string(theme) + ".always")
		} else {
			row.Channels = append(row.Channels, channelBox{string(theme) + "-mail", "mail", string(theme), v.voice.T("telling.mail"), t.Of(theme).Mail})
		}
		p.Themes = append(p.Themes, row)
	}
	return p
}

// saveTelling keeps how the customer wishes to be told.
func (s *Server) saveTelling(ctx context.Context, v *visit) (answer, error) {
	wished := func(field string, theme message.Theme) bool { return slices.Contains(v.r.PostForm[field], string(theme)) }
	t := account.Telling{Wishes: map[message.Theme]account.Wish{}}
	for _, theme := range message.Themes() {
		t.Wishes[theme] = account.Wish{Mail: wished("mail", theme), Push: true}
	}
	var err error
	if t.Quiet, err = calendar.ParseQuiet(v.field("quiet_from"), v.field("quiet_to")); err != nil {
		p := v.telling(t)
		p.From, p.To, p.Error = v.field("quiet_from"), v.field("quiet_to"), v.voice.Fault(err)
		return answer{template: "telling.html", page: p, status: fault.KindOf(err).Status()}, nil
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return account.SetTelling(ctx, tx, v.account.ID, t)
	})
	return goTo(tellingPath + "?saved=1"), err
}
