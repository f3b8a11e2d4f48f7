package portal

import (
	"context"
	_ "embed" // the script

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
)

// The script that asks a browser to show notifications.
//
//go:embed push.js
var pushScript []byte

// pushPath is where the script is; another script has another address.
var pushPath = scriptPath("/push.js", pushScript)

func (s *Server) pushScript(context.Context, *visit) (answer, error) {
	return answer{script: pushScript}, nil
}

// changeDevices lets this browser show notifications, or another show none any more.
func (s *Server) changeDevices(ctx context.Context, v *visit) (answer, error) {
	if id := v.field("remove"); id != "" {
		err := s.Door.RemoveDevice(ctx, v.account.ID, id)
		if err == nil && id == v.cookie(deviceCookie) {
			v.clearCookie(deviceCookie)
		}
		return goTo(tellingPath + "?done=no_device"), err
	}
	id, err := s.Door.AddDevice(ctx, v.session, message.Subscription{Endpoint: v.field("endpoint"), Key: v.field("p256dh"), Auth: v.field("auth")})
	switch reason(err) {
	case "push_unusable", "too_many_devices":
		t, e := v.howTold(ctx)
		p := v.telling(t)
		p.DeviceError = v.voice.Fault(err)
		return answer{template: "telling.html", page: p, status: fault.KindOf(err).Status()}, e
	}
	if err == nil {
		v.setCookie(deviceCookie, id, year)
	}
	return goTo(tellingPath + "?done=device"), err
}
