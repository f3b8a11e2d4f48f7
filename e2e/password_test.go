package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
)

// A password can be seen while it is typed, and what is missing of a new one is said, in
// the customer's language. With scripts alone: without, the form is what it was.
func TestPasswordsCanBeSeenWhileTheyAreTyped(t *testing.T) {
	d := openDemo(t)
	b := openTab(t, d, "en", true)
	b.signIn("/")
	b.open("/account/security")
	kind := func(id string) string { return eval[string](b, `document.getElementById("`+id+`").type`) }
	typed := func(text string) string {
		b.do(chromedp.Evaluate(fmt.Sprintf(`(() => { const f = document.getElementById("new"); f.value = %q; f.dispatchEvent(new Event("input")); })()`, text), nil))
		return eval[string](b, `(() => { const s = document.getElementById("strength"); return s.checkVisibility() ? s.innerText.trim() : ""; })()`)
	}
	if seen := kind("new"); seen != "password" {
		t.Errorf("the field is of type %s", seen)
	}
	b.do(chromedp.Click("#show-new", chromedp.ByQuery, chromedp.NodeVisible))
	if seen := kind("new"); seen != "text" {
		t.Errorf("shown, the field is of type %s", seen)
	}
	for text, want := range map[string]string{
		"":                           "",
		"tern":                       "Characters still to type: 11",
		"aaaaaaaaaaaaaaaaaaaaaaa":    "Long enough, but it repeats itself",
		"abcdefghijklmnopqrstuvw":    "Long enough, but it repeats itself",
		"tern moss kettle":           "Long enough",
		"tern moss kettle 続く sunday": "Long and varied",
	} {
		if got := typed(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	typed("tern moss kettle sunday")
	b.press(`form[action="/account/security/password"] button.plain`)
	if !b.has(".notice") || kind("new") != "password" {
		t.Errorf("the password was not set, or stays to be seen: %s", b.whereabouts())
	}
	b.open("/sign-in?again=1")
	b.do(chromedp.Evaluate(`document.querySelector("details.card:last-of-type").open = true`, nil), chromedp.Click("#show-password", chromedp.ByQuery, chromedp.NodeVisible))
	if seen := kind("password"); seen != "text" {
		t.Errorf("shown at signing in, the field is of type %s", seen)
	}

	plain := newTab(t, chromium(t), d, visitor{"en", phone, false})
	plain.signIn("/")
	plain.open("/account/security")
	if n := eval[int](plain, `[...document.querySelectorAll("#strength, #show-new, #show-current")].filter((e) => e.checkVisibility()).length`); n != 0 {
		t.Errorf("without scripts %d things are shown that do nothing", n)
	}
}
