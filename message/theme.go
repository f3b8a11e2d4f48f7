package message

import "time"

// Theme is what several kinds of messages are about, as customers choose how they
// are told. The values are stored; do not rename.
type Theme string

// The themes.
const (
	AboutLines   Theme = "lines"   // reminders
	AboutOrders  Theme = "orders"  // orders, payments, refunds, the wallet
	AboutCases   Theme = "cases"   // support's answers
	AboutAccount Theme = "account" // codes, signing in, identity, closing
)

// Themes are all themes, in the order in which people are asked about them.
func Themes() []Theme { return []Theme{AboutLines, AboutOrders, AboutCases, AboutAccount} }

// Theme is what a kind is about. What nobody has sorted is about the account, and
// so always told.
func (k Kind) Theme() Theme {
	switch k {
	case Reminder3Days, Reminder1Day, Reminder3Hours, ReminderEnded, ReminderGrace, Usage80, Usage100, ReminderInstall:
		return AboutLines
	case OrderCompleted, OrderStillWorking, OrderByHand, OrderRefundDue, OrderRefunded, OrderHeld, LineStays, PaymentFailed,
		WalletToppedUp, WalletExpiring, WalletExpired, ToolSaved, ToolRemoved, OneTapAllowed,
		PaymentDisputed, DisputeWon, DisputeLost:
		return AboutOrders
	case CaseAnswered, CaseClosed:
		return AboutCases
	case SignInCode, NewSignIn, LineCode, AddressCode, ClaimCode, PasswordSet, PasswordRemoved, PasskeyAdded, PasskeyRemoved,
		IssuerConnected, IssuerDisconnected, AddressAdded, AddressRemoved, AccountClosing, AccountKept, AccountClosed, IdentityApproved, IdentityRefused:
		return AboutAccount
	}
	return AboutAccount
}

// Always reports whether messages of the theme go by mail whatever a customer
// wishes: what is said of their money, and of how their account is opened.
func (t Theme) Always() bool { return t == AboutOrders || t == AboutAccount }

// CanWait reports whether messages of a kind may wait until somebody's quiet hours
// are over: those that come by themselves. All others answer what has just
// happened.
func (k Kind) CanWait() bool {
	return k.Theme() == AboutLines || k == WalletExpiring || k == WalletExpired
}

// TooLate is when a message is of no more use: what it warns of has happened, or
// cannot be helped any more. It is zero where nothing is lost.
func (d Draft) TooLate() time.Time {
	switch d.Kind { //nolint:exhaustive // the others warn of nothing
	case ReminderInstall:
		return d.Facts.InstallBy
	case ReminderEnded, ReminderGrace:
		if d.Facts.RenewUntil.After(d.Facts.EndsAt) {
			return d.Facts.RenewUntil
		}
	case Reminder3Days, Reminder1Day, Reminder3Hours:
		if last := d.Facts.RenewUntil; !last.IsZero() && last.Before(d.Facts.EndsAt) {
			return last
		}
		return d.Facts.EndsAt
	case Usage80, Usage100, WalletExpiring:
		return d.Facts.EndsAt
	}
	return time.Time{}
}
