package airalo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// tokenLife is how long a token is used at most: their text says 24 hours,
// their example a year.
const tokenLife = 24 * time.Hour

// token is one to call with. fresh says that it was asked for just now: the operator
// gives three a minute. Nothing that changes anything was sent when it fails: its
// errors are a refusal of our credentials, or wrap [carrier.ErrNotSent].
func (a *Adapter) token(ctx context.Context) (value string, fresh bool, err error) {
	value, fresh, err = a.tokens.Get(ctx, a.now, a.newToken)
	if errors.Is(err, outbound.ErrNoTurn) {
		err = fmt.Errorf("%w: airalo: %w", carrier.ErrNotSent, err)
	}
	return value, fresh, err
}

// newToken asks for a token, which is kept until a tenth of its life is left, or ten
// minutes.
func (a *Adapter) newToken(ctx context.Context) (token string, until time.Time, err error) {
	asked := a.now()
	if !a.budget.take(tokenRule, "", asked) {
		return "", until, fmt.Errorf("%w: airalo: token: asked too often", carrier.ErrNotSent)
	}
	got, err := a.askToken(ctx)
	switch {
	case err != nil:
		return "", until, err
	case got.Status == http.StatusTooManyRequests:
		a.budget.shut(tokenRule, "", asked, got.Header)
		return "", until, fmt.Errorf("%w: airalo: token: too many requests", carrier.ErrNotSent)
	case got.Status >= http.StatusInternalServerError || got.Status < http.StatusOK || got.Status/100 == 3:
		return "", until, reads.silence("token: HTTP status %d", got.Status)
	case got.Status >= http.StatusBadRequest:
		var p problem
		_ = json.Unmarshal(got.Body, &p) // its words are for staff, where there are any
		return "", until, &carrier.Refusal{
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
		return "", until, reads.silence("token: the answer has none")
	}
	life := tokenLife
	if seconds, err := strconv.ParseInt(string(answer.Data.Life), 10, 32); err == nil && seconds > 0 {
		life = min(life, time.Duration(seconds)*time.Second)
	}
	return string(answer.Data.Token), asked.Add(life - min(life/10, 10*time.Minute)), nil
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
