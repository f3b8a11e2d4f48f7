package message

import (
	"strings"

	"github.com/tsuzuku/tsuzuku/locale"
)

// onLockScreen is f without what whoever lies in reach of a telephone may not read:
// names that people gave, where they can be reached, any sum of money and what it is
// paid with, what they wrote and were told, and whatever opens a door but the way to
// go. How one signs in is never told so.
func (f Facts) onLockScreen() Facts {
	return Facts{
		LineLastFour: f.LineLastFour, PlanName: f.PlanName, StartsAt: f.StartsAt, EndsAt: f.EndsAt, RenewUntil: f.RenewUntil, Zone: f.Zone,
		InstallBy: f.InstallBy, Left: f.Left, AsOf: f.AsOf, GB: f.GB, OfferName: f.OfferName,
		NextNewsAt: f.NextNewsAt, PayBy: f.PayBy, Link: f.Link,
	}
}

// notification says a message so briefly that a locked screen can show it, and no
// more than it may show.
func (f From) notification(m Message) (Letter, error) {
	w, err := write(m.Kind, m.Language, f, m.Facts.onLockScreen())
	if err != nil {
		return Letter{}, err
	}
	text := []string{w.page.Lead}
	for _, r := range w.page.Rows {
		text = append(text, w.say("row", locale.Args{"label": r.Label, "value": r.Value}))
	}
	return Letter{
		ID: m.ID, To: m.To, Language: w.l, Subject: w.page.Subject, Text: strings.Join(text, "\n"), Link: w.link,
		About: m.about(), Until: m.ExpiresAt, Urgent: m.Kind.urgent(),
	}, nil
}

// about is the same for messages of which only the newest matters.
func (m Message) about() string {
	switch {
	case m.Kind.Theme() == AboutLines && m.Line != "":
		return "line/" + m.Line
	case m.Kind.Theme() == AboutOrders && m.Order != "":
		return "order/" + m.Order
	case m.Facts.Case != "":
		return "case/" + m.Facts.Case
	}
	if m.CopyOf != "" {
		return m.CopyOf
	}
	return m.ID
}

// urgent says that somebody may lose something who does not see it soon.
func (k Kind) urgent() bool {
	return k == Reminder1Day || k == Reminder3Hours || k == ReminderEnded || k == ReminderGrace || k == Usage100 || k == ReminderInstall || k == PaymentFailed
}
