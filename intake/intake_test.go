package intake_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/intake"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/seal"
)

// office is where files are brought to, in a shop with the demo's catalogue.
type office struct {
	dbtest.Env
	desk *order.Desk
	in   *intake.Desk
}

func newOffice(t testing.TB, env dbtest.Env) *office {
	t.Helper()
	o := &office{Env: env}
	o.desk = &order.Desk{
		DB: env.DB, IDs: id.NewSource(env.Clock.Now, rand.Reader), Shelf: &catalogue.Shelf{},
		Carriers: map[string]carrier.Carrier{"simple": &carriersim.Sim{Title: "simple", Now: env.Clock.Now}},
		Codes:    seal.New("codes", "the secret of these tests", nil, nil),
		Wallet:   order.WalletFull, Log: slog.New(slog.DiscardHandler),
	}
	o.in = &intake.Desk{Orders: o.desk, Staff: "mika", Reason: "moving in"}
	if err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return o
}

// tester is a test, or one case of a property.
type tester interface {
	rapid.TB
	Context() context.Context
}

func (o *office) brings(t tester, kind, file string) intake.Result {
	t.Helper()
	return o.with(t, kind, file, o.in.Apply)
}

func (o *office) with(t tester, kind, file string, do func(context.Context, intake.Kind, *intake.Table) (intake.Result, error)) intake.Result {
	t.Helper()
	k, err := intake.KindOf(kind)
	if err != nil {
		t.Fatal(err)
	}
	table, err := intake.ReadTable(k, strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	r, err := do(t.Context(), k, table)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// everything is what the tables hold that an import writes, but for what is random.
func (o *office) everything(t tester) string {
	t.Helper()
	var out strings.Builder
	for _, query := range []string{
		`SELECT value || state || name || language FROM accounts JOIN addresses ON accounts.account_id = addresses.account_id ORDER BY 1`,
		`SELECT l.iccid || l.profile_id || l.plan_id || l.state || l.used_bytes || p.starts_at || p.ends_at || p.number FROM lines l JOIN periods p ON p.line_id = l.id ORDER BY 1`,
		`SELECT subject || step || minor || currency FROM transfers ORDER BY 1`,
		`SELECT book || currency || minor FROM balances ORDER BY 1`,
		`SELECT iccid || kind || plan_id || term_id || batch || state || mark FROM stock ORDER BY 1`,
		`SELECT m.kind || m.due_at || l.iccid FROM messages m JOIN lines l ON l.id = m.line_id ORDER BY 1`,
		`SELECT action || staff || reason || CAST(COUNT(*) AS text) FROM trail GROUP BY action, staff, reason ORDER BY 1`,
		`SELECT kind || CAST(COUNT(*) AS text) FROM directory GROUP BY kind ORDER BY 1`,
	} {
		for _, s := range o.column(t, query) {
			fmt.Fprintln(&out, s)
		}
	}
	return out.String()
}

func (o *office) column(t tester, query string) (all []string) {
	t.Helper()
	err := o.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		all = nil
		rows, err := tx.Query(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // a read
		for rows.Next() {
			var s string
			if err := rows.Scan(&s); err != nil {
				return err
			}
			all = append(all, s)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const (
	people = "email,language,name,zone\naiko@example.com,ja,Aiko,Asia/Tokyo\n\"bo@example.com\",zh-Hans,\"Bo, the younger\",\n"
	cards  = "\uFEFFPlan,ICCID,Term,Claim_Code,Batch,Expires,Operator_ID\r\nhinode-visitor-5,8981100000000000010,5gb-21d,7kq4-22md,a,2027-03-31,\r\n"
	codes  = "iccid,plan,term,smdp,matching_id,batch,operator_id\n8981100000000000028,machi-5gb,3d,smdp.example,K1-8F3A,a,OP-25\n"
	served = "email,iccid,operator_id,plan,starts,ends,term,allowance,used,name\n" +
		"aiko@example.com,89 8110 0000 0000 00036,OP-33,machi-5gb,2026-02-28,2026-03-09,10d,,1.5 GB,Phone\n" +
		"bo@example.com,8981100000000000044,OP-41,machi-10gb,2026-02-20 18:30,2026-03-07T18:30:00+09:00,10gb-15d,10 GB,512 MB,\n"
	purses = "reference,email,currency,amount\nold-1,aiko@example.com,JPY,9000\nold-2,aiko@example.com,JPY,500\nold-3,aiko@example.com,PTS,340\nold-4,bo@example.com,USD,12.50\n"
)

// A customer of before has their line, money and points, and renews at once. A second
// run of every file changes nothing.
func TestMovingIn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		o := newOffice(t, env)
		files := []struct {
			kind, file string
			rows       int
		}{{"customers", people, 2}, {"sims", cards, 1}, {"esims", codes, 1}, {"lines", served, 2}, {"balances", purses, 4}}
		for _, f := range files {
			if r := o.with(t, f.kind, f.file, o.in.Check); r.Rows != f.rows {
				t.Errorf("check %s: %+v", f.kind, r)
			}
			if r := o.brings(t, f.kind, f.file); r.New != f.rows || len(r.Mistakes) > 0 {
				t.Fatalf("%s: %+v", f.kind, r)
			}
		}
		before := o.everything(t)
		env.Clock.Add(time.Minute)
		for _, f := range files {
			if r := o.brings(t, f.kind, f.file); r.New != 0 || r.There != f.rows || len(r.Mistakes) > 0 {
				t.Errorf("%s again: %+v", f.kind, r)
			}
		}
		if after := o.everything(t); after != before {
			t.Errorf("a second run changed something:\n%s\nwas\n%s", after, before)
		}
		if all := strings.Join(o.column(t, `SELECT code || mark FROM stock`), " "); strings.Contains(all, "K1-8F3A") || strings.Contains(all, "22MD") {
			t.Errorf("codes can be read in the database: %s", all)
		}
		o.renews(t, "aiko@example.com")
		found, err := audit.Run(t.Context(), env.DB)
		if err != nil || len(found) > 0 {
			t.Errorf("%v %v", found, err)
		}
	})
}

// renews extends a customer's only line from the wallet.
func (o *office) renews(t *testing.T, email string) {
	t.Helper()
	l, err := db.Seen(t.Context(), o.DB, func(ctx context.Context, tx db.Tx) (line.Line, error) {
		a, err := account.ByEmail(ctx, tx, email)
		if err != nil {
			return line.Line{}, err
		}
		all, err := line.List(ctx, tx, a.ID)
		if err != nil {
			return line.Line{}, err
		}
		return all[0], err
	})
	if err != nil {
		t.Fatal(err)
	}
	if tokyo, _ := time.LoadLocation("Asia/Tokyo"); !l.EndsAt.Equal(time.Date(2026, 3, 10, 0, 0, 0, 0, tokyo)) || l.Usage.Used != 3<<29 {
		t.Errorf("the line: %+v", l)
	}
	q, err := o.desk.Quote(t.Context(), l.Account, l.ID, renewal.Item{Kind: renewal.Term, Plan: l.Plan, ID: "3d"}, "JPY")
	if err != nil {
		t.Fatal(err)
	}
	got, err := o.desk.Place(t.Context(), order.Acceptance{Account: l.Account, Quote: q.ID, Amount: q.Price, Tool: order.ToolWallet})
	if err != nil || got.State != order.Completed {
		t.Errorf("%s %v", got.State, err)
	}
	if _, err := o.desk.Step(t.Context()); err != nil {
		t.Error(err)
	}
}

// Whatever part of a file came in before, however often and in whatever order, the
// whole file brings the same.
func TestInterruptedImportsEndTheSame(t *testing.T) {
	whole := newOffice(t, dbtest.SQLite(t))
	parts := newOffice(t, dbtest.SQLite(t))
	head, _, _ := strings.Cut(served, "\n")
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		var people, rows []string
		for i := range rapid.IntRange(1, 6).Draw(rt, "lines") {
			people = append(people, fmt.Sprintf("c%d-%d@example.com", n, i))
			digits := fmt.Sprintf("898120%06d%06d", n, i)
			rows = append(rows, fmt.Sprintf("%s,%s,P%d-%d,machi-5gb,2026-03-01,2026-03-0%d,,,,", people[i], checked(digits), n, i, 1+i%9))
		}
		for _, o := range []*office{whole, parts} {
			o.brings(rt, "customers", "email\n"+strings.Join(people, "\n"))
		}
		for range rapid.IntRange(0, 3).Draw(rt, "before") {
			some := rapid.SliceOfDistinct(rapid.SampledFrom(rows), rapid.ID).Draw(rt, "some")
			parts.brings(rt, "lines", strings.Join(append([]string{head}, some...), "\n"))
		}
		for _, o := range []*office{whole, parts} {
			if r := o.brings(rt, "lines", strings.Join(append([]string{head}, rows...), "\n")); r.New+r.There != len(rows) {
				rt.Fatalf("%+v", r)
			}
		}
		if a, b := whole.everything(rt), parts.everything(rt); a != b {
			rt.Fatalf("at once:\n%s\nin parts:\n%s", a, b)
		}
	})
}

// checked is a number with the digit that checks it.
func checked(digits string) string {
	for d := range 10 {
		if s := fmt.Sprint(digits, d); func() bool { _, err := line.ParseICCID(s); return err == nil }() {
			return s
		}
	}
	return digits
}

// Every mistake is told with its line and column, and what to do; none is written.
func TestEveryMistakeIsTold(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	o.brings(t, "customers", people)
	o.brings(t, "lines", served)
	o.brings(t, "balances", purses)
	o.brings(t, "sims", cards)
	for _, tt := range []struct {
		kind, file string
		line       int
		column     string
		says       string
	}{
		{"customers", "email\nnobody", 2, "email", "We cannot send mail"},
		{"customers", "email,tongue\na@example.com,ja", 1, "tongue", "no such column"},
		{"customers", "name\nA", 1, "email", "missing"},
		{"customers", "email,language\na@example.com,fr", 2, "language", "zh-Hans"},
		{"customers", "email,name\na@example.com", 2, "", "2 columns"},
		{"customers", "email\na@example.com\n\nA@example.com", 4, "", "Line 2"},
		{"customers", "email,name\na@example.com,\"x\"y\"", 2, "", "quotation mark"},
		{"customers", "email,name\na@example.com,caf\xe9", 2, "", "UTF-8"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8.98E+18,machi-5gb,2026-03-01,2026-03-02", 2, "iccid", "spreadsheet"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,'8981100000000000051,machi-5gb,2026-03-01,2026-03-02", 2, "iccid", "mark for text"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000052,machi-5gb,2026-03-01,2026-03-02", 2, "iccid", "mistyped"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000051,machi-6gb,2026-03-01,2026-03-02", 2, "plan", "no plan"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000051,machi-5gb,1.3.2026,2026-03-02", 2, "starts", "2026-05-03"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000051,machi-5gb,2026-03-01,2026-02-02", 2, "ends", "before it begins"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000051,machi-5gb,2026-04-01,2026-04-02", 2, "starts", "not begun"},
		{"lines", "email,iccid,plan,starts,ends\nwho@example.com,8981100000000000051,machi-5gb,2026-03-01,2026-03-02", 2, "email", "Import customers first"},
		{"lines", "email,iccid,plan,starts,ends\nbo@example.com,8981100000000000036,machi-5gb,2026-02-28,2026-03-09", 2, "iccid", "another customer"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000036,machi-5gb,2026-03-01,2026-03-09", 2, "starts", "changes no line"},
		{"lines", "email,iccid,operator_id,plan,starts,ends\naiko@example.com,8981100000000000051,OP-33,machi-5gb,2026-03-01,2026-03-09", 2, "operator_id", "Another line"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000010,machi-5gb,2026-03-01,2026-03-09", 2, "iccid", "in stock"},
		{"lines", "email,iccid,plan,starts,ends,allowance\naiko@example.com,8981100000000000051,machi-10gb,2026-03-01,2026-03-02,ten", 2, "allowance", "5 GB"},
		{"balances", "email,currency,amount,reference\naiko@example.com,JPY,9001,old-1", 2, "reference", "9000 JPY"},
		{"balances", "email,currency,amount,reference\naiko@example.com,JPY,12.50,new", 2, "amount", "JPY"},
		{"balances", "email,currency,amount,reference\naiko@example.com,JPY,-5,new", 2, "amount", "more than nothing"},
		{"balances", "email,currency,amount,reference\naiko@example.com,EUR,5,new", 2, "currency", "JPY, USD"},
		{"sims", strings.Replace(cards, "7kq4", "9kq4", 1), 2, "claim_code", "another code"},
		{"sims", strings.Replace(cards, ",a,", ",b,", 1), 2, "batch", "withdraw"},
		{"sims", strings.Replace(cards, "7kq4-22md", "7kq", 1), 2, "claim_code", "guessed"},
		{"sims", strings.Replace(cards, "hinode-visitor-5,8981100000000000010,5gb-21d", "machi-5gb,8981100000000000051,3d", 1), 2, "plan", "physical_sim"},
		{"sims", "iccid,plan,term,claim_code,batch,msisdn\n8981100000000000051,hinode-visitor-5,5gb-21d,7kq4-22md,b,080-1234-5678", 2, "msisdn", "without the 0"},
		{"sims", "iccid,plan,term,claim_code,batch,msisdn\n8981100000000000051,hinode-visitor-5,5gb-21d,7kq4-22md,b,8.18012E+11", 2, "msisdn", "spreadsheet"},
		{"sims", "iccid,plan,term,claim_code,batch,msisdn\n8981100000000000051,hinode-visitor-5,5gb-21d,7kq4-22md,b,+8112", 2, "msisdn", "no telephone number"},
		{"sims", "iccid,plan,term,claim_code,batch,msisdn\n8981100000000000051,hinode-visitor-5,5gb-21d,7kq4-22md,b,818012345678\n8981100000000000044,hinode-visitor-5,5gb-21d,7kq4-22md,b,+81 80-1234-5678", 3, "", "Line 2"},
		{"lines", "email,iccid,plan,starts,ends,msisdn\naiko@example.com,8981100000000000051,machi-5gb,2026-03-01,2026-03-02,12", 2, "msisdn", "calling code"},
		{"esims", strings.Replace(codes, "8981100000000000028", "8981100000000000036", 1), 2, "iccid", "line already"},
		{"esims", "iccid,plan,term,code,batch\n8981100000000000051,machi-5gb,3d,https://x,a", 2, "code", "LPA:1$"},
		{"esims", "iccid,plan,term,code,batch\n8981100000000000051,machi-5gb,3d,LPA:1$$,a", 2, "code", "LPA:1$"},
		{"esims", "iccid,plan,term,code,batch\n8981100000000000051,machi-5gb,3d,LPA:1$https://smdp.example/$K1,a", 2, "code", "without https://"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000051,machi-5gb,1026-03-01,2026-03-02", 2, "starts", "from 2000 on"},
		{"lines", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000051,machi-5gb,2026-03-01,2226-03-02", 2, "ends", "20 years"},
		{"esims", "iccid,plan,term,code,batch,expires\n8981100000000000051,machi-5gb,3d,LPA:1$smdp.example$K7,a,9999-12-31", 2, "expires", "20 years"},
	} {
		for _, do := range []func(context.Context, intake.Kind, *intake.Table) (intake.Result, error){o.in.Check, o.in.Apply} {
			r := o.with(t, tt.kind, tt.file, do)
			if len(r.Mistakes) == 0 || r.Mistakes[0].Line != tt.line || r.Mistakes[0].Column != tt.column || !strings.Contains(r.Mistakes[0].Text, tt.says) {
				t.Errorf("%s %q: %+v, want %d %s %q", tt.kind, tt.file, r.Mistakes, tt.line, tt.column, tt.says)
			}
		}
	}
	after := o.everything(t)
	if !strings.Contains(after, "a@example.com") {
		t.Error("the right row of a file was left out")
	}
	if n := len(o.column(t, `SELECT iccid FROM lines`)); n != 2 {
		t.Errorf("%d lines", n)
	}
}

// Who only asks what is wrong with a file need not say who they are.
func TestAnybodyChecks(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	o.brings(t, "customers", people)
	o.in = &intake.Desk{Orders: o.desk}
	for kind, file := range map[string]string{"lines": served, "balances": purses, "sims": cards, "esims": codes} {
		if r := o.with(t, kind, file, o.in.Check); r.New != r.Rows || len(r.Mistakes) > 0 {
			t.Errorf("%s: %+v", kind, r)
		}
	}
	if n := len(o.column(t, `SELECT iccid FROM lines`)); n != 0 {
		t.Errorf("a check wrote %d lines", n)
	}
}

// What is not UTF-8 from its first row on is told once, and not as columns that are
// strange.
func TestForeignWriting(t *testing.T) {
	k, err := intake.KindOf("customers")
	if err != nil {
		t.Fatal(err)
	}
	for file, says := range map[string]string{
		"\xff\xfee\x00m\x00a\x00i\x00l\x00\n\x00": "not UTF-8",
		"email\rnobody@example.com\r":             "CR alone",
	} {
		if _, err := intake.ReadTable(k, strings.NewReader(file)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", file, err, says)
		}
	}
}

// Rows that are left out come back as a file, and are imported once they are right.
func TestBadRowsAreAFile(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	r := o.brings(t, "customers", "name,email\nA,a@example.com\nB,b-example.com\nC,c@example.com\n")
	var out bytes.Buffer
	if err := intake.WriteBad(&out, r); err != nil {
		t.Fatal(err)
	}
	if r.New != 2 || !strings.HasPrefix(out.String(), "name,email,mistake\nB,b-example.com,") {
		t.Fatalf("%+v\n%s", r, &out)
	}
	if r := o.brings(t, "customers", strings.Replace(out.String(), "b-", "b@", 1)); r.New != 1 || len(r.Mistakes) > 0 {
		t.Errorf("%+v", r)
	}
}

// Every kind's sample is a file of that kind.
func TestSamplesAreRight(t *testing.T) {
	o := newOffice(t, dbtest.SQLite(t))
	o.Clock.Set(time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC))
	for _, k := range intake.Kinds() {
		var out bytes.Buffer
		if err := intake.Sample(&out, k); err != nil {
			t.Fatal(err)
		}
		if r := o.brings(t, k.Name, out.String()); r.New != 1 || len(r.Mistakes) > 0 {
			t.Errorf("%s: %+v", k.Name, r)
		}
	}
}
