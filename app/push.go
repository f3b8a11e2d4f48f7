package app

import (
	"context"
	"fmt"
	"strings"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/webpush"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/world"
)

// Notify lets the house send notifications, with the key that it has or, where none
// can be opened, makes: for the shop itself, before its Handler is asked for; not for
// a command, which may have been given another secret.
func (a *App) Notify(ctx context.Context) error {
	if a.Config.Push.Off {
		return nil
	}
	random := randomOf{a.IDs}
	a.Door.Push = sealing(a.Config, a.IDs, "notifications")
	text, err := a.Door.PushKey(ctx, func() (string, error) {
		k, err := webpush.NewKey(random)
		if err != nil {
			return "", err
		}
		return k.Text()
	})
	if err != nil {
		return fmt.Errorf("the key for notifications: %w", err)
	}
	key, err := webpush.ParseKey(text)
	if err != nil {
		return err
	}
	a.pushKey = key.Public()
	a.Sender.Deliverers[message.Push] = webpush.New(webpush.Config{
		Key: key, Contact: a.Config.pushContact(), Random: random, Now: a.Env.Now,
	}, a.Env.publicClient("push"))
	return nil
}

// pushContact is whom push services may write to about us.
func (c Config) pushContact() string {
	switch {
	case c.Push.Contact != "":
		return c.Push.Contact
	case strings.HasPrefix(c.URL, "https://"):
		return c.URL
	case c.Contact.Mail != "":
		return "mailto:" + c.Contact.Mail
	}
	return ""
}

// publicClient calls wherever browsers say, on the public internet.
func (e Env) publicClient(stranger string) *outbound.Client {
	o := outbound.Options{Transport: outbound.PublicTransport(), Observe: func(p outbound.Point) { e.point(string(p)) }}
	if e.Transport != nil {
		o.Transport = e.Transport(stranger)
	}
	return outbound.New(o)
}

// plugIn lets the demo send notifications, and gives its traveller a telephone that
// shows them, in place of the one of the demo's last day.
func (d *Demo) plugIn(ctx context.Context) error {
	if err := d.App.Notify(ctx); err != nil {
		return err
	}
	a, devices, err := d.traveller(ctx)
	if err != nil {
		return err
	}
	for _, one := range devices {
		if err := d.App.Door.RemoveDevice(ctx, a, one.ID); err != nil {
			return err
		}
	}
	d.Strangers.Push.Key = d.App.pushKey
	sub, err := d.Strangers.Push.Subscribe()
	if err != nil {
		return err
	}
	_, err = d.App.Door.AddDevice(ctx, account.Session{Account: a, Agent: "Chrome (Android)"}, sub)
	return err
}

// traveller is the demo's customer, and the telephones that they have.
func (d *Demo) traveller(ctx context.Context) (id string, devices []account.Device, err error) {
	err = d.App.DB.Read(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := account.ByEmail(ctx, tx, world.Traveller)
		if err != nil {
			return err
		}
		id = a.ID
		devices, err = d.App.Door.Devices(ctx, tx, id)
		return err
	})
	return id, devices, err
}
