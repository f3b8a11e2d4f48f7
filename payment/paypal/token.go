package paypal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// early is how long before its end a token is not used any more: a call under
// way must not find it expired.
const early = time.Minute

// bearer returns an access token. When it fails nothing was sent: whoever asks for a
// token has not yet asked for anything else.
func (a *Adapter) bearer(ctx context.Context) (string, error) {
	token, _, err := a.tokens.Get(ctx, a.now, func(ctx context.Context) (string, time.Time, error) {
		asked := a.now()
		token, life, err := a.fetchToken(ctx)
		return token, asked.Add(life - early), err
	})
	if err != nil {
		return "", fmt.Errorf("access token: %w", err)
	}
	return token, nil
}

// fetchToken asks for a token by the app's own credentials
// (https://developer.paypal.com/api/rest/authentication/).
func (a *Adapter) fetchToken(ctx context.Context) (token string, life time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, a.base+"/v1/oauth2/token", strings.NewReader("grant_type=client_credentials"))
	if err != nil {
		return "", 0, err
	}
	r.SetBasicAuth(a.config.ClientID, a.config.ClientSecret)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "application/json")
	got, err := a.client.Do(ctx, r)
	if err != nil {
		return "", 0, err
	}
	if got.Status != http.StatusOK {
		return "", 0, fmt.Errorf("status %d %s", got.Status, saying(got.Body).inShort())
	}
	var t struct {
		AccessToken string `json:"access_token"`
		TokenType   string `json:"token_type"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
	}
	if json.Unmarshal(got.Body, &t) != nil || t.AccessToken == "" || strings.ContainsAny(t.AccessToken, "\r\n") {
		return "", 0, errors.New("an answer that makes no sense")
	}
	if !strings.EqualFold(t.TokenType, "Bearer") {
		return "", 0, errors.New("a token of another kind")
	}
	// Longer than a day is not believed: PayPal's live for about nine hours.
	return t.AccessToken, time.Duration(min(max(t.ExpiresIn, 0), 86400)) * time.Second, nil
}
