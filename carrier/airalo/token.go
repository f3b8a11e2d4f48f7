package airalo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// tokenLife is how long a token is used at most: their text says 24 hours,
// their example a year.
const tokenLife = 24 * time.Hour

// tokens keeps the token that all calls share. At most one is asked for at a
// time: the operator gives three a minute.
type tokens struct {
	turn chan struct{} // whoever asks has put something into it

	mu    sync.Mutex
	value string // empty: none
	until time.Time
}

// kept is the token, if there is one that is still good.
func (t *tokens) kept(now time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !now.Before(t.until) {
		t.value = ""
	}
	return t.value
}

func (t *tokens) keep(value string, until time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.value, t.until = value, until
}

// drop forgets a token that was refused, unless another has taken its place.
func (t *tokens) drop(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
}

// token is one to call with. fresh says that it was asked for just now. Nothing
// that changes anything was sent when it fails: its errors are a refusal of our
// credentials, or wrap [carrier.ErrNotSent].
func (a *Adapter) token(ctx context.Context) (value string, fresh bool, err error) {
	if v := a.tokens.kept(a.now()); v != "" {
		return v, false, nil
	}
	select {
	case a.tokens.turn <- struct{}{}:
		defer func() { <-a.tokens.turn }()
	case <-ctx.Done():
		return "", false, fmt.Errorf("%w: airalo: waiting for a token: %w", carrier.ErrNotSent, ctx.Err())
	}
	if v := a.tokens.kept(a.now()); v != "" { // who had the turn before has brought it
		return v, false, nil
	}
	value, err = a.newToken(ctx)
	return value, true, err
}

// newToken asks for a token and keeps it until a tenth of its life is left, or
// ten minutes.
func (a *Adapter) newToken(ctx context.Context) (string, error) {
	asked := a.now()
	if !a.budget.take(tokenRule, "", asked) {
		return "", fmt.Errorf("%w: airalo: token: asked too often", carrier.ErrNotSent)
	}
	got, err := a.askToken(ctx)
	switch {
	case err != nil:
		return "", err
	case got.Status == http.StatusTooManyRequests:
		a.budget.shut(tokenRule, "", asked, got.Header)
		return "", fmt.Errorf("%w: airalo: token: too many requests", carrier.ErrNotSent)
	case got.Status >= http.StatusInternalServerError || got.Status < http.StatusOK || got.Status/100 == 3:
		return "", reads.silence("token: HTTP status %d", got.Status)
	case got.Status >= http.StatusBadRequest:
		var p problem
		_ = json.Unmarshal(got.Body, &p) // its words are for staff, where there are any
		return "", &carrier.Refusal{
			Reason: carrier.Unauthorised, Code: strings.TrimSpace(strconv.Itoa(got.Status) + " " + carrier.Clip(string(p.Code))),
			Text: "no token is given: " + a.quote(string(p.Reason+p.Meta.in.Message)),
		}
	}
	var answer struct {
		Data struct {
			Token text `json:"access_token"`
			Life  text `json:"expires_in"` // seconds
		} `json:"data"`
	}
	if err := json.Unmarshal(got.Body, &answer); err != nil || answer.Data.Token == "" {
		return "", reads.silence("token: the answer has none")
	}
	life := tokenLife
	if seconds, err := strconv.ParseInt(string(answer.Data.Life), 10, 32); err == nil && seconds > 0 {
		life = min(life, time.Duration(seconds)*time.Second)
	}
	a.tokens.keep(string(answer.Data.Token), asked.Add(life-min(life/10, 10*time.Minute)))
	return string(answer.Data.Token), nil
}

// askToken sends a form; what is signed is the same as JSON.
func (a *Adapter) askToken(ctx context.Context) (outbound.Answer, error) {
	fields := []field{{"client_id", a.config.ClientID}, {"client_secret", a.config.ClientSecret}, {"grant_type", "client_credentials"}}
	form := url.Values{}
	for _, f := range fields {
		form.Set(f.name, f.value)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.config.BaseURL+"/v2/token", strings.NewReader(form.Encode()))
	if err != nil {
		return outbound.Answer{}, &carrier.Refusal{Reason: carrier.BadRequest, Text: a.quote(err.Error())}
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	r.Header.Set(signatureHeader, sign(a.config.ClientSecret, phpObject(fields...)))
	got, err := a.client.Do(ctx, r)
	if err != nil {
		return got, reads.silence("token: %s", a.quote(err.Error()))
	}
	return got, nil
}
