package assistant

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/phrase"
)

// Input is what a customer said: a sentence, or the command of an option that an
// answer of this conversation offered.
type Input struct {
	Text   string `json:"text,omitempty"`
	Option Saved  `json:"option"`
}

// Ground is what a sentence is understood on, besides the state.
type Ground struct {
	Now   time.Time
	Page  locale.Language // of the customer's pages
	Lines []Known         // the account's, the most urgent first
}

// Known is a line as sentences name it.
type Known struct {
	ID, Name, LastFour string
	Live               bool           // it runs, or can still be renewed
	Zone               *time.Location // the operator's
}

// mostCommands is how many things one sentence is taken to ask for.
const mostCommands = 3

// Hear makes commands of what was said, at least one, and says in which language it
// is to be answered: in State.Language of the state that it returns.
func Hear(s State, in Input, g Ground) (State, []Command) {
	if s.Page != g.Page || s.Language == "" {
		s.Page, s.Language = g.Page, g.Page
	}
	if in.Option.Command != nil {
		return s.settle(in, g, []Command{in.Option.Command})
	}
	var read bool
	if s.Language, read = languageOf(in.Text, s.Language); !read {
		return s, []Command{Unread{}}
	}
	named, rest := namedLine(in.Text, g.Lines)
	if named != "" {
		s.Line = named
	}
	commands := s.understood(rest, g)
	if other, ok := otherReading(rest, s.Language); ok && isUnknown(commands) {
		if again := other.in(s).understood(rest, g); !isUnknown(again) {
			s, commands = other.in(s), again
		}
	}
	if named != "" && (isUnknown(commands) || s.Waits != nil) {
		commands = []Command{PickLine{named}}
	}
	if isUnknown(commands) && s.About == AboutLine {
		commands = append(commands, PickLine{}) // it is asked again
	}
	return s.settle(in, g, commands)
}

func isUnknown(all []Command) bool { return len(all) == 1 && all[0] == Command(Unknown{}) }

// settle finds out which line is meant, where that matters: the one that is spoken
// of, or the only one that there is, or the only one that runs. Where it is not
// clear it is asked, and what was said waits for that.
func (s State) settle(in Input, g Ground, commands []Command) (State, []Command) {
	if p, ok := commands[0].(PickLine); ok && p.Line != "" {
		return s.picked(p.Line, g, commands)
	}
	if !slices.ContainsFunc(g.Lines, func(k Known) bool { return k.ID == s.Line }) {
		s.Line = only(g.Lines)
	}
	if s.Line != "" || len(g.Lines) == 0 || !slices.ContainsFunc(commands, ofLine) {
		return s, commands
	}
	s.Waits = &in
	return s, []Command{PickLine{}}
}

// picked takes up what was waiting for a line.
func (s State) picked(id string, g Ground, commands []Command) (State, []Command) {
	s.Line = id
	if s.Waits == nil || !slices.ContainsFunc(g.Lines, func(k Known) bool { return k.ID == id }) {
		return s, commands
	}
	waiting := *s.Waits
	s.Waits = nil
	if waiting.Option.Command != nil {
		return s, []Command{waiting.Option.Command}
	}
	s.Language, _ = languageOf(waiting.Text, s.Language)
	return s, s.understood(waiting.Text, g)
}

// only is the one line that can be meant; "" where there are several.
func only(all []Known) (id string) {
	if len(all) == 1 {
		return all[0].ID
	}
	for _, k := range all {
		if k.Live && id != "" {
			return ""
		}
		if k.Live {
			id = k.ID
		}
	}
	return id
}

// namedLine is the line that a text names, by its nickname or the end of its number,
// and the text without the nickname: one may be called "Ends tomorrow".
func namedLine(text string, lines []Known) (id, rest string) {
	folded, rest := phrase.Fold(text), text
	digits := strings.FieldsFunc(folded, func(r rune) bool { return r < '0' || r > '9' })
	for _, k := range lines {
		name := phrase.Fold(k.Name)
		if slices.Contains(digits, k.LastFour) || len([]rune(name)) > 1 && holds(folded, name) {
			if id != "" {
				return "", text // both are named
			}
			id = k.ID
			if name != "" {
				rest = strings.ReplaceAll(folded, name, " ")
			}
		}
	}
	return id, rest
}

// holds reports whether text has name in it, not within a word.
func holds(text, name string) bool {
	for from := 0; ; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		at := from + i
		if !latinAt(text[:at], true) || !latinAt(name, false) {
			if !latinAt(text[at+len(name):], false) || !latinAt(name, true) {
				return true
			}
		}
		from = at + 1
		for from < len(text) && text[from]&0xc0 == 0x80 {
			from++
		}
	}
}

// latinAt reports whether the last, or the first, letter of s is one of a word that
// is written without gaps in it.
func latinAt(s string, last bool) bool {
	runes := []rune(s)
	if len(runes) == 0 {
		return false
	}
	r := runes[0]
	if last {
		r = runes[len(runes)-1]
	}
	return unicode.Is(unicode.Latin, r) || unicode.IsDigit(r)
}

// languageOf is in which language a text is answered, and whether it is read here.
// Script tells; where only Chinese characters stand, who reads Japanese pages is
// taken to write Japanese, and everybody else Chinese.
func languageOf(text string, otherwise locale.Language) (l locale.Language, read bool) {
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Hangul, r) }) {
		return locale.Ko, false
	}
	guess := phrase.English
	switch otherwise {
	case locale.Ja:
		guess = phrase.Japanese
	case locale.ZhHans, locale.ZhHant:
		guess = phrase.Chinese
	case locale.En, locale.Ko:
		guess = ""
	}
	switch phrase.Guess(text, guess) {
	case phrase.Japanese:
		if hanAlone(text) && strings.ContainsFunc(text, chineseOnly) {
			return locale.ZhHans, true
		}
		return locale.Ja, true
	case phrase.English:
		return locale.En, true
	case phrase.Chinese:
		if otherwise == locale.ZhHant || strings.ContainsFunc(text, traditional) {
			return locale.ZhHant, true
		}
		return locale.ZhHans, true
	}
	return otherwise, true // digits, say
}

// hanAlone reports whether a text has Chinese characters and no kana.
func hanAlone(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) &&
		!strings.ContainsFunc(text, func(r rune) bool { return unicode.In(r, unicode.Hiragana, unicode.Katakana) })
}

// reading is a language that a text might be in, too.
type reading locale.Language

// otherReading is the other language of a text of Chinese characters alone.
func otherReading(text string, l locale.Language) (other reading, ok bool) {
	if !hanAlone(text) {
		return "", false
	}
	if l == locale.Ja {
		return reading(locale.ZhHans), true
	}
	return reading(locale.Ja), true
}

// in is the state with its language.
func (r reading) in(s State) State {
	s.Language = locale.Language(r)
	return s
}

// languageRead is the language whose rules read a text that is answered in l.
func languageRead(l locale.Language) phrase.Language {
	switch l {
	case locale.Ja:
		return phrase.Japanese
	case locale.ZhHans, locale.ZhHant:
		return phrase.Chinese
	case locale.En, locale.Ko:
	}
	return phrase.English
}

// understood makes commands of a text.
func (s State) understood(text string, g Ground) []Command {
	l := languageRead(s.Language)
	folded := phrase.Fold(text)
	found := heardIn(folded, l)
	unsure := found.has(isUnsure)
	found = slices.DeleteFunc(found, func(f finding) bool { return f.word == isUnsure })
	if unsure && len(found) == 0 && s.About == AboutEnd {
		return []Command{ForgetEnd{}}
	}
	days := s.days(text, l, g)
	if n, ok := phrase.Choice(text, l); ok {
		if c, ok := s.Offered.Pick(n); ok {
			return []Command{c}
		}
	}
	if c := s.toldEnd(found, days, text, l, g); c != nil {
		return append([]Command{c}, besides(found)...)
	}
	if c := s.chosenFor(found, text, l); c != nil {
		return []Command{c}
	}
	if found.has(takesThat) && s.Yes.Command != nil {
		return []Command{s.Yes.Command}
	}
	if len(found) == 0 {
		switch phrase.Answer(text, l) {
		case phrase.Yes:
			if s.Yes.Command != nil {
				return []Command{s.Yes.Command}
			}
			return []Command{Menu{}}
		case phrase.No:
			return []Command{Decline{}}
		case phrase.Unsure:
			if s.About == AboutEnd {
				return []Command{ForgetEnd{}}
			}
		case phrase.None:
		}
	}
	if commands := s.commands(found); len(commands) > 0 {
		return commands
	}
	return []Command{Unknown{}}
}

// commands are what the words of a text ask for.
func (s State) commands(found heard) (all []Command) {
	for _, f := range found {
		c := f.command()
		if c == Command(AskEnd{}) && len(found) > 1 {
			continue // "is it enough until I leave?"
		}
		if !slices.Contains(all, c) && len(all) < mostCommands {
			all = append(all, c)
		}
	}
	if found.has(asksCheapest) || found.has(asksCarefree) { // "recommend me the cheapest": one answer, and that one
		all = slices.DeleteFunc(all, func(c Command) bool { return c == Command(Advise{}) })
	}
	return all
}

// asking are words that can be asked beside telling when one leaves.
var asking = []word{asksStatus, asksForecast, asksAdvice, asksCheapest, asksCarefree, asksTerms}

// besides is what else is asked for in a text that tells when the customer leaves.
func besides(found heard) (all []Command) {
	for _, f := range found {
		c := f.command()
		if slices.Contains(asking, f.word) && !slices.Contains(all, c) && len(all) < mostCommands-1 {
			all = append(all, c)
		}
	}
	return all
}

// days are the days that a text names, as of today where the line is.
func (s State) days(text string, l phrase.Language, g Ground) []phrase.Day {
	return phrase.Days(text, l, s.today(g))
}

// today is the day at the line's operator, as midnight UTC.
func (s State) today(g Ground) time.Time {
	zone := time.UTC
	if len(g.Lines) > 0 {
		zone = g.Lines[0].Zone
	}
	for _, k := range g.Lines {
		if k.ID == s.Line {
			zone = k.Zone
		}
	}
	y, m, d := g.Now.In(zone).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// toldEnd is the end of the stay that a text tells, corrects or takes back; nil
// where it speaks of something else.
func (s State) toldEnd(found heard, days []phrase.Day, text string, l phrase.Language, g Ground) Command {
	if found.has(forgetsEnd) {
		return ForgetEnd{}
	}
	asks := found.has(asksForecast) || found.has(asksStatus) || found.has(asksOrder)
	tells := found.has(tellsEnd) || !asks && (found.has(saysUntil) || s.About == AboutEnd && !found.has(asksTerms) || len(found) == 0)
	if !tells {
		return nil
	}
	if d, ok := lastOf(days); ok {
		return s.dayOf(d, g)
	}
	lengths := phrase.Durations(text, l)
	if len(lengths) == 1 && !found.has(takes) && (found.has(tellsEnd) || s.About == AboutEnd) {
		d := lengths[0]
		last := s.today(g).AddDate(d.Years, d.Months, d.Days)
		return TellEnd{dayOn(last)}
	}
	if s.About == AboutEnd {
		if n, ok := dayOfMonth(text, l); ok {
			return TellEnd{dayOn(nextOf(s.today(g), n))}
		}
	}
	if len(found) == 1 && len(days) == 0 && found.has(tellsEnd) {
		return AskEnd{}
	}
	return nil
}

// dayOf is what a told day comes to: one day, or two of which one is asked back.
func (s State) dayOf(d phrase.Day, g Ground) Command {
	date := dayOn(d.Date)
	if !d.Ambiguous || d.Other.IsZero() {
		return TellEnd{date}
	}
	other := dayOn(d.Other)
	if other < dayOn(s.today(g)) || other == date {
		return TellEnd{date} // nobody says when they have left
	}
	return DoubtEnd{min(date, other), max(date, other)}
}

// lastOf is the day that a text gives as an end: one that is said to be one, else
// the last that is not said to be a beginning.
func lastOf(days []phrase.Day) (last phrase.Day, ok bool) {
	for _, d := range days {
		if d.Until {
			return d, true
		}
		if !d.From {
			last, ok = d, true
		}
	}
	return last, ok
}

func dayOn(date time.Time) line.Day { return line.DayOf(date, time.UTC) }

// dayOfMonth is a text that is one number which can be a day of a month.
func dayOfMonth(text string, l phrase.Language) (int, bool) {
	numbers := phrase.Numbers(text, l)
	if len(numbers) != 1 {
		return 0, false
	}
	n, whole := numbers[0].Value.Int()
	return int(n), whole && n >= 1 && n <= 31
}

// nextOf is the next day, from today on, that is the nth of its month.
func nextOf(today time.Time, n int) time.Time {
	for day := today; ; day = day.AddDate(0, 0, 1) {
		if day.Day() == n {
			return day // every number up to 31 comes within two months
		}
	}
}

// chosenFor is an offer that is asked for by how long it lasts, or that is wanted in place
// of the one which was fixed last; nil where none is.
func (s State) chosenFor(found heard, text string, l phrase.Language) Command {
	if !found.has(takes) && !found.has(asksTerms) && s.Yes.Command != Command(Review{}) {
		return nil
	}
	lengths := phrase.Durations(text, l)
	if len(lengths) != 1 || lengths[0].Days+lengths[0].Months+lengths[0].Years == 0 {
		return nil
	}
	return ChooseFor{lengths[0].Years, lengths[0].Months, lengths[0].Days}
}

// attitudes are what words ask for.
var attitudes = map[word]advice.Attitude{asksAdvice: "", asksCheapest: advice.Cheapest, asksCarefree: advice.Carefree}

// chineseOnly reports whether r is a character of everyday Chinese that Japanese is
// not written with.
func chineseOnly(r rune) bool {
	return strings.ContainsRune("吗呢么们这还哪啥怎您你几费钱买时", r)
}

// traditional reports whether r is written otherwise in simplified characters.
func traditional(r rune) bool {
	return unicode.Is(unicode.Han, r) && phrase.Fold(string(r)) != string(r)
}
