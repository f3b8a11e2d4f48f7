package portal

import (
	"context"

	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/ui"
)

// slowHelp is what somebody can do whose line is slow or silent.
type slowHelp struct {
	Why      string   // what we know of the line that explains it; "" where nothing does
	Packs    []string // what helps at once and can be had now
	Renew    bool     // the way out is on the renew page
	Try      []string // in this order
	Operator statusRow
}

// slowHelp depends on the line: there is no point in airplane mode while the cap is
// used up.
func (v *visit) slowHelp(ctx context.Context, s renewal.Situation, at place, offers []renewal.Offer) *slowHelp {
	h := &slowHelp{}
	l, state := s.Line, s.Line.At(v.voice.Now)
	switch {
	case state == line.New:
		h.Why, h.Try = v.voice.T("slow.new"), []string{v.voice.T("slow.try.install"), v.voice.T("slow.try.chosen"), v.voice.T("slow.try.roaming")}
	case state == line.Ended || state == line.Grace:
		h.Why, h.Renew = v.voice.T("slow.ended"), len(offers) > 0
	case state == line.Suspended, state == line.Terminal, state == line.Recycled:
		h.Why = v.voice.T("about.closed")
		if state == line.Suspended {
			h.Why = v.voice.T("about.suspended")
		}
	case ui.Spent(l, at.plan, v.voice.Now, at.loc):
		left := v.voice.Left(l, at.plan, at.op.GB, at.loc)
		h.Why, h.Renew = left.Headline+v.voice.T("slow.then")+left.Detail, len(offers) > 0
		h.Packs = v.packs(offers)
	default:
		for _, step := range []string{"airplane", "chosen", "roaming", "apn", "network", "vpn"} {
			h.Try = append(h.Try, v.voice.T("slow.try."+step))
		}
	}
	if c, err := v.server.count(ctx); err == nil { // else nothing is said of it
		h.Operator = v.operatorState(c, at.op)
	} else {
		v.server.Log.WarnContext(ctx, "portal: the state of operators", "err", err)
	}
	return h
}

// packs names the packs that can be had now, with their prices.
func (v *visit) packs(offers []renewal.Offer) (names []string) {
	for _, o := range offers {
		if o.Item.Kind == renewal.Pack {
			names = append(names, v.voice.Say("slow.pack", locale.Args{"pack": v.voice.ItemName(v.shop, o.Item), "price": o.Price}))
		}
	}
	return names
}
