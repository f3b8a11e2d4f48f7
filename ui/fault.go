package ui

import (
	"errors"
	"strings"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
)

// Fault says err to the customer: by its reason, in their language; without a
// text for the reason, by its own English message; and for what is not their
// business, that something went wrong on our side.
func (v Voice) Fault(err error) string {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind == fault.Internal {
		return v.T("fault.internal")
	}
	if strings.HasPrefix(f.Reason, "renewal.") {
		return v.T("fault.renewal") // the line's page says which rule, with its facts
	}
	args := make(locale.Args, len(f.Args))
	for k, value := range f.Args {
		args[k] = value
	}
	switch {
	case f.Reason == "":
	case texts.Has("fault." + f.Reason):
		return v.Say("fault."+f.Reason, args)
	case account.Texts().Has(f.Reason):
		return account.Texts().Say(v.Lang, f.Reason, args)
	}
	return fault.Message(err)
}

// FaultTitle is the headline of a page that shows err.
func (v Voice) FaultTitle(err error) string {
	return v.T("fault.title." + string(fault.KindOf(err)))
}
