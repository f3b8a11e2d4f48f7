package account

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/message"
	"github.com/tsuzuku/tsuzuku/phone"
)

// SMS says to whom codes go by SMS. Each costs the seller, and there are people who
// earn by having them sent to numbers of theirs.
type SMS struct {
	// Countries are those whose numbers get any, by their ISO 3166 codes, the one that
	// most customers are from first. A calling code would not do: 1 is that of 25
	// countries, some of which are known for this.
	Countries []string

	PerHour    int64 // in all, in an hour; 0: 300
	PerCountry int64 // to the numbers of one country; 0: a third of PerHour
}

// How many codes go by SMS in an hour, beside the limits of all codes.
const (
	smsForAll    = 300
	smsPerNumber = 5
	smsPerDay    = 10 // to one number, in a day
	smsPerRange  = 20 // to numbers that differ in their last three digits alone
	smsPerClient = 8
	rangeDigits  = 3
)

// phoneKind is how the directory calls telephone numbers.
const phoneKind = "phone"

// kindOf is how the directory calls the addresses of a channel.
func kindOf(c message.Channel) string {
	if c == message.SMS {
		return phoneKind
	}
	return emailKind
}

// addressOf is an address whose channel its value shows: no mail address is without
// an @, and no telephone number has one.
func addressOf(value string) message.Address {
	if strings.Contains(value, "@") {
		return message.Address{Channel: message.Email, Value: value}
	}
	return message.Address{Channel: message.SMS, Value: value}
}

// Said is an address as people read it.
func Said(a message.Address) string {
	if a.Channel == message.SMS {
		return phone.Number(a.Value).Said()
	}
	return a.Value
}

// Said is the address as people read it.
func (a Address) Said() string { return Said(message.Address{Channel: a.Channel, Value: a.Value}) }

// AskCodeBySMS is [Door.AskCode] for a telephone number. country is the ISO 3166 code
// of the country in which it was typed without a calling code. It returns the number,
// too, as it was understood. It fails with [fault.Invalid] for what is no number of a
// mobile telephone, or of a country that gets no SMS, whoever has it.
func (d *Door) AskCodeBySMS(ctx context.Context, typed, country, language string, from Browser) (challenge string, n phone.Number, err error) {
	n, err = d.textable(typed, country)
	if err != nil {
		return "", "", err
	}
	challenge, err = d.askCode(ctx, message.Address{Channel: message.SMS, Value: string(n)}, language, from)
	return challenge, n, err
}

// EnterPasswordByPhone is [Door.EnterPassword] for a telephone number.
func (d *Door) EnterPasswordByPhone(ctx context.Context, typed, country, password string, from Browser) (token string, a Account, err error) {
	n, err := readNumber(typed, country)
	if err == nil {
		token, a, err = d.enterPasswordAt(ctx, message.Address{Channel: message.SMS, Value: string(n)}, password, from)
	}
	return d.came(byPassword, token, a, err)
}

// AskNumber is [Door.AskAddress] for a telephone number; what it returns is for
// [Door.EnterAddress], too. It fails as [Door.AskCodeBySMS] does.
func (d *Door) AskNumber(ctx context.Context, s Session, typed, country string, from Browser) (challenge string, n phone.Number, err error) {
	if err := d.MustBeFresh(s); err != nil {
		return "", "", err
	}
	if n, err = d.textable(typed, country); err != nil {
		return "", "", err
	}
	challenge, err = d.askAddress(ctx, s, message.Address{Channel: message.SMS, Value: string(n)}, from)
	return challenge, n, err
}

// textable reads the number of a mobile telephone that gets SMS of ours.
func (d *Door) textable(typed, country string) (phone.Number, error) {
	if d.SMS == nil {
		return "", because(fault.Invalid, "no_sms", nil)
	}
	n, err := readNumber(typed, country)
	if err == nil && !d.texts(n) {
		err = because(fault.Invalid, "number_country", nil)
	}
	return n, err
}

// texts reports whether the shop sends SMS to the country of a number.
func (d *Door) texts(n phone.Number) bool {
	return d.SMS != nil && slices.Contains(d.SMS.Countries, n.Country())
}

func readNumber(typed, country string) (phone.Number, error) {
	n, err := phone.Read(typed, country)
	switch {
	case errors.Is(err, phone.ErrNotMobile):
		return "", because(fault.Invalid, "number_not_mobile", nil)
	case err != nil:
		return "", because(fault.Invalid, "bad_number", nil)
	}
	return n, nil
}

// limitSMS counts one more code to a number, and what it costs. Which limit was
// reached is not told.
func (d *Door) limitSMS(ctx context.Context, tx db.Tx, number, client string) error {
	if d.SMS == nil {
		return because(fault.Invalid, "no_sms", nil)
	}
	all := d.SMS.PerHour
	if all == 0 {
		all = smsForAll
	}
	country := d.SMS.PerCountry
	if country == 0 {
		country = max(all/3, 1)
	}
	n := phone.Number(number)
	for _, l := range []limit{
		{bucket: d.hash("limit", "sms", "number", number), most: smsPerNumber, reason: refusedCodes},
		{bucket: d.hash("limit", "sms", "client", network(client)), most: smsPerClient, reason: refusedCodes},
		{bucket: d.hash("limit", "sms", "range", number[:max(len(number)-rangeDigits, 0)]), most: smsPerRange, reason: refusedCodes},
		{bucket: d.hash("limit", "sms", "country", n.Country()), most: country, reason: refusedCodes},
		{bucket: d.hash("limit", "sms", "all"), most: all, reason: refusedCodes},
	} {
		if err := l.take(ctx, tx); err != nil {
			return err
		}
	}
	return limit{bucket: d.hash("limit", "sms", "day", number), most: smsPerDay, reason: refusedCodes, window: 24 * time.Hour}.take(ctx, tx)
}

// mayText counts one more code to a number that nobody typed here: whether it was too
// much must not be seen, and nothing is sent then.
func (d *Door) mayText(ctx context.Context, tx db.Tx, number, client string) (bool, error) {
	if !d.texts(phone.Number(number)) {
		return false, nil
	}
	err := d.limitSMS(ctx, tx, number, client)
	if fault.KindOf(err) == fault.TooMany {
		return false, nil
	}
	return err == nil, err
}

// reachedForLine reports whether the code for a line goes to one of its owner's
// addresses: to each by mail, and to a telephone if messages about lines go there.
func (d *Door) reachedForLine(ctx context.Context, tx db.Tx, a LineAsk, one Address, all []Address) (bool, error) {
	if one.Channel != message.SMS {
		return true, nil
	}
	if mailed(all) {
		wish, err := WishOf(ctx, tx, a.Account, message.AboutLines)
		if err != nil || !wish.SMS {
			return false, err
		}
	}
	return d.mayText(ctx, tx, one.Value, a.From.Client)
}

// mailed reports whether there is a mail address among them.
func mailed(all []Address) bool {
	return slices.ContainsFunc(all, func(a Address) bool { return a.Channel == message.Email })
}

// told are the addresses at which the owner hears of a change: all mail addresses, and
// telephones where there are no others, or the one that is removed.
func told(all []Address, removed string) (some []Address) {
	for _, a := range all {
		if a.Channel == message.Email || a.ID == removed || !mailed(all) {
			some = append(some, a)
		}
	}
	return some
}

// knownOf is what somebody would guess first who knows an address.
func knownOf(a Address) []string {
	if a.Channel != message.SMS {
		return []string{a.Value}
	}
	const own = 8 // digits of a number that are written without those of the country and the network
	digits := strings.TrimPrefix(a.Value, "+")
	return []string{digits, digits[max(len(digits)-own, 0):]}
}

// ByPhone returns the account that a telephone number belongs to, whether or not that
// has been confirmed. It is for staff, as [ByEmail] is, and fails as that does.
func ByPhone(ctx context.Context, tx db.Tx, typed string) (Account, error) {
	n, err := phone.ReadWhole(typed)
	if err != nil {
		return Account{}, because(fault.Invalid, "bad_number", nil)
	}
	account, _, err := db.Locate(ctx, tx, phoneKind, string(n))
	if fault.KindOf(err) == fault.NotFound {
		return Account{}, because(fault.NotFound, "no_such_account", nil)
	}
	if err != nil {
		return Account{}, err
	}
	return Get(ctx, tx, account)
}

// Check fails for countries that are none, and for limits below nothing.
func (s *SMS) Check() error {
	if len(s.Countries) == 0 {
		return errors.New("name at least one country")
	}
	for _, c := range s.Countries {
		if phone.CallingCode(c) == 0 {
			return fmt.Errorf("%q is no country with telephones: write ISO 3166 codes, as JP", c)
		}
	}
	if s.PerHour < 0 || s.PerCountry < 0 {
		return errors.New("a limit is not below 0")
	}
	return nil
}
