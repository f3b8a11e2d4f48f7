package paypal

import (
	"regexp"
	"testing"

	"github.com/tsuzuku/tsuzuku/payment"
)

func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		name, issue string
		want        payment.Reason
	}{
		{"UNPROCESSABLE_ENTITY", "INSTRUMENT_DECLINED", payment.Declined},
		{"UNPROCESSABLE_ENTITY", "TRANSACTION_REFUSED", payment.Declined},
		{"UNPROCESSABLE_ENTITY", "PAYER_ACTION_REQUIRED", payment.NotAuthenticated},
		{"UNPROCESSABLE_ENTITY", "ORDER_EXPIRED", payment.TooLate},
		{"UNPROCESSABLE_ENTITY", "DECIMALS_NOT_SUPPORTED", payment.NotAccepted},
		{"UNPROCESSABLE_ENTITY", "PAYEE_ACCOUNT_LOCKED_OR_CLOSED", payment.ProviderTrouble},
		{"INVALID_REQUEST", "", payment.ProviderTrouble},
		{"INSTRUMENT_DECLINED", "", payment.Declined},
	} {
		s := said{name: tt.name}
		if tt.issue != "" {
			s.issues = []string{tt.issue}
		}
		if got := whyRefused(s); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.name, tt.issue, got, tt.want)
		}
	}
	// The customer is not told which rule of fraud they broke.
	for _, issue := range []string{"COMPLIANCE_VIOLATION", "PAYEE_BLOCKED_TRANSACTION", "TRANSACTION_BLOCKED_BY_PAYEE", "PAYER_ACCOUNT_RESTRICTED"} {
		if got := whyRefused(said{name: "UNPROCESSABLE_ENTITY", issues: []string{issue}}); got != payment.Declined {
			t.Errorf("%s is told as %s", issue, got)
		}
	}
	for issue, reason := range reasons {
		if !regexp.MustCompile(`^[A-Z_]+$`).MatchString(issue) || reason == "" {
			t.Errorf("%q: %q", issue, reason)
		}
	}
}
