package e2e

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/ledger"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
)

// trips are a plan of every operator that there is an adapter for, and one that two of
// them feed.
var trips = []struct {
	adapter, plan string
	fedBy         string // the operator that must have made the line; empty: the plan's
}{
	{"simple", simplePlan, ""},
	{"esimaccess", accessPlan, ""},
	{"airalo", "sorami-trip", ""},
	{"esimgo", "hoshi-bundles", ""},
	{"cmi", "fuyou-trip", ""},
	{"tabi", "tabibito-5gb", ""},
	{"es2plus", "hayate-3gb", ""},
	{"manual", "yamanami-10gb", ""},
	{"the cheaper one", "meguri-3gb", "tabibito"},
}

// A traveller buys a new eSIM of every operator, installs it, uses it, sees what is
// left, renews it, and sees the new end. TSUZUKU_EVERY_POINT=1 wants every operator.
func TestTravellerTravelsWithEveryOperator(t *testing.T) {
	d := openDemo(t)
	err := d.App.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return ledger.Post(ctx, tx, ledger.Posting{Account: d.customer, Subject: "trips", Step: "opening", Transfers: []ledger.Transfer{
			{From: ledger.Opening, To: ledger.Wallet, Amount: money.Of(60_000, "JPY")},
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	b := openTab(t, d, "en", false)
	b.signIn("/")
	for i, trip := range trips {
		t.Run(trip.adapter, func(t *testing.T) {
			if os.Getenv("TSUZUKU_EVERY_POINT") == "" && i%3 != 2 {
				t.Skip("every third operator; TSUZUKU_EVERY_POINT=1 wants them all")
			}
			b.t = t
			b.open("/plans/" + trip.plan)
			b.press(`ul.offers button[name="item"]`)
			l := b.bringsLine()
			if l.Plan != trip.plan || trip.fedBy != "" && l.Operator != trip.fedBy {
				t.Errorf("a line of plan %s by %s", l.Plan, l.Operator)
			}
			l = b.usesLine(l)
			b.renewsLine(l)
		})
	}
	b.t = t
	d.judge(t)
}

// bought pays from the wallet; staff do by hand what is theirs to do.
func (b *tab) bought() (o order.Order) {
	b.t.Helper()
	if !strings.HasPrefix(b.path(), "/quotes/") {
		b.t.Fatalf("nothing to review:\n%s", b.whereabouts())
	}
	b.pay("wallet")
	id := b.onOrder()
	b.open("/sim/phones")
	if b.has(`form[action="/sim/work"]`) {
		b.press(`form[action="/sim/work"] button[value="done"]`)
	}
	b.until("order "+id+" is completed", func() bool {
		o = b.order(id)
		return o.State == order.Completed
	})
	return o
}

// bringsLine buys what is reviewed, and finds what the new line is installed with.
func (b *tab) bringsLine() line.Line {
	b.t.Helper()
	o := b.bought()
	b.open("/lines/" + o.Line)
	whole := eval[string](b, `Array.from(document.querySelectorAll("#install code"), c => c.textContent).find(t => t.startsWith("LPA:")) ?? ""`)
	if !lpa.MatchString(whole) || !b.has("#install svg.code path") {
		b.t.Errorf("%s cannot be installed with %q:\n%s", o.Plan, whole, b.words())
	}
	return b.line(o.Line)
}

func (b *tab) line(id string) (l line.Line) {
	b.t.Helper()
	b.demo.read(b.t, func(ctx context.Context, tx db.Tx) (err error) {
		l, err = line.Get(ctx, tx, b.demo.customer, id)
		return err
	})
	return l
}

// volume is how a page writes data.
var volume = regexp.MustCompile(`\d (GB|MB)\b`)

// usesLine installs a line and uses some of it. The shop knows when it has asked.
func (b *tab) usesLine(l line.Line) line.Line {
	b.t.Helper()
	b.open("/sim/phones")
	b.press(fmt.Sprintf(`#%s button[value="install"]`, l.ID))
	b.press(fmt.Sprintf(`#%s button[value="use"]`, l.ID))
	for hours := 0; ; hours++ {
		b.open("/lines/" + l.ID)
		if l = b.line(l.ID); l.At(b.demo.Strangers.Clock.Now()) == line.Active && l.Usage.Used > 0 {
			break
		}
		if hours == 6 {
			b.t.Fatalf("%s was used, and the shop has %+v\n%s", l.Plan, l.Usage, b.words())
		}
		b.open("/sim/phones")
		b.press(`button[value="hour"]`)
	}
	b.open("/lines/" + l.ID + "?used")
	if l.EndsAt.IsZero() || !volume.MatchString(b.words()) {
		b.t.Errorf("%s ends %v, and the page shows:\n%s", l.Plan, l.EndsAt, b.words())
	}
	return l
}

// renewsLine takes the first offer, and finds the later end on the line's page.
func (b *tab) renewsLine(before line.Line) {
	b.t.Helper()
	b.open("/lines/" + before.ID + "/renew")
	b.press(`ul.offers button[name="item"]`)
	o := b.bought()
	b.open("/lines/" + before.ID)
	l, shown := b.line(before.ID), b.zoned(before, o.EndsAt)
	if l.Periods != before.Periods+1 || !l.EndsAt.After(before.EndsAt) || !l.EndsAt.Equal(o.EndsAt) {
		b.t.Errorf("%s ended %v and ends %v after %d periods, want %v", l.Plan, before.EndsAt, l.EndsAt, l.Periods, o.EndsAt)
	}
	if n := b.demo.extended(b.demo.adapter(b.t, o), l); n != 1 {
		b.t.Errorf("%s was renewed once, and its operator extended it %d times", l.Plan, n)
	}
	if !strings.Contains(b.words(), shown) {
		b.t.Errorf("%s ends on %s, and the page shows:\n%s", l.Plan, shown, b.words())
	}
}

// extended is how often the operator of a line that was bought has extended it.
func (d *theDemo) extended(adapter string, l line.Line) int {
	switch s := d.Strangers; adapter {
	case "esimaccess":
		return len(s.Access.TopUps(l.ProfileID))
	case "airalo":
		return len(s.Airalo.TopUps(l.ICCID))
	case "esimgo":
		return len(s.ESIMGo.Assignments(l.ICCID)) - 1 // the first came with it
	case "cmi":
		return len(s.CMI.Subscriptions(l.ICCID)) - 1 // the first came with it
	case "tabi", "es2plus":
		return s.Remote.Extended(l.ProfileID, func(string) bool { return true })
	case "simple":
		return s.Simple.Extensions(l.ProfileID)
	}
	return l.Periods - 1 // by hand: what staff wrote down
}

// zoned is the day of an instant in a line's operator's zone, as pages write it.
func (b *tab) zoned(l line.Line, at time.Time) (day string) {
	b.t.Helper()
	b.demo.read(b.t, func(ctx context.Context, tx db.Tx) error {
		cat, err := b.demo.App.Shelf.Current(ctx, tx)
		if err != nil {
			return err
		}
		op, _ := cat.Operator(l.Operator)
		loc, err := op.Zone.Location()
		day = at.Add(-time.Second).In(loc).Format("2 Jan 2006")
		return err
	})
	return day
}
