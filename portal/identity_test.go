package portal

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/jpeg"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/leaving"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
)

// aPhoto is a JPEG as a phone makes it, with something in it that nobody asked for.
func aPhoto(t *testing.T) []byte {
	t.Helper()
	p := image.NewGray(image.Rect(0, 0, 640, 480))
	for i := range p.Pix {
		p.Pix[i] = color.Gray{Y: uint8(i)}.Y
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, p, nil); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), "GPS 35.6586N 139.7454E"...)
}

// sendPhoto sends a form with a photo, as a browser does.
func (b *browser) sendPhoto(check, kind string, photo []byte) page {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("kind", kind)
	part, err := w.CreateFormFile("photo", "IMG_0001.JPG")
	if err != nil {
		b.t.Fatal(err)
	}
	_, _ = part.Write(photo)
	_ = w.Close()
	req, err := http.NewRequestWithContext(b.t.Context(), "POST", b.town.web.URL+"/identity/"+check+"/photos", &body)
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header = b.header.Clone()
	req.Header.Del("Accept-Encoding")
	req.Header.Set("Content-Type", w.FormDataContentType())
	res, err := b.client.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // a test
	var html bytes.Buffer
	if _, err := html.ReadFrom(res.Body); err != nil {
		b.t.Fatal(err)
	}
	return page{status: res.StatusCode, to: res.Header.Get("Location"), html: html.String(), header: res.Header}
}

func paperForm() url.Values {
	return url.Values{
		"plan": {"kaisha-month"}, "name": {"TANAKA AIKO"}, "nationality": {"TW"}, "born": {"1990-02-28"},
		"document": {"passport"}, "number": {"XK 1234567"}, "expires": {"2031-05-01"}, "stay": {"Ginza, Tokyo"},
	}
}

// papers gives everything that is needed but for the last word, and returns the check.
func (b *browser) papers(t *testing.T) string {
	t.Helper()
	b.post("/identity", paperForm())
	_, after, _ := strings.Cut(b.see("/identity").html, `action="/identity/`)
	check, _, _ := strings.Cut(after, "/")
	for _, kind := range []string{"document", "face"} {
		if p := b.sendPhoto(check, kind, aPhoto(t)); p.status != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", kind, p.status, clean(p.html))
		}
	}
	return check
}

func (w *town) decide(check string, why identity.Reason) {
	w.t.Helper()
	k, err := identity.KeyOf(check)
	if err != nil {
		w.t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := identity.Decide(ctx, tx, w.server.Desk.IDs, catalogue.Demo(), k, identity.Decision{Staff: "mika", Refuse: why})
		return err
	})
}

// A plan whose policy asks for it cannot be paid before a check, and can afterwards;
// all of it without a script. The customer is told why, what is kept and for how long,
// what was wrong, and what to do.
func TestIdentityBeforePaying(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	has(t, b.see("/plans/kaisha-month").html, "we check your identity, once", `href="/identity?plan=kaisha-month"`, "¥4,980")
	chosen := url.Values{"item": {"line/kaisha-month/1mo"}, "currency": {"JPY"}}
	if p := b.do("POST", "/plans/kaisha-month", chosen); p.status != http.StatusUnprocessableEntity {
		t.Errorf("bought without a check: %d to %q", p.status, p.to)
	}
	asked := b.see("/identity?plan=kaisha-month").html
	has(t, asked, "Kaisha Business Month", "erased 1 year after the end of your line", "stored encrypted", `name="name"`, "Taiwan")

	wrong := paperForm()
	wrong.Set("expires", "2020-01-01")
	p := b.do("POST", "/identity", wrong)
	has(t, p.html, "must be valid", `aria-describedby="expires-error"`, "XK 1234567")
	if p.status != http.StatusUnprocessableEntity {
		t.Errorf("an expired document: %d", p.status)
	}
	check := b.papers(t)
	form := b.see("/identity").html
	has(t, form, `capture="environment"`, `capture="user"`, `enctype="multipart/form-data"`, "This photo has arrived", "Submit for checking")
	photo := b.get("/identity/" + check + "/photos/face")
	if photo.header.Get("Content-Type") != "image/jpeg" || strings.Contains(photo.html, "GPS") || photo.header.Get("Cache-Control") != "private, no-store" {
		t.Errorf("the photo comes back as %v", photo.header)
	}
	p = b.sendPhoto(check, "face", []byte("<!doctype html><img src=x onerror=alert(1)>"))
	has(t, p.html, "We cannot read this photo", `aria-invalid="true"`, "XK 1234567")
	if p = b.sendPhoto(check, "face", make([]byte, identity.MostUpload+1)); p.status != http.StatusUnprocessableEntity {
		t.Errorf("11 MB: %d", p.status)
	}

	b.post("/identity/"+check+"/send", url.Values{})
	waits := b.see("/identity").html
	has(t, waits, "Being checked", "We have received it")
	if strings.Contains(waits, "TANAKA") {
		t.Error("what cannot be changed is shown")
	}
	if p := b.do("POST", "/plans/kaisha-month", chosen); p.status != http.StatusUnprocessableEntity {
		t.Errorf("bought while it is looked at: %d", p.status)
	}
	w.decide(check, "cut_off")
	has(t, b.see("/identity").html, "Please correct", "all four corners", "XK 1234567")
	b.post("/identity/"+check+"/send", url.Values{})
	w.decide(check, "")
	has(t, b.see("/identity").html, "Your identity has been checked", "It will be erased", `href="/plans/kaisha-month"`)
	if strings.Contains(b.see("/plans/kaisha-month").html, "we check your identity, once") {
		t.Error("somebody who was checked is asked again")
	}
	to := b.post("/plans/kaisha-month", chosen)
	review := b.see(to).html
	has(t, review, "Your identity has been checked.", "erased 1 year after")
	done := b.post(to, b.confirm(strings.TrimPrefix(to, "/quotes/"), "wallet"))
	has(t, b.see(done).html, "Kaisha Business Month")
	all := w.orders()
	if len(all) != 1 || all[0].State != order.Completed {
		t.Errorf("orders: %+v", all)
	}
	if w.log.Len() > 0 {
		t.Errorf("something was logged: %s", w.log)
	}
}

// What was quoted to somebody who had passed is not sold once that is erased: the
// last word is where it is paid, by whatever door.
func TestIdentityIsAskedWherePaid(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	check := b.papers(t)
	b.post("/identity/"+check+"/send", url.Values{})
	w.decide(check, "")
	quote := strings.TrimPrefix(b.post("/plans/kaisha-month", url.Values{"item": {"line/kaisha-month/1mo"}, "currency": {"JPY"}}), "/quotes/")
	form := b.confirm(quote, "wallet")
	w.write(func(ctx context.Context, tx db.Tx) error {
		c, _, err := identity.Current(ctx, tx, w.aiko.ID)
		if err == nil {
			_, err = identity.Erase(ctx, tx, c)
		}
		return err
	})
	p := b.do("POST", "/quotes/"+quote, form)
	if p.status != http.StatusUnprocessableEntity || len(w.orders()) != 0 || w.balance() != 12_000 {
		t.Errorf("%d, %d orders, %d in the wallet", p.status, len(w.orders()), w.balance())
	}
	has(t, p.html, "needs an identity check")
}

// What was given and is not to be changed any more is shown only to somebody who has
// just signed in, and to nobody once it is taken back.
func TestOwnPhotos(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	check := b.papers(t)
	at := "/identity/" + check + "/photos/face"
	w.env.Clock.Add(2 * day)
	b.see(at)
	b.post("/identity/"+check+"/send", url.Values{})
	if p := b.get(at); p.status != http.StatusSeeOther || !strings.HasPrefix(p.to, "/sign-in") {
		t.Errorf("an old session sees the photo: %d to %q", p.status, p.to)
	}
	b.signIn("aiko@example.com").see(at)
	b.post("/identity/"+check+"/take-back", url.Values{})
	if p := b.get(at); p.status != http.StatusNotFound {
		t.Errorf("it was taken back: %d", p.status)
	}
	has(t, b.see("/identity").html, "1. Details of your document")
}

// A customer gets a copy of what they gave; when their account is closed it is erased,
// with a line in the trail.
func TestIdentityOfThoseWhoLeave(t *testing.T) {
	w := newTown(t)
	b := w.emptied()
	check := b.papers(t)
	has(t, b.see(securityPath+"/data").html, "TANAKA AIKO", "XK 1234567", "/identity/"+check+"/photos/face")
	b.post(securityPath+"/close", url.Values{"sure": {"1"}})
	w.env.Clock.Add(leaving.Grace)
	if !w.step() {
		t.Fatal("not closed")
	}
	var state, papers, why string
	var photos int
	if err := w.env.DB.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT state, papers FROM identity_checks WHERE account_id = $1 AND id = $2`, w.aiko.ID, check).Scan(&state, &papers); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM identity_photos`).Scan(&photos); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT reason FROM trail WHERE account_id = $1 AND subject = $2`, w.aiko.ID, check).Scan(&why)
	}); err != nil {
		t.Fatal(err)
	}
	if state != "erased" || papers != "" || photos != 0 || why != "the account was closed" {
		t.Errorf("%s %q %d %q", state, papers, photos, why)
	}
}
