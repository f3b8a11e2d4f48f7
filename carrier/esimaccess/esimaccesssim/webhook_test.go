package esimaccesssim_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	sim "github.com/tsuzuku/tsuzuku/carrier/esimaccess/esimaccesssim"
)

type notice struct {
	Kind    string                     `json:"notifyType"`
	ID      string                     `json:"notifyId"`
	At      string                     `json:"eventGenerateTime"`
	Content map[string]json.RawMessage `json:"content"`
}

// notices drains and reads the notifications.
func (b bench) notices(t testing.TB) []notice {
	t.Helper()
	var all []notice
	for _, n := range b.Notifications() {
		var v notice
		if err := json.Unmarshal(n.Body, &v); err != nil {
			t.Fatalf("%v in %s", err, n.Body)
		}
		if n.DueAt.After(b.clock.Now()) || n.Header.Get("RT-Signature") != "" || n.From == "" {
			t.Errorf("notification %+v", n)
		}
		all = append(all, v)
	}
	return all
}

// names is what the notifications are about, shortly.
func names(all []notice) []string {
	var names []string
	for _, n := range all {
		name := n.Kind
		for _, k := range []string{"esimStatus", "smdpStatus", "remainThreshold"} {
			if v, ok := n.Content[k]; ok {
				name += " " + strings.Trim(string(v), `"`)
			}
		}
		names = append(names, name)
	}
	return names
}

// What is told over the life of a line, in order, and nothing about top-ups.
func TestNotificationsOverALife(t *testing.T) {
	b := open(nil)
	must[any](t, b, "esim/order", `{"transactionId":"o","packageInfoList":[{"packageCode":"JP3","count":1}]}`)
	b.clock.add(time.Minute)
	no := b.Profiles()[0]
	b.Use(no, gib+gib/2)
	b.clock.add(4 * time.Hour)
	must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "a"))
	b.Use(no, gib) // 1.5 of 4 GiB left: the half again
	b.clock.add(4 * time.Hour)
	b.Use(no, 9*gib)
	b.clock.add(40 * 24 * time.Hour)
	want := []string{
		"ORDER_STATUS",
		"SMDP_EVENT GOT_RESOURCE DOWNLOAD", "SMDP_EVENT GOT_RESOURCE INSTALLATION", "SMDP_EVENT GOT_RESOURCE ENABLED",
		"ESIM_STATUS IN_USE ENABLED",
		"DATA_USAGE 0.5", "DATA_USAGE 0.5",
		"ESIM_STATUS USED_UP ENABLED", "DATA_USAGE 0.2", "DATA_USAGE 0.1",
		"VALIDITY_USAGE", "ESIM_STATUS USED_EXPIRED ENABLED",
	}
	got := b.notices(t)
	if diff := cmp.Diff(want, names(got)); diff != "" {
		t.Fatalf("(-want +got):\n%s", diff)
	}
	if _, ok := got[0].Content["iccid"]; ok {
		t.Errorf("ORDER_STATUS names the ICCID: %s", got[0].Content)
	}
	p := b.Profile(no)
	for _, n := range got[1:] {
		if string(n.Content["esimTranNo"]) != `"`+no+`"` || string(n.Content["orderNo"]) != `"`+p.OrderNo+`"` ||
			string(n.Content["transactionId"]) != `"o"` || string(n.Content["iccid"]) != `"`+p.ICCID+`"` {
			t.Errorf("%s names another line: %s", n.Kind, n.Content)
		}
	}
	if v := got[10].Content; string(v["remain"]) != "1" || string(v["totalDuration"]) != "37" {
		t.Errorf("VALIDITY_USAGE %s", v)
	}
	if v := got[6].Content; string(v["totalVolume"]) != fmt.Sprint(4*gib) || string(v["remain"]) != fmt.Sprint(4*gib-gib*5/2) {
		t.Errorf("DATA_USAGE %s", v)
	}
	if n := len(b.Notifications()); n != 0 {
		t.Errorf("%d told twice", n)
	}
}

// A seeded line's past is not told; a top-up moves the warning of its end.
func TestSeededLinesAreSilentAndWarnedOnTheDayBefore(t *testing.T) {
	b := open(nil)
	no := b.running() // ten days left
	if got := names(b.notices(t)); got != nil {
		t.Errorf("told %q", got)
	}
	must[receipt](t, b, "esim/topup", topUp(no, "TOPUP_JP1", "a"))
	b.clock.add(16*24*time.Hour - time.Second)
	if got := names(b.notices(t)); got != nil {
		t.Errorf("too early: %q", got)
	}
	next, ok := b.NextDue()
	if want := t0.Add(16 * 24 * time.Hour); !ok || !next.Equal(want) {
		t.Errorf("next due %v, want %v", next, want)
	}
	b.clock.add(time.Second)
	if diff := cmp.Diff([]string{"VALIDITY_USAGE"}, names(b.notices(t))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.Phone(no, "DISABLED")
	if diff := cmp.Diff([]string{"SMDP_EVENT IN_USE DISABLED"}, names(b.notices(t))); diff != "" {
		t.Errorf("a day later (-want +got):\n%s", diff)
	}

	low := b.AddProfile(sim.Profile{Package: "JP3", ActivatedAt: t0, EndsAt: b.clock.Now().Add(12 * time.Hour), Used: 5 * gib / 2})
	b.Use(low, 1)
	b.clock.add(4 * time.Hour)
	if got := names(b.notices(t)); got != nil {
		t.Errorf("old news of a seeded line: %q", got)
	}
}

func TestSavingAWebhookTestsIt(t *testing.T) {
	b := open(func(c *sim.Config) { c.Webhook = "" })
	no := b.running()
	b.Phone(no, "DISABLED")
	b.HideWebhook(true)
	if got := b.post(t, "webhook/save", `{"webhook":"https://shop.example/x"}`).code(); got == "" {
		t.Error("saved an address where nobody answers")
	}
	if got := b.Notifications(); got != nil {
		t.Errorf("told nobody's address: %+v", got)
	}
	b.HideWebhook(false)
	must[any](t, b, "webhook/save", `{"webhook":"https://shop.example/x"}`)
	got := b.Notifications()
	if len(got) != 1 || got[0].URL != "https://shop.example/x" ||
		!strings.Contains(string(got[0].Body), `"content":{"orderNo":"1234567890","orderStatus":"Test"}`) {
		t.Errorf("notifications %+v", got)
	}
	if got := must[map[string]string](t, b, "webhook/query", "")["webhook"]; got != "https://shop.example/x" {
		t.Errorf("saved %q", got)
	}
}

// Delivered badly, notifications come twice with one id, late, out of order, or
// never.
func TestBadDelivery(t *testing.T) {
	run := func(d sim.Delivery) (arrived []notice, inOrder bool) {
		b := open(func(c *sim.Config) { c.Delivery = d })
		no := b.running()
		for i := range 100 {
			b.Phone(no, []string{"DISABLED", "ENABLED"}[i%2])
			b.clock.add(time.Minute)
			arrived = append(arrived, b.notices(t)...)
		}
		b.clock.add(d.LateMax)
		arrived = append(arrived, b.notices(t)...)
		return arrived, slices.IsSortedFunc(arrived, func(a, b notice) int { return strings.Compare(a.At, b.At) })
	}
	ids := func(all []notice) int {
		set := map[string]bool{}
		for _, n := range all {
			set[n.ID] = true
		}
		return len(set)
	}
	if got, inOrder := run(sim.Delivery{}); len(got) != 100 || ids(got) != 100 || !inOrder {
		t.Errorf("delivered well: %d, %d ids, in order %t", len(got), ids(got), inOrder)
	}
	if got, inOrder := run(sim.Delivery{LateMax: time.Hour, RepeatPercent: 50}); len(got) < 120 || len(got) > 180 || ids(got) != 100 || inOrder {
		t.Errorf("late and repeated: %d, %d ids, in order %t", len(got), ids(got), inOrder)
	}
	if got, _ := run(sim.Delivery{LosePercent: 50}); len(got) < 30 || len(got) > 70 {
		t.Errorf("half lost: %d arrived", len(got))
	}
	if got, _ := run(sim.Delivery{OldShape: true}); got[0].ID != "" || got[0].At != "" || got[0].Content["transactionId"] != nil {
		t.Errorf("old shape: %+v", got[0])
	}
}

// Without manners the seed chooses among all the ways of saying the same.
func TestInconsistenciesAreChosenBySeed(t *testing.T) {
	b := open(func(c *sim.Config) { c.Manners = sim.Manners{} })
	no := b.running()
	ended := b.AddProfile(sim.Profile{Package: "JP3", ActivatedAt: t0.AddDate(-1, 0, 0)})
	revoked := b.AddProfile(sim.Profile{Package: "JP3", ActivatedAt: t0, Status: sim.Revoked})
	seen := map[string]bool{}
	for range 60 {
		r := b.post(t, "esim/usage/query", `{"esimTranNoList":["`+no+`"]}`)
		seen["code null"] = seen["code null"] || r.Code == nil
		seen["code 0"] = seen["code 0"] || r.Code != nil && *r.Code == "0"
		seen["usage array"] = seen["usage array"] || strings.HasPrefix(string(r.Obj), "[")
		seen["usage object"] = seen["usage object"] || strings.HasPrefix(string(r.Obj), `{"esimUsageList"`)
		for _, layout := range []string{"2006-01-02T15:04:05-0700", "2006-01-02T15:04:05Z", "2006-01-02 15:04:05 UTC"} {
			if at, err := time.Parse(layout, b.query(t, no).Expires); err == nil {
				seen[layout] = at.Equal(t0.AddDate(0, 0, 10)) || seen[layout]
			}
		}
		seen[b.query(t, revoked).Status] = true
		seen[b.post(t, "esim/topup", topUp(ended, "TOPUP_JP1", "a")).code()] = true
		b.Phone(no, "ENABLED")
		for _, n := range b.notices(t) {
			seen[map[bool]string{true: "iccid string", false: "iccid number"}[n.Content["iccid"][0] == '"']] = true
		}
	}
	for _, want := range []string{
		"code null", "code 0", "usage array", "usage object", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05Z",
		"2006-01-02 15:04:05 UTC", "REVOKE", "REVOKED", "200002", "200009", "iccid string", "iccid number",
	} {
		if !seen[want] {
			t.Errorf("never saw %q", want)
		}
	}
}

// A numeric ICCID keeps all its 19 or 20 digits on the wire.
func TestNumericICCIDIsExact(t *testing.T) {
	b := open(func(c *sim.Config) { c.Manners.ICCID = "number" })
	lengths := map[int]bool{}
	for range 20 {
		no := b.running()
		b.Phone(no, "DISABLED")
		iccid := b.Profile(no).ICCID
		lengths[len(iccid)] = true
		if got := string(b.notices(t)[0].Content["iccid"]); got != iccid {
			t.Errorf("iccid %s, want %s", got, iccid)
		}
	}
	if !lengths[19] || !lengths[20] {
		t.Errorf("lengths %v, want 19 and 20", lengths)
	}
}

func TestShapesOfTheTablesAndOf2023(t *testing.T) {
	b := open(func(c *sim.Config) { c.Manners.AsInTables, c.Manners.TopUpOldShape = true, true })
	no := b.running()
	for want, body := range map[string]string{
		`"success":"true"`:  topUp(no, "TOPUP_JP1", "mine"),
		`"success":"false"`: topUp(no, "NONE", "mine"),
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, sim.Prefix+"esim/topup", strings.NewReader(body))
		r.Header.Set("RT-AccessCode", access)
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		got := w.Body.String()
		if !strings.Contains(got, want) || !strings.Contains(got, `"errorMessage":`) || strings.Contains(got, "errorMsg") ||
			strings.Contains(got, "topUpEsimTranNo") || strings.Contains(got, "mine") {
			t.Errorf("answer %s, want %s and errorMessage", got, want)
		}
	}
}

// The same seed and the same story give the same bytes.
func TestSameSeedSameBytes(t *testing.T) {
	story := func(seed uint64) string {
		b := open(func(c *sim.Config) {
			c.Manners = sim.Manners{}
			c.Rand = rand.New(rand.NewPCG(seed, 0))
			c.Delivery = sim.Delivery{LateMax: time.Hour, RepeatPercent: 30}
		})
		var log strings.Builder
		no := b.running()
		for i := range 20 {
			b.Use(no, gib/8)
			fmt.Fprintf(&log, "%+v\n", b.post(t, "esim/topup", topUp(no, "TOPUP_JP1", fmt.Sprint(i))).Obj)
			fmt.Fprintf(&log, "%s\n", b.post(t, "esim/query", `{"esimTranNo":"`+no+`",`+pager+`}`).Obj)
			for _, n := range b.Notifications() {
				fmt.Fprintf(&log, "%v %s %s\n", n.DueAt, n.From, n.Body)
			}
			b.clock.add(time.Hour)
		}
		return log.String()
	}
	first, again := story(1), story(1)
	if first != again {
		t.Error("the same seed told two stories")
	}
	if first == story(2) {
		t.Error("the seed changes nothing")
	}
}
