package esimaccesssim

// cancel serves esim/cancel: only a line that no phone has seen; its price
// comes back.
func (s *Sim) cancel(p params) (any, *refusal) {
	return s.onLine(p, func(line *profile, now Status) *refusal {
		if now != GotResource || line.latest().smdp != "RELEASED" {
			return fail("200002")
		}
		s.change(line, s.now, func(f *facts) { f.status = Cancelled })
		s.post(s.now, line.price, "cancel", line.tranNo)
		return nil
	})
}

// suspend serves esim/suspend.
func (s *Sim) suspend(p params) (any, *refusal) {
	return s.onLine(p, func(line *profile, now Status) *refusal {
		if now != GotResource && now != InUse && now != UsedUp {
			return fail("200002")
		}
		s.change(line, s.now, func(f *facts) { f.status = Suspended })
		return nil
	})
}

// unsuspend serves esim/unsuspend.
func (s *Sim) unsuspend(p params) (any, *refusal) {
	return s.onLine(p, func(line *profile, now Status) *refusal {
		if now != Suspended {
			return fail("200002")
		}
		s.change(line, s.now, func(f *facts) {
			f.status = InUse
			if f.activated.IsZero() {
				f.status = GotResource
			}
		})
		return nil
	})
}

// revoke serves esim/revoke: final, and nothing comes back.
func (s *Sim) revoke(p params) (any, *refusal) {
	return s.onLine(p, func(line *profile, now Status) *refusal {
		if now == Cancelled || now == Revoked {
			return fail("200002")
		}
		s.change(line, s.now, func(f *facts) { f.status = Revoked })
		return nil
	})
}

// sendSMS serves esim/sendSms, for installed lines whose network takes texts.
func (s *Sim) sendSMS(p params) (any, *refusal) {
	text, no := p.mandatory("message", 500)
	if no != nil {
		return nil, no
	}
	return s.onLine(p, func(line *profile, _ Status) *refusal {
		if line.base.SMSStatus == 0 || line.latest().smdp == "RELEASED" {
			return fail("200002")
		}
		line.messages = append(line.messages, text)
		return nil
	})
}

// onLine finds the line that a request names and lets do act on it.
func (s *Sim) onLine(p params, do func(*profile, Status) *refusal) (any, *refusal) {
	tranNo, iccid, no := p.line()
	if no != nil {
		return nil, no
	}
	if tranNo == "" && iccid == "" {
		return nil, failed("000105", "iccid")
	}
	line := s.named(tranNo, iccid)
	if line == nil {
		return nil, fail("310403")
	}
	if no := do(line, s.statusAt(line, line.latest(), s.now)); no != nil {
		return nil, no
	}
	return map[string]any{}, nil
}
