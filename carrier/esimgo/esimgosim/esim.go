package esimgosim

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const smdp = "rsp-3104.idemia.io" // as in the provider's samples

// The periods that are documented [3.3].
const (
	lapsesAfter = 12 // months
	refundable  = 60 * 24 * time.Hour
	returnTakes = 4 * 24 * time.Hour
)

// esim is one profile. One ICCID may have been several, one after the other.
type esim struct {
	iccid, matching, provider, customerRef string
	created                                time.Time
	installed                              time.Time // first; zero: never
	deactivated                            time.Time
	gone, back                             time.Time // returned to the operator, given back; zero: not
	events                                 []event   // in order of time, append-only; everything else follows from them
	actions                                []action
}

// event is one thing that happened: a bundle was assigned, or data was used.
type event struct {
	at       time.Time
	assigned *assignment
	used     int64 // bytes
}

// assignment is one bundle on an eSIM.
type assignment struct {
	id      int
	ref     string
	bundle  Bundle
	order   string
	at      time.Time
	readyAt time.Time // until then it is processing
	revoked time.Time
	told    map[string]bool
}

func (a *assignment) total() int64 { return a.bundle.MB * 1_000_000 }

type action struct {
	at           time.Time
	name, bundle string
}

// dead says that no bundle can be put on it any more.
func (e *esim) dead(at time.Time) bool { return !e.deactivated.IsZero() && !e.deactivated.After(at) }

// ours says that it is in our account.
func (e *esim) ours(at time.Time) bool {
	if e.created.After(at) {
		return false
	}
	return e.gone.IsZero() || at.Before(e.gone) || !e.back.IsZero() && !at.Before(e.back)
}

// find is the eSIM that an ICCID stands for in our account; nil: none.
func (s *Sim) find(iccid string, at time.Time) *esim {
	for _, e := range slices.Backward(s.esims) {
		if e.iccid == iccid && e.ours(at) {
			return e
		}
	}
	return nil
}

func (s *Sim) newESIM(iccid, provider string) *esim {
	s.seq++
	if iccid == "" {
		iccid = luhn(fmt.Sprintf("894310816%09d", 500_387+s.seq*7))
	}
	letters := make([]byte, 20)
	for i := range letters {
		letters[i] = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"[s.cfg.Rand.IntN(31)]
	}
	text := string(letters)
	e := &esim{
		iccid: iccid, provider: provider, created: s.now,
		matching: strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-"),
	}
	s.esims = append(s.esims, e)
	return e
}

// luhn puts the check digit behind the digits of an ICCID.
func luhn(digits string) string {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return digits + strconv.Itoa((10-sum%10)%10)
}

// assign puts a bundle on an eSIM.
func (s *Sim) assign(e *esim, b Bundle, order string) *assignment {
	s.seq++
	a := &assignment{
		id: 215_000_000 + s.seq, ref: s.uuid() + "-0", bundle: b, order: order, at: s.now, readyAt: s.now.Add(s.cfg.Lag), told: map[string]bool{},
	}
	e.events = append(e.events, event{at: s.now, assigned: a})
	e.note(s.now, "Bundle Applied", b.Name)
	return a
}

func (e *esim) note(at time.Time, name, bundle string) {
	e.actions = append(e.actions, action{at, name, bundle})
}

// state is an assignment at an instant.
type state struct {
	*assignment
	started, ends time.Time // zero: not yet
	left          int64
}

// statesAt are all assignments as they were at an instant, oldest first.
func (e *esim) statesAt(at time.Time) []state {
	var all []state
	for _, ev := range e.events {
		switch {
		case ev.at.After(at):
			return all
		case ev.assigned != nil:
			all = append(all, state{assignment: ev.assigned, left: ev.assigned.total()})
		default:
			consume(all, ev.used, ev.at)
		}
	}
	return all
}

// consume takes data from what is active, and begins the next that is queued
// when nothing is.
func consume(all []state, bytes int64, at time.Time) {
	for {
		var next *state
		for i := range all {
			if is := all[i].word(at); is == "active" || is == "queued" && next == nil {
				next = &all[i]
				if is == "active" {
					break
				}
			}
		}
		if next == nil {
			return
		}
		if next.started.IsZero() {
			next.started, next.ends = at, at.AddDate(0, 0, next.bundle.Days)
		}
		if next.bundle.Unlimited {
			return
		}
		taken := min(bytes, next.left)
		next.left -= taken
		if bytes -= taken; bytes == 0 {
			return
		}
	}
}

// word is the documented name of a state [3.3].
func (st *state) word(at time.Time) string {
	switch {
	case !st.revoked.IsZero() && !st.revoked.After(at):
		return "revoked"
	case st.started.IsZero() && at.Before(st.readyAt):
		return "processing"
	case st.started.IsZero() && !at.Before(st.at.AddDate(0, lapsesAfter, 0)):
		return "lapsed"
	case st.started.IsZero():
		return "queued"
	case !at.Before(st.ends):
		return "expired"
	case st.left == 0 && !st.bundle.Unlimited:
		return "depleted"
	}
	return "active"
}

// row is an assignment as it is told.
func (st *state) row(at time.Time) object {
	row := object{
		"id": strconv.Itoa(st.id), "assignmentReference": st.ref, "callTypeGroup": "data",
		"initialQuantity": st.total(), "remainingQuantity": st.left, "assignmentDateTime": st.at.Format(time.RFC3339Nano),
		"bundleState": st.word(at), "unlimited": st.bundle.Unlimited,
	}
	if !st.started.IsZero() {
		row["startTime"], row["endTime"] = st.started.Format(time.RFC3339), st.ends.Format(time.RFC3339)
	}
	return row
}

// appliedBundles serves GET esims/{iccid}/bundles: the newest assignments, by
// name of their bundle [3.3].
func (s *Sim) appliedBundles(q *request) *answer {
	e := s.find(q.iccid, q.asOf)
	if e == nil {
		return s.foreign()
	}
	limit := 15
	if given := q.r.URL.Query().Get("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil || n < 1 || n > 200 {
			return no(http.StatusBadRequest, "limit must be between 1 and 200")
		}
		limit = n
	}
	used := q.r.URL.Query().Get("includeUsed") == "true"
	var names []string
	rows := map[string][]object{}
	titles := map[string]string{}
	for _, st := range slices.Backward(e.statesAt(q.asOf)) {
		if over := !slices.Contains([]string{"processing", "queued", "active"}, st.word(q.asOf)); over && !used || limit == 0 {
			continue
		}
		limit--
		if rows[st.bundle.Name] == nil {
			names = append(names, st.bundle.Name)
		}
		titles[st.bundle.Name] = st.bundle.Title
		rows[st.bundle.Name] = append(rows[st.bundle.Name], st.row(q.asOf))
	}
	all := []object{}
	for _, name := range names {
		all = append(all, object{"name": name, "description": titles[name], "assignments": rows[name]})
	}
	return said(http.StatusOK, object{"bundles": all})
}

// appliedBundle serves GET esims/{iccid}/bundles/{name}: the latest assignment.
func (s *Sim) appliedBundle(q *request) *answer {
	e := s.find(q.iccid, q.asOf)
	if e == nil {
		return s.foreign()
	}
	for _, st := range slices.Backward(e.statesAt(q.asOf)) {
		if st.bundle.Name == q.name {
			return said(http.StatusOK, object{"assignments": []object{st.row(q.asOf)}})
		}
	}
	return no(http.StatusBadRequest, "bundle is not applied to this esim")
}

// compatible serves GET esims/{iccid}/compatible/{name}.
func (s *Sim) compatible(q *request) *answer {
	e, b := s.find(q.iccid, q.asOf), s.bundle(q.name)
	switch {
	case e == nil:
		return s.foreign()
	case b == nil || b.withdrawn:
		return no(http.StatusBadRequest, "bundle not found")
	}
	return said(http.StatusOK, object{"compatible": e.provider == b.Provider && !e.dead(q.asOf)})
}

// getESIM serves GET esims/{iccid} [A].
func (s *Sim) getESIM(q *request) *answer {
	e := s.find(q.iccid, q.asOf)
	if e == nil {
		return s.foreign()
	}
	row := object{
		"iccid": e.iccid, "pin": "0000", "puk": "12344567", "matchingId": e.matching, "smdpAddress": smdp,
		"profileStatus": "Released", "customerRef": e.customerRef,
	}
	if !e.installed.IsZero() && !e.installed.After(q.asOf) {
		row["profileStatus"], row["firstInstalledDateTime"] = "Installed", e.installed.UnixMilli()
		if s.pick(s.cfg.Manners.Installed, "milliseconds", "text") == "text" {
			row["firstInstalledDateTime"] = e.installed.Format(time.RFC3339)
		}
	}
	if e.dead(q.asOf) {
		row["profileStatus"] = "Deactivated"
	}
	return said(http.StatusOK, row)
}

// listESIMs serves GET esims, by ICCID.
func (s *Sim) listESIMs(q *request) *answer {
	rows := []object{}
	for _, e := range s.esims {
		if e.ours(q.asOf) {
			rows = append(rows, object{
				"iccid": e.iccid, "customerRef": e.customerRef, "assignedDate": e.created.Format(time.RFC3339), "physical": false,
			})
		}
	}
	slices.SortStableFunc(rows, func(a, b object) int { return strings.Compare(a["iccid"].(string), b["iccid"].(string)) })
	return paged(q, "esims", rows, 10)
}

// updateESIM serves PUT esims.
func (s *Sim) updateESIM(q *request) *answer {
	var w struct{ ICCID, CustomerRef string }
	if !q.read(&w) {
		return no(http.StatusBadRequest, "failed to parse request body")
	}
	e := s.find(w.ICCID, s.now)
	if e == nil {
		return s.foreign()
	}
	e.customerRef = w.CustomerRef
	e.note(s.now, "eSIM Updated", "")
	return said(http.StatusOK, object{"status": "success"})
}

// history serves GET esims/{iccid}/history.
func (s *Sim) history(q *request) *answer {
	e := s.find(q.iccid, q.asOf)
	if e == nil {
		return s.foreign()
	}
	rows := []object{}
	for _, a := range e.actions {
		if !a.at.After(q.asOf) {
			rows = append(rows, object{"name": a.name, "bundle": a.bundle, "date": a.at.Format(time.RFC3339)})
		}
	}
	return said(http.StatusOK, object{"actions": rows})
}

// install serves GET esims/assignments: CSV, or JSON for who accepts it.
func (s *Sim) install(q *request) *answer {
	refs := q.r.URL.Query()["reference"]
	var found []*esim
	for _, o := range s.orders {
		if !slices.Contains(refs, o.ref) || o.doneAt.After(q.asOf) {
			continue
		}
		for _, l := range o.lines {
			found = append(found, l.esims...)
		}
	}
	if len(found) == 0 {
		return no(http.StatusBadRequest, "reference not found")
	}
	if strings.Contains(q.r.Header.Get("Accept"), "application/json") {
		rows := []object{}
		for _, e := range found {
			rows = append(rows, object{"iccid": e.iccid, "matchingId": e.matching, "smdpAddress": smdp, "rspUrl": "LPA:1$" + smdp + "$" + e.matching})
		}
		return said(http.StatusOK, rows)
	}
	var text strings.Builder
	w := csv.NewWriter(&text)
	_ = w.Write([]string{"ICCID", "Matching ID", "SMDP+ Address", "RSP URL"}) // a Builder does not fail
	for _, e := range found {
		_ = w.Write([]string{e.iccid, e.matching, smdp, "LPA:1$" + smdp + "$" + e.matching})
	}
	w.Flush()
	return &answer{status: http.StatusOK, header: http.Header{"Content-Type": {"text/csv"}}, body: []byte(text.String())}
}

// revoke serves DELETE of a bundle: the oldest unused assignment of that name,
// or one by its identifier [3.3].
func (s *Sim) revoke(q *request) *answer {
	e := s.find(q.iccid, s.now)
	if e == nil {
		return s.foreign()
	}
	states := e.statesAt(s.now)
	i := slices.IndexFunc(states, func(st state) bool {
		unused := st.word(s.now) == "queued" || st.word(s.now) == "processing"
		return st.bundle.Name == q.name && unused && (q.id == "" || q.id == strconv.Itoa(st.id))
	})
	switch {
	case i < 0:
		return no(http.StatusBadRequest, "no unused bundle to revoke")
	case !s.now.Before(states[i].at.Add(refundable)):
		return no(http.StatusBadRequest, "bundle is outside of its refund period")
	case q.r.URL.Query().Get("type") == "validate":
		return said(http.StatusOK, object{"status": "bundle can be revoked"})
	}
	a := states[i].assignment
	a.revoked = s.now
	e.note(s.now, "Bundle Revoked", a.bundle.Name)
	if q.r.URL.Query().Get("refundToBalance") == "true" {
		s.post(a.bundle.Price)
	} else {
		s.inventory[a.bundle.Name]++
	}
	left := slices.ContainsFunc(e.statesAt(s.now), func(st state) bool {
		return slices.Contains([]string{"processing", "queued", "active", "depleted"}, st.word(s.now))
	})
	if !left && e.installed.IsZero() {
		e.gone = s.now
		e.note(s.now, "eSIM Returned", "")
		s.later(s.now.Add(returnTakes), func() {
			if !e.installed.IsZero() {
				e.back = s.now
			}
		})
	}
	return said(http.StatusOK, object{"status": "Bundle revoked"})
}
