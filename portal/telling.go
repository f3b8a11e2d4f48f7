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

	PushKey     string // with which this browser can be asked to show notifications; "": the shop sends none
	PushScript  string
	Devices     []deviceRow
	DeviceError string

	NoNumber bool // SMS could be had by adding a number
}

// deviceRow is one browser that shows notifications.
type deviceRow struct {
	ID, Agent, Since string
	This             bool
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

// howTold is how a customer is told, and by which devices.
type howTold struct {
	account.Telling

	devices   []account.Device
	addresses []account.Address
}

func (v *visit) howTold(ctx context.Context) (howTold, error) {
	return db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (t howTold, err error) {
		if t.Telling, err = account.TellingOf(ctx, tx, v.account.ID); err == nil {
			t.devices, err = v.server.Door.Devices(ctx, tx, v.account.ID)
		}
		if err == nil {
			t.addresses, err = account.Addresses(ctx, tx, v.account.ID)
		}
		return t, err
	})
}

// tellingPage shows how the customer is told.
func (s *Server) tellingPage(ctx context.Context, v *visit) (answer, error) {
	t, err := v.howTold(ctx)
	if err != nil {
		return answer{}, err
	}
	p := v.telling(t)
	if what := v.r.URL.Query().Get("done"); slices.Contains([]string{"saved", "device", "no_device"}, what) {
		p.Notice = ui.Notice{Tone: ui.Good, Text: v.voice.T("telling.done." + what)}
		if lines := t.Of(message.AboutLines); what == "saved" && !lines.Mail && !lines.SMS && (!lines.Push || s.PushKey == "") {
			p.Notice = ui.Notice{Tone: ui.Warn, Text: v.voice.T("telling.none")}
		}
	}
	return show("telling.html", p), nil
}

func (v *visit) telling(t howTold) tellingPage {
	p := tellingPage{
		Frame: v.frame(v.voice.T("telling.title")), Clocks: v.voice.T("telling.operators"), PushKey: v.server.PushKey, PushScript: pushPath,
	}
	if !t.Quiet.None() {
		p.From, p.To = calendar.Clock(t.Quiet.From), calendar.Clock(t.Quiet.To)
	}
	if loc := v.zone(); loc != nil {
		p.Clocks = v.voice.Say("telling.clocks", locale.Args{"zone": v.zoneName(v.account.Zone), "time": locale.Clock(v.voice.Lang, v.voice.Now, loc)})
	}
	for _, theme := range message.Themes() {
		p.Themes = append(p.Themes, v.theme(theme, t))
	}
	instead, beside := v.bySMS(t.addresses)
	p.NoNumber = v.server.Door.SMS != nil && !instead && !beside
	for _, d := range t.devices {
		row := deviceRow{
			ID: d.ID, Agent: d.Agent, This: d.ID == v.cookie(deviceCookie),
			Since: v.voice.Say("telling.device.since", locale.Args{"date": v.voice.Day(d.CreatedAt, v.shopZone())}),
		}
		if row.Agent == "" {
			row.Agent = v.voice.T("sessions.unknown")
		}
		p.Devices = append(p.Devices, row)
	}
	return p
}

func (v *visit) theme(theme message.Theme, t howTold) themeRow {
	w, mail, always := t.Of(theme), "telling.mail", ".always"
	instead, beside := v.bySMS(t.addresses)
	if instead {
		mail, always = "telling.sms", ".always.sms"
	}
	row := themeRow{Name: v.voice.T("telling." + string(theme)), What: v.voice.T("telling." + string(theme) + ".what")}
	if theme.Always() {
		row.Always = v.voice.T("telling." + string(theme) + always)
	} else {
		row.Channels = append(row.Channels, channelBox{string(theme) + "-mail", "mail", string(theme), v.voice.T(mail), w.Mail})
	}
	if theme != message.AboutAccount && beside {
		row.Channels = append(row.Channels, channelBox{string(theme) + "-sms", "sms", string(theme), v.voice.T("telling.sms"), w.SMS})
	}
	if theme != message.AboutAccount && v.server.PushKey != "" {
		row.Channels = append(row.Channels, channelBox{string(theme) + "-push", "push", string(theme), v.voice.T("telling.push"), w.Push})
	}
	return row
}

// saveTelling keeps how the customer wishes to be told. What the page does not ask
// stays as it was.
func (s *Server) saveTelling(ctx context.Context, v *visit) (answer, error) {
	t, err := v.howTold(ctx)
	if err != nil {
		return answer{}, err
	}
	_, beside := v.bySMS(t.addresses)
	wished := func(field string, theme message.Theme) bool {
		return slices.Contains(v.r.PostForm[field], string(theme))
	}
	for _, theme := range message.Themes() {
		w := account.Wish{Mail: wished("mail", theme), Push: wished("push", theme), SMS: wished("sms", theme)}
		if !beside {
			w.SMS = t.Of(theme).SMS
		}
		if s.PushKey == "" {
			w.Push = t.Of(theme).Push
		}
		t.Wishes[theme] = w
	}
	if t.Quiet, err = calendar.ParseQuiet(v.field("quiet_from"), v.field("quiet_to")); err != nil {
		p := v.telling(t)
		p.From, p.To, p.Error = v.field("quiet_from"), v.field("quiet_to"), v.voice.Fault(err)
		return answer{template: "telling.html", page: p, status: fault.KindOf(err).Status()}, nil
	}
	err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return account.SetTelling(ctx, tx, v.account.ID, t.Telling)
	})
	return goTo(tellingPath + "?done=saved"), err
}
