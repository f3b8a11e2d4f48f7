package portal

import (
	"context"
	"crypto/sha256"
	_ "embed" // the script
	"encoding/hex"
	"net/http"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
)

// The script of passkeys.
//
//go:embed passkey.js
var passkeyScript []byte

// passkeyPath is where the script is; another script has another address.
var passkeyPath = scriptPath("/passkey.js", passkeyScript)

// scriptPath is the address of one of our scripts, which never changes there.
func scriptPath(name string, script []byte) string {
	sum := sha256.Sum256(script)
	return name + "?" + hex.EncodeToString(sum[:6])
}

// passkeyForm is a form that the script fills in. The zero passkeyForm is none.
type passkeyForm struct {
	account.Ceremony

	Script string
	Name   string // what a new one would be called
}

// passkeyRow is one passkey.
type passkeyRow struct{ ID, Name, Since, Used string }

func (s *Server) passkeyScript(context.Context, *visit) (answer, error) {
	return answer{script: passkeyScript}, nil
}

// entry is where somebody signs in with a passkey.
func (v *visit) entry() (f passkeyForm, err error) {
	c, ok, err := v.server.Door.BeginEntry()
	if err != nil || !ok {
		return passkeyForm{}, err
	}
	return passkeyForm{Ceremony: c, Script: passkeyPath}, nil
}

// adding is where a passkey is added.
func (v *visit) adding(ctx context.Context) (passkeyForm, error) {
	c, ok, err := v.server.Door.BeginPasskey(ctx, v.session, v.frame("").Shop)
	if err != nil || !ok {
		return passkeyForm{}, err
	}
	return passkeyForm{Ceremony: c, Script: passkeyPath, Name: v.session.Agent}, nil
}

func (v *visit) passkeyRows(ctx context.Context) (rows []passkeyRow, err error) {
	all, err := v.server.Door.Passkeys(ctx, v.account.ID)
	if err != nil {
		return nil, err
	}
	for _, k := range all {
		row := passkeyRow{ID: k.ID, Name: k.Name, Since: v.voice.Say("passkey.since", locale.Args{"date": v.voice.Day(k.CreatedAt, v.shopZone())})}
		if row.Name == "" {
			row.Name = v.voice.T("passkey.unnamed")
		}
		if !k.UsedAt.IsZero() {
			row.Used = v.voice.Say("passkey.used", locale.Args{"time": v.voice.Moment(k.UsedAt, v.shopZone()).Text})
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// enterPasskey opens a session for the answer of a passkey.
func (s *Server) enterPasskey(ctx context.Context, v *visit) (answer, error) {
	next := safeNext(v.field("next"))
	token, a, err := s.Door.EnterPasskey(ctx, v.field("ticket"), []byte(v.field("response")), v.browser())
	switch kind := fault.KindOf(err); kind {
	case "":
		return s.signedIn(ctx, v, token, a, next)
	case fault.Denied, fault.TooMany:
		p, e := v.signInForm(next)
		p.Error = v.voice.Fault(err)
		status := http.StatusUnprocessableEntity
		if kind == fault.TooMany {
			status = kind.Status()
		}
		return answer{template: "signin.html", page: p, status: status}, e
	case fault.Invalid, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
	}
	return answer{}, err
}

// changePasskeys adds a passkey, or removes one.
func (s *Server) changePasskeys(ctx context.Context, v *visit) (answer, error) {
	if key := v.field("remove"); key != "" {
		err := s.Door.RemovePasskey(ctx, v.session, key)
		return goTo(securityPath + "?done=no_passkey"), err
	}
	err := s.Door.AddPasskey(ctx, v.session, v.field("ticket"), v.field("name"), []byte(v.field("response")))
	if reason(err) == "passkey_unusable" {
		p, e := s.security(ctx, v)
		p.PasskeyError = v.voice.Fault(err)
		return answer{template: "security.html", page: p, status: http.StatusUnprocessableEntity}, e
	}
	return goTo(securityPath + "?done=passkey"), err
}
