package remotesim

// unwanted finds the line that a ref made, or says why not.
func (s *Sim) unwanted(q question) (*Line, map[string]any) {
	if !refs.MatchString(q.Ref) {
		return nil, s.no("bad_request", "that is no ref")
	}
	s.finish()
	l, no := s.line(q)
	if no != nil {
		return nil, no
	}
	r := s.asked[q.Ref]
	if (r == nil || r.order == nil || r.order.line != l.ID) && s.Flaw != WithdrawsAny {
		return nil, s.no("line_unknown", "this ref did not make that line")
	}
	return l, nil
}

func (s *Sim) withdraw(q question) map[string]any {
	l, no := s.unwanted(q)
	switch {
	case no != nil:
		return no
	case l.gone && s.Flaw == WithdrawsOnce, s.Flaw == WithdrawsNot:
		return s.no("operator_refuses", "that cannot be taken back")
	case !l.gone && l.held():
		return s.no("installed", "a phone has it")
	case !l.gone:
		l.gone = true
		s.back++
	}
	if s.mute > 0 {
		s.mute--
		return map[string]any{"outcome": "unknown"}
	}
	return map[string]any{"outcome": "done"}
}

func (s *Sim) lookUpWithdraw(q question) map[string]any {
	l, no := s.unwanted(q)
	if no != nil {
		return no
	}
	answer := map[string]any{"fate": "there", "as_of": stamp(s.now())}
	switch {
	case l.gone && s.Flaw != ForgetsWithdraw:
		answer["fate"] = "gone"
	case l.held():
		answer["fate"] = "installed"
		if !l.Starts.IsZero() {
			answer["installed_at"] = stamp(l.Starts)
		}
	}
	return answer
}

// held says that a phone has a line, or had.
func (l *Line) held() bool { return l.installed || !l.Starts.IsZero() }

// Install is a phone that installs a new line; it reports whether it still could.
func (s *Sim) Install(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lines[id]
	if l == nil || l.gone {
		return false
	}
	l.installed = true
	return true
}

// MuteNext lets the next withdraw be carried out and answered with "unknown", as where
// the operator behind the server did not answer. Further calls queue up.
func (s *Sim) MuteNext() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mute++
}

// TakenBack is how many new lines were taken back.
func (s *Sim) TakenBack() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.back
}
