package assistant

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/locale"
)

// short names a command as tables of tests do.
func short(c Command) string {
	switch c := c.(type) {
	case TellEnd:
		return "end " + advice.Date(c.Day).String()
	case DoubtEnd:
		return "end " + advice.Date(c.First).String() + " or " + advice.Date(c.Other).String()
	case AskEnd:
		return "end?"
	case ForgetEnd:
		return "forget"
	case Advise:
		return strings.TrimSpace("advise " + string(c.Attitude))
	case ChooseFor:
		switch {
		case c.Months > 0:
			return fmt.Sprintf("choose %dm", c.Months)
		case c.Years > 0:
			return fmt.Sprintf("choose %dy", c.Years)
		}
		return fmt.Sprintf("choose %dd", c.Days)
	case Choose:
		return "choose " + c.Item.ID
	case PickLine:
		if c.Line == "" {
			return "line?"
		}
		return "line " + c.Line
	}
	return strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", c), "assistant."))
}

func shorts(all []Command) string {
	var words []string
	for _, c := range all {
		words = append(words, short(c))
	}
	return strings.Join(words, " + ")
}

var tokyo = time.FixedZone("JST", 9*3600)

// grounded is Wednesday, 2 December 2026, in Japan, at noon, with these lines.
func grounded(page locale.Language, lines ...Known) Ground {
	return Ground{Now: time.Date(2026, 12, 2, 3, 0, 0, 0, time.UTC), Page: page, Lines: lines}
}

var phone = Known{ID: "ln_phone", Name: "Phone", LastFour: "4711", Live: true, Zone: tokyo}

type utterance struct {
	page       locale.Language
	text, want string
}

func utterances(t *testing.T) (all []utterance) {
	t.Helper()
	file, err := os.Open("testdata/utterances.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // a read
	pages := map[string]locale.Language{"[en]": locale.En, "[zh]": locale.ZhHans, "[ja]": locale.Ja}
	var page locale.Language
	for lines := bufio.NewScanner(file); lines.Scan(); {
		text := lines.Text()
		if p, ok := pages[text]; ok {
			page = p
		} else if want, said, ok := strings.Cut(text, ": "); ok && !strings.HasPrefix(text, "#") {
			all = append(all, utterance{page, said, want})
		}
	}
	return all
}

// Travellers are understood, in a conversation that has just begun.
func TestTravellersAreUnderstood(t *testing.T) {
	count := map[locale.Language]int{}
	for _, u := range utterances(t) {
		count[u.page]++
		_, commands := Hear(State{}, Input{Text: u.text}, grounded(u.page, phone))
		if got := shorts(commands); got != u.want {
			t.Errorf("%q is heard as %q, want %q", u.text, got, u.want)
		}
	}
	for l, n := range count {
		if n < 60 {
			t.Errorf("only %d sentences of %s", n, l)
		}
	}
}

// After a quote a length alone is another offer, with or without a no before it.
func TestLengthAfterAQuoteCorrectsIt(t *testing.T) {
	for _, u := range []utterance{
		{locale.En, "no, the 30 day one", "choose 30d"},
		{locale.En, "10 days", "choose 10d"},
		{locale.ZhHans, "不对，30天的", "choose 30d"},
		{locale.Ja, "いや、30日間", "choose 30d"},
		{locale.En, "no", "decline"},
		{locale.En, "yes", "review"},
	} {
		s := State{Page: u.page, Language: u.page, Line: phone.ID, Quote: "qt_1", Yes: Saved{Review{}}}
		if _, commands := Hear(s, Input{Text: u.text}, grounded(u.page, phone)); shorts(commands) != u.want {
			t.Errorf("%q after a quote is heard as %q, want %q", u.text, shorts(commands), u.want)
		}
		if _, commands := Hear(State{Page: u.page, Language: u.page, Line: phone.ID}, Input{Text: u.text}, grounded(u.page, phone)); strings.HasPrefix(shorts(commands), "choose") {
			t.Errorf("%q, said of nothing, is heard as %q", u.text, shorts(commands))
		}
	}
}
