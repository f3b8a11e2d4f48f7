package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/api"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/exchange"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/antom"
	"github.com/tsuzuku/tsuzuku/portal"
	"github.com/tsuzuku/tsuzuku/world"
)

// simple is the adapter's name of the demo's own operator.
const simple = "simple"

// DemoOptions are what a demo is opened with.
type DemoOptions struct {
	URL   string                  // where browsers reach it
	Dir   string                  // where its database is kept
	Rails map[payment.Rail]string // which adapter takes a way to pay; those not named: as always, see [Config]

	QuoteTTL time.Duration // 0: 30 minutes
	Point    func(string)
	Log      *slog.Logger
}

// Demo is a shop with everything around it simulated.
type Demo struct {
	App       *App
	Strangers *world.Strangers
	Key       string // of the API: for everything and everybody
	handler   http.Handler
	house     http.Handler

	// busy is held for reading by whoever does something. The clock is moved
	// while nobody does: no worker finds its lease over because of that.
	busy sync.RWMutex

	book func() (*portal.Storybook, error) // made when it is first looked at
}

// OpenDemo opens or makes the demo in a folder: embedded SQLite, simulated
// strangers, and a customer with a line in every state. The real adapters talk
// to the simulators by their wire protocols, in process; nothing leaves the
// machine.
func OpenDemo(ctx context.Context, o DemoOptions) (*Demo, error) {
	clock := &world.Clock{Real: time.Now}
	keys, err := world.NewKeys()
	if err != nil {
		return nil, err
	}
	strangers := world.NewStrangers(clock, o.URL, uint64(clock.Now().UnixNano()), keys) // those of another day must not repeat identifiers
	file := filepath.Join(o.Dir, "demo.db")
	secret, err := keptSecret(filepath.Join(o.Dir, "demo.secret"))
	if err != nil {
		return nil, err
	}
	c := TownConfig(o.URL, strangers)
	c.Database, c.Secret = file, secret
	if c.take(o.Rails); o.QuoteTTL > 0 {
		c.QuoteTTL = o.QuoteTTL
	}
	if err := migrateDemo(ctx, file, clock.Now); err != nil {
		return nil, err
	}
	env := Env{Now: clock.Now, Random: rand.Reader, Transport: strangers.Transport, Point: o.Point, Log: o.Log}
	a, err := Open(ctx, c, env, func(c Config, env Env, ids *id.Source) (Adapters, error) {
		all, err := Real(c, env, ids)
		if err != nil {
			return all, err
		}
		if err := all.townOperators(c, env, ids); err != nil {
			return all, err
		}
		all.Carriers[simple] = strangers.Simple
		all.Deliverers[message.Email] = strangers.Inbox // beside SMS; and notifications, see plugIn
		all.PayOrigins = nil                            // the card page is ours here
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	d := &Demo{App: a, Strangers: strangers}
	d.book = sync.OnceValues(func() (*portal.Storybook, error) { return portal.OpenStorybook(context.WithoutCancel(ctx)) })
	if err := errors.Join(d.settle(ctx), a.sign(ctx)); err != nil { // the catalogue is there now
		return nil, errors.Join(err, a.Close())
	}
	if err := d.plugIn(ctx); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	if d.Key, err = d.keptKey(ctx, filepath.Join(o.Dir, "demo.key")); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	d.house = a.Handler()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /orders/{id}/live", func(w http.ResponseWriter, r *http.Request) { d.house.ServeHTTP(w, r) }) // it lasts, and does nothing
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.busy.RLock()
		defer d.busy.RUnlock()
		d.house.ServeHTTP(w, r)
	})
	mux.Handle("/storybook", d.stories())
	mux.Handle("/storybook/", d.stories())
	mux.Handle("/sim/", strangers.Handler(&world.Panel{Strangers: strangers, Desk: a.Desk, NextEnd: d.nextEnd, Codes: d.codes, Pause: d.pause, Moved: d.catchUp}))
	d.handler = mux
	return d, nil
}

// TownConfig connects a house at url with everybody in a town. Database and Secret
// are left to the caller.
func TownConfig(url string, s *world.Strangers) Config {
	return Config{
		URL: url, Wallet: order.WalletFull, QuoteTTL: 30 * time.Minute,
		Reports: []string{"all"}, Push: Push{Contact: "mailto:shop@example.com"},
		SMS:     SMS{URL: "https://sms.invalid/send", Secret: world.SMSSecret, Countries: []string{"JP", "KR", "CN", "TW", "HK", "MO", "SG", "US"}},
		Stripe:  Stripe{Key: world.StripeKey, WebhookSecret: []Secret{world.StripeSecret}, Rails: []payment.Rail{payment.Card}},
		PayPal:  PayPal{ClientID: world.PayPalClient, ClientSecret: world.PayPalSecret, WebhookID: world.PayPalWebhook, MerchantID: world.PayPalMerchant, Disputes: true, Vault: true, Roots: s.Roots},
		LINEPay: LINEPay{ChannelID: world.LINEPayChannel, ChannelSecret: world.LINEPaySecret, Currency: "TWD"},
		PayPay:  PayPay{Key: world.PayPayKey, Secret: world.PayPaySecret, MerchantID: world.PayPayMerchant},
		Alipay: Alipay{
			AppID: world.AlipayApp, SellerID: world.AlipaySeller, PrivateKey: Secret(s.Keys.PrivatePEM()), PublicKey: []Secret{Secret(s.Keys.PublicPEM())},
			TradesOnly: true, Gateway: url + "/sim/alipay/gateway.do",
		},
		WeChatPay: WeChatPay{
			MchID: world.WeChatMerchant, AppID: world.WeChatApp, Serial: world.WeChatSerial, PrivateKey: Secret(s.Keys.PrivatePEM()),
			APIKey: world.WeChatKey, PublicKeyID: world.WeChatPublicKeyID, PublicKey: Secret(s.Keys.PublicPEM()), H5: true,
		},
		Antom: Antom{
			ClientID: world.AntomClient, PrivateKey: Secret(s.Keys.PrivatePEM()), PublicKey: []Secret{Secret(s.Keys.PublicPEM())},
			Rails: antom.Everything().Limits().Rails,
		},
		ESIMAccess: ESIMAccess{AccessCode: world.AccessCode, SecretKey: world.AccessSecret, HookPath: world.AccessHook},
		Airalo:     Airalo{ClientID: world.AiraloClient, ClientSecret: world.AiraloSecret},
		ESIMGo:     ESIMGo{APIKey: world.ESIMGoKey},
		Issuers: Issuers{
			URL: map[string]string{world.Issuer: url + "/sim/" + world.Issuer}, Title: map[string]string{world.Issuer: world.IssuerTitle},
			ClientID: map[string]string{world.Issuer: world.IssuerClient}, Secret: map[string]Secret{world.Issuer: world.IssuerSecret},
			Private: []string{world.Issuer},
		},
		CMI: CMI{AppKey: world.CMIKey, AppSecret: world.CMISecret, Base: "https://gds.invalid:39043", Currency: "USD"},
	}
}

// take lets adapters take ways to pay in place of those that do otherwise. What
// is wished for through Stripe is switched on in its account.
func (c *Config) take(rails map[payment.Rail]string) {
	c.Rail = rails
	for _, rail := range slices.Sorted(maps.Keys(rails)) {
		if rails[rail] == "stripe" && rail != payment.Card {
			c.Stripe.Rails = append(c.Stripe.Rails, rail)
		}
	}
}

func migrateDemo(ctx context.Context, file string, now func() time.Time) error {
	base, err := db.Open(ctx, file, db.Options{Now: now})
	if err != nil {
		return err
	}
	_, _, err = base.Migrate(ctx)
	return errors.Join(err, base.Close())
}

// keptSecret reads the demo's secret, or makes one, so that a session outlives
// a restart.
func keptSecret(file string) (Secret, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the demo's own folder
	if err == nil && len(text) >= minSecret {
		return Secret(text), nil
	}
	secret := id.NewSource(time.Now, rand.Reader).Secret(minSecret)
	return Secret(secret), os.WriteFile(file, []byte(secret), 0o600)
}

// keptKey reads the demo's key of the API, or makes one.
func (d *Demo) keptKey(ctx context.Context, file string) (string, error) {
	text, err := os.ReadFile(file) //nolint:gosec // the demo's own folder
	if err == nil {
		return string(text), nil
	}
	k, token, err := api.Draft(d.App.IDs, "the demo", api.Scopes, "")
	if err != nil {
		return "", err
	}
	_, err = db.Written(ctx, d.App.DB, func(ctx context.Context, tx db.Tx) (api.Key, error) {
		return api.Add(ctx, tx, d.App.IDs, k, order.Act{Staff: "demo", Reason: "to try the API"})
	})
	if err != nil {
		return "", err
	}
	return token, os.WriteFile(file, []byte(token), 0o600)
}

func (d *Demo) settle(ctx context.Context) error {
	cat, err := db.Written(ctx, d.App.DB, func(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, error) {
		c, _, err := catalogue.Apply(ctx, tx, world.ShopFile(), "demo")
		if err != nil {
			return nil, err
		}
		rates, err := exchange.ReadECB(bytes.NewReader(world.RatesFile(tx.Now())))
		if err == nil {
			_, err = exchange.Import(ctx, tx, rates, "demo", true)
		}
		return c, err
	})
	if err != nil {
		return err
	}
	if err := d.Strangers.Settle(ctx, d.App.DB, d.App.IDs, cat); err != nil {
		return err
	}
	return d.Strangers.FillStock(ctx, d.App.DB, d.App.Desk.Codes, cat)
}

// Handler serves the shop and the town around it.
func (d *Demo) Handler() http.Handler { return d.handler }

// Work does the house's work and the strangers' until ctx ends.
func (d *Demo) Work(ctx context.Context) {
	steps := d.steps()
	for i, s := range steps {
		steps[i].Take = nil // or what was taken would be done while the clock is moved
		steps[i].Do = func(ctx context.Context) (bool, error) {
			d.busy.RLock()
			defer d.busy.RUnlock()
			return s.Do(ctx)
		}
	}
	d.App.work(ctx, steps, 300*time.Millisecond)
}

// steps are the strangers' and the house's, what strangers put off first.
func (d *Demo) steps() []Step {
	return append([]Step{{Name: "strangers", Do: d.deliver}}, d.App.Steps()...)
}

func (d *Demo) deliver(ctx context.Context) (bool, error) {
	heard, err := d.hearPhones(ctx)
	worked, err2 := d.Strangers.Deliver(ctx, d.house)
	return heard || worked, errors.Join(err, err2)
}

// pause waits until nobody does anything, and keeps it so until resume.
func (d *Demo) pause() (resume func()) {
	d.busy.Lock()
	return d.busy.Unlock
}

// catchUp does everything that is due, so that whoever moved the clock sees what
// came of it. Bounded: what cannot be done now is not tried for ever.
func (d *Demo) catchUp(ctx context.Context) {
	for range 50 {
		worked := false
		for _, s := range d.steps() {
			w, err := s.Do(ctx)
			if err != nil {
				d.App.Env.Log.ErrorContext(ctx, "work", "step", s.Name, "err", err)
			}
			worked = worked || w
		}
		if !worked {
			return
		}
	}
}

// nextEnd is the next end of service of the demo customer's lines.
func (d *Demo) nextEnd(ctx context.Context) (time.Time, error) {
	return db.Seen(ctx, d.App.DB, func(ctx context.Context, tx db.Tx) (next time.Time, err error) {
		a, err := account.ByEmail(ctx, tx, world.Traveller)
		if err != nil {
			return next, err
		}
		lines, err := line.List(ctx, tx, a.ID)
		for _, l := range lines {
			if l.EndsAt.After(tx.Now()) && (next.IsZero() || l.EndsAt.Before(next)) {
				next = l.EndsAt
			}
		}
		return next, err
	})
}

// codes are those of open payments, newest first.
func (d *Demo) codes(ctx context.Context) ([]string, error) {
	return db.Seen(ctx, d.App.DB, func(ctx context.Context, tx db.Tx) (codes []string, err error) {
		rows, err := tx.Query(ctx, `SELECT next_qr FROM payments WHERE live AND next_qr <> '' ORDER BY id DESC LIMIT 5`)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, rows.Close()) }()
		for rows.Next() {
			var code string
			if err := rows.Scan(&code); err != nil {
				return nil, err
			}
			codes = append(codes, code)
		}
		return codes, rows.Err()
	})
}

// stories shows the storybook: every component, and every page in every state.
func (d *Demo) stories() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := d.book()
		if err != nil {
			http.Error(w, "The storybook cannot be opened: "+err.Error(), http.StatusInternalServerError)
			return
		}
		b.Handler().ServeHTTP(w, r)
	})
}

// Close ends the demo.
func (d *Demo) Close() error { return d.App.Close() }

// OfDemo says what to do about an error that comes of a demo's database, or of the demo's
// catalogue: its operators and providers are in a running demo alone. Other errors stay as
// they are.
func (a *App) OfDemo(ctx context.Context, err error) error {
	cat, none := db.Seen(ctx, a.DB, a.Shelf.Current)
	simulated := func(o catalogue.Operator) bool { return o.Carrier == simple }
	if none != nil || a.Desk.Carriers[simple] != nil || !slices.ContainsFunc(cat.Operators, simulated) {
		return err
	}
	return fault.Wrap(fault.Invalid, err,
		"The demo's operators and payment providers are simulated inside the running tsuzuku demo; nothing else reaches them. Give an order's money back on its page %s/sim/, under “The seller's staff”.",
		strings.TrimSuffix(a.Config.URL, "/"))
}
