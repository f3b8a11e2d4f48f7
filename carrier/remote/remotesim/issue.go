package remotesim

import (
	"fmt"
	"slices"
	"time"
)

// installWithin is how long a line that was made can be installed.
const installWithin = 180 * 24 * time.Hour

// order is an order of a new line.
type order struct {
	ref    string // the operator's number
	makeAt time.Time
	pkg    Package
	days   int64
	line   string // empty while it is being made
	code   string
}

func (s *Sim) issue(q question) map[string]any {
	if !refs.MatchString(q.Ref) {
		return s.no("bad_request", "that is no ref")
	}
	p, no := s.soldAs(q, true)
	if no != nil {
		return no
	}
	days, no := s.days(q, p)
	if no != nil {
		return no
	}
	what := fmt.Sprintf("new/%s/%d", p.Code, days)
	switch old := s.asked[q.Ref]; {
	case old != nil && old.what != what && s.Flaw != ReusesIssue:
		return s.no("bad_request", "this ref was used for something else")
	case old != nil && old.order != nil && s.Flaw != IssuesTwice:
		return s.issued(old.order)
	}
	s.n++
	s.acts[q.Ref]++
	o := &order{ref: fmt.Sprintf("sim-%d", s.n), makeAt: s.Now().Add(s.Making), pkg: p, days: max(1, days)}
	s.asked[q.Ref] = &request{what: what, order: o}
	s.orders = append(s.orders, o)
	s.finish()
	return s.issued(o)
}

// finish makes the lines whose time has come.
func (s *Sim) finish() {
	for _, o := range s.orders {
		if o.line != "" || s.Now().Before(o.makeAt) {
			continue
		}
		s.n++
		number := s.Now().Unix()%1e9*1000 + int64(s.n%1000) // as no other that this operator ever had
		o.line = fmt.Sprintf("N%d", number)
		o.code = fmt.Sprintf("LPA:1$rsp.remote.example$N%04d-%04X", s.n, s.n*7919%0x10000)
		if s.Flaw == NoCode {
			o.code = fmt.Sprintf("N%04d", s.n)
		}
		s.lines[o.line] = &Line{
			ID: o.line, ICCID: checked(fmt.Sprintf("894450%012d", number)), Total: o.days * o.pkg.Bytes, Lasts: o.days * o.pkg.Days,
			Ends: s.Now().Add(installWithin),
		}
	}
}

// checked is digits with the one behind them that checks the others (Luhn).
func checked(digits string) string {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return digits + fmt.Sprint((10-sum%10)%10)
}

// issued says of an order how far it is.
func (s *Sim) issued(o *order) map[string]any {
	answer := map[string]any{"outcome": "accepted", "issued": s.made(o)}
	if o.line != "" {
		answer["outcome"] = "done"
	}
	return answer
}

func (s *Sim) made(o *order) map[string]any {
	made := map[string]any{"ref": o.ref}
	if o.line != "" {
		l := s.lines[o.line]
		made["line"] = map[string]any{"id": l.ID, "iccid": l.ICCID}
		made["code"], made["install_by"] = o.code, stamp(o.makeAt.Add(installWithin))
	}
	return made
}

func (s *Sim) lookUpIssue(q question) map[string]any {
	if !refs.MatchString(q.Ref) {
		return s.no("bad_request", "that is no ref")
	}
	s.finish()
	answer := map[string]any{"found": "absent", "as_of": stamp(s.now())}
	if r := s.asked[q.Ref]; r != nil && r.order != nil && s.Flaw != ForgetsIssue {
		answer["found"], answer["issued"] = "pending", s.made(r.order)
		if r.order.line != "" {
			answer["found"] = "done"
		}
	}
	return answer
}

// Made are the identifiers of the lines that were made to order, the oldest first.
func (s *Sim) Made() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finish()
	for _, o := range s.orders {
		if o.line != "" {
			all = append(all, o.line)
		}
	}
	return all
}

// Line is what the operator has of a line now; the zero Line where there is none.
func (s *Sim) Line(id string) Line {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.lines[id]; l != nil {
		return *l
	}
	return Line{}
}

// Use is a phone that uses data on a line; with its first use, of nothing too, the line
// begins. It reports whether there is such a line that has not ended.
func (s *Sim) Use(id string, bytes int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[id]
	if l == nil || l.gone || !l.Ends.After(s.Now()) {
		return false
	}
	if l.Starts.IsZero() {
		l.Starts = s.Now()
		l.Ends = l.Starts.AddDate(0, 0, int(l.Lasts))
	}
	l.Used = min(l.Total, l.Used+bytes)
	s.bells = append(s.bells, map[string]any{"event": "usage", "line": map[string]any{"id": id}})
	return true
}

// soldAs is the package that a question names, for new lines or for those that exist.
func (s *Sim) soldAs(q question, forNew bool) (Package, map[string]any) {
	fits := slices.DeleteFunc(slices.Clone(s.Packages), func(p Package) bool { return p.New != forNew })
	for _, p := range fits {
		if p.Code == q.Package {
			return p, nil
		}
	}
	switch {
	case q.Package == "":
		return Package{}, s.no("bad_request", "package is missing")
	case s.Flaw == NoPackage && len(fits) > 0:
		return fits[len(fits)-1], nil
	}
	return Package{}, s.no("package_gone", "no such package")
}
