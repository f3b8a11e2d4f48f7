package es2plussim

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The points of a download, and after it, as notifications number them.
const (
	PointEligibility  = 1
	PointConfirmation = 2
	PointDownload     = 3
	PointInstallation = 4
	PointDeleted      = 5
	PointEnabled      = 101
	PointDisabled     = 102
)

// Notification is one that the SM-DP+ has for the operator.
type Notification struct {
	Path string
	Body []byte
}

// Delivery is how badly notifications are delivered. The zero value delivers each
// once and in order.
type Delivery struct {
	Shuffle       bool // in any order
	RepeatPercent int  // so many of a hundred come twice
}

// Install is a phone with an EID that installs what a code brings. The profile is
// downloaded, then installed.
func (s *Sim) Install(code, eid string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	parts := strings.Split(strings.TrimPrefix(code, "LPA:"), "$")
	if len(parts) < 3 || parts[0] != "1" || !strings.EqualFold(parts[1], s.cfg.Address) {
		return errGone(code)
	}
	for _, p := range s.profiles {
		if p.matching == "" || p.matching != parts[2] || p.state != Released {
			continue
		}
		if p.eid != "" && p.eid != eid {
			s.tell(p, PointEligibility, "8.1.1", "3.8")
			return errGone(code)
		}
		p.eid = eid
		s.to(p, Downloaded)
		s.tell(p, PointDownload, "", "")
		s.to(p, Installed)
		s.tell(p, PointInstallation, "", "")
		return nil
	}
	return errGone(code)
}

// FailInstall is a phone that has downloaded a profile and could not install it.
func (s *Sim) FailInstall(iccid string) error {
	return s.change(iccid, func(p *profile) bool { return p.state == Released }, func(p *profile) {
		s.tell(p, PointInstallation, "8.2.10", "4.2")
	})
}

// Enable is the phone's owner who switches the line on.
func (s *Sim) Enable(iccid string) error {
	return s.change(iccid, func(p *profile) bool { return p.state == Installed && !p.on }, func(p *profile) {
		p.on = true
		s.tell(p, PointEnabled, "", "")
	})
}

// Disable is the phone's owner who switches it off.
func (s *Sim) Disable(iccid string) error {
	return s.change(iccid, func(p *profile) bool { return p.state == Installed && p.on }, func(p *profile) {
		p.on = false
		s.tell(p, PointDisabled, "", "")
	})
}

// Delete is the phone's owner who deletes the profile. It cannot be had again.
func (s *Sim) Delete(iccid string) error {
	return s.change(iccid, func(p *profile) bool { return p.state == Installed }, func(p *profile) {
		p.on = false
		s.to(p, Unavailable)
		s.tell(p, PointDeleted, "", "")
	})
}

func (s *Sim) change(iccid string, can func(*profile) bool, do func(*profile)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.find(iccid)
	if p == nil || !can(p) {
		return fmt.Errorf("es2plussim: no phone can do that with %q", iccid)
	}
	do(p)
	return nil
}

// tell puts a notification into the outbox.
func (s *Sim) tell(p *profile, point int, subject, reason string) {
	s.seq++
	status := map[string]any{"status": "Executed-Success"}
	if subject != "" {
		status = map[string]any{"status": "Failed", "statusCodeData": map[string]any{"subjectCode": subject, "reasonCode": reason}}
	}
	body, err := json.Marshal(map[string]any{
		"header":                  map[string]any{"functionRequesterIdentifier": "1.3.6.1.4.1.99999.2", "functionCallIdentifier": fmt.Sprintf("TX-%d", s.seq)},
		"eid":                     p.eid,
		"iccid":                   padded(p.iccid),
		"profileType":             p.kind,
		"timestamp":               s.cfg.Now().UTC().Format(time.RFC3339),
		"notificationPointId":     point,
		"notificationPointStatus": status,
	})
	if err != nil {
		panic(err)
	}
	s.outbox = append(s.outbox, Notification{Prefix + "handleDownloadProgressInfo", body})
}

// Outbox takes out what waits to be sent, as well or badly as it will be.
func (s *Sim) Outbox() []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Notification
	for _, n := range s.outbox {
		all = append(all, n)
		if s.cfg.Rand.IntN(100) < s.cfg.Delivery.RepeatPercent {
			all = append(all, n)
		}
	}
	if s.cfg.Delivery.Shuffle {
		s.cfg.Rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	}
	s.outbox = nil
	return slices.Clip(all)
}

// Deliver sends what waits. What was not answered with 204 waits for the next time.
func (s *Sim) Deliver(ctx context.Context) error {
	var last error
	for _, n := range s.Outbox() {
		if err := s.send(ctx, n); err != nil {
			last = err
			s.mu.Lock()
			s.outbox = append(s.outbox, n)
			s.mu.Unlock()
		}
	}
	return last
}

func (s *Sim) send(ctx context.Context, n Notification) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.cfg.Receiver+n.Path, bytes.NewReader(n.Body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Admin-Protocol", "gsma/rsp/v2.2.0")
	got, err := s.cfg.Client.Do(r)
	if err != nil {
		return err
	}
	defer got.Body.Close() //nolint:errcheck // read to its end below
	body, err := io.ReadAll(io.LimitReader(got.Body, bodyMax))
	if err == nil && (got.StatusCode != http.StatusNoContent || len(body) > 0) {
		err = fmt.Errorf("es2plussim: answered with %d and %d bytes", got.StatusCode, len(body))
	}
	return err
}
