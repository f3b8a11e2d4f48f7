package message

// Kind is what a message is about. Each has its words in texts.yaml and its
// outline in write.go.
type Kind string

// The kinds. The values are stored; do not rename.
const (
	SignInCode        Kind = "sign_in_code"        // a code to sign in with
	NewSignIn         Kind = "new_sign_in"         // somebody signed in to an account that was in use
	LineCode          Kind = "line_code"           // a code that opens the renewal of one line
	AddressCode       Kind = "address_code"        // a code that shows that an address is the customer's
	ClaimCode         Kind = "claim_code"          // a code to the number of a SIM, which gives its line to who enters it
	PasswordSet       Kind = "password_set"        // a password was set or changed
	PasswordRemoved   Kind = "password_removed"    //
	PasskeyAdded      Kind = "passkey_added"       //
	PasskeyRemoved    Kind = "passkey_removed"     //
	AddressAdded      Kind = "address_added"       // told at the other addresses
	AddressRemoved    Kind = "address_removed"     // told at all, and at the one that was removed
	AccountClosing    Kind = "account_closing"     // the account will be closed at …
	AccountKept       Kind = "account_kept"        // it will not after all
	AccountClosed     Kind = "account_closed"      // it is: what was erased, and what stays
	OrderCompleted    Kind = "order_completed"     // the confirmation, with the bill's number
	OrderStillWorking Kind = "order_still_working" // paid, not finished yet, next news by …
	OrderByHand       Kind = "order_by_hand"       // paid; a person carries it out by …
	OrderRefundDue    Kind = "order_refund_due"    // it could not be done; the money goes back
	OrderRefunded     Kind = "order_refunded"      // the money has gone back
	OrderHeld         Kind = "order_held"          // a person is looking at it
	LineStays         Kind = "line_stays"          // it was to be given back, and is in use
	PaymentFailed     Kind = "payment_failed"      // nothing was charged
	Reminder3Days     Kind = "reminder_3d"
	Reminder1Day      Kind = "reminder_1d"
	Reminder3Hours    Kind = "reminder_3h"
	ReminderEnded     Kind = "reminder_ended"
	ReminderGrace     Kind = "reminder_grace"   // it has ended, and can be renewed for a last day
	Usage80           Kind = "usage_80"         // four fifths of the data are used
	Usage100          Kind = "usage_100"        // all of it is
	ReminderInstall   Kind = "reminder_install" // a new line must be in use by …
	WalletToppedUp    Kind = "wallet_topped_up"
	WalletExpiring    Kind = "wallet_expiring"  // some of its value expires soon
	WalletExpired     Kind = "wallet_expired"   // some of its value has expired
	ToolSaved         Kind = "tool_saved"       // a card or the like is kept for later
	ToolRemoved       Kind = "tool_removed"     // it no longer is
	OneTapAllowed     Kind = "one_tap_allowed"  // links may pay without signing in
	PaymentDisputed   Kind = "payment_disputed" // the customer's bank took money back
	DisputeWon        Kind = "dispute_won"      // and gave it back to us
	DisputeLost       Kind = "dispute_lost"     // and keeps it
	CaseAnswered      Kind = "case_answered"    // staff wrote into a case
	CaseClosed        Kind = "case_closed"      // staff ended it without a word more

	IssuerConnected    Kind = "issuer_connected" // an issuer lets somebody into the account from now on
	IssuerDisconnected Kind = "issuer_disconnected"

	IdentityApproved Kind = "identity_approved" // staff know now who the customer is
	IdentityRefused  Kind = "identity_refused"  // and what the customer can do where they do not
)

// Kinds are all kinds, in the order above.
func Kinds() []Kind {
	return []Kind{
		SignInCode, NewSignIn, LineCode, AddressCode, ClaimCode, PasswordSet, PasswordRemoved, PasskeyAdded, PasskeyRemoved,
		IssuerConnected, IssuerDisconnected, AddressAdded, AddressRemoved, AccountClosing, AccountKept, AccountClosed, OrderCompleted, OrderStillWorking, OrderByHand, OrderRefundDue, OrderRefunded, OrderHeld, LineStays,
		PaymentFailed, Reminder3Days, Reminder1Day, Reminder3Hours, ReminderEnded, ReminderGrace, Usage80, Usage100, ReminderInstall, WalletToppedUp,
		WalletExpiring, WalletExpired,
		ToolSaved, ToolRemoved, OneTapAllowed,
		PaymentDisputed, DisputeWon, DisputeLost,
		CaseAnswered, CaseClosed,
		IdentityApproved, IdentityRefused,
	}
}

// Reminders are the kinds that are worthless once a line has been renewed.
func Reminders() []Kind {
	return []Kind{Reminder3Days, Reminder1Day, Reminder3Hours, ReminderEnded, ReminderGrace, Usage80, Usage100}
}
