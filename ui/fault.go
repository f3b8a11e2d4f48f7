package ui

import (
	"errors"
	"strings"

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
	if f.Reason == "" || !texts.Has("fault."+f.Reason) {
		return fault.Message(err)
	}
	args := make(locale.Args, len(f.Args))
	for k, value := range f.Args {
		args[k] = value
	}
	return v.Say("fault."+f.Reason, args)
}

// FaultTitle is the headline of a page that shows err.
func (v Voice) FaultTitle(err error) string {
	return v.T("fault.title." + string(fault.KindOf(err)))
}
