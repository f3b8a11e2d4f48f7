package portal

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/renewal"
	"github.com/tsuzuku/tsuzuku/support"
	"github.com/tsuzuku/tsuzuku/ui"
)

// identityPath is the page of the customer's identity check.
const identityPath = "/identity"

// identityFirst is why nothing can be bought before a check.
const identityFirst = "renewal." + string(renewal.IdentityMissing)

// identityPhoto is the form that a photo is sent with.
const identityPhoto = "POST " + identityPath + "/{id}/photos"

// identityRoutes are the pages and forms of an identity check.
func (s *Server) identityRoutes() []route {
	return []route{
		{"GET " + identityPath, customer, s.identityPage},
		{"POST " + identityPath, customer, s.writePapers},
		{identityPhoto, customer, s.addPhoto},
		{"GET " + identityPath + "/{id}/photos/{kind}", customer, s.ownPhoto},
		{"POST " + identityPath + "/{id}/send", customer, s.sendCheck},
		{"POST " + identityPath + "/{id}/take-back", customer, s.takeBackCheck},
	}
}

// identityPage is everything identity.html may use.
type identityPage struct {
	ui.Frame
	Plan, PlanID string // which asks; "": none does
	Kept         string // for how long, a sentence of the plan's rules
	ID           string // of the check; "": none was begun
	State        identity.State
	Badge        ui.Badge
	Lead         string // what that means, and what to do
	Why          string // it was refused
	Since        ui.Moment
	Until        ui.Moment // when it is erased; no text where that is not known
	Fields       []identityField
	Photos       []identityPhotoForm
	Editable     bool
	Written      bool // the form has been filled in
	Whole        bool // everything is there: it can be sent
	Erasable     bool
}

// identityField is one field of the form.
type identityField struct {
	Name, Label, Tip, Value, Error string

	Kind    string // of an input; "": a list of choices
	Fill    string // what browsers fill in
	Choices []ui.Choice
	Most    int
	Need    bool
}

// identityPhotoForm is one photo that is needed.
type identityPhotoForm struct {
	Kind, Label, Tip string
	Camera           string // which one a phone opens
	There            string // it was sent: how large it is
	Error            string
}

// papersOf is a check with what is in it, as far as its owner may change that.
type papersOf struct {
	check  identity.Check
	found  bool
	papers identity.Papers
	filled bool
	photos []identity.Photo
}

// identityPage shows how far the customer's check has come, and what to do next.
func (s *Server) identityPage(ctx context.Context, v *visit) (answer, error) {
	return v.identityAnswer(ctx, identity.Papers{}, nil)
}

// identityAnswer is the page; with typed and why, it says what was wrong.
func (v *visit) identityAnswer(ctx context.Context, typed identity.Papers, why error) (answer, error) {
	if v.server.Papers == nil {
		return answer{}, fault.Because(fault.Unavailable, "identity_off", "This shop does not check identities at the moment. Please contact us.", nil)
	}
	of, err := v.papers(ctx)
	if err != nil {
		return answer{}, err
	}
	if typed != (identity.Papers{}) {
		of.papers = typed
	}
	p := v.identity(of, cmp.Or(v.r.URL.Query().Get("plan"), v.field("plan")), why)
	switch kind := fault.KindOf(why); kind {
	case "":
		return show("identity.html", p), nil
	case fault.Invalid, fault.TooMany, fault.Conflict:
		return answer{template: "identity.html", page: p, status: kind.Status()}, nil
	case fault.Denied, fault.NotFound, fault.Unavailable, fault.Internal:
	}
	return answer{}, why
}

// papers reads the customer's check.
func (v *visit) papers(ctx context.Context) (papersOf, error) {
	return db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (of papersOf, err error) {
		if of.check, of.found, err = identity.Current(ctx, tx, v.account.ID); err != nil || !of.found {
			return of, err
		}
		if of.photos, err = identity.PhotosOf(ctx, tx, of.check.Key()); err != nil || !of.check.Open() {
			return of, err
		}
		of.papers, of.filled, err = of.check.Papers(v.server.Papers)
		return of, err
	})
}

// asking is the plan that a check is for: the one that was named, else that of the
// check, else the first that asks for one.
func (v *visit) askingPlan(named string, c identity.Check) (catalogue.Plan, bool) {
	for _, id := range []string{named, c.Plan} {
		if p, ok := v.shop.Plan(id); ok && p.Policy.Identity {
			return p, true
		}
	}
	i := slices.IndexFunc(v.shop.Plans, func(p catalogue.Plan) bool { return p.Policy.Identity && p.OnSale })
	if i < 0 {
		return catalogue.Plan{}, false
	}
	return v.shop.Plans[i], true
}

// identity says how far a check has come.
func (v *visit) identity(of papersOf, named string, why error) identityPage {
	p := identityPage{Frame: v.frame(v.voice.T("identity.title")), Editable: !of.found || of.check.Open()}
	if plan, asks := v.askingPlan(named, of.check); asks {
		p.Plan, p.PlanID, p.Kept = plan.NameIn(v.voice.Lang), plan.ID, v.sentence(plan, "identity.kept.")
	}
	if why != nil {
		p.Notice = v.notice(why)
	}
	if of.found {
		c := of.check
		p.ID, p.State, p.Written, p.Erasable = c.ID, c.State, of.filled, c.State != identity.Approved
		p.Lead, p.Badge = v.voice.T("identity.lead."+string(c.State)), v.identityBadge(c.State)
		p.Since = v.voice.Moment(c.UpdatedAt, v.shopZone())
		if !c.DueAt.IsZero() {
			p.Until = v.voice.Moment(c.DueAt, v.shopZone())
		}
		if c.State == identity.Refused {
			p.Why = message.Texts().Say(v.voice.Lang, "identity_reason."+string(c.Reason), nil)
		}
		p.Whole = p.Editable && of.filled && len(of.photos) == len(identity.Photos)
	}
	if p.Editable && p.PlanID != "" {
		p.Fields, p.Photos = v.identityFields(of.papers, why), v.identityPhotos(of, why)
	}
	return p
}

func (v *visit) identityBadge(s identity.State) ui.Badge {
	tone := map[identity.State]ui.Tone{identity.Given: ui.Busy, identity.Approved: ui.Good, identity.Refused: ui.Warn}[s]
	return ui.Badge{Tone: cmp.Or(tone, ui.Off), Word: v.voice.T("identity.state." + string(s))}
}

// sentence is the sentence of a plan's rules whose key begins like that; "" where
// there is none.
func (v *visit) sentence(plan catalogue.Plan, key string) string {
	for _, s := range catalogue.Sentences(v.shop, plan, v.voice.Lang) {
		if strings.HasPrefix(s.Key, key) {
			return s.Text
		}
	}
	return ""
}

// identityFields are the form with what was written, and what of it was wrong.
func (v *visit) identityFields(p identity.Papers, why error) []identityField {
	wrong := map[string]string{}
	if f, ok := errors.AsType[*fault.Error](why); ok {
		wrong = f.Fields
	}
	countries := []ui.Choice{{}}
	for _, code := range identity.Countries() {
		countries = append(countries, ui.Choice{Value: code, Name: catalogue.CountryName(v.voice.Lang, code), Chosen: code == p.Nationality})
	}
	var documents []ui.Choice
	for _, d := range identity.Documents {
		documents = append(documents, ui.Choice{Value: string(d), Name: v.voice.T("identity.document." + string(d)), Chosen: d == p.Document})
	}
	all := []identityField{
		{Name: "name", Kind: "text", Fill: "name", Value: p.Name, Most: identity.MostName, Need: true, Tip: v.voice.T("identity.tip.name")},
		{Name: "nationality", Choices: countries, Need: true},
		{Name: "born", Kind: "date", Fill: "bday", Value: p.Born, Most: len(time.DateOnly), Need: true},
		{Name: "document", Choices: documents, Need: true},
		{Name: "number", Kind: "text", Fill: "off", Value: p.Number, Most: identity.MostNumber, Need: true},
		{Name: "expires", Kind: "date", Fill: "off", Value: p.Expires, Most: len(time.DateOnly), Need: true},
		{Name: "stay", Kind: "text", Fill: "off", Value: p.Stay, Most: identity.MostStay, Tip: v.voice.T("identity.tip.stay")},
	}
	for i := range all {
		all[i].Label = v.voice.T("identity.field." + all[i].Name)
		if wrong[all[i].Name] != "" {
			all[i].Error = v.voice.T("identity.wrong." + all[i].Name)
		}
	}
	return all
}

// identityPhotos are the photos that are needed, once there is a check to put them in.
func (v *visit) identityPhotos(of papersOf, why error) (all []identityPhotoForm) {
	if !of.filled {
		return nil
	}
	for _, kind := range identity.Photos {
		f := identityPhotoForm{
			Kind: string(kind), Label: v.voice.T("identity.photo." + string(kind)), Tip: v.voice.T("identity.photo." + string(kind) + ".tip"),
			Camera: map[identity.PhotoKind]string{"document": "environment", "face": "user"}[kind],
		}
		for _, p := range of.photos {
			if p.Kind == kind {
				f.There = v.voice.Say("identity.photo.there", locale.Args{"size": locale.Data(v.voice.Lang, int64(p.Bytes), 1e9)})
			}
		}
		if strings.HasPrefix(reason(why), "photo_") && v.photoKind() == kind {
			f.Error = v.voice.Fault(why)
		}
		all = append(all, f)
	}
	return all
}

// photoKind is what the photo of a form shows.
func (v *visit) photoKind() identity.PhotoKind { return identity.PhotoKind(v.r.FormValue("kind")) }

// writePapers keeps what the customer wrote, and goes on to the photos.
func (s *Server) writePapers(ctx context.Context, v *visit) (answer, error) {
	p := identity.Papers{
		Name: v.field("name"), Nationality: v.field("nationality"), Born: v.field("born"), Document: identity.Document(v.field("document")),
		Number: v.field("number"), Expires: v.field("expires"), Stay: v.field("stay"),
	}
	plan, asks := v.askingPlan(v.field("plan"), identity.Check{})
	if !asks || s.Papers == nil {
		return v.identityAnswer(ctx, p, fault.Because(fault.Invalid, "identity_form", "This form cannot be used any more. Please open the page again.", nil))
	}
	if err := v.mayBuy(ctx, keyhole{account: v.account.ID}); err != nil {
		return answer{}, err
	}
	_, err := db.Written(ctx, s.DB, func(ctx context.Context, tx db.Tx) (identity.Check, error) {
		return identity.Write(ctx, tx, s.Papers, s.Desk.IDs, v.account.ID, plan.ID, p)
	})
	if err != nil {
		return v.identityAnswer(ctx, p, err)
	}
	return goTo(identityPath + "#photos"), nil
}

// checkKey is the check that an address names, if it is the customer's.
func (v *visit) checkKey() (identity.Key, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err == nil && k.limited() {
		err = errSignIn
	}
	return identity.Key{Account: k.account, ID: id}, err
}

// addPhoto reads a photo, draws it anew, and keeps that.
func (s *Server) addPhoto(ctx context.Context, v *visit) (answer, error) {
	k, err := v.checkKey()
	if err != nil || s.Papers == nil {
		return answer{}, err
	}
	_, err = db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (identity.Check, error) { return identity.MayUpload(ctx, tx, k) })
	if fault.KindOf(err) == fault.NotFound {
		return answer{}, err
	}
	if err == nil {
		err = v.keepPhoto(ctx, k)
	}
	if err != nil {
		return v.identityAnswer(ctx, identity.Papers{}, err)
	}
	return goTo(identityPath + "#photos"), nil
}

func (v *visit) keepPhoto(ctx context.Context, k identity.Key) error {
	file, err := v.readPhoto()
	if err != nil {
		return err
	}
	v.server.drawing.Lock() // one at a time: it takes memory
	drawn, err := identity.Draw(file)
	v.server.drawing.Unlock()
	if err != nil {
		return err
	}
	return v.server.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := identity.AddPhoto(ctx, tx, v.server.Papers, k, v.photoKind(), drawn)
		return err
	})
}

// slowestPhoto is how long a photo may be on its way: the largest one, on a throttled
// line.
const slowestPhoto = 15 * time.Minute

// readPhoto reads the form with a photo, however slow the line is.
func (v *visit) readPhoto() ([]byte, error) {
	end, err := v.server.uploading.begin(v.account.ID)
	if err != nil {
		return nil, err
	}
	defer end()
	line := http.NewResponseController(v.w)
	_, _ = line.SetReadDeadline(time.Time{}), line.SetWriteDeadline(time.Time{}) // what cannot wait longer fails as always
	late := time.AfterFunc(slowestPhoto, func() { _ = line.SetReadDeadline(time.Unix(1, 0)) })
	defer late.Stop()
	const most = identity.MostUpload + 64<<10
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most)
	if err := v.r.ParseMultipartForm(most); err != nil { //nolint:gosec // bounded by the line above, and in memory: no file is left behind
		f := fault.Because(fault.Invalid, "photo_size", "The photo is empty or larger than 10 MB. Please take it again, or send a smaller one.", nil)
		f.Err = err
		return nil, f
	}
	of := v.r.MultipartForm.File["photo"]
	if len(of) == 0 {
		return nil, nil // which is no photo
	}
	f, err := of[0].Open()
	if err != nil {
		return nil, err
	}
	file, err := io.ReadAll(io.LimitReader(f, identity.MostUpload+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return file, v.room(v.r.Context(), len(file))
}

// ownPhoto shows the customer what they sent: while they may still change it, to
// whoever is signed in; afterwards to somebody who has signed in just now.
func (s *Server) ownPhoto(ctx context.Context, v *visit) (answer, error) {
	k, err := v.checkKey()
	if err != nil || s.Papers == nil {
		return answer{}, err
	}
	kind := identity.PhotoKind(v.r.PathValue("kind"))
	var c identity.Check
	photo, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (p identity.Picture, err error) {
		if c, err = identity.Get(ctx, tx, k); err != nil {
			return nil, err
		}
		return identity.GetPhoto(ctx, tx, s.Papers, k, kind)
	})
	if err == nil && !c.Open() {
		err = s.Door.MustBeFresh(v.session)
	}
	if err != nil {
		return answer{}, err
	}
	return answer{file: &support.File{Name: string(kind) + ".jpg", Kind: "image/jpeg", Content: photo}}, nil
}

// sendCheck gives everything to staff.
func (s *Server) sendCheck(ctx context.Context, v *visit) (answer, error) {
	return v.actOnCheck(ctx, func(ctx context.Context, tx db.Tx, k identity.Key) (identity.Check, error) {
		return identity.Send(ctx, tx, s.Papers, k)
	})
}

// takeBackCheck erases what the customer gave.
func (s *Server) takeBackCheck(ctx context.Context, v *visit) (answer, error) {
	return v.actOnCheck(ctx, identity.TakeBack)
}

func (v *visit) actOnCheck(ctx context.Context, act func(context.Context, db.Tx, identity.Key) (identity.Check, error)) (answer, error) {
	k, err := v.checkKey()
	if err != nil || v.server.Papers == nil {
		return answer{}, err
	}
	_, err = db.Written(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (identity.Check, error) { return act(ctx, tx, k) })
	if err != nil {
		return v.identityAnswer(ctx, identity.Papers{}, err)
	}
	return goTo(identityPath), nil
}
