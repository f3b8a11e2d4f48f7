package leaving

import (
	"context"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/assistant"
	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/support"
)

// most is how many of one kind are given out; a customer with more asks the
// seller.
const most = 10_000

// Everything is what we hold on one customer, for the customer, as JSON. Times
// are UTC, data is bytes. What opens doors is not in it: hashes of passwords,
// codes, tokens.
type Everything struct {
	Made      time.Time      `json:"made"`
	Account   accountFacts   `json:"account"`
	Addresses []addressFacts `json:"addresses"`
	SignIn    signInFacts    `json:"sign_in"`
	Lines     []lineFacts    `json:"lines"`
	Orders    []orderFacts   `json:"orders"`
	Bills     []billFacts    `json:"bills"`
	BillTo    recipientFacts `json:"bill_to"`
	Wallet    []entryFacts   `json:"wallet"`
	Points    []entryFacts   `json:"points"`
	Tools     []toolFacts    `json:"saved_tools"`
	OneTap    *oneTapFacts   `json:"one_tap,omitempty"`
	Messages  []messageFacts `json:"messages"`
	Cases     []caseFacts    `json:"cases"`
	Chat      []chatFacts    `json:"chat"`

	Identity []identityFacts `json:"identity_checks"`
}

type (
	accountFacts struct {
		ID           string    `json:"id"`
		State        string    `json:"state"`
		Name         string    `json:"name,omitempty"`
		Language     string    `json:"language"`
		Zone         string    `json:"time_zone,omitempty"`
		HomeOperator string    `json:"home_operator,omitempty"`
		Attitude     string    `json:"attitude"`
		Created      time.Time `json:"created"`
		Closes       time.Time `json:"closes,omitzero"`

		QuietFrom string               `json:"quiet_from,omitempty"`
		QuietTo   string               `json:"quiet_to,omitempty"`
		Told      map[string]toldFacts `json:"told_of"`
	}
	toldFacts struct {
		Mail bool `json:"by_mail"`
		Push bool `json:"by_notification"`
		SMS  bool `json:"by_sms"`
	}
	addressFacts struct {
		Channel   string    `json:"channel"`
		Value     string    `json:"value"`
		Confirmed time.Time `json:"confirmed"`
	}
	signInFacts struct {
		PasswordSet time.Time         `json:"password_set,omitzero"`
		Passkeys    []passkeyFacts    `json:"passkeys"`
		Connections []connectionFacts `json:"signing_in_elsewhere"`
		Attempts    []attemptFacts    `json:"sign_ins"`
		Sessions    []sessionFacts    `json:"sessions"`
		Devices     []deviceFacts     `json:"devices_that_show_notifications"`
	}
	deviceFacts struct {
		Browser string    `json:"browser"`
		Added   time.Time `json:"added"`
	}
	passkeyFacts struct {
		Name  string    `json:"name"`
		Added time.Time `json:"added"`
		Used  time.Time `json:"used,omitzero"`
	}
	connectionFacts struct {
		Issuer    string    `json:"issuer"`
		Label     string    `json:"known_there_as,omitempty"`
		Connected time.Time `json:"connected"`
		Used      time.Time `json:"used,omitzero"`
	}
	attemptFacts struct {
		At      time.Time `json:"at"`
		Way     string    `json:"way"`
		Refused string    `json:"refused_because,omitempty"`
		Known   bool      `json:"in_a_known_browser"`
		Browser string    `json:"browser,omitempty"`
		Address string    `json:"network_address,omitempty"`
	}
	sessionFacts struct {
		Browser string    `json:"browser"`
		Began   time.Time `json:"began"`
		Seen    time.Time `json:"seen"`
	}
	lineFacts struct {
		ID       string        `json:"id"`
		Name     string        `json:"name,omitempty"`
		ICCID    string        `json:"iccid"`
		Number   string        `json:"telephone_number,omitempty"`
		Operator string        `json:"operator"`
		Plan     string        `json:"plan"`
		State    string        `json:"state"`
		Install  string        `json:"install,omitempty"`
		Started  time.Time     `json:"started,omitzero"`
		Ends     time.Time     `json:"ends,omitzero"`
		StaysTo  string        `json:"needed_until,omitempty"`
		Periods  []periodFacts `json:"periods"`
		Use      []useFacts    `json:"use_by_day"`

		Sessions []countedFacts `json:"sessions,omitempty"`
	}
	countedFacts struct {
		Begun time.Time `json:"begun"`
		Ended time.Time `json:"ended,omitzero"`
		Down  int64     `json:"down_bytes"`
		Up    int64     `json:"up_bytes"`
		AsOf  time.Time `json:"as_of"`
	}
	periodFacts struct {
		Number int       `json:"number"`
		Plan   string    `json:"plan"`
		Term   string    `json:"term"`
		Starts time.Time `json:"starts"`
		Ends   time.Time `json:"ends"`
		State  string    `json:"state"`
	}
	useFacts struct {
		Day  string `json:"day"`
		Used int64  `json:"used_bytes"`
	}
	amount struct {
		Minor    int64  `json:"minor"`
		Currency string `json:"currency"`
	}
	orderFacts struct {
		ID       string         `json:"id"`
		Kind     string         `json:"kind"`
		State    string         `json:"state"`
		Line     string         `json:"line,omitempty"`
		Plan     string         `json:"plan,omitempty"`
		Item     string         `json:"item,omitempty"`
		Price    amount         `json:"price"`
		Tool     string         `json:"tool"`
		Placed   time.Time      `json:"placed"`
		Payments []paymentFacts `json:"payments"`
	}
	paymentFacts struct {
		Provider string    `json:"provider"`
		Rail     string    `json:"rail"`
		Amount   amount    `json:"amount"`
		State    string    `json:"state"`
		Address  string    `json:"network_address,omitempty"`
		Began    time.Time `json:"began"`
		Paid     time.Time `json:"paid,omitzero"`
	}
	billFacts struct {
		Label   string          `json:"number"`
		Kind    string          `json:"kind"`
		Order   string          `json:"order"`
		Total   amount          `json:"total"`
		Content billing.Content `json:"content"`
		Issued  time.Time       `json:"issued"`
	}
	recipientFacts struct {
		Name    string `json:"name"`
		Address string `json:"address"`
	}
	entryFacts struct {
		Subject string    `json:"subject"`
		Step    string    `json:"step"`
		From    string    `json:"from"`
		To      string    `json:"to"`
		Amount  amount    `json:"amount"`
		At      time.Time `json:"at"`
	}
	toolFacts struct {
		Provider  string    `json:"provider"`
		Rail      string    `json:"rail"`
		Label     string    `json:"label"`
		Consented time.Time `json:"consented"`
		Used      time.Time `json:"used,omitzero"`
	}
	oneTapFacts struct {
		Limit     amount    `json:"limit"`
		Wallet    bool      `json:"wallet"`
		Consented time.Time `json:"consented"`
	}
	caseFacts struct {
		ID     string     `json:"id"`
		State  string     `json:"state"`
		Topic  string     `json:"topic,omitempty"`
		Order  string     `json:"order,omitempty"`
		Opened time.Time  `json:"opened"`
		Said   []saidFact `json:"said"`
		Files  []fileFact `json:"files"`
	}
	chatFacts struct {
		Asked   string    `json:"asked"`
		Answer  []string  `json:"answer"`
		Options []string  `json:"options"`
		At      time.Time `json:"at"`
	}
	saidFact struct {
		By   string    `json:"by"`
		Text string    `json:"text"`
		At   time.Time `json:"at"`
	}
	fileFact struct {
		Name  string    `json:"name"`
		Bytes int       `json:"bytes"`
		Path  string    `json:"path"` // where it can be downloaded, signed in
		At    time.Time `json:"at"`
	}
	identityFacts struct {
		ID      string      `json:"id"`
		State   string      `json:"state"`
		Plan    string      `json:"plan"`
		Reason  string      `json:"refused_because,omitempty"`
		Begun   time.Time   `json:"begun"`
		Given   time.Time   `json:"given,omitzero"`
		Decided time.Time   `json:"decided,omitzero"`
		Erased  time.Time   `json:"erased,omitzero"`
		Erases  time.Time   `json:"erases,omitzero"`
		Papers  *paperFacts `json:"papers,omitempty"`
		Photos  []fileFact  `json:"photos"`
	}
	paperFacts struct {
		Name        string `json:"name"`
		Nationality string `json:"nationality"`
		Born        string `json:"born"`
		Document    string `json:"document"`
		Number      string `json:"number"`
		Expires     string `json:"expires"`
		Stay        string `json:"stay,omitempty"`
	}
	messageFacts struct {
		Kind    string        `json:"kind"`
		Channel string        `json:"channel"`
		Address string        `json:"address"`
		State   string        `json:"state"`
		At      time.Time     `json:"at"`
		Facts   message.Facts `json:"facts"`
	}
)

func of(m money.Money) amount { return amount{m.Minor, string(m.Currency)} }

// Everything collects what we hold on the owner of an account. It fails with
// [fault.Denied] and reason sign_in_again for a session that is not fresh.
func (o *Office) Everything(ctx context.Context, s account.Session) (e Everything, err error) {
	if err := o.Door.MustBeFresh(s); err != nil {
		return e, err
	}
	e.Made = o.DB.Now().UTC()
	if e.SignIn, err = o.signIn(ctx, s.Account); err != nil {
		return e, err
	}
	err = o.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := e.readLines(ctx, tx, s.Account, o.Desk.Codes); err != nil {
			return err
		}
		if err := e.readIdentity(ctx, tx, s.Account, o.Papers); err != nil {
			return err
		}
		for _, read := range []func(context.Context, db.Tx, string) error{e.readAccount, e.readOrders, e.readMoney, e.readMessages, e.readCases, e.readChat} {
			if err := read(ctx, tx, s.Account); err != nil {
				return err
			}
		}
		return nil
	})
	return e, err
}

func (o *Office) signIn(ctx context.Context, of string) (f signInFacts, err error) {
	password, err := o.Door.Password(ctx, of)
	if err != nil {
		return f, err
	}
	f.PasswordSet = password.ChangedAt
	keys, err := o.Door.Passkeys(ctx, of)
	if err != nil {
		return f, err
	}
	for _, k := range keys {
		f.Passkeys = append(f.Passkeys, passkeyFacts{k.Name, k.CreatedAt, k.UsedAt})
	}
	sessions, err := o.Door.Sessions(ctx, of)
	for _, one := range sessions {
		f.Sessions = append(f.Sessions, sessionFacts{one.Agent, one.CreatedAt, one.SeenAt})
	}
	if err != nil {
		return f, err
	}
	if err := o.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error { return f.readWays(ctx, tx, of) }); err != nil {
		return f, err
	}
	devices, err := db.Seen(ctx, o.DB, func(ctx context.Context, tx db.Tx) ([]account.Device, error) {
		return o.Door.Devices(ctx, tx, of)
	})
	for _, one := range devices {
		f.Devices = append(f.Devices, deviceFacts{one.Agent, one.CreatedAt})
	}
	return f, err
}

// mostAttempts is how many sign-ins are given out; what is older than 90 days is gone.
const mostAttempts = 5000

// readWays reads who lets the customer in, and who came in or did not.
func (f *signInFacts) readWays(ctx context.Context, tx db.Tx, of string) error {
	connections, err := account.Connections(ctx, tx, of)
	if err != nil {
		return err
	}
	for _, c := range connections {
		f.Connections = append(f.Connections, connectionFacts{c.Issuer, c.Label, c.CreatedAt, c.UsedAt})
	}
	all, err := account.SignIns(ctx, tx, of, mostAttempts)
	for _, s := range all {
		f.Attempts = append(f.Attempts, attemptFacts{s.At, string(s.Way), s.Reason, s.Known, s.Agent, s.Client})
	}
	return err
}

func (e *Everything) readAccount(ctx context.Context, tx db.Tx, id string) error {
	a, err := account.Get(ctx, tx, id)
	if err != nil {
		return err
	}
	closes, err := account.ClosesAt(ctx, tx, id)
	if err != nil {
		return err
	}
	e.Account = accountFacts{a.ID, string(a.State), a.Name, string(a.Language), string(a.Zone), a.HomeOperator, a.Attitude, a.CreatedAt, closes, "", "", map[string]toldFacts{}}
	told, err := account.TellingOf(ctx, tx, id)
	if err != nil {
		return err
	}
	if !told.Quiet.None() {
		e.Account.QuietFrom, e.Account.QuietTo = calendar.Clock(told.Quiet.From), calendar.Clock(told.Quiet.To)
	}
	for _, theme := range message.Themes() {
		e.Account.Told[string(theme)] = toldFacts(told.Of(theme))
	}
	addresses, err := account.Addresses(ctx, tx, id)
	e.Addresses = nil
	for _, one := range addresses {
		e.Addresses = append(e.Addresses, addressFacts{string(one.Channel), one.Value, one.At})
	}
	return err
}

func (e *Everything) readLines(ctx context.Context, tx db.Tx, id string, codes *seal.Box) error {
	lines, err := line.List(ctx, tx, id)
	if err != nil {
		return err
	}
	e.Lines = nil
	for _, l := range lines {
		f := lineFacts{
			ID: l.ID, Name: l.Name, ICCID: l.ICCID, Number: l.MSISDN, Operator: l.Operator, Plan: l.Plan,
			State: string(l.At(tx.Now())), Started: l.StartedAt, Ends: l.EndsAt,
		}
		esim, found, err := line.GetESIM(ctx, tx, id, l.ID)
		if err != nil {
			return err
		}
		if found {
			if esim, err = esim.Opened(codes); err != nil {
				return err
			}
			f.Install = esim.Code
		}
		if stay, err := line.Stay(ctx, tx, id, l.ID); err != nil {
			return err
		} else if stay != 0 {
			f.StaysTo = day(stay)
		}
		periods, err := line.Periods(ctx, tx, id, l.ID)
		if err != nil {
			return err
		}
		for _, p := range periods {
			f.Periods = append(f.Periods, periodFacts{p.Number, p.Plan, p.Term, p.StartsAt, p.EndsAt, string(p.StateAt(tx.Now()))})
		}
		readings, err := line.Readings(ctx, tx, id, l.ID)
		if err != nil {
			return err
		}
		for _, r := range readings {
			f.Use = append(f.Use, useFacts{day(r.Day), r.Usage.Used})
		}
		sessions, err := line.Sessions(ctx, tx, id, l.ID, most)
		if err != nil {
			return err
		}
		for _, s := range sessions {
			f.Sessions = append(f.Sessions, countedFacts{s.BegunAt, s.StoppedAt, s.Down, s.Up, s.AsOf})
		}
		e.Lines = append(e.Lines, f)
	}
	return nil
}

func day(d line.Day) string { return d.Start(time.UTC).Format(time.DateOnly) }

func (e *Everything) readOrders(ctx context.Context, tx db.Tx, id string) error {
	orders, err := order.List(ctx, tx, id, "", most)
	if err != nil {
		return err
	}
	e.Orders = nil
	for _, o := range orders {
		f := orderFacts{
			ID: o.ID, Kind: string(o.Kind), State: string(o.State), Line: o.Line, Plan: o.Plan, Item: o.Item,
			Price: of(o.Price), Tool: string(o.Tool), Placed: o.PlacedAt,
		}
		payments, err := order.Payments(ctx, tx, o.Ref())
		if err != nil {
			return err
		}
		for _, p := range payments {
			f.Payments = append(f.Payments, paymentFacts{p.Provider, string(p.Rail), of(p.Amount), string(p.State), p.ClientIP, p.CreatedAt, p.PaidAt})
		}
		e.Orders = append(e.Orders, f)
	}
	return nil
}

func (e *Everything) readMoney(ctx context.Context, tx db.Tx, id string) (err error) {
	bills, err := billing.List(ctx, tx, id, most)
	if err != nil {
		return err
	}
	e.Bills = nil
	for _, b := range bills {
		e.Bills = append(e.Bills, billFacts{b.Title(), string(b.Kind), b.Order, of(b.Total), b.Content, b.IssuedAt})
	}
	to, err := billing.RecipientOf(ctx, tx, id)
	if err != nil {
		return err
	}
	e.BillTo = recipientFacts{to.Name, to.Address}
	if e.Wallet, err = entries(ctx, tx, id, ledger.Wallet); err != nil {
		return err
	}
	if e.Points, err = entries(ctx, tx, id, ledger.Points); err != nil {
		return err
	}
	tools, err := order.SavedTools(ctx, tx, id)
	if err != nil {
		return err
	}
	e.Tools = nil
	for _, t := range tools {
		e.Tools = append(e.Tools, toolFacts{t.Provider, string(t.Rail), t.Label, t.Consent.At, t.UsedAt})
	}
	tap, allowed, err := order.AllowedOneTap(ctx, tx, id)
	if allowed {
		e.OneTap = &oneTapFacts{of(tap.Limit), tap.Wallet(), tap.Consent.At}
	}
	return err
}

func entries(ctx context.Context, tx db.Tx, id string, book ledger.Book) (all []entryFacts, err error) {
	list, err := ledger.Entries(ctx, tx, id, book, most)
	for _, one := range list {
		all = append(all, entryFacts{one.Subject, one.Step, string(one.From), string(one.To), of(one.Amount), one.At})
	}
	return all, err
}

func (e *Everything) readCases(ctx context.Context, tx db.Tx, id string) error {
	cases, err := support.List(ctx, tx, id, "", most)
	if err != nil {
		return err
	}
	e.Cases = nil
	for _, c := range cases {
		f := caseFacts{ID: c.ID, State: string(c.State), Topic: string(c.Topic), Order: c.Order, Opened: c.CreatedAt}
		said, err := support.Messages(ctx, tx, c.Key())
		if err != nil {
			return err
		}
		for _, one := range said {
			f.Said = append(f.Said, saidFact{string(one.Author), one.Text, one.At})
		}
		files, err := support.Files(ctx, tx, c.Key())
		if err != nil {
			return err
		}
		for _, one := range files {
			f.Files = append(f.Files, fileFact{one.Name, one.Bytes, fmt.Sprintf("/cases/%s/files/%d", c.ID, one.Number), one.At})
		}
		e.Cases = append(e.Cases, f)
	}
	return nil
}

func (e *Everything) readChat(ctx context.Context, tx db.Tx, id string) error {
	turns, err := assistant.Everything(ctx, tx, id, most)
	e.Chat = nil
	for _, t := range turns {
		e.Chat = append(e.Chat, chatFacts{t.Asked, t.Said.Text, t.Said.Options, t.At})
	}
	return err
}

func (e *Everything) readMessages(ctx context.Context, tx db.Tx, id string) error {
	e.Messages = nil
	for after := ""; len(e.Messages) < most; {
		page, err := message.List(ctx, tx, id, message.MaxListed, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			m.Facts.Code, m.Facts.Link, m.Facts.StopLink = "", "", "" // they open doors
			e.Messages = append(e.Messages, messageFacts{string(m.Kind), string(m.To.Channel), m.To.Value, string(m.State), m.CreatedAt, m.Facts})
			after = m.ID
		}
	}
	return nil
}

func (e *Everything) readIdentity(ctx context.Context, tx db.Tx, id string, box *seal.Box) error {
	checks, err := identity.Of(ctx, tx, id, most)
	if err != nil {
		return err
	}
	e.Identity = nil
	for _, c := range checks {
		f := identityFacts{
			ID: c.ID, State: string(c.State), Plan: c.Plan, Reason: string(c.Reason),
			Begun: c.CreatedAt, Given: c.GivenAt, Decided: c.DecidedAt, Erased: c.ErasedAt, Erases: c.DueAt,
		}
		if box != nil {
			p, found, err := c.Papers(box)
			if err != nil {
				return err
			}
			if found {
				f.Papers = &paperFacts{p.Name, p.Nationality, p.Born, string(p.Document), p.Number, p.Expires, p.Stay}
			}
		}
		photos, err := identity.PhotosOf(ctx, tx, c.Key())
		if err != nil {
			return err
		}
		for _, one := range photos {
			f.Photos = append(f.Photos, fileFact{string(one.Kind) + ".jpg", one.Bytes, fmt.Sprintf("/identity/%s/photos/%s", c.ID, one.Kind), one.At})
		}
		e.Identity = append(e.Identity, f)
	}
	return nil
}
