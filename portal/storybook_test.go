package portal

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/ui"
)

// Every story can be told, in every language and look, is a sound page, and
// differs from the others; every page of the portal has one.
func TestStories(t *testing.T) {
	b, err := OpenStorybook(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	h := b.Handler()
	see := func(path string) (*httptest.ResponseRecorder, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return w, w.Body.String()
	}
	shown := map[string]bool{"storybook.html": true}
	for _, s := range b.all {
		a, err := s.tell(t.Context(), b.visitOf(httptest.NewRequest(http.MethodGet, "/", nil), ui.NewVoice(locale.En, nil, b.now)))
		if err != nil {
			a.template = "error.html"
		}
		shown[a.template] = true
	}
	for name := range structs {
		if !shown[name] {
			t.Errorf("no story shows %s: give it one in stories.go", name)
		}
	}
	same := map[string]string{}
	for i, name := range b.Names() {
		for j, l := range locale.All {
			if i%len(locale.All) != j && l != locale.En {
				continue // each in English and in one more
			}
			look := ui.Looks[(i+j)%len(ui.Looks)]
			w, html := see("/storybook/" + name + "?lang=" + string(l) + "&look=" + string(look))
			if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Security-Policy"), look.Sheet().Source()) {
				t.Errorf("%s: %d: %s", name, w.Code, w.Header().Get("Content-Security-Policy"))
				continue
			}
			for _, trouble := range check(html, l) {
				t.Errorf("%s: %s: %s", l, name, trouble)
			}
			if strings.Contains(html, "http-equiv=\"refresh\"") {
				t.Errorf("%s does not stand still", name)
			}
			_, body, _ := strings.Cut(html, "<body>")
			if other, twice := same[body]; twice {
				t.Errorf("%s looks like %s", name, other)
			}
			same[body] = name
		}
	}
	_, waits := see("/storybook/order-unheard?lang=en")
	if !strings.Contains(waits, "try again or pay another way") || strings.Contains(waits, "do not pay again") {
		t.Error("where a payment is not heard of and others are offered, the page says not to pay")
	}
	w, html := see("/storybook?lang=ja&look=dark")
	if w.Code != http.StatusOK || !strings.Contains(html, "order-completed") {
		t.Errorf("the index: %d", w.Code)
	}
	for _, trouble := range check(html, locale.Ja) {
		t.Errorf("the index: %s", trouble)
	}
	if w, _ := see("/storybook/none"); w.Code != http.StatusNotFound {
		t.Errorf("no such story: %d", w.Code)
	}
}
