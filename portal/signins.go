package portal

import (
	"context"
	"strings"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ui"
)

// signInRow is somebody who came into the account, or did not.
type signInRow struct {
	What, Where, When string
	New               bool // came in, in a browser that was not known
}

// signInsListed is how many the page of security shows; the file of all data has the rest.
const signInsListed = 10

func (v *visit) signInRows(ctx context.Context) (rows []signInRow, err error) {
	all, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) ([]account.SignIn, error) {
		return account.SignIns(ctx, tx, v.account.ID, signInsListed)
	})
	for _, s := range all {
		rows = append(rows, v.signInRow(s))
	}
	return rows, err
}

func (v *visit) signInRow(s account.SignIn) signInRow {
	what := "signins.in." + string(s.Way)
	if s.Reason != "" {
		what = "signins.refused." + string(s.Way)
	}
	if !ui.Texts().Has(what) {
		what = "signins.refused"
	}
	where := []string{s.Agent}
	if s.Agent == "" {
		where[0] = v.voice.T("sessions.unknown")
	}
	if s.Client != "" {
		where = append(where, s.Client)
	}
	return signInRow{v.voice.T(what), strings.Join(where, " · "), v.voice.Moment(s.At, v.shopZone()).Text, s.Reason == "" && !s.Known}
}
