package esimgo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier"
)

func signatureOf(key, body string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(body))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const (
	details = "GET esims/" + card
	oneGood = `{"iccid":"` + card + `","matchingId":"JQ-209U6H-6I82J5","smdpAddress":"rsp.truphone.com","customerRef":"LABEL"}`
)

func labelled(ref string) string { return strings.Replace(oneGood, "LABEL", ref, 1) }

func TestIssueLabels(t *testing.T) {
	s := answering(try, `{"valid":true}`, buy, good, "PUT esims", `{"status":"Success"}`, details, labelled("ord_1"))
	i, err := s.adapter().Issue(t.Context(), carrier.Purchase{Ref: "ord_1", Package: bundle})
	want := carrier.Issued{
		Ref: "3a6e2e40-c674-45e9-b289-b35027bf72a9", Profile: carrier.Profile{ID: card, ICCID: card}, Code: "LPA:1$rsp.truphone.com$JQ-209U6H-6I82J5",
	}
	if err != nil || i != want {
		t.Errorf("%+v, %v", i, err)
	}
	for _, sent := range s.sent {
		if strings.HasPrefix(sent, "POST orders") && strings.Contains(sent, "iccids") {
			t.Errorf("an eSIM is named where a new one is wanted: %s", sent)
		}
	}
	if last := s.sent[2]; last != `PUT esims {"customerRef":"ord_1","iccid":"`+card+`"}` {
		t.Errorf("labelled by %s", last)
	}
}

// A yes stays a yes whatever becomes of what follows it.
func TestIssueWithoutMore(t *testing.T) {
	for name, s := range map[string]*script{
		"no label":   answering(try, `{"valid":true}`, buy, good, "PUT esims", `500 {}`),
		"no details": answering(try, `{"valid":true}`, buy, good, "PUT esims", `{}`, details, `503 {}`),
		"no eSIM":    answering(try, `{"valid":true}`, buy, strings.Replace(good, card, "", 1)),
	} {
		i, err := s.adapter().Issue(t.Context(), carrier.Purchase{Ref: "ord_1", Package: bundle})
		if err != nil || i.Ref == "" || i.Made() {
			t.Errorf("%s: %+v, %v", name, i, err)
		}
	}
}

func TestLookUpIssue(t *testing.T) {
	const ref = "3a6e2e40-c674-45e9-b289-b35027bf72a9"
	list := `{"orders":[` + good + `]}`
	for name, tt := range map[string]struct {
		s      *script
		theirs string
		want   string
	}{
		"by number":                 {answering("GET orders/"+ref, good, details, labelled("ord_1")), ref, "done"},
		"by number, no label yet":   {answering("GET orders/"+ref, good, details, labelled(""), "PUT esims", `{}`), ref, "done"},
		"by number, another's":      {answering("GET orders/"+ref, good, details, labelled("ord_2")), ref, "unsure"},
		"by number, no eSIM yet":    {answering("GET orders/"+ref, strings.Replace(good, `{"iccid":"`+card+`"}`, "", 1)), ref, "pending"},
		"by number, forgotten":      {answering("GET orders/"+ref, `400 {"message":"no such order"}`), ref, "unsure"},
		"by number, away":           {answering("GET orders/"+ref, `503 {"message":"later"}`), ref, "not sent"},
		"by number, no code yet":    {answering("GET orders/"+ref, good, details, strings.Replace(labelled("ord_1"), "JQ-209U6H-6I82J5", "", 1)), ref, "pending"},
		"ours":                      {answering(orders, list, details, labelled("ord_1")), "", "done"},
		"another's":                 {answering(orders, list, details, labelled("ord_2")), "", "absent"},
		"none":                      {answering(orders, `{"orders":[]}`), "", "absent"},
		"of another bundle":         {answering(orders, strings.Replace(list, bundle, "other", 1)), "", "absent"},
		"from long ago":             {answering(orders, strings.Replace(list, "2026-05-04T12:00:00Z", "2026-05-04T11:00:00Z", 1)), "", "absent"},
		"not made yet":              {answering(orders, strings.Replace(list, `{"iccid":"`+card+`"}`, "", 1)), "", "pending"},
		"nobody's, label is lost":   {answering(orders, list, details, labelled(""), "PUT esims", `500 {}`), "", "not sent"},
		"the list cannot be read":   {answering(orders, `{"orders":[{}]}`), "", "not sent"},
		"the list says nothing":     {answering(orders, `{}`), "", "not sent"},
		"nobody's, is not labelled": {answering(orders, list, details, labelled(""), "PUT esims", `{}`), "", "not sent"},
	} {
		r, err := tt.s.adapter().LookUpIssue(t.Context(), carrier.Purchase{Ref: "ord_1", Package: bundle, AskedAt: noon, Theirs: tt.theirs})
		got := string(r.Found)
		if err != nil {
			got = kindOf(err)
		}
		if got != tt.want || (got == "done") != r.Issued.Made() {
			t.Errorf("%s: %s (%+v, %v), want %s", name, got, r, err, tt.want)
		}
	}
}

// Only what has not begun is taken back, and never the last thing on an eSIM.
func TestCancel(t *testing.T) {
	const full = `,"initialQuantity":1000000000,"remainingQuantity":1000000000`
	list := func(rows ...string) string {
		return `{"bundles":[{"name":"` + bundle + `","assignments":[` + strings.Join(rows, ",") + `]}]}`
	}
	remove := "DELETE esims/" + card + "/bundles/" + bundle + "/assignments/2"
	for name, tt := range map[string]struct {
		before, now string
		answer      string
		want        string
		asked       bool
	}{
		"waits behind another": {list(row("1", "active", "")), list(row("1", "active", ""), row("2", "queued", full)), `{"status":"ok"}`, "done", true},
		"lost":                 {list(row("1", "active", "")), list(row("1", "active", ""), row("2", "queued", full)), `500 {}`, "unknown", true},
		"refused":              {list(row("1", "active", "")), list(row("1", "active", ""), row("2", "queued", full)), `400 {"message":"too late"}`, "operator_refuses", true},
		"the last one":         {list(), list(row("2", "queued", full)), "", "operator_refuses", false},
		"with one that ended":  {list(row("1", "expired", "")), list(row("1", "expired", ""), row("2", "queued", full)), "", "operator_refuses", false},
		"has begun":            {list(row("1", "active", "")), list(row("1", "active", ""), row("2", "active", full)), "", "operator_refuses", false},
		"taken back before":    {list(row("1", "active", "")), list(row("1", "active", ""), row("2", "revoked", full)), "", "done", false},
		"not there":            {list(row("1", "active", "")), list(row("1", "active", "")), "", "operator_refuses", false},
	} {
		s := answering(fits, `{"compatible":true}`, try, `{"valid":true}`, bundles, tt.before, remove, tt.answer)
		a := s.adapter()
		e := extension()
		var err error
		if e.Snapshot, err = a.Prepare(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		s.answers[bundles] = tt.now
		err = a.Cancel(t.Context(), e)
		last := s.sent[len(s.sent)-1]
		if kindOf(err) != tt.want || strings.HasPrefix(last, "DELETE") != tt.asked {
			t.Errorf("%s: %v; asked last %s", name, err, last)
		}
	}
}
