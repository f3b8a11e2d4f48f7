package es2plus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// published are notifications as documents show them: that of the specification's
// form, and one of China Mobile International, which writes numbers as texts and the
// time as seconds.
var published = map[string]struct {
	body string
	want carrier.ProfileEvent
}{
	"installed": {
		`{"header":{"functionRequesterIdentifier":"1.3.6.1.4.1.99999.2","functionCallIdentifier":"TX-567"},"eid":"89001012012341234012345678901224",
			"iccid":"01234567890123456784","profileType":"myProfileType","timestamp":"2015-12-16T09:30:47Z","notificationPointId":4,
			"notificationPointStatus":{"status":"Executed-Success"}}`,
		carrier.ProfileEvent{},
	},
	"installed, ten years later": {
		`{"header":{"functionRequesterIdentifier":"1.3.6.1.4.1.99999.2","functionCallIdentifier":"TX-567"},"eid":"89001012012341234012345678901224",
			"iccid":"8981100000000000017F","profileType":"myProfileType","timestamp":"2025-12-16T18:30:47+09:00","notificationPointId":4,
			"notificationPointStatus":{"status":"Executed-Success"},"resultData":"vzc="}`,
		carrier.ProfileEvent{
			Kind: "point 4 Executed-Success", ICCID: "8981100000000000017", State: carrier.ProfileInstalled, At: time.Date(2025, 12, 16, 9, 30, 47, 0, time.UTC),
		},
	},
	"not installed": {
		`{"iccid":"8981100000000000017F","profileType":"t","timestamp":"2025-12-16T09:30:47Z","notificationPointId":4,
			"notificationPointStatus":{"status":"Failed","statusCodeData":{"subjectCode":"8.2.10","reasonCode":"4.2"}}}`,
		carrier.ProfileEvent{Kind: "point 4 Failed 8.2.10/4.2", ICCID: "8981100000000000017", At: time.Date(2025, 12, 16, 9, 30, 47, 0, time.UTC)},
	},
	"downloaded": {
		`{"iccid":"8981100000000000017F","timestamp":"2025-12-16T09:30:47Z","notificationPointId":3,"notificationPointStatus":{"status":"Executed-Success"}}`,
		carrier.ProfileEvent{Kind: "point 3 Executed-Success", ICCID: "8981100000000000017", At: time.Date(2025, 12, 16, 9, 30, 47, 0, time.UTC)},
	},
	"disabled, as CMI writes it": {
		`{"header":{"functionRequesterIdentifier":"24a3b946405843d2a1bc69780e7ba717","functionCallIdentifier":"handleDownloadProgressInfo"},
			"iccid":"89852342022019785558","eid":"89043051202200005223001347834515","profileType":"CMI_gds_esim_02","timeStamp":"1709712641",
			"notificationPointId":"102","notificationPointStatus":{"status":"Executed-Success"}}`,
		carrier.ProfileEvent{
			Kind: "point 102 Executed-Success", ICCID: "89852342022019785558", State: carrier.ProfileDisabled, At: time.Date(2024, 3, 6, 8, 10, 41, 0, time.UTC),
		},
	},
	"version 3's names": {
		`{"iccid":"8981100000000000017F","timestamp":"2025-12-16T09:30:47Z","notificationEvent":5,"notificationEventStatus":{"status":"Executed-Success"}}`,
		carrier.ProfileEvent{
			Kind: "point 5 Executed-Success", ICCID: "8981100000000000017", State: carrier.ProfileDeleted, At: time.Date(2025, 12, 16, 9, 30, 47, 0, time.UTC),
		},
	},
	"no ICCID": {`{"timestamp":"2025-12-16T09:30:47Z","notificationPointId":4,"notificationPointStatus":{"status":"Executed-Success"}}`, carrier.ProfileEvent{}},
	"no time":  {`{"iccid":"8981100000000000017F","notificationPointId":4,"notificationPointStatus":{"status":"Executed-Success"}}`, carrier.ProfileEvent{}},
	"no point": {`{"iccid":"8981100000000000017F","timestamp":"2025-12-16T09:30:47Z"}`, carrier.ProfileEvent{}},
	"no JSON":  {`iccid=8981100000000000017`, carrier.ProfileEvent{}},
}

// Published notifications are read; those of the impossible past, or that miss
// something, are not. The status of a step that failed changes nothing.
func TestPublishedNotifications(t *testing.T) {
	able := newTown(t, "", false, nil).able
	for name, c := range published {
		got, err := able.ProfileEvent(nil, []byte(c.body))
		if c.want.ICCID == "" {
			if kindOf(err) != "bad_request" {
				t.Errorf("%s: %+v, %v; want it refused", name, got, err)
			}
			continue
		}
		if len(got.EventID) != 32 {
			t.Errorf("%s: event %q", name, got.EventID)
		}
		got.EventID = ""
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

// What comes twice, as another call, is one event.
func TestSameNotificationTwice(t *testing.T) {
	able := newTown(t, "", false, nil).able
	one := published["installed, ten years later"].body
	a, errA := able.ProfileEvent(nil, []byte(one))
	b, errB := able.ProfileEvent(nil, []byte(replaced(one, "TX-567", "TX-568")))
	c, errC := able.ProfileEvent(nil, []byte(replaced(one, "18:30:47", "18:30:48")))
	if errA != nil || errB != nil || errC != nil || a != b || a.EventID == c.EventID {
		t.Errorf("%+v %+v %+v %v %v %v", a, b, c, errA, errB, errC)
	}
}

// Whatever comes is refused, or is an event that can be stored.
func FuzzProfileEvent(f *testing.F) {
	for _, c := range published {
		f.Add([]byte(c.body))
	}
	f.Add([]byte(`{"iccid":"8981100000000000017F","timestamp":"9999-12-31T23:59:59Z","notificationPointId":65535}`))
	able := newTown(f, "", false, nil).able
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := able.ProfileEvent(nil, body)
		if err != nil {
			if kindOf(err) != "bad_request" || e != (carrier.ProfileEvent{}) {
				t.Errorf("%q: %+v, %v", body, e, err)
			}
			return
		}
		if len(e.ICCID) < 18 || len(e.ICCID) > 20 || e.At.Year() < 2016 || len(e.EventID) != 32 || len(e.Kind) > 2000 {
			t.Errorf("%q: %+v", body, e)
		}
		if again, err := able.ProfileEvent(nil, body); err != nil || again != e {
			t.Errorf("%q: %+v, then %+v, %v", body, e, again, err)
		}
	})
}

func replaced(s, old, with string) string { return strings.Replace(s, old, with, 1) }
