package cmisim_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	sim "github.com/tsuzuku/tsuzuku/carrier/cmi/cmisim"
)

// The vector of the reference notes, and the test's own digest of it.
func TestDigestVector(t *testing.T) {
	const nonce, created, want = "d36e316282959a9ed4c89851497a717f", "2003-12-15T14:43:07Z", "lsDjRpymqjJu7/ORjZHpjRQ9/MRGsEThD0PiDTOoTP8="
	if got := sim.Digest(nonce, created, "testsecret"); got != want || digest(nonce, created, "testsecret") != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// What is wrong with the headers is 401 with a code of its own.
func TestHeaders(t *testing.T) {
	b := open(nil)
	used := b.headers()
	if r, _ := b.send(sim.SIMInfo, used.Clone(), `[]`); r.code() != "1000005" {
		t.Fatalf("%s", r.body)
	}
	change := func(old, with string) http.Header {
		h := b.headers()
		h.Set("X-WSSE", strings.Replace(h.Get("X-WSSE"), old, with, 1))
		return h
	}
	noKind := b.headers()
	noKind.Del("Authorization")
	stale := b.headers()
	b.clock.move(11 * time.Minute)
	for want, h := range map[string]http.Header{
		"1000000": noKind,
		"1000001": change(`PasswordDigest="`, `PasswordDigest="A`),
		"1000003": change(`Nonce="`, `Nonce="" X="`),
		"1000004": stale,
		"1000006": change(appKey, "other"),
	} {
		if r, _ := b.send(sim.Catalogue, h, `{}`); r.status != 401 || r.code() != want {
			t.Errorf("want %s: %d %s", want, r.status, r.body)
		}
	}
	again := b.headers()
	_, _ = b.send(sim.Catalogue, again.Clone(), `{}`)
	if r, _ := b.send(sim.Catalogue, again, `{}`); r.code() != "1000003" {
		t.Errorf("a nonce was good twice: %s", r.body)
	}
}

// A token lives ten minutes, and may end before.
func TestToken(t *testing.T) {
	b := open(nil)
	look := func() string { return b.call(sim.Catalogue, `"cooperationMode":"1"`).code() }
	b.clock.move(10*time.Minute - time.Second)
	if got := look(); got != "0000000" {
		t.Errorf("in time: %s", got)
	}
	b.clock.move(time.Second)
	if got := look(); got != "1000008" {
		t.Errorf("too late: %s", got)
	}
	b.login()
	b.Fail(sim.CreateOrder, sim.TokenGone)
	iccid := b.running(five)
	if r := b.buy(iccid, five, "t1", ""); r.code() != "1000008" || b.Balance() != opening {
		t.Errorf("%s", r.body)
	}
	if r, _ := b.send(sim.Token, b.headers(), `{"id":"`+appKey+`","type":"106"}`); r.at("expireTime") != "20310304222607" {
		t.Errorf("%s", r.body)
	}
}

// Prices are hundredths as text; packs hang at their package; pages have 50.
func TestCatalogue(t *testing.T) {
	b := open(nil)
	r := b.call(sim.Catalogue, `"cooperationMode":"1","dataBundleId":"`+daily+`"`)
	if r.at("dataBundles", 0, "type") != "2" || r.at("dataBundles", 0, "periodType") != "1" || r.at("dataBundles", 0, "period") != "3" ||
		r.at("dataBundles", 0, "priceInfo", 0, "price") != "300" || r.at("dataBundles", 0, "refuelingPackage", 0, "flowValue") != "500" {
		t.Errorf("%s", r.body)
	}
	for i := range 60 {
		b.AddPackage(sim.Package{ID: fmt.Sprintf("X%d", i), MB: 1, Period: 1})
	}
	first, second := b.call(sim.Catalogue, `"cooperationMode":"1"`), b.call(sim.Catalogue, `"cooperationMode":"1","beginIndex":50`)
	if a, c := strings.Count(first.body, `"periodType"`), strings.Count(second.body, `"periodType"`); a != 50 || c != 15 {
		t.Errorf("%d and %d", a, c)
	}
	b.Withdraw(five)
	if r := b.call(sim.Catalogue, `"cooperationMode":"2","dataBundleId":"`+five+`"`); r.at("dataBundles", 0, "status") != "2" {
		t.Errorf("%s", r.body)
	}
	if r := b.call(sim.Catalogue, `"language":"en"`); r.code() != "1000005" {
		t.Errorf("without a mode: %s", r.body)
	}
}

// An order is charged once and shown; its transaction code is good once, its
// thirdOrderId is not asked about.
func TestOrder(t *testing.T) {
	b := open(nil)
	iccid := b.running(five)
	r := b.buy(iccid, monthly, "ours_1", "tx_1")
	if r.code() != "0000000" || r.at("totalAmount") != "900" || r.at("price") != "900" || r.at("currency") != "USD" || r.at("orderID") == "" {
		t.Errorf("%s", r.body)
	}
	if r := b.buy(iccid, monthly, "ours_1", "tx_1"); r.code() != "1000162" || b.Orders("ours_1") != 1 {
		t.Errorf("%s", r.body)
	}
	if r := b.buy(iccid, monthly, "ours_1", " "); r.code() != "0000000" || b.Orders("ours_1") != 2 || b.Balance() != opening-1800 {
		t.Errorf("%s, balance %d", r.body, b.Balance())
	}
	l := b.bundles(iccid)
	if l.at("userDataBundles", 2, "status") != "3" || l.at("userDataBundles", 2, "remainFlow") != "1024.00" || l.at("userDataBundles", 1, "status") != "1" ||
		l.at("userDataBundles", 1, "orderID") != r.at("orderID") || l.at("userDataBundles", 1, "activeTime") != "" {
		t.Errorf("%s", l.body)
	}
	if q := b.call(sim.Quota, `"thirdOrderId":"ours_1"`); q.code() != "0" || q.at("subscriberQuota", "qtavalue") != "1024.00" {
		t.Errorf("%s", q.body)
	}
	if q := b.call(sim.Quota, `"thirdOrderId":"ours_2"`); q.code() != "1000116" {
		t.Errorf("%s", q.body)
	}
}

// What cannot be ordered is refused by its code, and charged nothing.
func TestRefusals(t *testing.T) {
	b := open(nil)
	iccid, paused, old, theirs := b.running(five), b.running(five), b.running(five), b.AddCard(sim.Card{Foreign: true})
	b.SetStatus(paused, 1)
	b.Expire(old)
	b.Withdraw(hours)
	tests := []struct{ name, fields, want string }{
		{"an unknown card", buy("8999900000000000009", five, "x", ""), "1000013"},
		{"another's card", buy(theirs, five, "x", ""), "1000073"},
		{"a paused card", buy(paused, five, "x", ""), "1000153"},
		{"an expired card", buy(old, five, "x", ""), "1000056"},
		{"an unknown package", buy(iccid, "nosuchpackage", "x", ""), "1000132"},
		{"a withdrawn package", buy(iccid, hours, "x", ""), "1000105"},
		{"a small iccid", strings.Replace(buy(iccid, five, "x", ""), "ICCID", "iccid", 1), "1000005"},
		{"no order of ours", buy(iccid, five, "", ""), "1000005"},
		{"a third kind", strings.Replace(buy(iccid, five, "x", ""), `"1"`, `"2"`, 1), "1000007"},
		{"a long code", buy(iccid, five, "x", strings.Repeat("c", 33)), "1000007"},
		{"a date where none goes", buy(iccid, five, "x", "") + `,"setActiveTime":"20310310"`, "1000087"},
		{"a date long gone", buy(iccid, dated, "x", "") + `,"setActiveTime":"20310303"`, "1000087"},
	}
	for _, tt := range tests {
		if r := b.call(sim.CreateOrder, tt.fields); r.status != 200 || r.code() != tt.want || r.at("description") == "" {
			t.Errorf("%s: %d %s, want %s", tt.name, r.status, r.body, tt.want)
		}
	}
	b.SetBalance(449)
	if r := b.buy(iccid, five, "x", "tx"); r.code() != "1000103" || b.Orders("x") != 0 || b.Balance() != 449 {
		t.Errorf("%s", r.body)
	}
	b.SetBalance(450)
	if r := b.buy(iccid, five, "x", "tx"); r.code() != "0000000" {
		t.Errorf("a refused order kept its code: %s", r.body)
	}
}

// A pack needs an active package that it belongs to and, where the cap is daily,
// a quantity of one or of all days that are left.
func TestRefuel(t *testing.T) {
	b := open(nil)
	fresh, iccid := b.AddCard(sim.Card{Package: daily}), b.running(daily)
	if r := b.refuel(fresh, pack, 1); r.code() != "1000031" {
		t.Errorf("%s", r.body)
	}
	if r := b.refuel(iccid, otherPack, 1); r.code() != "1000158" {
		t.Errorf("%s", r.body)
	}
	if r := b.refuel(iccid, pack, 2); r.code() != "1000095" || b.Balance() != opening {
		t.Errorf("%s", r.body)
	}
	if r := b.refuel(iccid, pack, 3); r.code() != "0000000" || b.Balance() != opening-300 {
		t.Errorf("%s", r.body)
	}
	b.Use(iccid, 700<<20)
	if q := b.call(sim.Quota, `"iccid":"`+iccid+`"`); q.at("subscriberQuota", "qtabalance") != "300.00" || q.at("subscriberQuota", "refuelingTotal") != "500.00" {
		t.Errorf("%s", q.body)
	}
	b.Withdraw(pack)
	if r := b.refuel(iccid, pack, 1); r.code() != "1000097" {
		t.Errorf("%s", r.body)
	}
}

// Only what was not activated, and in its month, can be taken back.
func TestUnsubscribe(t *testing.T) {
	b := open(nil)
	iccid := b.running(five)
	take := func(third string) reply { return b.call(sim.Unsubscribe, `"thirdOrderId":"`+third+`"`) }
	b.buy(iccid, hours, "a", "")
	b.buy(iccid, hours, "b", "")
	if r := take("a"); r.code() != "0000000" || r.at("msg") != "Success" || b.statuses(iccid) != "3 99 1" || b.Balance() != opening-300 {
		t.Errorf("%s %s", r.body, b.statuses(iccid))
	}
	if r := take("nothing"); r.code() != "1000039" {
		t.Errorf("%s", r.body)
	}
	b.clock.move(5 * 24 * time.Hour)
	b.login()
	b.Use(iccid, 1)
	if r := take("b"); r.code() != "1000044" {
		t.Errorf("%s", r.body)
	}
	b.buy(iccid, hours, "c", "")
	b.clock.move(25 * 24 * time.Hour)
	b.login()
	if r := take("c"); r.code() != "1000035" {
		t.Errorf("%s", r.body)
	}
}
