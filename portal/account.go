package portal

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/ui"
)

// accountPage is everything account.html may use.
type accountPage struct {
	ui.Frame
	Addresses     []string
	Numbers       []string
	Balances      []string
	Points        string
	PointsEntries []entryRow
	LanguageForm  []ui.Choice
	Zones         []ui.Choice
	Homes         []ui.Choice
	Attitudes     []ui.Choice
	Messages      []messageRow
	Orders        []orderRow
	Bills         []billRow
	Saved         []savedRow
	OneTap        *oneTapForm
	Owing         *owing
	BillTo        billing.Recipient
	Identity      bool // there are plans that ask for a check
}

// messageRow is one message of the inbox.
type messageRow struct {
	Subject, Text, Order string
	At                   ui.Moment
}

// billRow is one document in a list.
type billRow struct{ ID, Title, Label, Date, Total string }

// listed is how many orders, bills and messages the account's page shows.
const listed = 10

// accountFacts are everything that the account's page is made from.
type accountFacts struct {
	emails   []account.Address
	balances []money.Money
	points   money.Money
	earned   []ledger.Entry
	messages []message.Message
	orders   pastOrders
	lines    []line.Line
	bills    []billing.Bill
	saved    []order.SavedTool
	tap      order.OneTap
	allowed  bool // tap is
	debts    []order.Dispute
	billTo   billing.Recipient
}

// accountPage shows what belongs to the customer and not to one line.
func (s *Server) accountPage(ctx context.Context, v *visit) (answer, error) {
	f, err := db.Seen(ctx, s.DB, v.accountFacts)
	if err != nil {
		return answer{}, err
	}
	p := accountPage{
		Frame: v.frame(v.voice.T("account.title")), Balances: v.amounts(f.balances), Points: v.voice.Money(f.points),
		PointsEntries: v.entryRows(f.earned, ledger.Points), LanguageForm: ui.LanguageChoices(v.voice.Lang),
		Zones: v.zones(), Homes: v.homes(v.account.HomeOperator), Attitudes: v.attitudes(), Messages: v.messageRows(ctx, f.messages),
		Orders: v.withLines(v.orderRows(f.orders), f.orders.list, f.lines),
		Saved:  v.savedRows(f.saved), OneTap: v.oneTapForm(f.saved, f.tap, f.allowed),
		Owing: v.owing(keyhole{account: v.account.ID}, f.debts), BillTo: f.billTo,
		Identity: v.server.Papers != nil && v.shop.AsksIdentity(""),
	}
	for _, a := range f.emails {
		if a.Channel == message.SMS {
			p.Numbers = append(p.Numbers, a.Said())
			continue
		}
		p.Addresses = append(p.Addresses, a.Value)
	}
	if v.r.URL.Query().Has("saved") {
		p.Notice = ui.Notice{Tone: ui.Good, Text: v.voice.T("account.saved")}
	}
	if v.r.URL.Query().Has("removed") {
		p.Notice = ui.Notice{Tone: ui.Good, Text: v.voice.T("tools.removed")}
	}
	for _, b := range f.bills {
		p.Bills = append(p.Bills, billRow{
			b.ID, v.billTitle(b), v.billKind(b), v.voice.Day(b.IssuedAt, v.billZone(b)), v.voice.Money(b.Total),
		})
	}
	return show("account.html", p), nil
}

func (v *visit) accountFacts(ctx context.Context, tx db.Tx) (f accountFacts, err error) {
	id := v.account.ID
	if f.emails, err = account.Addresses(ctx, tx, id); err != nil {
		return f, err
	}
	if f.balances, err = ledger.Balances(ctx, tx, id, ledger.Wallet); err != nil {
		return f, err
	}
	if f.points, err = ledger.Balance(ctx, tx, id, ledger.Points, money.Points); err != nil {
		return f, err
	}
	if f.earned, err = ledger.Entries(ctx, tx, id, ledger.Points, listed); err != nil {
		return f, err
	}
	if f.messages, err = message.List(ctx, tx, id, listed, ""); err != nil {
		return f, err
	}
	if f.orders, err = readOrders(ctx, tx, id, "", listed); err != nil {
		return f, err
	}
	if f.lines, err = line.List(ctx, tx, id); err != nil {
		return f, err
	}
	if f.saved, err = order.SavedTools(ctx, tx, id); err != nil {
		return f, err
	}
	if f.tap, f.allowed, err = order.AllowedOneTap(ctx, tx, id); err != nil {
		return f, err
	}
	if f.debts, err = order.Debts(ctx, tx, id); err != nil {
		return f, err
	}
	if f.billTo, err = billing.RecipientOf(ctx, tx, id); err != nil {
		return f, err
	}
	f.bills, err = billing.List(ctx, tx, id, listed)
	return f, err
}

// messageRows says the inbox again, in the language of the page.
func (v *visit) messageRows(ctx context.Context, all []message.Message) (rows []messageRow) {
	for _, m := range all {
		m.Language = v.voice.Lang
		letter, err := v.letters().Read(m)
		if err != nil {
			v.server.Log.WarnContext(ctx, "portal: a message has no words", "message", m.ID, "err", err)
			continue
		}
		rows = append(rows, messageRow{letter.Subject, letter.Text, m.Order, v.voice.Moment(m.CreatedAt, v.shopZone())})
	}
	return rows
}

// zoneNames are the zones that travellers can choose, besides the one they have.
var zoneNames = []calendar.Zone{
	"Asia/Tokyo", "Asia/Seoul", "Asia/Shanghai", "Asia/Taipei", "Asia/Hong_Kong", "Asia/Singapore", "Asia/Bangkok",
	"Asia/Kolkata", "Asia/Dubai", "Europe/London", "Europe/Paris", "America/New_York", "America/Chicago",
	"America/Denver", "America/Los_Angeles", "Pacific/Honolulu", "Australia/Sydney", "Pacific/Auckland",
}

// zones are choices that people recognise by the clock: "12:04 Tokyo".
func (v *visit) zones() []ui.Choice {
	all := []ui.Choice{{Name: v.voice.T("account.zone.none"), Chosen: v.account.Zone == ""}}
	names := zoneNames
	if own := v.account.Zone; own != "" && !slices.Contains(names, own) {
		names = append([]calendar.Zone{own}, names...)
	}
	for _, z := range names {
		loc, err := z.Location()
		if err != nil {
			continue
		}
		all = append(all, ui.Choice{
			Value: string(z), Name: locale.Clock(v.voice.Lang, v.voice.Now, loc) + " " + v.zoneName(z),
			Chosen: z == v.account.Zone,
		})
	}
	return all
}

// zoneName is a zone in words: by its city, or as the database of zones writes it
// where we have no word.
func (v *visit) zoneName(z calendar.Zone) string {
	_, city, _ := strings.Cut(string(z), "/")
	return v.voice.Either("zone."+city, "zone.other", locale.Args{"zone": strings.ReplaceAll(string(z), "_", " ")})
}

// attitudes are how much the customer minds to run out.
func (v *visit) attitudes() (all []ui.Choice) {
	for _, a := range account.Attitudes {
		all = append(all, ui.Choice{Value: a, Name: v.voice.T("attitude." + a), Chosen: a == v.account.Attitude})
	}
	return all
}

// saveAccount keeps the customer's language, time zone and home operator.
func (s *Server) saveAccount(ctx context.Context, v *visit) (answer, error) {
	l, ok := locale.Parse(v.field("language"))
	if !ok {
		l = v.account.Language
	}
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return account.SetPreferences(ctx, tx, v.account.ID, account.Preferences{
			Name: v.account.Name, Language: l, HomeOperator: v.field("home"),
			Zone: calendar.Zone(v.field("zone")), Attitude: cmp.Or(v.field("attitude"), v.account.Attitude),
		})
	})
	if err != nil {
		return answer{}, err
	}
	v.setCookie(languageCookie, string(l), year)
	return goTo("/account?" + url.Values{"saved": {"1"}}.Encode()), nil
}

// saveBillTo keeps to whom the customer's documents are made out.
func (s *Server) saveBillTo(ctx context.Context, v *visit) (answer, error) {
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return billing.SetRecipient(ctx, tx, v.account.ID, billing.Recipient{Name: v.field("name"), Address: v.field("address")})
	})
	if err != nil {
		return answer{}, err
	}
	return goTo("/account?" + url.Values{"saved": {"1"}}.Encode()), nil
}

// sessionsPage is everything sessions.html may use.
type sessionsPage struct {
	ui.Frame
	Sessions []sessionRow
	Others   bool // there are more than this one
}

// sessionRow is one browser or app.
type sessionRow struct {
	ID, Agent, Seen string
	This            bool
}

// sessionsPage lists where the customer is signed in.
func (s *Server) sessionsPage(ctx context.Context, v *visit) (answer, error) {
	sessions, err := s.Door.Sessions(ctx, v.account.ID)
	if err != nil {
		return answer{}, err
	}
	p := sessionsPage{Frame: v.frame(v.voice.T("account.sessions")), Others: len(sessions) > 1}
	for _, one := range sessions {
		row := sessionRow{
			ID: one.ID, Agent: one.Agent, This: one.ID == v.session.ID,
			Seen: v.voice.Say("sessions.seen", locale.Args{"time": v.voice.Moment(one.SeenAt, v.shopZone()).Text}),
		}
		if row.Agent == "" {
			row.Agent = v.voice.T("sessions.unknown")
		}
		p.Sessions = append(p.Sessions, row)
	}
	return show("sessions.html", p), nil
}

// endSessions ends one session of the customer's, or all but this one.
func (s *Server) endSessions(ctx context.Context, v *visit) (answer, error) {
	id := v.field("session")
	var err error
	if id == "others" {
		err = s.Door.SignOutOthers(ctx, v.account.ID, v.session.ID)
	} else {
		err = s.Door.Revoke(ctx, v.account.ID, id)
	}
	if err != nil {
		return answer{}, err
	}
	return goTo("/account/sessions"), nil
}
