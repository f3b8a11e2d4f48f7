package es2plus

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// lastStandardPoint is the last notification point of the specification: 1 eligibility
// and retry limit, 2 confirmation failure, 3 download, 4 installation.
const lastStandardPoint = 4

// DefaultPoints are what points beyond the specification's mean, as far as a vendor's
// document says so (China Mobile International, GDS 4.2). Another SM-DP+ may number
// them otherwise: [Config.Points].
var DefaultPoints = map[int]carrier.ProfileState{
	4: carrier.ProfileInstalled, 5: carrier.ProfileDeleted, 101: carrier.ProfileEnabled, 102: carrier.ProfileDisabled,
}

func rank(s carrier.ProfileState) int {
	switch s {
	case carrier.ProfileInstalled:
		return 1
	case carrier.ProfileEnabled:
		return 2
	case carrier.ProfileDisabled:
		return 3
	case carrier.ProfileDeleted:
		return 4
	}
	return 0
}

// earliest is before the first eSIM of this specification; a time before it is none.
var earliest = time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)

// longestText bounds what is read of a notification's texts.
const longestText = 200

// progress is HandleDownloadProgressInfo, and HandleNotification of version 3, which
// has other names for the same. Vendors deviate: numbers come as texts, times as
// seconds since 1970 under a name of another spelling, which Go's decoder takes.
type progress struct {
	ICCID       string `json:"iccid"`
	Timestamp   moment `json:"timestamp"`
	Point       number `json:"notificationPointId"`
	Event       number `json:"notificationEvent"`
	Status      status `json:"notificationPointStatus"`
	EventStatus status `json:"notificationEventStatus"`
}

// ProfileEvent implements [carrier.ProfileTeller]. Who may send one is not looked at
// here: the listener has seen the sender's certificate.
func (a *Adapter) ProfileEvent(_ http.Header, body []byte) (carrier.ProfileEvent, error) {
	no := func(why string) (carrier.ProfileEvent, error) { return carrier.ProfileEvent{}, badRequest(why) }
	var p progress
	if err := json.Unmarshal(body, &p); err != nil {
		return no("not a notification of ES2+: " + carrier.Quote(err.Error()))
	}
	point, ended := p.Point, p.Status
	if point == 0 {
		point, ended = p.Event, p.EventStatus
	}
	iccid, ok := bare(p.ICCID)
	switch {
	case !ok:
		return no("the notification has no ICCID")
	case p.Timestamp.Before(earliest):
		return no("the notification has no time")
	case point == 0:
		return no("the notification has no point")
	}
	e := carrier.ProfileEvent{ICCID: iccid, At: p.Timestamp.UTC(), Kind: fmt.Sprintf("point %d %s", point, carrier.Clip(ended.Status))}
	if ended.Data != (statusCode{}) {
		e.Kind += " " + ended.Data.code()
	}
	if ended.succeeded() {
		e.State = a.points[int(point)]
	}
	// One that comes again may come as another call: what it says is what it is.
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d\n%d\n%s\n%s", iccid, point, e.At.UnixNano(), ended.Status, ended.Data.code()))
	e.EventID = hex.EncodeToString(sum[:16])
	return e, nil
}

// number is a whole number, or a text that is one.
type number int

// UnmarshalJSON implements [json.Unmarshaler].
func (n *number) UnmarshalJSON(b []byte) error {
	text := strings.Trim(string(b), `" `)
	if text == "" || text == "null" {
		return nil
	}
	v, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return fmt.Errorf("%q is no number of a point", carrier.Clip(text))
	}
	*n = number(v)
	return nil
}

// moment is an instant: as the specification writes it, 2001-12-17T09:30:47Z, or in
// seconds since 1970.
type moment struct{ time.Time }

// UnmarshalJSON implements [json.Unmarshaler].
func (m *moment) UnmarshalJSON(b []byte) error {
	text := string(bytes.Trim(b, `" `))
	if text == "" || text == "null" || len(text) > longestText {
		return nil
	}
	if len(text) == len("1709712641") && strings.Trim(text, "0123456789") == "" {
		seconds, err := strconv.ParseInt(text, 10, 64)
		m.Time = time.Unix(seconds, 0).UTC()
		return err
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04Z07:00"} {
		if t, err := time.Parse(layout, text); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return fmt.Errorf("%q is no time", carrier.Clip(text))
}
