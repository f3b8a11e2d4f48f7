package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/order"
)

// Cancellation is what giving something back would come to, or how it stands: a new eSIM
// that nobody has installed, or a period that waits for its turn.
type Cancellation struct {
	Order  string     `json:"order,omitempty" doc:"That it was bought with."`
	State  string     `json:"state" enum:"possible,impossible,asked,done,unclear" doc:"asked: the operator may have taken it back, and the customer hears; unclear: a person looks; done: the money goes back."`
	Reason string     `json:"reason,omitempty" doc:"Why it is impossible." example:"cancel_installed"`
	Why    string     `json:"why,omitempty" doc:"The same, for the customer."`
	Tool   *Money     `json:"tool,omitempty" doc:"What goes back to the tool that paid."`
	Wallet *Money     `json:"wallet,omitempty" doc:"What goes into the wallet, at once."`
	Points int64      `json:"points,omitempty" doc:"That are given back."`
	Until  *time.Time `json:"until,omitempty" doc:"The first instant at which it can not be given back any more: a period begins then; of an eSIM, if nobody installs it before. Absent: none is known."`
}

type periodCancellation struct {
	OfOrder
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"200" doc:"Required: new for every period, and the same when the request is sent again. Answers are repeated for 48 hours; that a period is cancelled once holds for ever."`
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
	add(s, d, route{
		id: "get-period-cancellation", method: http.MethodGet, path: "/orders/{order}/period/cancellation", scope: Read, tag: "Renewing",
		summary: "What cancelling the period that an order brought would come to, or that it was done",
		about:   "As far as is known without asking the operator. Only a period that waits for its turn can be cancelled, and only the one of its line that was bought last.",
	}, s.getPeriodCancellation)
	add(s, d, route{
		id: "cancel-period", method: http.MethodPost, path: "/orders/{order}/period/cancel", scope: Renew, tag: "Renewing",
		summary: "Cancel a period that waits for its turn",
		about: "The operator takes it back first; then all of the money returns, as the order's refunds and bills say, and the line ends when it did before. " +
			"A period that was cancelled already stays so: the answer is done. After 503 nothing was given back: send the same again later.",
	}, s.cancelPeriod)
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
		return possibleCancellation(k.ID, w.Returning(), w.Until), nil
	})
}

// possibleCancellation says what comes back, if it is done before until.
func possibleCancellation(orderID string, r order.Returning, until time.Time) Cancellation {
	out := Cancellation{Order: orderID, State: "possible", Points: r.Points, Until: instant(until)}
	if r.Tool.Minor > 0 {
		m := moneyOf(r.Tool)
		out.Tool = &m
	}
	if r.Wallet.Minor > 0 {
		m := moneyOf(r.Wallet)
		out.Wallet = &m
	}
	return out
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

func (s *Server) getPeriodCancellation(ctx context.Context, c *call, in *OfOrder) (Cancellation, error) {
	owner, err := c.account(in.Order)
	if err != nil {
		return Cancellation{}, err
	}
	return db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (Cancellation, error) {
		o, err := order.Get(ctx, tx, order.Key{Account: owner, ID: in.Order})
		if err != nil {
			return Cancellation{}, err
		}
		if gone, err := order.PeriodCancelled(ctx, tx, o); gone || err != nil {
			return cancelledPeriod(o.ID), err
		}
		back, err := s.Desk.Cancelling(ctx, tx, o)
		if err != nil {
			return refusedCancellation(c, o.ID, err)
		}
		return possibleCancellation(o.ID, back, o.StartsAt), nil
	})
}

func cancelledPeriod(orderID string) Cancellation {
	return Cancellation{Order: orderID, State: string(order.WithdrawDone)}
}

func (s *Server) cancelPeriod(ctx context.Context, c *call, in *periodCancellation) (Cancellation, error) {
	if strings.TrimSpace(in.IdempotencyKey) == "" {
		return Cancellation{}, errNoKey()
	}
	owner, err := c.account(in.Order)
	if err != nil {
		return Cancellation{}, err
	}
	r, err := c.requested(owner, in.IdempotencyKey, "cancel-period", in.Order)
	if err != nil {
		return Cancellation{}, err
	}
	k := order.Key{Account: owner, ID: in.Order}
	return once(ctx, s, r, func(ctx context.Context) (Cancellation, error) {
		// Whoever comes again, also after a crash, is told that it is done.
		gone, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (bool, error) {
			o, err := order.Get(ctx, tx, k)
			if err != nil {
				return false, err
			}
			return order.PeriodCancelled(ctx, tx, o)
		})
		if err == nil && !gone {
			err = s.Desk.CancelPeriod(ctx, k)
		}
		return cancelledPeriod(k.ID), err
	})
}
