package carrier

import (
	"encoding/json"
	"errors"
)

// Text is a string of an operator's JSON that may also come as a number or a boolean,
// and is kept as it was written: an ICCID that comes as a bare number has up to twenty
// digits, and does not pass through a float. Null is empty; a list or an object is an
// error.
type Text string

// UnmarshalJSON implements [json.Unmarshaler].
func (t *Text) UnmarshalJSON(b []byte) error {
	switch {
	case string(b) == "null":
		*t = ""
		return nil
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(t))
	case b[0] == '{' || b[0] == '[':
		return errors.New("a list or an object where a word was expected")
	}
	*t = Text(b)
	return nil
}
