package paypalsim

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// refusal is an error as PayPal tells it.
type refusal struct {
	status       int
	issue        string // "" for none
	field, value string // what caused it
	way          string // where the payer has to go, "" if nowhere
	name         string // in place of that of the status …
	message      string // … and of what it means
	oauth        string // an error of the door before the API, in its own form
}

// bad is a request that is not well formed.
func bad(issue, field, value string) *refusal {
	return &refusal{status: http.StatusBadRequest, issue: issue, field: field, value: value}
}

// unfit is a request that cannot be carried out.
func unfit(issue, field, value string) *refusal {
	return &refusal{status: http.StatusUnprocessableEntity, issue: issue, field: field, value: value}
}

func missing() *refusal { return &refusal{status: http.StatusNotFound, issue: "INVALID_RESOURCE_ID"} }

func oldToken() *refusal { return &refusal{status: http.StatusUnauthorized, oauth: "invalid_token"} }

// errorNames are the names of errors and what they mean, by status.
var errorNames = map[int][2]string{
	http.StatusBadRequest:           {"INVALID_REQUEST", "The request is not well formed."},
	http.StatusUnauthorized:         {"AUTHENTICATION_FAILURE", "There is no usable Authorization header."},
	http.StatusForbidden:            {"NOT_AUTHORIZED", "The app may not do this."},
	http.StatusNotFound:             {"RESOURCE_NOT_FOUND", "There is no such resource."},
	http.StatusConflict:             {"RESOURCE_CONFLICT", "Another request is in the way."},
	http.StatusUnsupportedMediaType: {"UNSUPPORTED_MEDIA_TYPE", "The body has to be application/json."},
	http.StatusUnprocessableEntity:  {"UNPROCESSABLE_ENTITY", "The request cannot be carried out."},
	http.StatusTooManyRequests:      {"RATE_LIMIT_REACHED", "There are too many requests."},
	http.StatusInternalServerError:  {"INTERNAL_SERVER_ERROR", "Something broke."},
	http.StatusServiceUnavailable:   {"SERVICE_UNAVAILABLE", "The service is down for a while."},
}

func (s *Sim) refuse(no *refusal) answer {
	if no.oauth != "" {
		return say(no.status, obj{"error": no.oauth, "error_description": "The access token is unknown or has ended"})
	}
	name := errorNames[no.status]
	if no.name != "" {
		name = [2]string{no.name, "The request cannot be answered."}
	}
	if no.message != "" {
		name[1] = no.message
	}
	links := []obj{}
	e := obj{"name": name[0], "message": name[1], "debug_id": s.newID(hexLetters, 13)}
	if no.issue != "" {
		d := obj{"issue": no.issue, "description": "Simulated: " + no.issue}
		if no.field != "" {
			d["field"], d["location"] = no.field, "body"
		}
		if no.value != "" {
			d["value"] = no.value
		}
		e["details"] = []obj{d}
		links = append(links, link("https://developer.paypal.com/docs/api/orders/v2/#error-"+no.issue, "information_link", http.MethodGet))
	}
	if no.way != "" {
		links = append(links, link(no.way, "redirect", http.MethodGet))
	}
	e["links"] = links
	return say(no.status, e)
}

func link(href, rel, method string) obj { return obj{"href": href, "rel": rel, "method": method} }

// apiBase stands before the paths in links of answers.
const apiBase = "https://api-m.paypal.com"

func self(path, rel string) obj { return link(apiBase+path, rel, http.MethodGet) }

// view is what GET shows of one thing from an instant on: nil for nothing.
type view struct {
	at   time.Time
	body []byte
}

// lagMax is the longest lag that [Sim.LagReads] takes.
const lagMax = time.Hour

// LagReads makes GET show what was true d ago, at most an hour. What [Sim.Captured]
// and the like say is not affected.
func (s *Sim) LagReads(d time.Duration) {
	s.enter()
	defer s.mu.Unlock()
	s.lag = min(max(d, 0), lagMax)
}

// show lets GET show v at path from now on; nil takes it away.
func (s *Sim) show(path string, v any) {
	var body []byte
	if v != nil {
		body = say(0, v).body
	}
	all := s.views[path]
	for len(all) > 1 && all[1].at.Before(s.now.Add(-lagMax)) {
		all = all[1:] // nobody can look back that far
	}
	s.views[path] = append(all, view{s.now, body})
}

var captureForm = regexp.MustCompile(`^[0-9A-Z_]{1,255}$`)

const disputesPath = "/v1/customer/disputes"

// read answers a GET.
func (s *Sim) read(u *url.URL) answer {
	path, query := u.Path, u.Query()
	if strings.HasPrefix(path, tokensPath) && s.cfg.NoVault {
		return s.refuse(&refusal{status: http.StatusForbidden})
	}
	if path == reportPath {
		return s.report(u)
	}
	if path == tokensPath {
		return s.listTokens(query)
	}
	if path == disputesPath {
		if path = disputesQuery(query); path == "" {
			return s.refuse(bad("INVALID_PARAMETER_VALUE", "?"+u.RawQuery, ""))
		}
	} else if len(query) > 0 && u.RawQuery != "fields=payment_source" {
		return s.refuse(bad("NOT_SUPPORTED", "?"+u.RawQuery, ""))
	}
	var body []byte
	for _, v := range s.views[path] {
		if !v.at.After(s.now.Add(-s.lag)) {
			body = v.body
		}
	}
	switch {
	case body != nil:
		return answer{http.StatusOK, "application/json", body}
	case u.Path == disputesPath:
		return say(http.StatusOK, disputeList(nil))
	}
	return s.refuse(missing())
}
