package assistant

import (
	"encoding/json"
	"fmt"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// State is what the next sentence is understood by. The zero State is that of a
// conversation that has not begun.
type State struct {
	Page     locale.Language `json:"page,omitempty"` // that the customer's pages were in
	Language locale.Language `json:"lang,omitempty"` // of the last answer
	Line     string          `json:"line,omitempty"` // that is spoken of; "": none yet
	Offered  Offered         `json:"offered"`        // by the last answer
	Yes      Saved           `json:"yes"`            // what a yes to the last answer means; zero: nothing
	About    Slot            `json:"about,omitempty"`
	Waits    *Input          `json:"waits,omitempty"`  // what was said while it was not clear of which line
	Quote    string          `json:"quote,omitempty"`  // that was made last
	Misses   int             `json:"misses,omitempty"` // how often in a row nothing was understood
}

// Slot is what the last answer asked, or was about, so that a bare value fills or
// corrects it.
type Slot string

// The slots.
const (
	AboutEnd  Slot = "end"
	AboutLine Slot = "line"
)

// Offered are commands by their numbers, from 1.
type Offered []Saved

// Pick is the nth, or from the end, where n is negative.
func (o Offered) Pick(n int) (Command, bool) {
	if n < 0 {
		n = len(o) + 1 + n
	}
	if n < 1 || n > len(o) {
		return nil, false
	}
	return o[n-1].Command, true
}

// Saved is a command as it is kept, as JSON.
type Saved struct{ Command }

// saved is its form. The words in Do are stored; do not rename.
type saved struct {
	Do       string          `json:"do,omitempty"`
	Line     string          `json:"line,omitempty"`
	Attitude advice.Attitude `json:"attitude,omitempty"`
	Item     renewal.Item    `json:"item,omitzero"`
	Day      line.Day        `json:"day,omitempty"`
	Other    line.Day        `json:"other,omitempty"`
	For      [3]int          `json:"for,omitzero"`
}

// plain are the commands that have no values, by their stored words.
var plain = map[string]Command{
	"status": Status{}, "forecast": Forecast{}, "ask_end": AskEnd{}, "forget_end": ForgetEnd{}, "compare": Compare{}, "review": Review{},
	"orders": Orders{}, "person": Person{}, "menu": Menu{}, "decline": Decline{}, "unknown": Unknown{}, "unread": Unread{},
}

// MarshalJSON implements [json.Marshaler].
func (s Saved) MarshalJSON() ([]byte, error) {
	var f saved
	switch c := s.Command.(type) {
	case nil:
	case Advise:
		f = saved{Do: "advise", Attitude: c.Attitude}
	case TellEnd:
		f = saved{Do: "tell_end", Day: c.Day}
	case DoubtEnd:
		f = saved{Do: "doubt_end", Day: c.First, Other: c.Other}
	case Choose:
		f = saved{Do: "choose", Item: c.Item}
	case ChooseFor:
		f = saved{Do: "choose_for", For: [3]int{c.Years, c.Months, c.Days}}
	case PickLine:
		f = saved{Do: "line", Line: c.Line}
	default:
		for word, p := range plain {
			if p == c {
				f.Do = word
			}
		}
	}
	return json.Marshal(f)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Saved) UnmarshalJSON(text []byte) error {
	var f saved
	if err := json.Unmarshal(text, &f); err != nil {
		return err
	}
	switch f.Do {
	case "":
		s.Command = nil
	case "advise":
		s.Command = Advise{f.Attitude}
	case "tell_end":
		s.Command = TellEnd{f.Day}
	case "doubt_end":
		s.Command = DoubtEnd{f.Day, f.Other}
	case "choose":
		s.Command = Choose{f.Item}
	case "choose_for":
		s.Command = ChooseFor{f.For[0], f.For[1], f.For[2]}
	case "line":
		s.Command = PickLine{f.Line}
	default:
		c, ok := plain[f.Do]
		if !ok {
			return fmt.Errorf("assistant: there is no command %q", f.Do)
		}
		s.Command = c
	}
	return nil
}

// opening are the options of a conversation that has not begun, and of the menu.
func opening(lines int) []Command {
	all := []Command{Status{}, Forecast{}, Advise{}, Compare{}, AskEnd{}, Orders{}, Person{}}
	if lines > 1 {
		all = append(all, PickLine{})
	}
	return all
}
