package message

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/tsuzuku/tsuzuku/locale"
)

// outline decides what a message of a kind says, in which order, and leaves out
// what lacks its facts.
func (w *writer) outline(k Kind) error {
	switch k {
	case SignInCode, LineCode, AddressCode, ClaimCode:
		return w.aboutCode(k)
	case AccountClosed:
		w.accountClosed()
	case PasswordSet, PasswordRemoved, PasskeyAdded, PasskeyRemoved, IssuerConnected, IssuerDisconnected, AddressAdded, AddressRemoved, AccountClosing, AccountKept:
		w.aboutAccount(k)
	case NewSignIn:
		w.newSignIn()
	case OrderCompleted:
		w.orderCompleted()
	case OrderByHand:
		w.orderByHand()
	case OrderStillWorking:
		w.orderStillWorking()
	case OrderRefundDue:
		w.orderRefundDue()
	case OrderRefunded:
		w.orderRefunded()
	case OrderHeld:
		w.orderHeld()
	case LineStays:
		w.lineStays()
	case PaymentFailed:
		w.paymentFailed()
	case Reminder3Days:
		w.reminder("reminder_3d.subject")
	case Reminder1Day:
		w.reminder("reminder_1d.subject")
	case Reminder3Hours:
		w.reminder("reminder_3h.subject")
	case ReminderEnded:
		w.reminderEnded("reminder_ended.subject")
	case ReminderGrace:
		w.reminderEnded("reminder_grace.subject")
	case Usage80:
		w.reminderUsage("usage_80.subject", "usage_80.lead")
	case Usage100:
		w.reminderUsage("usage_100.subject", "usage_100.lead")
	case ReminderInstall:
		w.reminderInstall()
	case WalletToppedUp:
		w.walletToppedUp()
	case WalletExpiring:
		w.walletExpiring()
	case WalletExpired:
		w.walletExpired()
	case ToolSaved, ToolRemoved, OneTapAllowed, PaymentDisputed, DisputeWon, DisputeLost:
		w.aboutPaying(k)
	case CaseAnswered:
		w.caseAnswered()
	case CaseClosed:
		w.caseClosed()
	case IdentityApproved:
		w.identityApproved()
	case IdentityRefused:
		w.identityRefused()
	default:
		return fmt.Errorf("message: no words for kind %q", k)
	}
	return nil
}

// aboutPaying is outline for saved tools and disputes.
func (w *writer) aboutPaying(k Kind) {
	switch k { //nolint:exhaustive // the others are of outline
	case ToolSaved:
		w.aboutTool("tool_saved.subject", "tool_saved.lead", "tool_saved.advice")
	case ToolRemoved:
		w.aboutTool("tool_removed.subject", "tool_removed.lead", "tool_removed.advice")
	case OneTapAllowed:
		w.aboutTool("one_tap_allowed.subject", "one_tap_allowed.lead", "one_tap_allowed.advice")
	case PaymentDisputed:
		w.aboutDispute("payment_disputed.subject", "payment_disputed.lead")
	case DisputeWon:
		w.aboutDispute("dispute_won.subject", "dispute_won.lead")
	case DisputeLost:
		w.aboutDispute("dispute_lost.subject", "dispute_lost.lead")
	}
}

// aboutDispute says what a bank did, and what is open because of it.
func (w *writer) aboutDispute(subject, lead string) {
	w.subject(subject, nil)
	w.lead(lead, nil)
	if owed := w.money(w.f.Owed); owed != "" {
		w.note("dispute.owed", locale.Args{"amount": owed})
	}
	w.row("row.order", tidy(w.f.Order))
	w.row("row.amount", w.money(w.f.Amount))
	w.button("dispute.button")
}

// mostLines is how many paragraphs of an answer a letter has; the page has all.
const mostLines = 40

// caseAnswered says what staff wrote, and where to go on.
func (w *writer) caseAnswered() {
	w.subject("case_answered.subject", nil)
	w.lead("case_answered.lead", nil)
	lines := 0
	for line := range strings.SplitSeq(w.f.Said, "\n") {
		if line = tidyTo(line, mostSaid); line != "" && lines < mostLines {
			w.page.Notes = append(w.page.Notes, line)
			lines++
		}
	}
	if w.f.Closed {
		w.note("case.closed", nil)
	}
	w.note("case.no_reply", nil)
	w.row("row.order", tidy(w.f.Order))
	w.button("case.button")
}

func (w *writer) caseClosed() {
	w.subject("case_closed.subject", nil)
	w.lead("case_closed.lead", nil)
	w.note("case.closed", nil)
	w.row("row.order", tidy(w.f.Order))
	w.button("case.button")
}

func (w *writer) identityApproved() {
	w.subject("identity_approved.subject", nil)
	w.lead("identity_approved.lead", nil)
	w.button("identity_approved.button")
}

// identityRefused says why, and what to do. It says nothing of what was given: a
// letter is read by whoever has the mailbox.
func (w *writer) identityRefused() {
	w.subject("identity_refused.subject", nil)
	w.lead("identity_refused.lead", nil)
	w.reason("identity_reason.", w.f.IdentityReason)
	w.note("identity_refused.again", nil)
	w.button("identity_refused.button")
}

// aboutCode says what a code opens.
func (w *writer) aboutCode(k Kind) error {
	switch k { //nolint:exhaustive // the kinds that come here
	case LineCode:
		return w.code("line_code.subject", "line_code.lead", "line_code.warning")
	case AddressCode:
		return w.code("address_code.subject", "address_code.lead", "address_code.warning")
	case ClaimCode:
		return w.code("claim_code.subject", "claim_code.lead", "claim_code.warning")
	default:
		return w.code("sign_in_code.subject", "sign_in_code.lead", "sign_in_code.warning")
	}
}

// code is a letter that brings a code.
func (w *writer) code(subject, lead, warning string) error {
	if w.f.Code == "" {
		return errors.New("message: a letter for a code without the code")
	}
	code := tidy(w.f.Code)
	w.subject(subject, locale.Args{"code": code})
	w.lead(lead, locale.Args{"seller": w.from.Seller, "line": w.line})
	w.page.Code = code
	if w.f.CodeValidFor > 0 {
		w.note("sign_in_code.valid", locale.Args{"span": locale.Span(w.l, w.f.CodeValidFor)})
	}
	w.note(warning, nil)
	return nil
}

// aboutAccount says what has changed about how one signs in, or about the
// account as a whole.
func (w *writer) aboutAccount(k Kind) {
	seller := locale.Args{"seller": w.from.Seller}
	switch k { //nolint:exhaustive // the kinds that come here
	case PasswordSet:
		w.subject("password_set.subject", nil)
		w.lead("password_set.lead", seller)
	case PasswordRemoved:
		w.subject("password_removed.subject", nil)
		w.lead("password_removed.lead", seller)
	case PasskeyAdded:
		w.subject("passkey_added.subject", nil)
		w.lead("passkey_added.lead", seller)
	case PasskeyRemoved:
		w.subject("passkey_removed.subject", nil)
		w.lead("passkey_removed.lead", seller)
	case IssuerConnected:
		w.subject("issuer_connected.subject", nil)
		w.lead("issuer_connected.lead", seller)
	case IssuerDisconnected:
		w.subject("issuer_disconnected.subject", nil)
		w.lead("issuer_disconnected.lead", seller)
	case AddressAdded:
		w.subject("address_added.subject", nil)
		w.lead("address_added.lead", seller)
	case AddressRemoved:
		w.subject("address_removed.subject", nil)
		w.lead("address_removed.lead", seller)
	case AccountKept:
		w.subject("account_kept.subject", nil)
		w.lead("account_kept.lead", seller)
	default:
		w.subject("account_closing.subject", nil)
		w.lead("account_closing.lead", seller)
	}
	w.row("row.issuer", tidy(w.f.Issuer))
	w.row("row.passkey", tidy(w.f.Passkey))
	w.row("row.address", tidy(w.f.Address))
	w.row("row.closes", w.moment(w.f.ClosesAt))
	w.row("row.at", w.moment(w.f.At))
	w.row("row.agent", tidy(w.f.Agent))
	if k == AccountClosing {
		w.note("account_closing.erased", nil)
	}
	w.note("account_news.advice", nil)
	w.button("account_news.button")
}

// accountClosed is the last letter. There is nothing left to open.
func (w *writer) accountClosed() {
	w.subject("account_closed.subject", nil)
	w.lead("account_closed.lead", locale.Args{"seller": w.from.Seller})
	w.row("row.at", w.moment(w.f.At))
	w.note("account_closed.erased", nil)
	w.note("account_closed.kept", nil)
	w.note("account_closed.money", nil)
	if w.f.PointsLost > 0 {
		w.note("account_closed.points", locale.Args{"points": w.f.PointsLost})
	}
	w.note("account_closed.anew", nil)
}

func (w *writer) newSignIn() {
	w.subject("new_sign_in.subject", nil)
	w.lead("new_sign_in.lead", locale.Args{"seller": w.from.Seller})
	w.row("row.at", w.moment(w.f.At))
	w.row("row.agent", tidy(w.f.Agent))
	w.note("new_sign_in.advice", nil)
	w.button("new_sign_in.button")
}

func (w *writer) orderCompleted() {
	w.subject("order_completed.subject", locale.Args{"line": w.line})
	end := w.end(w.f.EndsAt)
	switch {
	case w.f.Install != "":
		w.subject("order_completed.subject_new", nil)
		w.lead("order_completed.lead_new", nil)
		w.install()
	case end != "":
		w.lead("order_completed.lead_until", locale.Args{"line": w.line, "end": end})
	default:
		w.lead("order_completed.lead", nil)
	}
	w.row("row.plan", tidy(w.f.PlanName))
	w.row("row.term", tidy(w.f.TermName))
	w.row("row.starts", w.moment(w.f.StartsAt))
	w.row("row.ends", w.end(w.f.EndsAt))
	w.row("row.amount", w.money(w.f.Amount))
	w.row("row.tool", w.toolAndAmount())
	w.row("row.from_wallet", w.money(w.f.FromWallet))
	if w.f.PointsUsed > 0 {
		w.row("row.points_used", locale.Number(w.l, w.f.PointsUsed))
	}
	if w.f.Points > 0 {
		w.row("row.points", locale.Number(w.l, w.f.Points))
	}
	w.row("row.order", tidy(w.f.Order))
	w.row("row.bill", tidy(w.f.Bill))
	if w.f.Install != "" {
		w.button("install.button")
		return
	}
	w.button("order.button")
}

// toolAndAmount says what was paid with, and how much where it was not all.
func (w *writer) toolAndAmount() string {
	tool, part := w.tool(w.f.Tool), w.money(w.f.ByTool)
	if tool == "" || part == "" {
		return tool
	}
	return tool + " " + part
}

// backAlready says what the customer has again while the rest is on its way.
func (w *writer) backAlready() {
	if wallet := w.money(w.f.WalletBack); wallet != "" {
		w.note("note.wallet_back", locale.Args{"amount": wallet})
	}
	if w.f.PointsBack > 0 {
		w.note("note.points_back", locale.Args{"points": w.f.PointsBack})
	}
}

// aboutOrder adds which order it is and where to look at it.
func (w *writer) aboutOrder() {
	w.row("row.order", tidy(w.f.Order))
	w.row("row.amount", w.money(w.f.Amount))
	w.button("order.button")
}

func (w *writer) nextNews() {
	if by := w.moment(w.f.NextNewsAt); by != "" {
		w.note("note.next_news", locale.Args{"time": by})
	}
}

func (w *writer) orderStillWorking() {
	w.subject("order_still_working.subject", locale.Args{"line": w.line})
	w.lead("order_still_working.lead", nil)
	w.nextNews()
	w.note("note.no_second_payment", nil)
	w.note("order_still_working.promise", nil)
	w.aboutOrder()
}

func (w *writer) orderByHand() {
	w.subject("order_by_hand.subject", locale.Args{"line": w.line})
	w.lead("order_by_hand.lead", nil)
	if by := w.moment(w.f.NextNewsAt); by != "" {
		w.note("order_by_hand.until", locale.Args{"time": by})
	}
	w.note("note.no_second_payment", nil)
	w.note("order_still_working.promise", nil)
	w.aboutOrder()
}

func (w *writer) lineStays() {
	w.subject("line_stays.subject", locale.Args{"line": w.line})
	w.lead("line_stays.lead", nil)
	w.note("line_stays.next", nil)
	w.aboutOrder()
}

func (w *writer) orderRefundDue() {
	amount := w.money(w.f.Amount)
	switch {
	case w.f.Credited && amount != "":
		w.subject("order_refund_due.subject_credit", locale.Args{"amount": amount})
		w.lead("order_refund_due.lead_credit", locale.Args{"amount": amount})
	case amount != "":
		w.subject("order_refund_due.subject", nil)
		w.lead("order_refund_due.lead_amount", locale.Args{"amount": amount})
	default:
		w.subject("order_refund_due.subject", nil)
		w.lead("order_refund_due.lead", nil)
	}
	w.reason("refund_reason.", w.f.RefundReason)
	if method := w.tool(w.f.Method); method != "" {
		w.note("order_refund_due.method", locale.Args{"method": method})
	}
	w.backAlready()
	w.nextNews()
	w.aboutOrder()
}

func (w *writer) orderRefunded() {
	amount := w.money(w.f.Amount)
	if amount != "" && w.f.RefundReason == "by_bank" { // nothing is on its way from us
		w.subject("order_refunded.subject_bank", locale.Args{"amount": amount})
		w.lead("order_refunded.lead_bank", locale.Args{"amount": amount})
		w.backAlready()
		w.aboutOrder()
		return
	}
	if amount != "" {
		w.subject("order_refunded.subject_amount", locale.Args{"amount": amount})
		w.lead("order_refunded.lead_amount", locale.Args{"amount": amount})
	} else {
		w.subject("order_refunded.subject", nil)
		w.lead("order_refunded.lead", nil)
	}
	w.reason("refund_reason.", w.f.RefundReason)
	if method := w.tool(w.f.Method); method != "" {
		w.note("order_refunded.method", locale.Args{"method": method})
	}
	w.backAlready()
	if w.f.Method != "wallet" && w.f.Method != "points" { // those are ours and show it at once
		w.note("note.refund_time", nil)
	}
	w.aboutOrder()
}

func (w *writer) orderHeld() {
	w.subject("order_held.subject", locale.Args{"line": w.line})
	if book.Has("trouble." + w.f.Trouble) {
		w.lead("trouble."+w.f.Trouble, nil)
	} else {
		w.lead("order_held.lead", nil)
	}
	w.nextNews()
	w.note("note.no_second_payment", nil)
	w.aboutOrder()
}

func (w *writer) paymentFailed() {
	w.subject("payment_failed.subject", nil)
	if tool := w.tool(w.f.Tool); tool != "" {
		w.lead("payment_failed.lead_tool", locale.Args{"tool": tool})
	} else {
		w.lead("payment_failed.lead", nil)
	}
	w.reason("debit_reason.", w.f.DebitReason)
	if until := w.moment(w.f.PayBy); until != "" {
		w.note("payment_failed.again_until", locale.Args{"time": until})
	} else {
		w.note("payment_failed.again", nil)
	}
	w.aboutOrder()
	w.button("payment_failed.button")
}

func (w *writer) reminder(subject string) {
	w.subject(subject, locale.Args{"line": w.line})
	if end := w.end(w.f.EndsAt); end != "" {
		w.lead("reminder.lead_until", locale.Args{"line": w.line, "end": end})
	} else {
		w.lead("reminder.lead", locale.Args{"line": w.line})
	}
	w.row("row.plan", tidy(w.f.PlanName))
	w.row("row.left", w.left())
	w.howToGoOn()
}

// reminderUsage is of a line whose data is used, or nearly. Its time goes on.
func (w *writer) reminderUsage(subject, lead string) {
	w.subject(subject, locale.Args{"line": w.line})
	w.lead(lead, locale.Args{"line": w.line})
	w.row("row.plan", tidy(w.f.PlanName))
	w.row("row.left", w.left())
	w.row("row.ends", w.end(w.f.EndsAt))
	w.howToGoOn()
}

// howToGoOn is until when, with what, and by which button.
func (w *writer) howToGoOn() {
	until := w.f.RenewUntil
	if until.IsZero() {
		until = w.f.EndsAt
	}
	w.row("row.renew_until", w.end(until))
	w.row("row.offer", w.offer())
	w.advice()
	if w.adviseNothing() {
		w.button("reminder_ended.button")
		return
	}
	if w.link != "" {
		w.note("note.quick", nil)
	}
	w.button("reminder.button")
}

// advice says what we would do.
func (w *writer) advice() {
	if said := tidyTo(w.f.Advice, maxSentence); said != "" {
		w.page.Notes = append(w.page.Notes, said)
	}
}

// adviseNothing reports whether the advice is to buy nothing now: then nobody is
// hurried.
func (w *writer) adviseNothing() bool { return w.f.Advice != "" && w.f.OfferName == "" }

func (w *writer) reminderInstall() {
	w.subject("reminder_install.subject", nil)
	if by := w.end(w.f.InstallBy); by != "" {
		w.lead("reminder_install.lead_by", locale.Args{"line": w.line, "time": by})
	} else {
		w.lead("reminder_install.lead", locale.Args{"line": w.line})
	}
	w.row("row.plan", tidy(w.f.PlanName))
	w.install()
	w.button("install.button")
}

func (w *writer) reminderEnded(subject string) {
	w.subject(subject, locale.Args{"line": w.line})
	if end := w.end(w.f.EndsAt); end != "" {
		w.lead("reminder_ended.lead_at", locale.Args{"line": w.line, "end": end})
	} else {
		w.lead("reminder_ended.lead", locale.Args{"line": w.line})
	}
	if until := w.end(w.f.RenewUntil); until != "" && w.f.RenewUntil.After(w.f.EndsAt) {
		w.note("reminder_ended.still", locale.Args{"time": until})
	}
	w.row("row.plan", tidy(w.f.PlanName))
	w.row("row.offer", w.offer())
	w.advice()
	w.button("reminder_ended.button")
}

func (w *writer) walletToppedUp() {
	amount, owed := w.money(w.f.Amount), w.money(w.f.OwedPaid)
	switch {
	case owed != "":
		w.subject("wallet_topped_up.subject_owed", nil)
		w.lead("wallet_topped_up.lead_owed", locale.Args{"amount": owed})
		w.afterOwed()
	case amount != "":
		w.subject("wallet_topped_up.subject", nil)
		w.lead("wallet_topped_up.lead_amount", locale.Args{"amount": amount})
	default:
		w.subject("wallet_topped_up.subject", nil)
		w.lead("wallet_topped_up.lead", nil)
	}
	w.row("row.balance", w.money(w.f.Balance))
	w.row("row.tool", w.tool(w.f.Tool))
	w.row("row.order", tidy(w.f.Order))
	w.row("row.receipt", tidy(w.f.Bill))
	w.button("wallet_topped_up.button")
}

// afterOwed says where the rest of a top-up is that paid what was owed, or what is
// still owed.
func (w *writer) afterOwed() {
	if rest, err := w.f.Amount.Sub(w.f.OwedPaid); err == nil && rest.Minor > 0 {
		w.note("wallet_topped_up.owed_rest", locale.Args{"amount": w.money(rest)})
	}
	if left := w.money(w.f.Owed); left != "" {
		w.note("wallet_topped_up.owed_left", locale.Args{"amount": left})
	}
}

func (w *writer) walletExpiring() {
	amount, end := w.money(w.f.Amount), w.end(w.f.EndsAt)
	if amount != "" && end != "" {
		w.subject("wallet_expiring.subject_amount", locale.Args{"amount": amount})
		w.lead("wallet_expiring.lead_amount", locale.Args{"amount": amount, "time": end})
	} else {
		w.subject("wallet_expiring.subject", nil)
		w.lead("wallet_expiring.lead", nil)
	}
	w.note("wallet_expiring.first", nil)
	w.button("wallet_topped_up.button")
}

func (w *writer) walletExpired() {
	w.subject("wallet_expired.subject", nil)
	if amount := w.money(w.f.Amount); amount != "" {
		w.lead("wallet_expired.lead_amount", locale.Args{"amount": amount})
	} else {
		w.lead("wallet_expired.lead", nil)
	}
	w.button("wallet_topped_up.button")
}

// aboutTool is about a saved tool, or what may be paid with it.
func (w *writer) aboutTool(subject, lead, advice string) {
	name := cmp.Or(tidy(w.f.ToolLabel), w.tool(w.f.Tool), w.say("tool.unnamed", nil))
	w.subject(subject, nil)
	w.lead(lead, locale.Args{"tool": name, "seller": w.from.Seller})
	w.row("row.tool", name)
	w.row("row.limit", w.money(w.f.Amount))
	w.row("row.at", w.moment(w.f.At))
	w.note(advice, nil)
	w.button("tools.button")
}
