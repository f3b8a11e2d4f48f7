package cmi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
)

// A token is good for ten minutes. It is left alone a minute before its end.
const (
	tokenLife   = 10 * time.Minute
	tokenMargin = time.Minute
)

// token is one to call with. fresh says that it was asked for just now. Nothing that
// changes anything was sent when it fails: its errors are a refusal, or wrap
// [carrier.ErrNotSent].
func (a *Adapter) token(ctx context.Context) (value string, fresh bool, err error) {
	value, fresh, err = a.tokens.Get(ctx, a.now, a.newToken)
	if errors.Is(err, outbound.ErrNoTurn) {
		err = fmt.Errorf("%w: cmi: %w", carrier.ErrNotSent, err)
	}
	return value, fresh, err
}

func (a *Adapter) newToken(ctx context.Context) (token string, until time.Time, err error) {
	const what = "APP_getAccessToken_SBO"
	asked := a.now()
	var got struct {
		Token      text    `json:"accessToken"`
		ExpireTime instant `json:"expireTime"` // UTC
	}
	_, err = a.send(ctx, reads, what, map[string]any{"id": a.config.AppKey, "type": 106}, &got)
	switch {
	case err != nil:
		return "", until, err
	case got.Token == "":
		return "", until, reads.silence("%s: the answer has none", what)
	}
	life := tokenLife
	if left := got.ExpireTime.Sub(asked); left > tokenMargin && left < life {
		life = left
	}
	return string(got.Token), asked.Add(life - tokenMargin), nil
}
