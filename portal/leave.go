package portal

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/leaving"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/support"
	"github.com/tsuzuku/tsuzuku/ui"
)

// closePage is everything close.html may use.
type closePage struct {
	ui.Frame
	First  []obstacleRow // what must happen before
	Points string        // that would be lost
	Closes ui.Moment     // when the account, which is closing, will be closed
	Error  string
}

// obstacleRow is one thing that must happen before the account is closed.
type obstacleRow struct{ Text, Link, LinkText string }

// exportData gives the customer what we hold on them.
func (s *Server) exportData(ctx context.Context, v *visit) (answer, error) {
	all, err := s.Leaving.Everything(ctx, v.session)
	if err != nil {
		return answer{}, err
	}
	file, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return answer{}, err
	}
	return answer{file: &support.File{Name: "account.json", Kind: "application/json", Content: file}}, nil
}

// closePage says what closing the account means, and what must happen first.
func (s *Server) closePage(ctx context.Context, v *visit) (answer, error) {
	p, err := db.Seen(ctx, s.DB, v.closing)
	return show("close.html", p), err
}

func (v *visit) closing(ctx context.Context, tx db.Tx) (closePage, error) {
	p := closePage{Frame: v.frame(v.voice.T("close.title"))}
	closes, err := account.ClosesAt(ctx, tx, v.account.ID)
	if err != nil {
		return p, err
	}
	if !closes.IsZero() {
		p.Closes = v.voice.Moment(closes, v.shopZone())
	}
	first, err := leaving.Obstacles(ctx, tx, v.account.ID)
	if err != nil {
		return p, err
	}
	for _, o := range first {
		p.First = append(p.First, v.obstacle(o))
	}
	points, err := ledger.Balance(ctx, tx, v.account.ID, ledger.Points, money.Points)
	if points.Minor > 0 {
		p.Points = v.voice.Say("close.points", locale.Args{"points": v.voice.Money(points)})
	}
	return p, err
}

func (v *visit) obstacle(o leaving.Obstacle) obstacleRow {
	switch o.Why {
	case leaving.LiveLine:
		own, end := v.lineView(o.Line), v.voice.End(o.Line.EndsAt, placeOf(v.shop, o.Line.Plan).loc)
		return obstacleRow{
			v.voice.Say("close.first.line", locale.Args{"line": own.Name + " …" + own.LastFour, "end": end.Text}), "/lines/" + own.ID, v.voice.T("order.page.to_line"),
		}
	case leaving.OpenOrder:
		return obstacleRow{v.voice.T("close.first.order"), "/orders/" + o.Order, v.voice.T("account.see_order")}
	case leaving.HasWallet:
		return obstacleRow{v.voice.Say("close.first.wallet", locale.Args{"amount": v.voice.Money(o.Amount)}), "/wallet", v.voice.T("nav.wallet")}
	}
	return obstacleRow{v.voice.T("close.first.owed"), "/wallet", v.voice.T("owed.pay")}
}

// closeAccount begins to close the account, or calls that off.
func (s *Server) closeAccount(ctx context.Context, v *visit) (answer, error) {
	if v.field("keep") != "" {
		err := s.Door.KeepOpen(ctx, v.session)
		return goTo(securityPath + "?done=kept"), err
	}
	err := error(nil)
	if v.field("sure") == "1" {
		err = s.Leaving.Close(ctx, v.session)
	}
	if reason(err) == "close_later" || v.field("sure") != "1" {
		p, e := db.Seen(ctx, s.DB, v.closing)
		p.Error = v.voice.T("close.agree")
		if err != nil {
			p.Error = v.voice.Fault(err)
		}
		return answer{template: "close.html", page: p, status: http.StatusUnprocessableEntity}, e
	}
	return goTo(securityPath + "/close"), err
}
