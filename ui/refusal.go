package ui

import (
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// Refusal is a no in words.
type Refusal struct {
	Rule    renewal.Rule
	Why     string
	Instead string
}

// Refused says why a line cannot be renewed like that, and what its owner can
// do instead. Times are the operator's, whose zone loc is.
func (v Voice) Refused(no *renewal.Refusal, loc *time.Location) Refusal {
	return Refusal{Rule: no.Rule, Why: no.Why(v.Lang, loc), Instead: no.Instead(v.Lang, loc)}
}

// Tool names a way to pay.
func (v Voice) Tool(t catalogue.Tool) string { return v.Either("tool."+string(t), "tool.other", nil) }

// Currency names a currency: "Japanese yen (JPY)".
func (v Voice) Currency(c money.Currency) string {
	if !texts.Has("currency." + string(c)) {
		return string(c)
	}
	return v.T("currency." + string(c))
}
