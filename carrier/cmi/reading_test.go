package cmi

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// The document's example of figures.
const publishedQuota = `{"code":"0000000","description":"Success","subscriberQuota":{"qtavalue":"300.00","qtabalance":"0.00","qtaconsumption":"300.00",
	"type":"1","refuelingTotal":"0.00","qtaconsumptionTotal":"325.11","directionalAppFlow":[{"directionalAppTotalFlow":null,"directionalAppUsedFlow":"121.89",
	"directionalAppName":["youtube"]}]},"historyQuota":[{"time":"20240308","qtaconsumption":"325.11","mcc":"454","appName":null}],"ext":null}`

// The same as the document's table has it.
const listedQuota = `{"code":"0","quotaList":[{"subscriberQuota":{"qtavalue":"1024.5","qtabalance":1000,"qtaconsumption":"24.50","type":"2","refuelingTotal":"512.00"}}]}`

func row(key, status, more string) string {
	return `{"dataBundleId":"` + bundle + `","status":` + status + `,"orderID":"o` + key + `","subscriptionKey":"` + key + `"` + more + `}`
}

func listed(rows ...string) string {
	return `{"code":"0000000","userDataBundles":[` + strings.Join(rows, ",") + `]}`
}

const (
	now  = `,"activeTime":"20260504000000","endTime":"20260511000000"`
	past = `,"activeTime":"20260401000000","endTime":"2026-04-08 00:00:00"`
)

func TestStates(t *testing.T) {
	began, ends := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC), time.Date(2026, 5, 11, 0, 0, 0, 0, time.UTC)
	april := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	const mb = 1 << 20
	for name, tt := range map[string]struct {
		list, quota string
		want        carrier.Status
	}{
		"nothing on it":          {none, "", carrier.Status{State: carrier.LineNew}},
		"waits":                  {listed(row("1", "1", "")), "", carrier.Status{State: carrier.LineNew}},
		"used up":                {listed(row("1", "3", now)), publishedQuota, carrier.Status{State: carrier.LineDepleted, StartsAt: began, EndsAt: ends, Total: 300 * mb, Used: 300 * mb, Throttled: true}},
		"a day's amount":         {listed(row("1", "3", now)), listedQuota, carrier.Status{State: carrier.LineActive, StartsAt: began, EndsAt: ends, Unlimited: true, Total: 1536*mb + mb/2, Used: 24*mb + mb/2}},
		"a day's amount is used": {listed(row("1", "3", now)), strings.Replace(publishedQuota, `"type":"1"`, `"type":"2"`, 1), carrier.Status{State: carrier.LineActive, StartsAt: began, EndsAt: ends, Unlimited: true, Total: 300 * mb, Used: 300 * mb, Throttled: true}},
		"no figures yet":         {listed(row("1", "3", now)), `{"code":"1000127"}`, carrier.Status{State: carrier.LineActive, StartsAt: began, EndsAt: ends}},
		"figures are null":       {listed(row("1", "3", now)), `{"code":"0000000","subscriberQuota":null}`, carrier.Status{State: carrier.LineActive, StartsAt: began, EndsAt: ends}},
		"over":                   {listed(row("1", "2", past)), "", carrier.Status{State: carrier.LineIsOver, StartsAt: april}},
		"over, whatever it says": {listed(row("1", "3", past)), "", carrier.Status{State: carrier.LineIsOver, StartsAt: april}},
		"over, another waits":    {listed(row("1", "2", past), row("2", "1", "")), "", carrier.Status{State: carrier.LineActive, StartsAt: april}},
		"taken back":             {listed(row("1", "99", "")), "", carrier.Status{State: carrier.LineIsOver}},
	} {
		tt.want.AsOf = noon
		s, err := answering(listCall, tt.list, quotaCall, tt.quota).adapter().Status(t.Context(), extension().Profile)
		if diff := cmp.Diff(tt.want, s); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", name, err, diff)
		}
	}
	for answer, want := range map[string]string{
		listed(row("1", "7", "")): "operator_refuses", listed(row("", "1", `,"orderID":""`)): "not sent", listed(row("1", "1", ""), row("1", "1", "")): "not sent",
		`{"code":"0000000"}`: "not sent", `{"code":"1000013"}`: "line_unknown", `{"code":"1000175"}`: "line_unknown",
	} {
		if _, err := answering(listCall, answer).adapter().Status(t.Context(), extension().Profile); kindOf(err) != want {
			t.Errorf("%s: %v, want %s", answer, err, want)
		}
	}
}

// What is new on a card, and what the operator has under our number, decides.
func TestLookUp(t *testing.T) {
	old := row("1", "3", now)
	other := strings.Replace(row("9", "1", ""), bundle, "other", 1)
	unknownOrder := `{"code":"1000039","description":"no such order"}`
	for name, tt := range map[string]struct {
		now, named string
		want       carrier.Found
	}{
		"nothing new":             {listed(old), unknownOrder, carrier.FoundAbsent},
		"nothing new, no figures": {listed(old), `{"code":"0000000","subscriberQuota":null}`, carrier.FoundAbsent},
		"known by our number":     {listed(old), publishedQuota, carrier.FoundDone},
		"ours":                    {listed(old, row("2", "1", "")), "503 ", carrier.FoundDone},
		"ours, active":            {listed(old, row("2", "3", now)), "", carrier.FoundDone},
		"ours, taken back":        {listed(old, row("2", "99", "")), unknownOrder, carrier.FoundUnsure},
		"ours, back and known":    {listed(old, row("2", "99", "")), publishedQuota, carrier.FoundUnsure},
		"twice":                   {listed(old, row("2", "1", ""), row("3", "1", "")), unknownOrder, carrier.FoundUnsure},
		"twice, one known":        {listed(old, row("2", "1", ""), row("3", "1", "")), publishedQuota, carrier.FoundDone},
		"another":                 {listed(old, other), unknownOrder, carrier.FoundUnsure},
		"less than before":        {none, unknownOrder, carrier.FoundUnsure},
		"not ours any more":       {`{"code":"1000175"}`, unknownOrder, carrier.FoundUnsure},
	} {
		s := answering(listCall, listed(old))
		a := s.adapter()
		e := extension()
		var err error
		if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		s.answers[listCall], s.answers[quotaCall+" by number"] = []string{tt.now}, []string{tt.named}
		r, err := a.LookUp(t.Context(), e)
		if err != nil || r.Found != tt.want || (r.Found == carrier.FoundDone) != (r.Receipt.Ref != "") || !r.AsOf.Equal(noon) {
			t.Errorf("%s: %+v, %v; want %s", name, r, err, tt.want)
		}
		for i, asked := range s.asked { // by our number alone: with the card's it could be the card's
			if _, both := s.bodies[i]["iccid"]; both && asked == quotaCall+" by number" {
				t.Errorf("%s: asked for the order and the card at once", name)
			}
		}
	}
	if r, err := answering().adapter().LookUp(t.Context(), extension()); err != nil || r.Found != carrier.FoundUnsure {
		t.Errorf("without a snapshot: %+v, %v", r, err)
	}
}

// A refuelling goes to the one package that is active and takes it.
func TestPrepareToRefuel(t *testing.T) {
	for name, tt := range map[string]struct {
		list string
		days int
		want string
	}{
		"active":                 {listed(row("1", "3", now)), 0, "done"},
		"for each day left":      {listed(row("1", "3", now+`,"remainderDays":3`)), 3, "done"},
		"for one day":            {listed(row("1", "3", now+`,"remainderDays":3`)), 1, "done"},
		"for some days":          {listed(row("1", "3", now+`,"remainderDays":3`)), 2, "bad_request"},
		"nothing active":         {listed(row("1", "1", "")), 0, "line_not_active"},
		"over":                   {listed(row("1", "3", past)), 0, "line_not_active"},
		"takes no more":          {listed(row("1", "3", now+`,"isSupportFuelpack":"2"`)), 0, "package_gone"},
		"two are active":         {listed(row("1", "3", now), row("2", "3", now)), 0, "operator_refuses"},
		"card is not the seller": {`{"code":"1000073"}`, 0, "line_unknown"},
	} {
		e := extension()
		e.Package, e.Days = pack, tt.days
		_, err := answering(listCall, tt.list, quotaCall, publishedQuota).adapter().Prepare(t.Context(), e)
		if got := kindOf(err); got != tt.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, tt.want)
		}
	}
}

func TestLookUpRefuelling(t *testing.T) {
	shop := `{"code":"0000000","dataBundles":[{"id":"` + bundle + `","refuelingPackage":[{"refuelingID":"R2402221642265481584","flowValue":1024,"flowUnit":"1","usd":"100"}]}]}`
	grown := func(mb string) string {
		return strings.Replace(publishedQuota, `"refuelingTotal":"0.00"`, `"refuelingTotal":"`+mb+`"`, 1)
	}
	for name, tt := range map[string]struct {
		before, now, named string
		want               carrier.Found
	}{
		"nothing":             {publishedQuota, publishedQuota, "", carrier.FoundAbsent},
		"by what was ordered": {publishedQuota, grown("1024.00"), "", carrier.FoundDone},
		"known by our number": {publishedQuota, publishedQuota, publishedQuota, carrier.FoundDone},
		"by something else":   {publishedQuota, grown("500.00"), "", carrier.FoundUnsure},
		"began anew":          {grown("1024.00"), publishedQuota, "", carrier.FoundUnsure},
		"no figures":          {publishedQuota, `{"code":"1000127"}`, "", carrier.FoundUnsure},
		"figures are null":    {publishedQuota, `{"code":"0000000"}`, "", carrier.FoundUnsure},
	} {
		s := answering(listCall, listed(row("1", "3", now)), quotaCall, tt.before, shopCall, shop)
		a := s.adapter()
		e := extension()
		e.Package = pack
		var err error
		if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		s.answers[quotaCall] = []string{tt.now}
		if tt.named != "" {
			s.answers[quotaCall+" by number"] = []string{tt.named}
		}
		r, err := a.LookUp(t.Context(), e)
		if err != nil || r.Found != tt.want || (r.Found == carrier.FoundDone) != (r.Receipt.Ref != "") {
			t.Errorf("%s: %+v, %v; want %s", name, r, err, tt.want)
		}
	}
}

func TestCancel(t *testing.T) {
	old := row("1", "3", now)
	for name, tt := range map[string]struct {
		now, answer, want string
		asked             bool
	}{
		"waits":             {listed(old, row("2", "1", "")), `{"code":"0000000","msg":"Success"}`, "done", true},
		"of another month":  {listed(old, row("2", "1", "")), `{"code":"1000035","msg":"no"}`, "operator_refuses", true},
		"lost":              {listed(old, row("2", "1", "")), "502 ", "unknown", true},
		"refund failed":     {listed(old, row("2", "1", "")), `{"code":"1000047"}`, "unknown", true},
		"has begun":         {listed(old, row("2", "3", now)), "", "operator_refuses", false},
		"taken back before": {listed(old, row("2", "99", "")), "", "done", false},
		"not there":         {listed(old), "", "operator_refuses", false},
	} {
		s := answering(listCall, listed(old), undoCall, tt.answer)
		a := s.adapter()
		e := extension()
		var err error
		if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		s.answers[listCall] = []string{tt.now}
		err = a.Cancel(t.Context(), e)
		if last := s.asked[len(s.asked)-1]; kindOf(err) != tt.want || (last == undoCall) != tt.asked {
			t.Errorf("%s: %v; asked last %s", name, err, last)
		}
		if tt.asked && s.of(t, undoCall)["thirdOrderId"] != "ord_1" {
			t.Errorf("%s: %v", name, s.of(t, undoCall))
		}
	}
}

func TestPackagesAreRead(t *testing.T) {
	shop := `{"code":"0000000","dataBundles":[
		{"id":"D1","name":[{"langInfo":{"language":"zh","country":"CN"},"value":"日本"},{"langInfo":{"language":"en","country":"US"},"value":"Japan 1GB a day"}],
		 "status":1,"type":2,"periodType":1,"period":"7","priceInfo":[{"currencyCode":"156","price":"3000"},{"currencyCode":"840","price":"450"}],
		 "refuelingPackage":[{"refuelingID":"R1","nameEN":"1024MB add-on","flowValue":1,"flowUnit":"2","usd":"99","hkd":"800","cny":"700","isOrderingAllowed":"1"},
		  {"refuelingID":"R2","flowValue":1,"flowUnit":"1","usd":"1","isOrderingAllowed":"2"}]},
		{"id":"D2","name":"a month","status":"1","periodType":"2","period":1,"priceInfo":[{"currencyCode":"USD","price":1500}]},
		{"id":"D3","name":"not sold","status":2,"priceInfo":[{"currencyCode":"USD","price":"1"}]},
		{"id":"D4","name":"no dollars","status":1,"priceInfo":[{"currencyCode":"HKD","price":"1"}]},
		{"id":"D5","name":"floats","status":1,"priceInfo":[{"currencyCode":"USD","price":"1.5"}]}]}`
	list, err := answering(shopCall, shop).adapter().Packages(t.Context(), carrier.Profile{})
	usd := func(n int64) carrier.Cost { return carrier.Cost{Units: n, Scale: 100, Currency: "USD"} }
	want := []carrier.Package{
		{Code: "D1", Name: "Japan 1GB a day", Cost: usd(450), Days: 7, TopUp: true, AsOfDate: noon},
		{Code: "refuel:R1", Name: "1024MB add-on", Cost: usd(99), Bytes: 1 << 30, PerDay: true, TopUp: true, AsOfDate: noon},
		{Code: "D2", Name: "a month", Cost: usd(1500), TopUp: true, AsOfDate: noon},
	}
	if diff := cmp.Diff(want, list); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

// Hundredths of a megabyte are kept to the nearest byte, and nothing else is read.
func TestMegabytes(t *testing.T) {
	for s, want := range map[string]int64{
		"0": 0, "0.00": 0, "0.01": 10486, "1": 1 << 20, "1.5": 3 << 19, "300.00": 300 << 20, "325.11": 340902543, "9999999999.99": 10485759999989514,
	} {
		if got, err := megabytes(s); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", s, got, err, want)
		}
	}
	for _, s := range []string{"", ".", "1.", ".5", "-1", "1.234", "1e3", "１", "12345678901", "1,5", "NaN"} {
		if got, err := megabytes(s); err == nil {
			t.Errorf("%q: %d", s, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(0, 1e11).Draw(t, "hundredths")
		s := strconv.FormatInt(n/100, 10) + "." + strconv.FormatInt(100+n%100, 10)[1:]
		got, err := megabytes(s)
		if off := got*100 - n<<20; err != nil || off > 50 || off < -50 {
			t.Fatalf("%s: %d, %v", s, got, err)
		}
	})
}

// The document's examples of notifications, signed as it says.
func TestNotifications(t *testing.T) {
	a := answering().adapter()
	h := http.Header{}
	a.sign(h)
	for body, want := range map[string]carrier.Doorbell{
		`{"iccid":"` + card + `","packageId":"D181029081532_215358","activeTime":"20220708082647","endTime":"20220711082647","mcc":"466","orderId":"212454265645","thirdOrderId":"ord_01k"}`: {Kind: "activated", Ref: "ord_01k", Profile: carrier.Profile{ID: card, ICCID: card}, Answer: taken},
		`{"iccid":"` + card + `","imsi":"454120381956774","qtavalue":"101804370","timestamp":"20240109175959"}`:                                                                              {Kind: "usage", Profile: carrier.Profile{ID: card, ICCID: card}, Answer: taken},
		`{"imsi":"454120381956774","qtavalue":101804370,"timestamp":"20240109175959"}`:                                                                                                       {Kind: "usage", Answer: taken},
		`{"header":{"functionRequesterIdentifier":"24a3b946405843d2a1bc69780e7ba717"},"iccid":89852342022019785558,"timeStamp":"1709712641","notificationPointId":"102"}`:                    {Kind: "esim", Profile: carrier.Profile{ID: "89852342022019785558", ICCID: "89852342022019785558"}, Answer: strings.Replace(takenESIM, "%", "89852342022019785558", 1)},
	} {
		bell, err := a.Notification(h, []byte(body))
		want.EventID, want.AnswerType = bell.EventID, "application/json"
		if diff := cmp.Diff(want, bell); err != nil || diff != "" || bell.EventID == "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if _, err := a.Notification(http.Header{}, []byte(body)); kindOf(err) != "unauthorised" {
			t.Errorf("unsigned: %v", err)
		}
	}
}

// Whatever the operator answers: an error is of one kind and tells no secret, a
// receipt has a reference, a reading an age, and figures are not negative.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{goodOrder, publishedQuota, listedQuota, listed(row("1", "3", now)), none, `{"code":"1000103"}`, `{"code":"0","dataBundles":[{"id":"D","priceInfo":[{"currencyCode":"USD","price":"1"}]}]}`, "null", "[]"} {
		f.Add(200, body)
	}
	f.Add(500, `{"code":"9999999"}`)
	f.Fuzz(func(t *testing.T, status int, body string) {
		if status < 200 || status > 599 {
			return
		}
		stranger := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, tokenCall) {
				_, _ = w.Write([]byte(goodToken)) // into a recorder
				return
			}
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		})
		a := New(Config{AppKey: appKey, AppSecret: appSecret, BaseURL: "https://gds.example"},
			outbound.New(outbound.Options{Transport: &outboundsim.Wire{Stranger: stranger}}), noonNow, func() string { return "n" })
		check := func(err error) bool {
			kinds := 0
			if _, ok := errors.AsType[*carrier.Refusal](err); ok {
				kinds++
			}
			for _, kind := range []error{carrier.ErrUnknown, carrier.ErrNotSent} {
				if errors.Is(err, kind) {
					kinds++
				}
			}
			if err != nil && (kinds != 1 || strings.Contains(err.Error(), appSecret) || strings.Contains(err.Error(), card)) {
				t.Errorf("%d kinds: %v", kinds, err)
			}
			return err == nil
		}
		for _, code := range []string{bundle, pack} {
			e := extension()
			e.Package, e.Snapshot = code, carrier.Snapshot(`{"keys":[],"bundle":"D","takenAt":"2026-05-04T12:00:00Z"}`)
			_, err := a.Prepare(t.Context(), e)
			check(err)
			if r, err := a.Extend(t.Context(), e); check(err) && r.Ref == "" {
				t.Errorf("receipt %+v", r)
			}
			if r, err := a.LookUp(t.Context(), e); check(err) && (r.AsOf.IsZero() || r.Found == "" || (r.Found == carrier.FoundDone) != (r.Receipt.Ref != "")) {
				t.Errorf("reading %+v", r)
			}
			check(a.Cancel(t.Context(), e))
		}
		if s, err := a.Status(t.Context(), extension().Profile); check(err) && (s.State == "" || s.Total < 0 || s.Used < 0 || s.Used > s.Total || s.AsOf.IsZero() || !s.EndsAt.IsZero() && !s.EndsAt.After(s.StartsAt)) {
			t.Errorf("status %+v", s)
		}
		if list, err := a.Packages(t.Context(), carrier.Profile{}); check(err) {
			for _, p := range list {
				if p.Code == "" || p.Bytes < 0 || p.Days < 0 || p.Cost.Units < 0 {
					t.Errorf("package %+v", p)
				}
			}
		}
	})
}

// Whoever can reach the address can send anything.
func FuzzNotification(f *testing.F) {
	f.Add(`UsernameToken Username="bob",PasswordDigest="weYI3nXd8LjMNVksCKFV8t3rgHh3Rw==",Nonce="WScqanjCEAC4mQoBE07sAQ==", Created="2009-03-24T12:30:04Z"`, `{"iccid":"`+card+`"}`)
	f.Add("UsernameToken ,,=,=\"", `{"notificationPointId":3,"iccid":{}}`)
	f.Fuzz(func(t *testing.T, header, body string) {
		a := answering().adapter()
		if _, err := a.Notification(http.Header{"X-WSSE": {header}}, []byte(body)); kindOf(err) != "unauthorised" && len(body) <= notificationMax {
			t.Errorf("unsigned: %v", err)
		}
		h := http.Header{}
		a.sign(h)
		bell, err := a.Notification(h, []byte(body))
		again, _ := a.Notification(h, []byte(body))
		if bell != again || err == nil && (bell.EventID == "" || bell.Kind == "" || bell.Answer == "") || err != nil && kindOf(err) != "bad_request" {
			t.Errorf("%+v, then %+v, %v", bell, again, err)
		}
		if c := bell.Profile.ICCID; c != "" && (len(c) < 18 || strings.Trim(c, "0123456789") != "") {
			t.Errorf("rings for %q", c)
		}
	})
}
