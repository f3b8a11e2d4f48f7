package portal

import (
	"context"
	"encoding/json"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// offlinePage is everything offline.html may use.
type offlinePage struct{ ui.Frame }

// offline is the page that a device shows where there is no connection. It is
// kept there by sw.js, which shows one of its two notices and says where the
// way on leads.
func (s *Server) offline(_ context.Context, v *visit) (answer, error) {
	p := offlinePage{v.frame(v.voice.T("offline.title"))}
	p.SignedIn, p.Script, p.Languages = false, "", nil // it lies on the device for long, and languages need a connection
	return showAll("offline.html", p), nil
}

// sayKept tells a customer's device what it may keep: pages that show a line,
// while somebody is signed in, and nothing once nobody is. Those who hold only a
// link keep nothing: it may have been opened on anybody's device.
func (v *visit) sayKept(a sent) {
	switch {
	case v.account.ID == "":
		v.w.Header().Set("Tsuzuku-Offline", "forget")
	case a.keep && a.status == 200:
		v.w.Header().Set("Tsuzuku-Offline", "keep")
	}
}

// keepable lets the device keep a page.
func keepable(a answer) answer {
	a.keep = true
	return a
}

// offlineNote is what a kept page says first when it is shown without a
// connection: of when it is, and that nothing on it can be done now.
func (v *visit) offlineNote() string {
	loc := v.voice.Zone
	if loc == nil {
		loc = v.shopZone()
	}
	return v.voice.Say("offline.note", locale.Args{"time": locale.Moment(v.voice.Lang, v.voice.Now, loc)})
}

// manifest is how the portal is installed on a device, as the Web App Manifest
// names things.
type manifest struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	ShortName  string         `json:"short_name"`
	Lang       string         `json:"lang"`
	Start      string         `json:"start_url"`
	Scope      string         `json:"scope"`
	Display    string         `json:"display"`
	Background string         `json:"background_color"`
	Theme      string         `json:"theme_color"`
	Icons      []manifestIcon `json:"icons"`
}

type manifestIcon struct {
	Src     string `json:"src"`
	Sizes   string `json:"sizes"`
	Type    string `json:"type"`
	Purpose string `json:"purpose"`
}

// manifest describes the portal as an app with the seller's name.
func (s *Server) manifest(_ context.Context, v *visit) (answer, error) {
	f := v.frame("")
	m := manifest{
		ID: "/", Name: f.Shop, ShortName: f.Shop, Lang: string(v.voice.Lang), Start: "/", Scope: "/", Display: "standalone",
		Background: ui.Background, Theme: ui.Background,
	}
	for _, i := range ui.Icons() {
		m.Icons = append(m.Icons, manifestIcon{Src: statics.address(i.Name), Sizes: i.Sizes(), Type: "image/png", Purpose: i.Purpose})
	}
	raw, err := json.Marshal(m)
	return answer{raw: raw, media: "application/manifest+json"}, err
}
