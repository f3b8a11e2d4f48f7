package portal

import (
	"context"
	"net/http"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
)

// addressRow is one address of the account.
type addressRow struct {
	ID, Value, Since string
	Primary          bool
}

func (v *visit) addressRows(all []account.Address) (rows []addressRow) {
	for _, a := range all {
		rows = append(rows, addressRow{
			a.ID, a.Value, v.voice.Say("addresses.since", locale.Args{"date": v.voice.Day(a.At, v.shopZone())}), a.Primary,
		})
	}
	return rows
}

// changeAddresses removes an address, or sends a code to a new one.
func (s *Server) changeAddresses(ctx context.Context, v *visit) (answer, error) {
	done, err := "", error(nil)
	if id := v.field("remove"); id != "" {
		done, err = securityPath+"?done=no_address", s.Door.RemoveAddress(ctx, v.session, id)
	} else {
		var challenge string
		challenge, err = s.Door.AskAddress(ctx, v.session, v.field("email"), v.browser())
		if err == nil {
			v.setCookie(newAddressCookie, challenge, challengeLife)
		}
		done = securityPath + "/code"
	}
	switch reason(err) {
	case "last_address", "bad_email", "too_many_codes":
		p, e := s.security(ctx, v)
		p.AddressError = v.voice.Fault(err)
		return answer{template: "security.html", page: p, status: fault.KindOf(err).Status()}, e
	}
	return goTo(done), err
}

// addressCodePage asks for the code that was sent to the new address.
func (s *Server) addressCodePage(_ context.Context, v *visit) (answer, error) {
	if v.cookie(newAddressCookie) == "" {
		return goTo(securityPath), nil
	}
	return show("code.html", v.addressCodeForm()), nil
}

func (v *visit) addressCodeForm() codeForm {
	return codeForm{
		Frame: v.frame(v.voice.T("code.title")), Action: securityPath + "/code", Button: v.voice.T("addresses.add"),
		Again: securityPath, Lead: v.voice.T("addresses.sent"),
	}
}

// enterAddressCode adds the address whose code was right.
func (s *Server) enterAddressCode(ctx context.Context, v *visit) (answer, error) {
	err := s.Door.EnterAddress(ctx, v.session, v.cookie(newAddressCookie), v.field("code"))
	if err == nil {
		v.clearCookie(newAddressCookie)
		return goTo(securityPath + "?done=address"), nil
	}
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Denied, fault.Conflict:
		p := v.addressCodeForm()
		p.Error = v.voice.Fault(err)
		return answer{template: "code.html", page: p, status: http.StatusUnprocessableEntity}, nil
	case fault.TooMany, fault.NotFound, fault.Unavailable, fault.Internal:
	}
	return answer{}, err
}
