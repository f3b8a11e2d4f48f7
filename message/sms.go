package message

import (
	"slices"

	"github.com/tsuzuku/tsuzuku/locale"
)

const (
	maxSMSSeller = 20  // characters of the seller's name in an SMS
	maxSMSWords  = 200 // of all but the link
	maxSMSLink   = 300 // a longer link is left out: what it leads to is found by signing in
)

// short is a message as an SMS: one sentence with the seller's name before it, and
// the link. Each part costs, and a locked screen shows it: it has a code where it
// brings one, and otherwise no more than a notification.
func (f From) short(m Message) (Letter, error) {
	facts := m.Facts.onLockScreen()
	facts.Code, facts.CodeValidFor = m.Facts.Code, m.Facts.CodeValidFor
	facts.Install = m.Facts.Install // that there is something to install is said, not with what
	w, err := write(m.Kind, m.Language, f, facts)
	if err != nil {
		return Letter{}, err
	}
	text := thrifty(tidyTo(w.sentence(m.Kind), maxSMSWords))
	if w.link != "" && len(w.link) <= maxSMSLink {
		text += " " + w.link
	}
	return Letter{ID: m.ID, To: m.To, Language: w.l, Text: text, Link: w.link, About: m.about(), Until: m.ExpiresAt, Urgent: m.Kind.urgent()}, nil
}

// sentence is what an SMS says: of the kinds that are sent most, a sentence of its
// own, if all its facts are there; else what a letter has for a subject.
func (w *writer) sentence(k Kind) string {
	args := locale.Args{
		"seller": tidyTo(w.from.Seller, maxSMSSeller), "line": w.line, "code": tidy(w.f.Code), "subject": w.page.Subject, "end": w.end(w.f.EndsAt),
		"time": w.end(w.f.InstallBy),
	}
	key, needs := "sms.other", ""
	switch k { //nolint:exhaustive // the others are said by their subject
	case SignInCode, LineCode, AddressCode, ClaimCode:
		key, needs = "sms."+string(k), "code"
	case Reminder3Days, Reminder1Day, Reminder3Hours:
		key, needs = "sms.reminder", "end"
	case ReminderEnded, ReminderGrace:
		key, needs = "sms.reminder_ended", "end"
	case ReminderInstall:
		key, needs = "sms.reminder_install", "time"
	case OrderCompleted:
		key, needs = "sms.order_completed", "end"
	}
	if needs != "" && args[needs] == "" || k == OrderCompleted && w.f.Install != "" {
		key = "sms.other"
	}
	return w.say(key, args)
}

// IsCode reports whether messages of a kind bring a code that opens something: they go
// where it was asked for, and stand in no inbox.
func (k Kind) IsCode() bool {
	return slices.Contains([]Kind{SignInCode, LineCode, AddressCode, ClaimCode}, k)
}
