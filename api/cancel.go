package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
)

// Cancellation is what giving a new eSIM back would come to, or how it stands.
type Cancellation struct {
	Order  string     `json:"order,omitempty" doc:"That it was bought with."`
	State  string     `json:"state" enum:"possible,impossible,asked,done,unclear" doc:"asked: the operator may have taken it back, and the customer hears; unclear: a person looks; done: the money goes back."`
	Reason string     `json:"reason,omitempty" doc:"Why it is impossible." example:"cancel_installed"`
	Why    string     `json:"why,omitempty" doc:"The same, for the customer."`
	Tool   *Money     `json:"tool,omitempty" doc:"What goes back to the tool that paid."`
	Wallet *Money     `json:"wallet,omitempty" doc:"What goes into the wallet, at once."`
	Points int64      `json:"points,omitempty" doc:"That are given back."`
	Until  *time.Time `json:"until,omitempty" doc:"The first instant at which it can not be given back any more, if nobody installs it before; absent: none is known."`
}

func (s *Server) addCancelling(d huma.API) {
	add(s, d, route{
		id: "get-cancellation", method: http.MethodGet, path: "/lines/{line}/cancellation", scope: Read, tag: "Lines",
		summary: "What giving a new eSIM back would come to, or how it stands",
		about:   "As far as is known without asking the operator, who decides: a phone may have installed it meanwhile.",
	}, s.getCancellation)
	add(s, d, route{
		id: "cancel-line", method: http.MethodPost, path: "/lines/{line}/cancel", scope: Renew, tag: "Lines",
		summary: "Give a new eSIM back that nobody has installed",
		about:   "The operator takes it back first; then all of the money returns. Sending it again changes nothing. With the state asked the operator did not answer: look at it again.",
	}, s.cancelLine)
}

func (s *Server) getCancellation(ctx context.Context, c *call, in *OfLine) (Cancellation, error) {
	owner, err := c.account(in.Line)
	if err != nil {
		return Cancellation{}, err
	}
	return db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (Cancellation, error) {
		k, err := order.BoughtWith(ctx, tx, owner, in.Line)
		if err != nil {
			return refusedCancellation(c, "", err)
		}
		state, err := order.WithdrawalState(ctx, tx, k)
		if err != nil || state != "" && state != order.WithdrawRefused {
			return Cancellation{Order: k.ID, State: string(state)}, err
		}
		w, err := s.Desk.Withdrawing(ctx, tx, k)
		if err != nil {
			return refusedCancellation(c, k.ID, err)
		}
		out := Cancellation{Order: k.ID, State: "possible", Points: w.Points, Until: instant(w.Until)}
		if w.Tool.Minor > 0 {
			m := moneyOf(w.Tool)
			out.Tool = &m
		}
		if w.Wallet.Minor > 0 {
			m := moneyOf(w.Wallet)
			out.Wallet = &m
		}
		return out, nil
	})
}

// refusedCancellation says why it cannot be; an error of another kind stays one.
func refusedCancellation(c *call, orderID string, err error) (Cancellation, error) {
	f, ok := asFault(err)
	if !ok || f.Kind != fault.Conflict {
		return Cancellation{}, err
	}
	return Cancellation{Order: orderID, State: "impossible", Reason: f.Reason, Why: c.voice.Fault(err)}, nil
}

func (s *Server) cancelLine(ctx context.Context, c *call, in *OfLine) (Cancellation, error) {
	owner, err := c.account(in.Line)
	if err != nil {
		return Cancellation{}, err
	}
	k, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (order.Key, error) {
		return order.BoughtWith(ctx, tx, owner, in.Line)
	})
	if err != nil {
		return Cancellation{}, err
	}
	state, err := s.Desk.Withdraw(ctx, k, order.Act{})
	if err != nil {
		return Cancellation{}, err
	}
	return Cancellation{Order: k.ID, State: string(state)}, nil
}
