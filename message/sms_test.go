package message_test

import (
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/message"
)

// number is the telephone of tests.
var number = message.Address{Channel: message.SMS, Value: "+819012345678"}

// A link as the door makes it.
const longLink = "/r/01k9x2m4t7h8j9k2m301k9x2m4t7h8j9k2.9876543210abcdefghijklmnopqrstuv"

// Every kind is said in every language in few parts, with the link whole, and with
// nothing that a locked screen may not show.
func TestShort(t *testing.T) {
	for _, l := range locale.All {
		for _, k := range message.Kinds() {
			for name, f := range map[string]message.Facts{"full": full(), "minimal": minimal(), "bought": bought()} {
				f.LineName, f.Agent, f.Address, f.Said = "Secret name", "Secret browser", "secret@example.com", "Secret words"
				if f.Link != "" {
					f.Link = longLink
				}
				if k.IsCode() {
					f.Link = ""
				}
				got, err := shop.Short(message.Message{ID: "msg_1", Draft: message.Draft{Kind: k, To: number, Language: l, Facts: f}})
				if err != nil {
					t.Fatal(err)
				}
				parts, alphabet := message.Segments(got.Text)
				most := map[string]int{message.GSM7: 2, message.UCS2: 3}[alphabet]
				if k.IsCode() {
					most = 1
				}
				if parts == 0 || parts > most || l == locale.En && alphabet != message.GSM7 {
					t.Errorf("%s %s %s: %d parts of %s: %s", l, k, name, parts, alphabet, got.Text)
				}
				if f.Link != "" && !strings.HasSuffix(got.Text, " https://shop.example"+longLink) {
					t.Errorf("%s %s: no link at the end of %s", l, k, got.Text)
				}
				for _, not := range []string{"ecret", "1,980", "5,000", "ord_1", "2026-000123", "LPA:", "[", "\n", "{"} {
					if l == locale.Ko && not == "[" {
						continue
					}
					if strings.Contains(got.Text, not) {
						t.Errorf("%s %s %s shows %q: %s", l, k, name, not, got.Text)
					}
				}
				if k.IsCode() != strings.Contains(got.Text, "123456") || got.Subject != "" || got.HTML != "" || got.ID != "msg_1" || got.To != number || !strings.Contains(got.Text, "Kumo Mobile") {
					t.Errorf("%s %s: %+v", l, k, got)
				}
			}
		}
	}
}

func TestThrifty(t *testing.T) {
	for text, want := range map[string]string{
		"your line …1234 – it’s “on”\u00a0now": `your line ...1234 - it's "on" now`, "回線…1234": "回線…1234", "a": "a", "ends – 3 März ¥100": "ends - 3 März ¥100", "ends – 3 čvc": "ends – 3 čvc",
	} {
		if got := message.Thrifty(text); got != want {
			t.Errorf("%q becomes %q, want %q", text, got, want)
		}
	}
}
