package message_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/money"
)

// Of every kind, in every language, a locked screen shows something, and nothing of
// what people called things, where they are reached, what they paid or would pay, or
// what opens a door.
func TestALockedScreenShowsNothingPrivate(t *testing.T) {
	f := bought()
	f.LineName, f.Passkey, f.Address, f.ToolLabel, f.Said, f.Agent, f.Bill, f.Order = "secretline", "secretkey", "secret@example.com", "secretcard", "secretsaid", "secretagent", "secretbill", "secretorder"
	f.Amount, f.Balance, f.Owed, f.OwedPaid = money.Of(77_123, "JPY"), money.Of(77_123, "JPY"), money.Of(77_123, "JPY"), money.Of(77_123, "JPY")
	f.OfferName, f.OfferPrice = "10 days", f.Amount
	f.FromWallet, f.ByTool, f.WalletBack, f.PointsUsed, f.PointsBack, f.Points = f.Amount, f.Amount, f.Amount, 77_123, 77_123, 77_123
	f.Code, f.Install, f.StopLink, f.Advice = "771237", "LPA:1$secret.example$secret", "/secretstop", "Secretly."
	for _, k := range message.Kinds() {
		for _, l := range locale.All {
			m := message.Message{ID: "msg_1", Draft: message.Draft{Kind: k, Language: l, Line: "ln_1", Order: "ord_1", Facts: f}}
			got, err := shop.Notification(m)
			if code := k == message.SignInCode || k == message.LineCode || k == message.AddressCode || k == message.ClaimCode; code {
				if err == nil {
					t.Errorf("%s goes to a locked screen: %q", k, got.Subject)
				}
				continue
			}
			all := got.Subject + "\n" + got.Text
			if err != nil || got.Subject == "" || got.Text == "" || got.HTML != "" || got.Language != l {
				t.Errorf("%s in %s: %q, %v", k, l, all, err)
			}
			for _, private := range []string{"ecret", "77,123", "77123", "771237"} {
				if strings.Contains(all, private) {
					t.Errorf("%s in %s shows %q: %q", k, l, private, all)
				}
			}
		}
	}
}

// The newest of what is about one line, order or case replaces the others; what is
// about nothing stands for itself, and so do its copies together.
func TestWhatReplacesWhat(t *testing.T) {
	about := func(k message.Kind, change func(*message.Message)) string {
		m := message.Message{ID: "msg_1", Draft: message.Draft{Kind: k, Language: "en", Line: "ln_1", Order: "ord_1", ExpiresAt: time.Unix(1e9, 0), Facts: full()}}
		m.Facts.Case = ""
		if change != nil {
			change(&m)
		}
		l, err := shop.Notification(m)
		if err != nil || !l.Until.Equal(m.ExpiresAt) || l.ID != m.ID || l.Link != "https://shop.example/r/abc" {
			t.Errorf("%s: %+v, %v", k, l, err)
		}
		return l.About
	}
	for _, c := range []struct {
		kind   message.Kind
		change func(*message.Message)
		want   string
	}{
		{message.Reminder3Days, nil, "line/ln_1"},
		{message.Reminder3Hours, nil, "line/ln_1"},
		{message.OrderStillWorking, nil, "order/ord_1"},
		{message.OrderCompleted, nil, "order/ord_1"},
		{message.CaseAnswered, func(m *message.Message) { m.Facts.Case = "cs_1" }, "case/cs_1"},
		{message.WalletExpiring, func(m *message.Message) { m.Order = "" }, "msg_1"},
		{message.WalletExpiring, func(m *message.Message) { m.Order, m.ID, m.CopyOf = "", "msg_2", "msg_1" }, "msg_1"},
	} {
		if got := about(c.kind, c.change); got != c.want {
			t.Errorf("%s is about %q, want %q", c.kind, got, c.want)
		}
	}
}
