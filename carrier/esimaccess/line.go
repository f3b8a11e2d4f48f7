package esimaccess

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// line is an eSIM as /esim/query shows it: the members that we act upon.
type line struct {
	TranNo        text    `json:"esimTranNo"`
	ICCID         text    `json:"iccid"`
	Status        text    `json:"esimStatus"`
	SMDP          text    `json:"smdpStatus"`
	DataType      text    `json:"dataType"`
	ActivateTime  instant `json:"activateTime"`
	ExpiredTime   instant `json:"expiredTime"`
	TotalVolume   whole   `json:"totalVolume"`
	TotalDuration whole   `json:"totalDuration"`
	OrderUsage    whole   `json:"orderUsage"`
	Packages      []held  `json:"packageList"`
}

// held is a package that a line carries.
type held struct {
	Code       text    `json:"packageCode"`
	Slug       text    `json:"slug"`
	Duration   whole   `json:"duration"`
	Volume     whole   `json:"volume"`
	CreateTime instant `json:"createTime"`
}

// is reports whether h is the package that was ordered as code. An order may
// use the slug; and the order's code may have the prefix TOPUP_ where the
// line's list has the bare code (which of the two it has is not documented).
func (h held) is(code string) bool {
	bare := strings.TrimPrefix(code, "TOPUP_")
	return string(h.Code) == code || string(h.Code) == bare || strings.TrimPrefix(string(h.Code), "TOPUP_") == bare ||
		(h.Slug != "" && (string(h.Slug) == code || string(h.Slug) == bare))
}

// query reads one line, by the operator's own number: ICCIDs are given to
// other lines later. It refuses with LineUnknown when there is no such line,
// or when the number names another card than we think.
func (a *Adapter) query(ctx context.Context, p carrier.Profile) (line, error) {
	const path = "/esim/query"
	if p.ID == "" {
		return line{}, unnamed()
	}
	question := struct {
		TranNo string         `json:"esimTranNo"`
		Pager  map[string]int `json:"pager"` // not optional, whatever is asked
	}{p.ID, map[string]int{"pageNum": 1, "pageSize": 5}}
	var obj json.RawMessage
	if err := a.call(ctx, reads, path, question, &obj); err != nil {
		return line{}, err
	}
	lines, err := decodeLines(obj)
	if err != nil {
		return line{}, reads.silence("%s: %s", path, a.quote(err.Error()))
	}
	for _, l := range lines {
		if string(l.TranNo) != p.ID {
			continue
		}
		if p.ICCID != "" && l.ICCID != "" && !sameICCID(string(l.ICCID), p.ICCID) {
			return line{}, &carrier.Refusal{
				Reason: carrier.LineUnknown,
				Text:   "this number names another card now: " + carrier.Quote(string(l.ICCID)),
			}
		}
		return l, nil
	}
	if len(lines) > 0 {
		return line{}, reads.silence("%s: the answer is about other lines", path)
	}
	return line{}, &carrier.Refusal{Reason: carrier.LineUnknown, Text: "the operator knows no such line"}
}

// decodeLines reads the list of an answer to /esim/query.
func decodeLines(obj json.RawMessage) ([]line, error) {
	list, err := rows(obj, "esimList")
	if err != nil {
		return nil, err
	}
	lines := make([]line, len(list))
	for i, row := range list {
		if err := json.Unmarshal(row, &lines[i]); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// comparable reports whether the line shows anything that an extension changes.
func (l line) comparable() bool { return l.TotalVolume.given || l.TotalDuration.given }

// active reports whether the line's time is running or has run. Before, its
// expiredTime is the last moment to install it, not an end of service.
func (l line) active() bool {
	return !l.ActivateTime.IsZero() || l.Status == "IN_USE" || l.Status == "USED_UP" || l.Status == "USED_EXPIRED"
}

// state is the line's state at an instant; empty for a word that is not in the
// document. An end that has passed counts, whatever the status still says.
func (l line) state(now time.Time) carrier.LineState {
	var s carrier.LineState
	switch l.Status {
	case "CREATE", "PAYING", "PAID", "GETTING_RESOURCE":
		return carrier.LineNew
	case "USED_EXPIRED", "UNUSED_EXPIRED":
		return carrier.LineIsOver
	case "CANCEL", "REVOKE", "REVOKED":
		return carrier.LineDead
	case "GOT_RESOURCE":
		s = carrier.LineNew
		if l.active() {
			s = carrier.LineActive
		}
	case "IN_USE":
		s = carrier.LineActive
	case "USED_UP":
		s = carrier.LineDepleted
	case "SUSPENDED":
		s = carrier.LineSuspended
	default:
		return ""
	}
	if !l.ExpiredTime.IsZero() && !now.Before(l.ExpiredTime.Time) {
		return carrier.LineIsOver
	}
	return s
}

// refusal is why the operator would not top up this line, or nil. It takes
// lines that are new, in use or depleted.
func (l line) refusal(now time.Time) error {
	no := func(r carrier.Reason, why string) error {
		return &carrier.Refusal{Reason: r, Code: carrier.Clip(string(l.Status)), Text: why}
	}
	switch l.state(now) {
	case carrier.LineNew:
		if l.Status != "GOT_RESOURCE" {
			return no(carrier.StillInProgress, "the eSIM is still being made")
		}
		return nil
	case carrier.LineActive, carrier.LineDepleted:
		return nil
	case carrier.LineIsOver:
		return no(carrier.LineEnded, "the line has ended")
	case carrier.LineDead:
		return no(carrier.LineTerminal, "the line was cancelled or revoked")
	case carrier.LineSuspended:
		return no(carrier.LineNotActive, "the line is suspended")
	}
	return no(carrier.OperatorRefuses, "the line is in a state that we do not know")
}

// daily reports whether a data type counts by the day. What the totals of
// such a line mean (a day, or the whole pass) is not documented.
func daily(dataType string) bool { return dataType == "2" || dataType == "3" || dataType == "4" }

// unlimited reports whether a data type never stops: slowed down after a daily
// amount, or without limit.
func unlimited(dataType string) bool { return dataType == "2" || dataType == "4" }

// Status implements [carrier.Carrier]: one query, and a second one for the age
// of the figures once there can be any.
//
// The figures of a day pass are left out: whether the operator means the day
// or the whole pass is not documented, and a wrong figure is worse than none.
func (a *Adapter) Status(ctx context.Context, p carrier.Profile) (carrier.Status, error) {
	began := a.now().UTC()
	l, err := a.query(ctx, p)
	if r, ok := errors.AsType[*carrier.Refusal](err); ok && r.Reason == carrier.StillInProgress {
		return carrier.Status{State: carrier.LineNew, AsOf: began}, nil
	}
	if err != nil {
		return carrier.Status{}, err
	}
	s := carrier.Status{
		State:     l.state(began),
		StartsAt:  l.ActivateTime.Time,
		Unlimited: unlimited(string(l.DataType)),
		AsOf:      began, // a line that never ran has used nothing, as of now
	}
	if s.State == "" {
		return carrier.Status{}, l.refusal(began)
	}
	if !daily(string(l.DataType)) {
		s.Total, s.Used = l.TotalVolume.n, l.OrderUsage.n
	}
	if !l.active() {
		return s, nil
	}
	s.EndsAt = l.ExpiredTime.Time
	used, measured, err := a.usage(ctx, p.ID)
	if err != nil {
		return carrier.Status{}, err
	}
	if measured.IsZero() {
		s.AsOf = began.Add(-usageDelay) // the query does not say; this is the oldest it can be
		return s, nil
	}
	if measured.Before(began) {
		s.AsOf = measured
	}
	if !daily(string(l.DataType)) {
		s.Used = used
	}
	return s, nil
}

// usage is what a line had used at an instant. The instant is zero when the
// operator answers but has no dated figure for this line.
func (a *Adapter) usage(ctx context.Context, tranNo string) (used int64, measured time.Time, err error) {
	const path = "/esim/usage/query"
	var obj json.RawMessage
	question := map[string][]string{"esimTranNoList": {tranNo}}
	err = a.call(ctx, reads, path, question, &obj)
	if _, refused := errors.AsType[*carrier.Refusal](err); refused || string(obj) == "null" {
		return 0, time.Time{}, nil // the query has an older figure
	}
	if err != nil {
		return 0, time.Time{}, err
	}
	list, err := rows(obj, "esimUsageList")
	if err != nil {
		return 0, time.Time{}, reads.silence("%s: %s", path, a.quote(err.Error()))
	}
	for _, row := range list {
		var u struct {
			TranNo  text    `json:"esimTranNo"`
			Usage   whole   `json:"dataUsage"`
			Updated instant `json:"lastUpdateTime"`
		}
		if err := json.Unmarshal(row, &u); err != nil {
			return 0, time.Time{}, reads.silence("%s: %s", path, a.quote(err.Error()))
		}
		if string(u.TranNo) == tranNo && u.Usage.given {
			return u.Usage.n, u.Updated.Time, nil
		}
	}
	return 0, time.Time{}, nil
}
