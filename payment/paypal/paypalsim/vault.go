package paypalsim

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// token is a payer's wallet, saved for a customer of the merchant.
type token struct {
	id        string
	customer  string // the merchant's name for the customer, or PayPal's
	payer     string
	usage     string // usage_type
	kind      string // customer_type
	order     *order // that saved it
	tool      Tool   // how the wallet answers when it is to pay
	createdAt time.Time
	deletedAt time.Time // zero: it can pay
}

// How far saving has come, in an order that asked for it.
const (
	savedStatus = "VAULTED"
	savingStill = "APPROVED" // the wallet is saved a little later: there is no token yet
)

const tokensPath = "/v3/vault/payment-tokens"

func (t *token) path() string { return tokensPath + "/" + t.id }

func (o *order) wantsSaving() bool {
	return text(o.request, sourceOf("attributes", "vault", "store_in_vault")...) != "" && o.saving == ""
}

func (o *order) customer() string {
	return text(o.request, sourceOf("attributes", "customer", "id")...)
}

// unfitSource checks what an order says about the wallet that pays.
func (s *Sim) unfitSource(fields obj) *refusal {
	const at = "/payment_source/paypal"
	id := text(fields, sourceOf("vault_id")...)
	paypal, _ := fields["payment_source"].(obj)["paypal"].(obj)
	attributes, _ := paypal["attributes"].(obj)
	vault, saves := attributes["vault"].(obj)
	switch {
	case saves && id != "":
		return bad("NOT_SUPPORTED", at+"/attributes/vault", "")
	case saves && vault["store_in_vault"] == nil:
		return unfit("VAULT_INSTRUCTION_REQUIRED", at+"/attributes/vault/store_in_vault", "")
	case (saves || id != "") && s.cfg.NoVault:
		return unfit("NOT_ENABLED_TO_VAULT_PAYMENT_SOURCE", at, "")
	case id != "" && s.tokenOf[id] == nil:
		return unfit("TOKEN_ID_NOT_FOUND", at+"/vault_id", id)
	case id == "" && paypal["stored_credential"] != nil && !saves:
		return bad("NOT_SUPPORTED", at+"/stored_credential", "")
	case id != "":
		return nil
	}
	for _, field := range []string{"return_url", "cancel_url"} {
		if text(fields, sourceOf("experience_context", field)...) == "" {
			return bad("MISSING_REQUIRED_PARAMETER", at+"/experience_context/"+field, "")
		}
	}
	return nil
}

// askToken lets a saved wallet say whether it pays a new order. Where the payer
// has to come, the order waits for them, unless they are known not to be there.
func (s *Sim) askToken(o *order) *refusal {
	t := o.token
	o.payer, o.tool, o.state = t.payer, t.tool, approved
	switch {
	case len(s.refuseNext) > 0:
		issue := s.refuseNext[0]
		s.refuseNext = s.refuseNext[1:]
		return unfit(issue, "/payment_source/paypal", "")
	case s.declineNext > 0 || t.tool == DeclinedLater:
		s.declineNext = max(0, s.declineNext-1)
		return unfit(instrumentDeclined, "", "")
	case s.askNext > 0 || t.tool == CardRefused:
		s.askNext = max(0, s.askNext-1)
		if text(o.request, sourceOf("stored_credential", "payment_initiator")...) == initiatedByMerchant {
			return unfit(needsPayer, "", "")
		}
		o.state = needsPayer
	}
	return nil
}

// save keeps the wallet that paid, or says that it will be kept.
func (s *Sim) save(o *order) {
	if o.saving = savingStill; !s.holdVault {
		s.finishSaving(o)
	}
}

// finishSaving makes the token. A wallet that is saved for this customer already
// keeps the one that it has.
func (s *Sim) finishSaving(o *order) {
	o.saving = savedStatus
	for _, t := range s.saved {
		if t.deletedAt.IsZero() && t.payer == o.payer && t.customer == o.customer() {
			o.token = t
			return
		}
	}
	t := &token{
		id: s.newID(vaultLetters, 16), customer: o.customer(), payer: o.payer, order: o, createdAt: s.now, tool: Balance,
		usage: text(o.request, sourceOf("attributes", "vault", "usage_type")...),
		kind:  text(o.request, sourceOf("attributes", "vault", "customer_type")...),
	}
	if t.customer == "" {
		t.customer = s.newID("123456789", 10)
	}
	if t.kind == "" {
		t.kind = "CONSUMER"
	}
	o.token = t
	s.tokenOf[t.id] = t
	s.saved = append(s.saved, t)
	s.show(t.path(), t.view())
	told := t.view()
	told["time_created"] = s.now.Format("2006-01-02T15:04:05.000MST")
	told["metadata"] = obj{"order_id": o.id}
	s.tell("VAULT.PAYMENT-TOKEN.CREATED", "payment_token", "3.0", "A payment token has been created.", told)
}

const vaultLetters = "0123456789abcdefghijklmnopqrstuvwxyz"

// payerOf is who approves an order: whose wallet is saved for its customer, or
// somebody new.
func (s *Sim) payerOf(o *order) string {
	for _, t := range slices.Backward(s.saved) {
		if t.customer == o.customer() && t.deletedAt.IsZero() {
			return t.payer
		}
	}
	return s.newID(payerLetters, 13)
}

// deleteToken ends what was saved, by the merchant's wish.
func (s *Sim) deleteToken(path string) answer {
	id, ok := strings.CutPrefix(path, tokensPath+"/")
	switch {
	case s.cfg.NoVault:
		return s.refuse(&refusal{status: http.StatusForbidden})
	case !ok || s.tokenOf[id] == nil:
		return s.refuse(missing())
	}
	t := s.tokenOf[id]
	s.tell("VAULT.PAYMENT-TOKEN.DELETION-INITIATED", "payment_token", "3.0", "A request to delete a payment token has been submitted.", t.view())
	s.forget(t)
	return answer{status: http.StatusNoContent}
}

func (s *Sim) forget(t *token) {
	t.deletedAt = s.now
	delete(s.tokenOf, t.id)
	s.show(t.path(), nil)
	s.tell("VAULT.PAYMENT-TOKEN.DELETED", "payment_token", "3.0", "A payment token has been deleted.", t.view())
}

// The pages of a customer's tokens.
const (
	tokensDefault = 5
	tokensMax     = 64
)

func (s *Sim) listTokens(query url.Values) answer {
	size, page := tokensDefault, 1
	for name := range query {
		v := query.Get(name)
		n, err := strconv.Atoi(v)
		fits := err == nil && n >= 1
		switch name {
		case "customer_id":
			fits = len(v) >= 7 && len(v) <= 36 && nameForm.MatchString(v)
		case "page_size":
			size, fits = n, fits && n <= tokensMax
		case "page":
			page = n
		case "total_required":
			fits = v == "true" || v == "false"
		default:
			return s.refuse(bad("NOT_SUPPORTED", "?"+name, v))
		}
		if !fits {
			return s.refuse(bad("INVALID_PARAMETER_VALUE", "?"+name, v))
		}
	}
	customer := query.Get("customer_id")
	if customer == "" {
		return s.refuse(bad("MISSING_REQUIRED_PARAMETER", "?customer_id", ""))
	}
	then := s.now.Add(-s.lag)
	all := []obj{}
	for _, t := range s.saved {
		if t.customer == customer && !t.createdAt.After(then) && (t.deletedAt.IsZero() || t.deletedAt.After(then)) {
			all = append(all, t.view())
		}
	}
	v := obj{"customer": obj{"id": customer}, "links": []obj{self(tokensPath+"?customer_id="+customer, "self")}}
	if query.Get("total_required") == "true" {
		v["total_items"], v["total_pages"] = len(all), (len(all)+size-1)/size
	}
	from := min((page-1)*size, len(all))
	v["payment_tokens"] = all[from:min(from+size, len(all))]
	return say(http.StatusOK, v)
}

func (t *token) view() obj {
	return obj{
		"id": t.id, "customer": obj{"id": t.customer},
		"payment_source": obj{"paypal": obj{
			"email_address": payerAddress, "payer_id": t.payer, "account_id": t.payer,
			"usage_type": t.usage, "customer_type": t.kind, "permit_multiple_payment_tokens": false,
		}},
		"links": []obj{self(t.path(), "self"), link(apiBase+t.path(), "delete", http.MethodDelete)},
	}
}

// vaultView is what an order says about the wallet that it saves.
func (o *order) vaultView() obj {
	up := self(o.path(), "up")
	if o.saving == savingStill {
		return obj{"status": o.saving, "links": []obj{up}}
	}
	v := o.token.view()
	return obj{"id": o.token.id, "status": o.saving, "customer": v["customer"], "links": append(v["links"].([]obj), up)}
}
