package reminder_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/message/phonesim"
	"github.com/tsuzuku/tsuzuku/message/smsbridge"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

const mumsPhone = "+819012345678"

// texts gives the shop a bridge to telephones.
func (s *shop) texts(t *testing.T) *phonesim.Bridge {
	t.Helper()
	b := &phonesim.Bridge{Secret: "whsec_c2ltdWxhdGVkLXNlY3JldC1vZi10aGVzZS10ZXN0cw==", Now: s.Clock.Now}
	d, err := smsbridge.New(smsbridge.Config{URL: "https://sms.invalid", Secret: b.Secret, Now: s.Clock.Now}, outbound.New(outbound.Options{Transport: b}))
	if err != nil {
		t.Fatal(err)
	}
	s.sender.Deliverers[message.SMS] = d
	s.door.SMS = &account.SMS{Countries: []string{"JP"}}
	return b
}

// number gives an account a telephone, as if its code had been entered.
func (s *shop) number(t *testing.T, of, number string) {
	t.Helper()
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO addresses (account_id, id, channel, value, verified_at, created_at) VALUES ($1, $2, 'sms', $3, $4, $4)`,
			of, "ad_"+number[1:], number, db.At(tx.Now()))
		return err
	})
}

func (s *shop) without(t *testing.T, of string, c message.Channel) {
	t.Helper()
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM addresses WHERE account_id = $1 AND channel = $2`, of, string(c))
		return err
	})
}

// Wishes with a telephone and without a mail address.
func TestEveryWishWithATelephone(t *testing.T) {
	for _, c := range []struct {
		wish           account.Wish
		number, mail   bool
		mails, textsTo int
	}{
		{account.Wish{SMS: true}, true, true, 0, 1},
		{account.Wish{Mail: true, SMS: true}, true, true, 1, 1},
		{account.Wish{Mail: true}, true, true, 1, 0},
		{account.Wish{SMS: true}, false, true, 0, 0},  // until there is a number
		{account.Wish{Mail: true}, true, false, 0, 1}, // in the place of mail
		{account.Wish{SMS: true}, true, false, 0, 0},  // wished away in the place of mail
	} {
		s := newShop(t, dbtest.SQLite(t))
		bridge := s.texts(t)
		ac := s.customer(t, "mum@example.com", locale.En)
		s.wishes(t, ac, "Asia/Tokyo", remindedOnly(c.wish))
		if c.number {
			s.number(t, ac, mumsPhone)
		}
		if !c.mail {
			s.without(t, ac, message.Email)
		}
		s.remind(t, s.line(t, ac, unlimited, 80*time.Hour, nil), message.Reminder3Days)
		s.send(t)
		if mails, texts := len(s.inbox.To("mum@example.com")), len(bridge.To(mumsPhone)); mails != c.mails || texts != c.textsTo {
			t.Errorf("%+v, number %v, mail %v: %d by mail and %d by SMS, want %d and %d", c.wish, c.number, c.mail, mails, texts, c.mails, c.textsTo)
		}
		if n := len(s.listed(t, ac)); n != 1 {
			t.Errorf("%+v: %d messages in the inbox", c.wish, n)
		}
	}
}

// Who wishes SMS alone hears by mail where they do not arrive, also where that is clear
// only after several tries; and where the number, or SMS as a whole, is gone meanwhile.
func TestMailIsTheOtherWayOfSMS(t *testing.T) {
	for name, c := range map[string]struct {
		fate         phonesim.Fault
		after        func(t *testing.T, s *shop, ac string) // the first try
		mails, texts int
	}{
		"arrives": {phonesim.None, nil, 0, 1}, "refused": {phonesim.Refuse, nil, 1, 0}, "dead": {phonesim.Dead, nil, 1, 0}, "busy": {phonesim.Busy, nil, 1, 0},
		"silent": {phonesim.SilentBefore, nil, 1, 0}, "lost": {phonesim.SilentAfter, nil, 1, 1}, "unsure": {phonesim.Unsure, nil, 0, 1},
		"number removed": {phonesim.Busy, func(t *testing.T, s *shop, ac string) { s.without(t, ac, message.SMS) }, 1, 0},
		"no SMS more":    {phonesim.Busy, func(_ *testing.T, s *shop, _ string) { s.door.SMS = nil }, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, dbtest.SQLite(t))
			bridge := s.texts(t)
			bridge.Choose = func(string) phonesim.Fault { return c.fate }
			ac := s.customer(t, "mum@example.com", locale.Ja)
			s.wishes(t, ac, "Asia/Tokyo", remindedOnly(account.Wish{SMS: true}))
			s.number(t, ac, mumsPhone)
			s.remind(t, s.line(t, ac, unlimited, 80*time.Hour, nil), message.Reminder3Days)
			s.send(t)
			if c.after != nil {
				c.after(t, s, ac)
			}
			s.until(t, s.Clock.Now().Add(2*time.Hour))
			if mails, texts := len(s.inbox.To("mum@example.com")), len(bridge.To(mumsPhone)); mails != c.mails || texts != c.texts {
				t.Errorf("%d by mail and %d by SMS, want %d and %d", mails, texts, c.mails, c.texts)
			}
			if all := s.listed(t, ac); len(all) != 1 || all[0].State != message.Sent {
				t.Errorf("the inbox has %+v", all)
			}
		})
	}
}

// A claim code goes to the number that the stock has, and the row names the card alone;
// one of a card that has none any more is not needed.
func TestClaimCodesGoToTheLine(t *testing.T) {
	s := newShop(t, dbtest.SQLite(t))
	bridge := s.texts(t)
	ac := s.customer(t, "mum@example.com", locale.Ja)
	const card = "8981100000000000010"
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		stock.Add(&b, stock.Item{ICCID: card, Kind: stock.SIM, Operator: "x", Plan: "y", Term: "z", Batch: "a", MSISDN: "81 80-1234-5678"}.
			Claimable(seal.New("codes", "0123456789abcdef", nil, nil), "7KQ4-22MD"), tx.Now())
		if err := tx.Batch(ctx, &b); err != nil {
			return err
		}
		for i, iccid := range []string{card, "8981100000000000028"} {
			err := message.Queue(ctx, tx, s.ids.Under("msg", ac), message.Draft{
				Account: ac, Key: fmt.Sprint("claim_code/", i), Kind: message.ClaimCode, To: message.Address{Channel: message.SMS, Value: iccid}, Language: locale.Ja,
				Facts: message.Facts{Code: "123456"}, ExpiresAt: tx.Now().Add(10 * time.Minute),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.send(t)
	if got := bridge.To("+818012345678"); len(got) != 1 || !strings.Contains(got[0].Text, "123456") || len(bridge.All()) != 1 {
		t.Errorf("%+v", bridge.All())
	}
	if n := s.count(t, `SELECT COUNT(*) FROM messages WHERE address = '8981100000000000010' AND state = 'sent' AND facts NOT LIKE '%123456%'`); n != 1 {
		t.Error("the row does not say that the card was told, or still has the code")
	}
	if n := s.count(t, `SELECT COUNT(*) FROM messages WHERE address LIKE '%12345678%' OR trouble LIKE '%12345678%'`); n != 0 {
		t.Error("a row has the number")
	}
}
