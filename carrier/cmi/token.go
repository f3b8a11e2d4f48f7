package cmi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// A token is good for ten minutes. It is left alone a minute before its end.
const (
	tokenLife   = 10 * time.Minute
	tokenMargin = time.Minute
)

// tokens keeps the token that all calls share. At most one is asked for at a time.
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

// token is one to call with. fresh says that it was asked for just now. Nothing that
// changes anything was sent when it fails: its errors are a refusal, or wrap
// [carrier.ErrNotSent].
func (a *Adapter) token(ctx context.Context) (value string, fresh bool, err error) {
	if v := a.tokens.kept(a.now()); v != "" {
		return v, false, nil
	}
	select {
	case a.tokens.turn <- struct{}{}:
		defer func() { <-a.tokens.turn }()
	case <-ctx.Done():
		return "", false, fmt.Errorf("%w: cmi: waiting for a token: %w", carrier.ErrNotSent, ctx.Err())
	}
	if v := a.tokens.kept(a.now()); v != "" { // who had the turn before has brought it
		return v, false, nil
	}
	value, err = a.newToken(ctx)
	return value, true, err
}

func (a *Adapter) newToken(ctx context.Context) (string, error) {
	const what = "APP_getAccessToken_SBO"
	asked := a.now()
	var got struct {
		Token      text    `json:"accessToken"`
		ExpireTime instant `json:"expireTime"` // UTC
	}
	_, err := a.send(ctx, reads, what, map[string]any{"id": a.config.AppKey, "type": 106}, &got)
	switch {
	case err != nil:
		return "", err
	case got.Token == "":
		return "", reads.silence("%s: the answer has none", what)
	}
	life := tokenLife
	if left := got.ExpireTime.Sub(asked); left > tokenMargin && left < life {
		life = left
	}
	a.tokens.keep(string(got.Token), asked.Add(life-tokenMargin))
	return string(got.Token), nil
}
