package smtp

import (
	"errors"
	"fmt"
	"net/textproto"
	"regexp"
	"strconv"

	"github.com/tsuzuku/tsuzuku/message"
)

func notSent(step string, err error) error {
	return fmt.Errorf("smtp: %s: %w: %w", step, message.ErrNotSent, err)
}

func unknown(step string, err error) error {
	return fmt.Errorf("smtp: %s: %w: %w", step, message.ErrUnknown, err)
}

func bad(err error) error {
	return &message.Refusal{Reason: message.BadLetter, Text: err.Error()}
}

// refusedOr reads the relay's answer to a step that was about this letter: 5xx
// is a refusal, 4xx means later. Without an answer, silence says what happened.
func refusedOr(silence func(string, error) error, step string, err error) error {
	answer, ok := errors.AsType[*textproto.Error](err)
	switch {
	case !ok:
		return silence(step, err)
	case answer.Code >= 500 && answer.Code <= 599:
		return &message.Refusal{Reason: reason(step, answer), Code: strconv.Itoa(answer.Code), Text: answer.Msg}
	case answer.Code >= 400 && answer.Code <= 499:
		return notSent(step, err)
	}
	return silence(step, err) // neither yes nor no: the relay talks nonsense
}

// enhanced is RFC 3463's class, subject and detail at the start of an answer.
var enhanced = regexp.MustCompile(`^5\.(\d{1,3})\.(\d{1,3})\b`)

// reason reads a 5xx answer, by its enhanced code (RFC 3463, and the registry
// of RFC 5248) if it has one, else by the code (RFC 5321, section 4.2.3).
func reason(step string, answer *textproto.Error) message.Reason {
	if m := enhanced.FindStringSubmatch(answer.Msg); m != nil {
		switch subject, detail := m[1], m[2]; {
		case subject == "1", subject == "2" && detail == "1": // bad address; mailbox disabled
			return message.AddressDead
		case subject == "7": // policy: blocked, unauthenticated, spam
			return message.NotWanted
		case subject == "2" && detail == "3", subject == "3" && detail == "4", subject == "6": // too big; cannot be converted
			return message.BadLetter
		}
		return message.Refused
	}
	switch {
	case step == "RCPT" && (answer.Code == 550 || answer.Code == 551 || answer.Code == 553):
		return message.AddressDead
	case step == "end of letter" && answer.Code == 552:
		return message.BadLetter
	case step == "end of letter" && (answer.Code == 550 || answer.Code == 554):
		return message.NotWanted
	}
	return message.Refused
}
