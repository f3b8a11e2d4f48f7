package portal

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/support"
	"github.com/tsuzuku/tsuzuku/ui"
)

// handler answers one visit. An error becomes a page in the visitor's language.
type handler func(ctx context.Context, v *visit) (answer, error)

// answer is a page to show, or a place to go to.
type answer struct {
	template string
	page     any // what the template may use
	status   int // 0: 200
	to       string

	public bool                          // for those whom we do not know it is the same, and need not be sent twice
	keep   bool                          // a signed-in customer's device may keep it, to be looked at without a connection
	media  string                        // what raw is
	raw    []byte                        // instead of a page
	stream func(context.Context, *visit) // instead of a page: writes what happens until there is no more

	file   *support.File // to be kept by the browser, instead of a page
	script []byte        // our own, instead of a page; it never changes under its address
}

func show(template string, page any) answer { return answer{template: template, page: page} }

// showAll shows what everybody sees alike.
func showAll(template string, page any) answer {
	return answer{template: template, page: page, public: true}
}

// goTo leads the browser on with GET, so that reloading repeats nothing.
func goTo(path string) answer { return answer{to: path} }

// maxForm is how long a form may be.
const maxForm = 16 << 10

// page is everything that is the same for all pages: who asks, the language,
// the form, errors, and sending. A page is complete before its first byte is
// sent, so one that fails becomes an error page, not half a page.
func (s *Server) page(a access, h handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer s.caught(w, r)
		ctx := r.Context()
		v, err := s.greet(ctx, w, r)
		var out answer
		if err == nil {
			out, err = v.answer(ctx, a, h)
		}
		v.note(ctx, a, err)
		if err == nil && out.stream != nil {
			out.stream(ctx, v)
			return
		}
		body, err := v.render(out, err)
		if err != nil {
			s.Log.ErrorContext(ctx, "portal: the error page failed", "path", r.Pattern, "err", err)
			http.Error(w, v.voice.T("fault.internal"), http.StatusInternalServerError)
			return
		}
		v.send(body)
	})
}

// caught answers what no page could be made for because of a panic.
func (s *Server) caught(w http.ResponseWriter, r *http.Request) {
	p := recover()
	if p == nil {
		return
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // the connection is to end, and nothing is wrong
	}
	s.Log.ErrorContext(r.Context(), "portal", "path", r.Pattern, "err", fault.Panicked(p))
	v := &visit{server: s, w: w, r: r}
	http.Error(w, ui.NewVoice(v.language(), nil, s.DB.Now()).T("fault.internal"), http.StatusInternalServerError)
}

// answer calls h if the visitor may, and turns a panic into an error.
func (v *visit) answer(ctx context.Context, a access, h handler) (out answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = answer{}, fault.Panicked(p)
		}
	}()
	if to, ok := v.chooseLanguage(); ok {
		return goTo(to), nil
	}
	if err := v.readForm(); err != nil {
		return answer{}, err
	}
	if err := v.may(a); err != nil {
		return answer{}, err
	}
	return h(ctx, v)
}

// chooseLanguage keeps the language that ?lang= names, and says where the page
// is without it.
func (v *visit) chooseLanguage() (string, bool) {
	if v.r.Method != http.MethodGet || v.r.URL.Query().Get("lang") == "" {
		return "", false
	}
	q := v.r.URL.Query()
	if l, ok := locale.Parse(q.Get("lang")); ok {
		v.setCookie(languageCookie, string(l), year)
	}
	q.Del("lang")
	to := url.URL{Path: v.r.URL.Path, RawQuery: q.Encode()}
	return safeNext(to.String()), true
}

func (v *visit) readForm() error {
	if v.r.Method != http.MethodPost || v.uploads() {
		return nil // a form with files is read once it is clear that its sender may send it
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	return tooLarge(v.r.ParseForm())
}

// tooLarge says to the customer that a form could not be read.
func tooLarge(err error) error {
	if err == nil {
		return nil
	}
	f := fault.Because(fault.Invalid, "too_large", "The form was too large to be read. Please fill it in again.", nil)
	f.Err = err
	return f
}

// field is what the form sent under a name.
func (v *visit) field(name string) string {
	return v.r.PostForm.Get(name)
}

// sent is a finished answer.
type sent struct {
	status       int
	to           string
	media        string
	body         []byte
	public, keep bool
	file         *support.File
	script       bool
}

// stops are those of Chinese and Japanese that have their space in themselves.
const stops = "。、，？！：；"

// tight takes out the space that templates put between two sentences after one of the
// stops. What customers typed, which is in attributes and text areas, stays as it is.
func tight(page string) string {
	var out strings.Builder
	from := 0
	for i := strings.IndexByte(page, ' '); i >= 0; {
		if last, _ := utf8.DecodeLastRuneInString(page[:i]); strings.ContainsRune(stops, last) && !typed(page[:i]) {
			out.WriteString(page[from:i])
			from = i + 1
		}
		next := strings.IndexByte(page[i+1:], ' ')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	out.WriteString(page[from:])
	return out.String()
}

// typed reports whether a page is in the middle of a tag or of a text area.
func typed(page string) bool {
	return strings.LastIndexByte(page, '<') > strings.LastIndexByte(page, '>') ||
		strings.LastIndex(page, "<textarea") > strings.LastIndex(page, "</textarea")
}

// draw makes a page of a template.
func draw(template string, page any) ([]byte, error) {
	var buf bytes.Buffer
	err := pages.ExecuteTemplate(&buf, template, page)
	return []byte(tight(buf.String())), err
}

// render makes the page, or the page of an error.
func (v *visit) render(a answer, err error) (sent, error) {
	if err == nil && a.script != nil {
		return sent{status: http.StatusOK, media: "text/javascript; charset=utf-8", body: a.script, script: true}, nil
	}
	var body []byte
	if err == nil && a.raw != nil {
		return sent{status: http.StatusOK, media: a.media, body: a.raw, public: true}, nil
	}
	if err == nil && a.file != nil {
		return sent{file: a.file}, nil
	}
	if err == nil && a.to == "" {
		body, err = draw(a.template, a.page)
	}
	switch {
	case errors.Is(err, errSignIn):
		return sent{to: v.signInFirst()}, nil
	case reason(err) == "sign_in_again":
		return sent{to: v.signInAgain()}, nil
	case err != nil:
		a = v.fail(err)
		if body, err = draw(a.template, a.page); err != nil {
			return sent{}, err
		}
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return sent{
		status: a.status, to: a.to, media: "text/html; charset=utf-8", body: body,
		public: a.public && a.status == http.StatusOK && v.account.ID == "" && v.link.Line == "", keep: a.keep,
	}, nil
}

// signInFirst is where somebody signs in who wanted to see the page.
func (v *visit) signInFirst() string {
	next := v.r.URL.Path
	if v.r.Method == http.MethodGet && (next == newCase || next == identityPath || next == chatPath) && v.r.URL.RawQuery != "" {
		next += "?" + v.r.URL.RawQuery // what it is about
	}
	if v.r.Method == http.MethodPost { // a form's own page has the same address or its parent's
		for _, form := range []string{"/pay", "/anew", "/tools", "/one-tap", "/bills", "/ask", "/sms", "/forget"} {
			next = strings.TrimSuffix(next, form)
		}
		if strings.HasPrefix(next, tellingPath) {
			next = tellingPath
		}
		if strings.HasPrefix(next, securityPath) {
			next = securityPath
		}
		if strings.HasPrefix(next, identityPath) {
			next = identityPath
		}
	}
	if next == "/" {
		return "/sign-in"
	}
	return "/sign-in?next=" + url.QueryEscape(next)
}

// errorPage is everything error.html may use.
type errorPage struct {
	ui.Frame
	Tone     ui.Tone
	Text     string
	Link     string
	LinkText string
}

// fail is the page of an error. What is not the customer's business is logged
// and not shown.
func (v *visit) fail(err error) answer {
	kind := fault.KindOf(err)
	if kind == fault.Internal {
		v.server.Log.ErrorContext(v.r.Context(), "portal", "path", v.r.Pattern, "err", err)
	}
	p := errorPage{
		Frame: v.frame(v.voice.FaultTitle(err)), Tone: ui.Warn, Text: v.voice.Fault(err),
		Link: "/", LinkText: v.voice.T("error.home"),
	}
	switch {
	case kind == fault.Internal:
		p.Tone = ui.Bad
	case v.account.ID == "" && v.link.Line != "":
		p.Link, p.LinkText = "/lines/"+v.link.Line+"/renew", v.voice.T("error.back")
	case owes(err) && v.account.ID != "":
		p.Link, p.LinkText = "/wallet", v.voice.T("owed.pay")
	case v.account.ID == "":
		p.Link, p.LinkText = "/sign-in", v.voice.T("signin.title")
	}
	return answer{template: "error.html", page: p, status: kind.Status()}
}

// note writes down, once, that somebody asked for what they may not see or do. What is
// nobody's, and is not there, is no such thing.
func (v *visit) note(ctx context.Context, a access, err error) {
	kind := fault.KindOf(err)
	switch {
	case errors.Is(err, errSignIn):
		v.writeDown(ctx, "sign_in")
	case kind == fault.Denied, kind == fault.NotFound && a != anyone:
		v.writeDown(ctx, cmp.Or(reason(err), string(kind)))
	}
}

// writeDown writes a line of the log that says which route refused and why, and not whom
// or what it is about.
func (v *visit) writeDown(ctx context.Context, why string) {
	v.server.Log.InfoContext(ctx, "refused", "door", "portal", "method", v.r.Method, "path", v.r.Pattern, "reason", why)
}

func noSuchPage(context.Context, *visit) (answer, error) {
	return answer{}, fault.Because(fault.NotFound, "page", "There is no such page.", nil)
}

func noSuchMethod(ctx context.Context, v *visit) (answer, error) {
	v.writeDown(ctx, "method")
	a := v.fail(fault.Because(fault.Invalid, "method", "This address cannot be used like that.", nil))
	a.status = http.StatusMethodNotAllowed
	return a, nil
}

func crossOrigin(context.Context, *visit) (answer, error) {
	return answer{}, fault.Because(fault.Denied, "cross_origin", "This request came from another site, so we did not act on it.", nil)
}

// send writes a finished answer, packed as the browser can read it.
func (v *visit) send(a sent) {
	h := v.w.Header()
	if a.to != "" {
		h.Set("Location", a.to)
		v.w.WriteHeader(http.StatusSeeOther)
		return
	}
	if a.file != nil {
		v.sendFile(a.file)
		return
	}
	h.Set("Content-Type", a.media)
	h.Set("Content-Language", string(v.voice.Lang))
	h.Set("Vary", "Accept-Encoding")
	v.sayKept(a)
	if a.script {
		h.Del("Content-Language")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	c := codingFor(v.r.Header.Get("Accept-Encoding"))
	if a.public {
		tag := tagOf(a.body, c)
		h.Set("ETag", tag)
		h.Set("Cache-Control", "private, no-cache")
		h.Set("Vary", "Accept-Encoding, Accept-Language, Cookie")
		if unchanged(v.r, tag) {
			v.w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	body := c.pack(a.body)
	if c != plain {
		h.Set("Content-Encoding", string(c))
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	v.w.WriteHeader(a.status)
	_, _ = v.w.Write(body) // the customer has left; nothing to do about it
}

// sendFile gives what a customer once sent back to them: to be kept, never to be
// shown as a page of ours. What kind it is was found in its content.
func (v *visit) sendFile(f *support.File) {
	h := v.w.Header()
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	h.Set("Content-Type", f.Kind)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Length", strconv.Itoa(len(f.Content)))
	_, _ = v.w.Write(f.Content) // the customer has left; nothing to do about it
}
