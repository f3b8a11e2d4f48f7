package app

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/tsuzuku/tsuzuku/metrics"
)

// door is whom a request came to.
type door string

// The doors of the house that are counted.
const (
	toPortal door = "portal"
	toAPI    door = "api"
	toHooks  door = "hooks"
	toHealth door = "health"
)

var doors = []door{toPortal, toAPI, toHooks, toHealth}

func doorOf(path string) door {
	switch {
	case strings.HasPrefix(path, "/api/"):
		return toAPI
	case strings.HasPrefix(path, "/hooks/"):
		return toHooks
	case path == "/healthz" || path == "/readyz":
		return toHealth
	}
	return toPortal
}

// outcome is what came of a request.
type outcome string

// What can come of one, by the status of its answer.
const (
	done    outcome = "done"
	refused outcome = "refused" // who asks may not, or it is not there for them: 401, 403, 404
	limited outcome = "limited" // too often: 429
	unfit   outcome = "unfit"   // it cannot be understood: every other 4xx
	failed  outcome = "failed"  // of ours: 5xx
)

var outcomes = []outcome{done, refused, limited, unfit, failed}

func outcomeOf(status int) outcome {
	switch {
	case status < http.StatusBadRequest:
		return done
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
		return refused
	case status == http.StatusTooManyRequests:
		return limited
	case status < http.StatusInternalServerError:
		return unfit
	}
	return failed
}

type request struct {
	door    door
	outcome outcome
}

// requests counts what was asked of the house, since this process began. The zero value
// is empty; it is safe for concurrent use.
type requests struct {
	mu     sync.Mutex
	counts map[request]int64
}

// note counts one that was answered with a status; 0 is 200, as in an answer that says
// none.
func (q *requests) note(d door, status int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.counts == nil {
		q.counts = map[request]int64{}
	}
	q.counts[request{d, outcomeOf(status)}]++
}

// metrics has all of them, those that never were as well.
func (q *requests) metrics() []metrics.Family {
	return []metrics.Family{{
		Name: "tsuzuku_requests_total", Kind: metrics.Counter,
		Help: "Requests since this process began, by door and by what came of them: done, refused (401, 403, 404), limited (429), unfit (other 4xx), failed (5xx).",
		Read: func(context.Context) (all []metrics.Sample, err error) {
			q.mu.Lock()
			defer q.mu.Unlock()
			for _, d := range doors {
				for _, o := range outcomes {
					labels := []metrics.Label{{Name: "door", Value: string(d)}, {Name: "outcome", Value: string(o)}}
					all = append(all, metrics.Sample{Labels: labels, Value: metrics.Whole(q.counts[request{d, o}])})
				}
			}
			return all, nil
		},
	}}
}

// answered remembers the status of an answer.
type answered struct {
	http.ResponseWriter
	status int // 0: none was said
}

// WriteHeader implements [http.ResponseWriter].
func (a *answered) WriteHeader(status int) {
	if a.status == 0 && status >= http.StatusOK {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Unwrap lets [http.ResponseController] reach the connection.
func (a *answered) Unwrap() http.ResponseWriter { return a.ResponseWriter }
