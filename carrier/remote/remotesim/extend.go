package remotesim

import (
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"time"
)

var (
	refs   = regexp.MustCompile(`^[0-9a-z_]{1,40}$`)
	iccids = regexp.MustCompile(`^[0-9]{18,20}$`)
)

func refused(reason, text string) map[string]any {
	return map[string]any{"outcome": "refused", "reason": reason, "code": "sim", "text": text}
}

// no is a refusal, in the words of the contract unless it has words of its own.
func (s *Sim) no(reason, text string) map[string]any {
	if s.Flaw == Words {
		reason = "computer_says_no"
	}
	return refused(reason, text)
}

// line finds the line of a question, or says why not.
func (s *Sim) line(q question) (*Line, map[string]any) {
	switch {
	case q.Line == nil || q.Line.ID == "" || len(q.Line.ID) > 100:
		return nil, s.no("bad_request", "line.id is missing")
	case q.Line.ICCID != "" && !iccids.MatchString(q.Line.ICCID):
		return nil, s.no("bad_request", "that is no ICCID")
	}
	l := s.lines[q.Line.ID]
	if l == nil || q.Line.ICCID != "" && q.Line.ICCID != l.ICCID && s.Flaw != NoICCID {
		return nil, s.no("line_unknown", "no such line")
	}
	return l, nil
}

func (s *Sim) extend(q question) map[string]any {
	if !refs.MatchString(q.Ref) {
		return s.no("bad_request", "that is no ref")
	}
	l, no := s.line(q)
	if no != nil {
		return no
	}
	p, no := s.soldAs(q, false)
	if no != nil {
		return no
	}
	days, no := s.days(q, p)
	if no != nil {
		return no
	}
	what := fmt.Sprintf("%s/%s/%d", l.ID, p.Code, days)
	old := s.asked[q.Ref]
	switch {
	case old != nil && old.what != what && s.Flaw != ReusesRef:
		return s.no("bad_request", "this ref was used for something else")
	case old != nil && old.times > 0 && s.Flaw != ActsTwice:
		if s.Flaw == AnswersVary {
			s.n++
			old.receipt["ref"] = fmt.Sprintf("sim-%d", s.n)
		}
		return map[string]any{"outcome": "done", "receipt": maps.Clone(old.receipt)}
	case l.gone:
		return s.no("line_terminal", "the line was taken back")
	case !l.Ends.After(s.Now()) && s.Flaw != EndedToo:
		return s.no("line_ended", "the line has ended")
	}
	return map[string]any{"outcome": "done", "receipt": s.act(q.Ref, l, p, days)}
}

// extendRacing looks whether a ref was used, and acts on it a moment later.
func (s *Sim) extendRacing(q question) map[string]any {
	s.mu.Lock()
	used := s.asked[q.Ref]
	s.mu.Unlock()
	if used == nil {
		<-time.After(20 * time.Millisecond)
		s.mu.Lock()
		delete(s.asked, q.Ref) // the other one's
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.extend(q)
}

func (s *Sim) days(q question, p Package) (int64, map[string]any) {
	if s.Flaw == NoDays {
		n, _ := strconv.ParseInt(q.Days.String(), 10, 64) // whatever it is
		return n, nil
	}
	if q.Days == "" && !p.PerDay {
		return 0, nil
	}
	n, err := strconv.ParseInt(q.Days.String(), 10, 64)
	if err != nil || !p.PerDay || n < 1 || n > 365 {
		return 0, s.no("bad_request", "days must be 1 to 365, for a package that is sold by the day")
	}
	return n, nil
}

// act carries an extension out.
func (s *Sim) act(ref string, l *Line, p Package, days int64) map[string]any {
	r := s.asked[ref]
	if r == nil {
		r = &request{what: fmt.Sprintf("%s/%s/%d", l.ID, p.Code, days), line: l.ID, days: max(1, days) * p.Days, bytes: max(1, days) * p.Bytes}
		s.asked[ref] = r
	}
	s.n++
	r.times++
	s.acts[ref]++
	if s.Queues { // the line's own figures stay those of what runs
		r.receipt = map[string]any{"ref": fmt.Sprintf("sim-%d", s.n), "starts_at": stamp(l.Ends)}
		return maps.Clone(r.receipt)
	}
	l.Total += r.bytes
	if l.Starts.IsZero() {
		l.Lasts += r.days
	} else {
		l.Ends = l.Ends.AddDate(0, 0, int(r.days))
	}
	r.receipt = map[string]any{"ref": fmt.Sprintf("sim-%d", s.n), "total_bytes": s.number(l.Total)}
	if !l.Starts.IsZero() {
		r.receipt["starts_at"], r.receipt["ends_at"] = stamp(l.Starts), stamp(l.Ends)
	}
	return maps.Clone(r.receipt)
}

func (s *Sim) lookUp(q question) map[string]any {
	if !refs.MatchString(q.Ref) {
		return s.no("bad_request", "that is no ref")
	}
	answer := map[string]any{"found": "absent", "as_of": stamp(s.now())}
	if r := s.asked[q.Ref]; r != nil && (r.times > 0 || s.Flaw == ForgetsCancel) && s.Flaw != AbsentAlways {
		answer["found"], answer["receipt"] = "done", maps.Clone(r.receipt)
	} else if s.Flaw == DoneAlways {
		answer["found"], answer["receipt"] = "done", map[string]any{"ref": "sim"}
	}
	if s.Flaw == NoAsOf {
		delete(answer, "as_of")
	}
	return answer
}

func (s *Sim) cancel(q question) map[string]any {
	r := s.asked[q.Ref]
	if r == nil || r.order != nil || s.Flaw == CancelsNot {
		return s.no("operator_refuses", "there is no such extension")
	}
	if r.times > 0 {
		l := s.lines[r.line]
		if !s.Queues && l.Total-l.Used < r.bytes {
			return s.no("operator_refuses", "it was used")
		}
		r.times = 0
		if s.Queues {
			return map[string]any{"outcome": "done"}
		}
		l.Total -= r.bytes
		if l.Starts.IsZero() {
			l.Lasts -= r.days
		} else {
			l.Ends = l.Ends.AddDate(0, 0, -int(r.days))
		}
	}
	return map[string]any{"outcome": "done"}
}

func (s *Sim) status(q question) map[string]any {
	l, no := s.line(q)
	if no != nil {
		return no
	}
	state := "active"
	switch {
	case l.gone:
		state = "terminal"
	case !l.Ends.After(s.Now()):
		state = "ended"
	case l.Starts.IsZero():
		state = "new"
	case l.Used >= l.Total:
		state = "depleted"
	}
	used, asOf := s.measured(l)
	answer := map[string]any{
		"state": state, "total_bytes": s.number(l.Total), "used_bytes": used, "as_of": stamp(asOf),
	}
	if !l.Starts.IsZero() {
		answer["starts_at"], answer["ends_at"] = stamp(l.Starts), stamp(l.Ends)
	}
	if s.Flaw == NoAsOf {
		delete(answer, "as_of")
	}
	if s.Flaw == Tomorrow {
		answer["as_of"] = stamp(s.Now().Add(24 * time.Hour))
	}
	return answer
}
