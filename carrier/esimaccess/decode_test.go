package esimaccess

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// A card number without quotes has more digits than a float keeps.
func TestCardNumbersKeepTheirDigits(t *testing.T) {
	for _, in := range []string{`"89852246280001113119"`, `89852246280001113119`} {
		var l line
		if err := json.Unmarshal([]byte(`{"iccid":`+in+`}`), &l); err != nil || l.ICCID != card {
			t.Errorf("%s read as %q, %v", in, l.ICCID, err)
		}
	}
}

func TestInstants(t *testing.T) {
	want := time.Date(2023, 3, 3, 6, 20, 0, 0, time.UTC)
	for in, want := range map[string]time.Time{
		`"2023-03-03T06:20:00+0000"`:  want,
		`"2023-03-03T14:20:00+0800"`:  want,
		`"2023-03-03T06:20:00Z"`:      want,
		`"2023-03-03T06:20:00.000Z"`:  want,
		`"2023-03-03T06:20:00+00:00"`: want,
		`"2023-03-03 06:20:00 UTC"`:   want,
		`1677824400000`:               want,
		`null`:                        {},
		`""`:                          {},
	} {
		var got instant
		if err := json.Unmarshal([]byte(in), &got); err != nil || !got.Equal(want) {
			t.Errorf("%s read as %v, %v; want %v", in, got, err, want)
		}
	}
	for _, in := range []string{`"tomorrow"`, `"2023-13-03T06:20:00Z"`, `"0001-01-01T00:00:00Z"`, `1677824400`, `{}`, `"2023-03-03 06:20:00 JST"`} {
		var got instant
		if err := json.Unmarshal([]byte(in), &got); err == nil {
			t.Errorf("%s read as %v", in, got)
		}
	}
}

// Whatever the operator answers, it is read without panic, errors are of one
// kind, and a line that can be read gives a picture that can be read back and
// shows no growth against itself.
func FuzzQueryAnswer(f *testing.F) {
	a := &Adapter{config: Config{AccessCode: accessCode}, now: func() time.Time { return noon }}
	f.Fuzz(func(t *testing.T, body []byte) {
		obj, err := a.open(reads, "/esim/query", outbound.Answer{Status: 200, Body: body})
		if err != nil {
			kind(t, err)
			return
		}
		lines, err := decodeLines(obj)
		if err != nil {
			return
		}
		for _, l := range lines {
			_, _ = l.refusal(noon), l.state(noon)
			s, err := json.Marshal(pictureOf(l, noon))
			if err != nil {
				t.Fatalf("picture: %v", err)
			}
			before, err := readPicture(s)
			if err != nil {
				if l.TranNo != "" {
					t.Fatalf("picture of %+v cannot be read: %v", l, err)
				}
				continue
			}
			g := growthOf(before, l, order)
			if found, why := g.judge(before, l, order); found != carrier.FoundAbsent {
				t.Errorf("a line against itself: %s (%s; %v)", found, why, g)
			}
		}
	})
}
