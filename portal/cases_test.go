package portal

import (
	"bytes"
	"context"
	"encoding/base64"
	"html"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/support"
)

// picture is a PNG of one pixel.
var picture, _ = base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

// upload sends a form with files, as a browser does.
func (b *browser) upload(to string, form url.Values, files map[string][]byte) page {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range form {
		_ = w.WriteField(name, values[0])
	}
	for name, content := range files {
		part, err := w.CreateFormFile("files", name)
		if err != nil {
			b.t.Fatal(err)
		}
		_, _ = part.Write(content)
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.t.Context(), "POST", b.town.web.URL+to, &body)
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
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return page{status: res.StatusCode, to: res.Header.Get("Location"), html: string(raw), header: res.Header}
}

// A customer asks about an order, sends a picture, is answered, and answers; the
// picture comes back to nobody else.
func TestCaseIsAConversation(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	quote := b.quote("fresh", "term/machi-5gb/10d")
	done := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	form := b.see("/cases/new?order=" + path.Base(done)).html
	has(t, form, "Aiko", path.Base(done))
	sent := url.Values{"key": {hidden(t, form, "key")}, "order": {path.Base(done)}, "topic": {"slow"}, "text": {"It is slow.\nSince noon."}}
	to := b.upload("/cases/new", sent, map[string][]byte{"../speed <test>.png.exe": picture})
	if to.status != http.StatusSeeOther {
		t.Fatalf("%d %s", to.status, clean(to.html))
	}
	if again := b.upload("/cases/new", sent, nil); again.to != to.to {
		t.Errorf("the same form again is another case: %q, %q", again.to, to.to)
	}
	at, _, _ := strings.Cut(to.to, "?")
	said := b.see(to.to).html
	has(t, said, "Slow or no connection", "We are on it", "It is slow.\nSince noon.", "speed test.png.png", "Sent to the operator", "Aiko")
	has(t, b.see("/cases").html, at, "It is slow.")

	f := b.get(at + "/files/1")
	if f.html != string(picture) || f.header.Get("Content-Type") != "image/png" || f.header.Get("X-Content-Type-Options") != "nosniff" ||
		f.header.Get("Content-Disposition") != `attachment; filename="speed test.png.png"` || !strings.Contains(f.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("the file comes back as %v", f.header)
	}
	other := w.browser(locale.En).signIn("other@example.com")
	for _, p := range []string{at, at + "/files/1", at + "/files/2", at + "/files/x", "/cases/new?order=" + path.Base(done), "/cases/new?line=" + w.lines["fresh"]} {
		if got := other.get(p); got.status != http.StatusNotFound {
			t.Errorf("another customer sees %s: %d", p, got.status)
		}
	}
	if got := b.get(at + "/files/2"); got.status != http.StatusNotFound {
		t.Errorf("a file that is none: %d", got.status)
	}

	k, err := support.KeyOf(path.Base(at))
	if err != nil {
		t.Fatal(err)
	}
	w.write(func(ctx context.Context, tx db.Tx) error {
		_, err := support.Answer(ctx, tx, w.server.Desk.IDs, k, "mika", "Please restart the phone.", true)
		return err
	})
	said = b.see(at).html
	has(t, said, "Please restart the phone.", "Closed", "Send, and open the case again")
	if strings.Contains(said, "mika") {
		t.Error("the customer sees who of the staff answered")
	}
	if got := b.upload(at, url.Values{"key": {hidden(t, said, "key")}, "text": {"Still slow"}}, nil); got.status != http.StatusSeeOther {
		t.Fatalf("%d %s", got.status, clean(got.html))
	}
	has(t, b.see(at).html, "We are on it", "Still slow")
}

// What cannot be kept is said where it was written, and what was written stays.
func TestCaseRefusesInWords(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	form := url.Values{"key": {"k1"}, "topic": {"other"}, "text": {"See the picture"}, "line": {w.lines["fresh"]}}
	for name, c := range map[string]struct {
		files map[string][]byte
		says  string
	}{
		"page":    {map[string][]byte{"x.png": []byte("<!doctype html><script>alert(1)</script>")}, "Only pictures"},
		"svg":     {map[string][]byte{"x.svg": []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`)}, "Only pictures"},
		"no png":  {map[string][]byte{"x.png": []byte("\x89PNG\x0d\x0a\x1a\x0anothing")}, "Only pictures"},
		"large":   {map[string][]byte{"x.pdf": append([]byte("%PDF-1.7\n"), make([]byte, support.MostFile)...)}, "larger than 5 MB"},
		"several": {map[string][]byte{"1.png": picture, "2.png": picture, "3.png": picture, "4.png": picture}, "Too many files"},
	} {
		got := b.upload("/cases/new", form, c.files)
		if got.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, got.status)
		}
		has(t, got.html, c.says, "See the picture", `id="files-error"`)
	}
	if got := b.upload("/cases/new", form, map[string][]byte{"x.pdf": make([]byte, 20<<20)}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("20 MB: %d", got.status)
	}
	if got := b.do("POST", "/cases/new", url.Values{"key": {"k2"}, "topic": {"nonsense"}, "text": {"x"}}); got.status != http.StatusUnprocessableEntity {
		t.Errorf("a topic that is none: %d", got.status)
	}
	has(t, b.see("/cases").html, "There are none")
	if w.log.Len() > 0 {
		t.Errorf("something was logged: %s", w.log)
	}
}

// Somebody who has not signed in asks about a phone, signs in, and finds the phone
// in the form.
func TestCaseAboutAPhone(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	_, after, _ := strings.Cut(b.see("/devices?q=Fairphone+5").html, `href="/cases/new?`)
	query, _, _ := strings.Cut(after, `"`)
	p := b.get("/cases/new?" + html.UnescapeString(query))
	u, err := url.Parse(p.to)
	if err != nil || u.Path != "/sign-in" {
		t.Fatalf("leads to %q", p.to)
	}
	b.signIn("aiko@example.com")
	has(t, b.see(u.Query().Get("next")).html, "Fairphone 5", `value="device" selected`)
}

// The customer's name and address stand on bills that come, and an order says where
// its refund is.
func TestBillToAndRefund(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En).signIn("aiko@example.com")
	b.post("/account/bills", url.Values{"name": {"Kumo K.K."}, "address": {"1-2-3 Chuo\nOsaka"}})
	has(t, b.see("/account").html, `value="Kumo K.K."`)
	if p := b.do("POST", "/account/bills", url.Values{"address": {"nobody"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("an address without a name: %d", p.status)
	}
	quote := b.quote("fresh", "term/machi-5gb/10d")
	done := b.post("/quotes/"+quote, b.confirm(quote, "wallet"))
	w.number()
	_, after, _ := strings.Cut(b.see(done).html, `<a href="/bills/`)
	bill, _, _ := strings.Cut(after, `"`)
	has(t, b.see("/bills/"+bill).html, "Kumo K.K.", "1-2-3 Chuo\nOsaka")

	quote = b.quote("volume", "term/machi-10gb/10gb-15d")
	b.post("/quotes/"+quote, b.confirm(quote, "card"))
	for _, o := range w.orders() {
		if o.Tool != "card" {
			continue
		}
		b.get("/orders/" + o.ID + "?back=1") // the bank says that it is paid
		if _, err := w.server.Desk.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := w.server.Desk.RefundCompleted(t.Context(), o.Ref(), money.Money{}, order.Act{Staff: "mika", Reason: "asked"}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.server.Desk.RefundStep(t.Context()); err != nil {
			t.Fatal(err)
		}
		has(t, b.see("/orders/"+o.ID).html, "Refund", "sent", "5 to 10 working days")
	}
}
