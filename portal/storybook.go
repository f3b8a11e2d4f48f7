package portal

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Storybook shows every component, and every page in every state, with samples,
// in any language and look. Its pages are made by the portal's own code from a
// shop in memory that nobody can buy in; the time there stands still, so that a
// page looks the same every day. The demo has it at /storybook.
type Storybook struct {
	now     time.Time
	server  *Server
	shop    *catalogue.Catalogue
	account account.Account
	lines   []sampleLine
	all     []story

	mu sync.Mutex // one story at a time: they share the shop
}

// OpenStorybook makes the shop in memory.
func OpenStorybook(ctx context.Context) (_ *Storybook, err error) {
	b := &Storybook{now: time.Date(2026, 3, 2, 3, 0, 0, 0, time.UTC)}
	base, err := db.Open(ctx, ":memory:", db.Options{Now: func() time.Time { return b.now }})
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, base.Close())
		}
	}()
	if _, _, err := base.Migrate(ctx); err != nil {
		return nil, err
	}
	log, shelf := slog.New(slog.DiscardHandler), &catalogue.Shelf{}
	ids := id.NewSource(base.Now, rand.Reader)
	till := map[payment.Rail]string{}
	for _, rail := range (sampleTill{}).Limits().Rails {
		till[rail] = "sample"
	}
	b.server = &Server{
		DB: base, Shelf: shelf, Log: log, Advice: &advice.Adviser{DB: base, Shelf: shelf, Log: log}, URL: "https://shop.example", PushKey: "a key",
		Door: &account.Door{DB: base, IDs: ids, Secret: []byte("a secret that protects nothing"), SMS: &account.SMS{Countries: []string{"JP", "KR", "CN", "TW", "HK", "MO", "SG", "US"}}},
		Desk: &order.Desk{
			DB: base, IDs: ids, Shelf: shelf, Log: log, Wallet: order.WalletFull,
			Providers: map[string]payment.Provider{"sample": sampleTill{}}, Rails: till, Carriers: map[string]carrier.Carrier{"simple": sampleOperator{}},
		},
	}
	b.server.Papers = seal.New(identity.Purpose, "a secret that protects nothing", nil, nil)
	err = base.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if b.shop, _, err = catalogue.Apply(ctx, tx, catalogue.DemoFile(), "storybook"); err != nil {
			return err
		}
		if b.account, err = account.Create(ctx, tx, ids, account.New{Email: sampleEmail, Language: locale.En, Zone: "Asia/Shanghai"}); err != nil {
			return err
		}
		return ledger.Post(ctx, tx, ledger.Posting{Account: b.account.ID, Subject: "import", Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(12_000, "JPY")},
			{From: ledger.Opening, To: ledger.Points, Amount: money.Of(340, money.Points)},
		}})
	})
	if err == nil {
		err = b.settle(ctx)
	}
	if err == nil {
		err = b.advise(ctx)
	}
	if err != nil {
		return nil, err
	}
	b.all = b.stories()
	b.addRest(ctx)
	return b, nil
}

// addRest adds a story of every page that stands at an address of its own and has
// none yet, as the customer sees it.
func (b *Storybook) addRest(ctx context.Context) {
	told := b.Names()
	for _, r := range b.server.routes() {
		path, get := strings.CutPrefix(r.pattern, "GET /")
		name := strings.ReplaceAll(path, "/", "-")
		if !get || strings.Contains(path, "{") || slices.ContainsFunc(told, func(known string) bool { return known == name }) {
			continue
		}
		s := story{name, by(func(*Server) handler { return r.handle }, "", "")}
		v := b.visitOf(&http.Request{URL: &url.URL{Path: "/" + path}}, ui.NewVoice(locale.En, nil, b.now))
		// What needs more than the storybook's shop has fails, and is left out.
		if a, err := v.answer(ctx, anyone, s.tell); err == nil && a.template != "" {
			b.all = append(b.all, s)
		}
	}
}

// Close ends the shop in memory.
func (b *Storybook) Close() error { return b.server.DB.Close() }

// Names are the stories, in the order of a renewal.
func (b *Storybook) Names() (names []string) {
	for _, s := range b.all {
		names = append(names, s.name)
	}
	return names
}

// Handler serves the storybook at /storybook: ?lang= and ?look= choose.
func (b *Storybook) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /storybook", b.index)
	mux.HandleFunc("GET /storybook/{name}", b.page)
	return mux
}

// reading is how the storybook is looked at.
func (b *Storybook) reading(r *http.Request) (ui.Voice, ui.Look) {
	q := r.URL.Query()
	l, ok := locale.Parse(q.Get("lang"))
	if !ok {
		l = locale.Match(r.Header.Get("Accept-Language"))
	}
	zone, err := b.account.Zone.Location()
	if err != nil {
		zone = nil
	}
	look := ui.Look(q.Get("look"))
	if !slices.Contains(ui.Looks, look) {
		look = ui.AsDevice
	}
	return ui.NewVoice(l, zone, b.now), look
}

// page shows one story as the portal would.
func (b *Storybook) page(w http.ResponseWriter, r *http.Request) {
	i := slices.IndexFunc(b.all, func(s story) bool { return s.name == r.PathValue("name") })
	if i < 0 {
		http.Error(w, "There is no such story.", http.StatusNotFound)
		return
	}
	voice, look := b.reading(r)
	v := b.visitOf(r, voice)
	v.sheet = look.Sheet()
	b.mu.Lock()
	a, err := v.answer(r.Context(), anyone, b.all[i].tell)
	b.mu.Unlock()
	out, err := v.render(a, err)
	if err != nil || out.to != "" {
		http.Error(w, "This story cannot be told: "+cmp.Or(out.to, "see the test of stories"), http.StatusInternalServerError)
		return
	}
	b.send(w, v.sheet, withoutRefresh(out.body))
}

// withoutRefresh lets a page that waits stand still.
func withoutRefresh(page []byte) []byte {
	before, after, waits := bytes.Cut(page, []byte(`<meta http-equiv="refresh"`))
	_, after, ends := bytes.Cut(after, []byte(">"))
	if !waits || !ends {
		return page
	}
	return slices.Concat(before, after)
}

func (b *Storybook) send(w http.ResponseWriter, sheet ui.Sheet, page []byte) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; manifest-src 'self'; style-src "+sheet.Source()+
		"; img-src 'self' data:; frame-src 'self'; form-action 'none'; frame-ancestors 'self'; base-uri 'none'")
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(page) // who looked has left
}

// storybookPage is everything storybook.html may use.
type storybookPage struct {
	ui.Frame
	Query   string
	Looks   []attitudeLink
	Colours []ui.Token
	Sizes   []ui.Token
	Pairs   []ui.Pair
	Badges  []ui.Badge
	Meters  []ui.Meter
	Notices []ui.Notice
	Steps   []ui.Step
	Moment  ui.Moment
	Offers  []offerCard
	Tools   []tool
	Stories []string
}

// index shows the tokens, the components, and the way to every story.
func (b *Storybook) index(w http.ResponseWriter, r *http.Request) {
	voice, look := b.reading(r)
	v := b.visitOf(r, voice)
	v.sheet = look.Sheet()
	p := storybookPage{
		Frame: v.frame("Storybook"), Colours: ui.Colours(), Sizes: ui.Sizes(), Pairs: ui.Pairs(), Stories: b.Names(),
		Query:  "?" + url.Values{"lang": {string(voice.Lang)}, "look": {string(look)}}.Encode(),
		Moment: voice.Moment(b.now, placeOf(b.shop, "machi-5gb").loc),
	}
	p.Script, p.SignedIn = "", true
	for _, l := range ui.Looks {
		q := url.Values{"lang": {string(voice.Lang)}, "look": {string(l)}}
		p.Looks = append(p.Looks, attitudeLink{cmp.Or(string(l), "as the device"), "?" + q.Encode(), l == look})
	}
	for i := range p.Languages {
		p.Languages[i].Value += "&look=" + string(look)
	}
	b.components(r.Context(), v, &p)
	out, err := draw("storybook.html", p)
	if err != nil {
		http.Error(w, "The storybook cannot be shown: "+err.Error(), http.StatusInternalServerError)
		return
	}
	b.send(w, v.sheet, out)
}

// components are samples of each.
func (b *Storybook) components(ctx context.Context, v *visit, p *storybookPage) {
	for _, tone := range []ui.Tone{ui.Good, ui.Busy, ui.Warn, ui.Bad, ui.Off} {
		p.Badges = append(p.Badges, ui.Badge{Tone: tone, Word: string(tone)})
		p.Notices = append(p.Notices, ui.Notice{Tone: tone, Text: v.voice.T("review.promise")})
	}
	for percent, tone := range map[int]ui.Tone{72: ui.Good, 18: ui.Warn, 6: ui.Bad} {
		p.Meters = append(p.Meters, ui.Meter{Percent: percent, Tone: tone, Label: string(tone)})
	}
	slices.SortFunc(p.Meters, func(a, b ui.Meter) int { return b.Percent - a.Percent })
	for _, state := range []ui.StepState{ui.StepDone, ui.StepNow, ui.StepWrong, ui.StepAhead} {
		p.Steps = append(p.Steps, ui.Step{Name: strings.ToUpper(string(state[0])) + string(state[1:]), State: state, Word: string(state), At: p.Moment})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if a, err := by(func(s *Server) handler { return s.renewPage }, b.line("plenty"), "")(ctx, v); err == nil {
		if renew, ok := a.page.(renewPage); ok {
			p.Offers = renew.Offers
		}
	}
	if q, err := b.quote(ctx, v, "plenty", "10d"); err == nil {
		q.wallet = money.Of(1_200, "JPY")
		p.Tools = v.review(keyhole{account: v.account.ID}, q).Tools
	}
}
