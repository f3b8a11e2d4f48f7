package order_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/calls"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// sourced is a shop in which two operators make lines of machi-5gb: kazemachi, for 8
// dollars, and yamabiko, for 7.
type sourced struct {
	*cashier
	dear, cheap         *carriersim.Sim
	dearPlan, cheapPlan *calls.Operator
	left                map[string]carrier.Cost // by adapter; empty: nothing is known
}

func newSourced(t *testing.T, env dbtest.Env) *sourced {
	t.Helper()
	s := &sourced{cashier: newCashier(t, env), cheap: &carriersim.Sim{Title: "esimaccess", Now: env.Clock.Now}, left: map[string]carrier.Cost{}}
	s.dear = s.Sim
	s.dearPlan, s.cheapPlan = calls.New(s.dear, calls.Budget{}, env.Clock.Now), calls.New(s.cheap, calls.Budget{}, env.Clock.Now)
	s.Desk.Carriers = map[string]carrier.Carrier{"simple": s.dearPlan, "esimaccess": s.cheapPlan}
	s.Desk.Shelf = &catalogue.Shelf{}
	s.Desk.Funds = func(_ context.Context, _ db.Tx, adapter string) (carrier.Cost, bool, error) {
		c, known := s.left[adapter]
		return c, known, nil
	}
	s.write(t, func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, sourcedFile("8", "7"), "test")
		return err
	})
	return s
}

// sourcedFile is the demo catalogue with a second operator for machi-5gb, and what a
// new line of three days costs at the two, in dollars.
func sourcedFile(dear, cheap string) []byte {
	file := bytes.Replace(catalogue.DemoFile(), []byte("operators:\n"),
		[]byte("operators:\n  - {id: yamabiko, name: Yamabiko Mobile, carrier: esimaccess, zone: Asia/Tokyo, gb: binary}\n"), 1)
	file = bytes.Replace(file, []byte("new_package: ESIM-KAZ-MACHI-5GB-3D\n"), []byte("new_package: ESIM-KAZ-MACHI-5GB-3D\n        new_cost: {USD: "+dear+"}\n"), 1)
	at := bytes.Index(file, []byte("id: machi-5gb\n"))
	at += bytes.Index(file[at:], []byte("    policy: "))
	sources := "    sources:\n      - operator: yamabiko\n        terms:\n          - {id: 3d, package: Y3, new_package: NEW-Y3, new_cost: {USD: " + cheap + "}}\n"
	for _, term := range []string{"5d", "7d", "10d", "15d", "30d"} {
		sources += "          - {id: " + term + ", package: Y" + term + "}\n"
	}
	return bytes.Join([][]byte{file[:at], []byte(sources), file[at:]}, nil)
}

// A new line is of the operator that is best now: one that answers, has money of ours,
// and is cheaper. What one refuses another does; after a silence nobody else is asked.
func TestANewLineIsOfTheBestOperator(t *testing.T) {
	const dear, cheap = "kazemachi", "yamabiko"
	once := func(f carriersim.Fault) func(*carriersim.Sim) {
		return func(s *carriersim.Sim) {
			left := 1
			s.ChooseIssue = func(carrier.Purchase) carriersim.Fault {
				if left--; left < 0 {
					return carriersim.None
				}
				return f
			}
		}
	}
	for name, one := range map[string]struct {
		before func(*sourced)
		of     string // whose the line is; empty: the money is back
		reason string
		asked  [2]int // the dear one and the cheap one
	}{
		"the cheaper one":         {func(*sourced) {}, cheap, "", [2]int{0, 1}},
		"it has no money of ours": {func(s *sourced) { s.left["esimaccess"] = carrier.Cost{Units: 650, Scale: 100, Currency: "USD"} }, dear, "", [2]int{1, 0}},
		"nobody has money of ours": {func(s *sourced) {
			s.left["esimaccess"], s.left["simple"] = carrier.Cost{Scale: 1, Currency: "USD"}, carrier.Cost{Scale: 1, Currency: "JPY"}
		}, cheap, "", [2]int{0, 1}},
		"it is left alone":               {func(s *sourced) { s.brake() }, dear, "", [2]int{1, 0}},
		"it refuses":                     {func(s *sourced) { once(carriersim.Refuse)(s.cheap) }, dear, "", [2]int{1, 1}},
		"it does not sell it any more":   {func(s *sourced) { s.cheap.Sells = []carrier.Package{} }, dear, "", [2]int{1, 1}},
		"both refuse":                    {func(s *sourced) { once(carriersim.Refuse)(s.cheap); once(carriersim.Refuse)(s.dear) }, "", "operator_refuses", [2]int{1, 1}},
		"it cannot be reached":           {func(s *sourced) { once(carriersim.NotSent)(s.cheap) }, dear, "", [2]int{1, 1}},
		"its answer is lost":             {func(s *sourced) { once(carriersim.LoseAnswer)(s.cheap) }, cheap, "", [2]int{0, 1}},
		"it is silent, and does nothing": {func(s *sourced) { once(carriersim.LoseRequest)(s.cheap) }, "", "operator_silent", [2]int{0, 1}},
		"it takes its time":              {func(s *sourced) { s.cheap.Making = time.Hour }, cheap, "", [2]int{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSourced(t, dbtest.SQLite(t))
			one.before(s)
			account := s.visitor(t, 20_000)
			o := s.buysNew(t, account, usedLater, order.ToolWallet)
			s.pass(t, 2*time.Hour)
			s.pass(t, rest)
			ends := order.Completed
			if one.of == "" {
				ends = order.Refunded
			}
			o = s.want(t, o, ends, one.reason)
			if asked := [2]int{s.dear.Asked(o.ID), s.cheap.Asked(o.ID)}; asked != one.asked {
				t.Errorf("asked %v, want %v", asked, one.asked)
			}
			if made := s.dear.Issues(o.ID) + s.cheap.Issues(o.ID); one.of != "" && made != 1 || one.of == "" && made != 0 {
				t.Errorf("%d lines were made", made)
			}
			if one.of != "" {
				if l := s.line(t, account, o.Line); l.Operator != one.of {
					t.Errorf("the line is of %s, want %s", l.Operator, one.of)
				}
			}
			if one.of == cheap {
				s.Sim = s.cheap // who is asked whether it was done
			}
			s.fair(t, account, 20_000)
			s.audited(t)
		})
	}
}

// brake has the cheap operator left alone.
func (s *sourced) brake() {
	s.cheap.Silence(true)
	for range 5 {
		_, _ = s.cheapPlan.Balance(context.Background())
	}
	s.cheap.Silence(false)
}

// A line stays with the operator that made it, and is fed with that one's packages,
// whoever would be better now.
func TestALineNeverMoves(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		s := newSourced(t, env)
		account := s.visitor(t, 50_000)
		o := s.buysNew(t, account, usedLater, order.ToolWallet)
		l := s.line(t, account, o.Line)
		s.write(t, func(ctx context.Context, tx db.Tx) error {
			_, _, err := catalogue.Apply(ctx, tx, sourcedFile("1", "7"), "test")
			return err
		})
		s.cheap.Use(l.ProfileID, s.Clock.Now().Add(72*time.Hour), 0)
		s.write(t, func(ctx context.Context, tx db.Tx) error { return line.LookSoon(ctx, tx, account, o.Line) })
		if _, err := s.Desk.LookStep(t.Context()); err != nil {
			t.Fatal(err)
		}
		asked := ""
		s.cheap.Meanwhile = func(e carrier.Extension) { asked = e.Package }
		q, err := s.Desk.Quote(t.Context(), account, o.Line, renewal.Item{Kind: renewal.Term, Plan: usedLater, ID: "5d"}, money.Currency("JPY"))
		if err != nil {
			t.Fatal(err)
		}
		renewed, err := s.place(t, q)
		if err != nil || renewed.State != order.Completed {
			t.Fatalf("%s %v", renewed.State, err)
		}
		if got := s.line(t, account, o.Line).Operator; got != "yamabiko" || asked != "Y5d" || s.dear.Asked(renewed.ID) != 0 {
			t.Errorf("the line is of %s, and was fed with %s", got, asked)
		}
		other := s.buysNew(t, s.visitor(t, 20_000), usedLater, order.ToolWallet)
		if got := s.line(t, other.Account, other.Line).Operator; got != "kazemachi" {
			t.Errorf("a new line is of %s, which is dearer now", got)
		}
	})
}
