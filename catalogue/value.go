package catalogue

import (
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/money"
)

// Limits of what is read. Whatever is larger was mistyped.
const (
	maxFile     = 4 << 20
	maxEntries  = 5000 // of any list
	maxText     = 300  // characters
	maxVolume   = 100_000_000_000_000
	maxKbps     = 10_000_000
	maxPackDays = 365
	maxStockLow = 1_000_000
)

var (
	isID      = regexp.MustCompile(`^[a-z0-9]+(?:-[a-z0-9]+)*$`)
	isDecimal = regexp.MustCompile(`^(0|[1-9][0-9]*)(?:\.([0-9]+))?$`)
	isVolume  = regexp.MustCompile(`^([0-9.]+) ?([A-Za-z]+)$`)
	isPLMN    = regexp.MustCompile(`^[0-9]{3}-[0-9]{2,3}$`)
	isBand    = regexp.MustCompile(`^[Bn][1-9][0-9]{0,2}$`)
	isDated   = regexp.MustCompile(`^[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?$`)
	isCountry = regexp.MustCompile(`^[A-Z]{2}$`)
)

// currencies are what plans can be sold in, in the order of price lists.
var currencies = []money.Currency{"JPY", "USD", "CNY", "TWD", "HKD", "KRW"}

// literal is what was written, whatever YAML takes it for: 2026-08 and 12.90
// are not numbers to us.
func (p place) literal() string {
	if !p.there() {
		return ""
	}
	if p.node.Kind != yaml.ScalarNode {
		p.wrong("There should be a single value here, not %s.", kindOf(p.node))
		return ""
	}
	if p.node.Value == "" {
		p.wrong("There is no value. Give one, or leave the line out.")
	}
	return p.node.Value
}

// text is one line for people.
func (p place) text() string {
	if !p.there() {
		return ""
	}
	if p.node.Kind != yaml.ScalarNode || p.node.Tag != "!!str" {
		p.wrong("There should be text here, not %s. Put it in quotes if it is text.", kindOf(p.node))
		return ""
	}
	s := p.node.Value
	switch {
	case strings.TrimSpace(s) == "":
		p.wrong("The text is empty.")
	case strings.TrimSpace(s) != s:
		p.wrong("The text begins or ends with a space.")
	case utf8.RuneCountInString(s) > maxText:
		p.wrong("The text is longer than %d characters.", maxText)
	case strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }):
		p.wrong("The text contains a line break or an invisible character.")
	default:
		return s
	}
	return ""
}

// id is the name of something, for links and stored rows.
func (p place) id() string {
	s := p.literal()
	if s != "" && (!isID.MatchString(s) || len(s) > 40) {
		p.wrong("%q cannot be an ID. Use at most 40 small letters, digits and single hyphens.", s)
		return ""
	}
	return s
}

// matching is text of one shape.
func (p place) matching(shape *regexp.Regexp, like string) string {
	s := p.literal()
	if s != "" && !shape.MatchString(s) {
		p.wrong("%q is not written like %s.", s, like)
		return ""
	}
	return s
}

// flag is true or false.
func (p place) flag() bool {
	if !p.there() {
		return false
	}
	if p.node.Kind != yaml.ScalarNode || (p.node.Value != "true" && p.node.Value != "false") {
		p.wrong("There should be true or false here, not %s.", kindOf(p.node))
		return false
	}
	return p.node.Value == "true"
}

// number is a whole number from lo to hi.
func (p place) number(lo, hi int) int {
	s := p.literal()
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || strconv.Itoa(n) != s {
		p.wrong("There should be a whole number here, in digits only, not %q.", s)
		return 0
	}
	if n < lo || n > hi {
		p.wrong("%d is out of range: %d to %d.", n, lo, hi)
		return 0
	}
	return n
}

// word is one of a few.
func word[T ~string](p place, known ...T) T {
	s := p.literal()
	if s == "" {
		return ""
	}
	if !slices.Contains(known, T(s)) {
		p.wrong("%q is not known here. It is one of: %s.", s, listed(known, ", "))
		return ""
	}
	return T(s)
}

// words is a list of some of a few, none of them twice.
func words[T ~string](p place, known ...T) []T {
	var out []T
	for _, at := range p.list() {
		w := word(at, known...)
		switch {
		case w == "":
		case slices.Contains(out, w):
			at.wrong("%q is in the list twice.", string(w))
		default:
			out = append(out, w)
		}
	}
	return out
}

func (p place) length() calendar.Length {
	s := p.literal()
	if s == "" {
		return calendar.Length{}
	}
	l, err := calendar.ParseLength(s)
	if err != nil {
		p.wrong("%s", err.Error())
		return calendar.Length{}
	}
	return l
}

func (p place) zone() calendar.Zone {
	s := p.literal()
	if s == "" {
		return ""
	}
	z, err := calendar.LoadZone(s)
	if err != nil {
		p.wrong("There is no time zone %q. Use a name from the IANA list, such as Asia/Tokyo.", s)
		return ""
	}
	return z
}

// date is a day of the calendar, YYYY-MM-DD.
func (p place) date() string {
	s := p.literal()
	if s == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		p.wrong("%q is not a date. Write it like 2026-08-31.", s)
		return ""
	}
	return s
}

// country is an ISO 3166 code of two letters.
func (p place) country() string {
	s := p.matching(isCountry, "JP")
	if s == "" {
		return ""
	}
	region, err := language.ParseRegion(s)
	if err != nil || !region.IsCountry() || region.String() != s {
		p.wrong("There is no country %q.", s)
		return ""
	}
	return s
}

// amount is an amount above zero in that currency: 1980, or "12.90".
func (p place) amount(c money.Currency) (money.Money, bool) {
	s := p.literal()
	if s == "" {
		return money.Money{}, false
	}
	m, err := money.Parse(s, c)
	decimal := isDecimal.FindStringSubmatch(s)
	switch {
	case err == nil && m.Minor > 0:
		return m, true
	case err == nil, strings.HasPrefix(s, "-"):
		p.wrong("An amount must be above zero.")
	case decimal == nil:
		p.wrong("%q is not an amount. Write it like 1980 or \"12.90\".", s)
	case len(decimal[2]) > money.Decimals(c) && money.Decimals(c) == 0:
		p.wrong("%s has no decimals.", c)
	case len(decimal[2]) > money.Decimals(c):
		p.wrong("%s has %d decimals, not more.", c, money.Decimals(c))
	default:
		p.wrong("The amount is out of range.")
	}
	return money.Money{}, false
}

// amounts is one amount for each of some currencies, in the order of
// [currencies].
func (p place) amounts() []money.Money {
	given := map[money.Currency]money.Money{}
	for _, e := range p.entries() {
		c := money.Currency(e.key)
		if !slices.Contains(currencies, c) {
			e.keyAt.wrong("Nothing is sold in %q. The currencies are %s.", e.key, listed(currencies, ", "))
			continue
		}
		if m, ok := e.value.amount(c); ok {
			given[c] = m
		}
	}
	if p.there() && p.node.Kind == yaml.MappingNode && len(p.node.Content) == 0 {
		p.wrong("There is no amount.")
	}
	var out []money.Money
	for _, c := range currencies {
		if m, ok := given[c]; ok {
			out = append(out, m)
		}
	}
	return out
}

// cost is one amount in the currency in which an operator charges, which may be one
// in which nothing is sold.
func (p place) cost() money.Money {
	entries := p.entries()
	if len(entries) > 1 {
		p.wrong("One operator charges in one currency.")
		return money.Money{}
	}
	for _, e := range entries {
		c := money.Currency(e.key)
		if c.Validate() != nil || c == money.Points {
			e.keyAt.wrong("There is no currency %q. Use a code like USD.", e.key)
			continue
		}
		m, _ := e.value.amount(c)
		return m
	}
	return money.Money{}
}

// listed joins words for a sentence.
func listed[T ~string](words []T, between string) string {
	out := ""
	for i, w := range words {
		if i > 0 {
			out += between
		}
		out += string(w)
	}
	return out
}

// bytes is a volume such as "1 GB", "1.5 GB" or "500 MB". gb is how many bytes
// the operator calls a GB; with 0 it is not known, and the size is not either.
func (p place) bytes(gb int64) int64 {
	s := p.literal()
	if s == "" {
		return 0
	}
	found := isVolume.FindStringSubmatch(s)
	if found == nil || !isDecimal.MatchString(found[1]) || (found[2] != "GB" && found[2] != "MB") {
		p.wrong("%q is not a volume. Write it like \"1 GB\" or \"500 MB\".", s)
		return 0
	}
	if gb == 0 {
		return 0 // the operator is unknown: told already
	}
	unit := gb
	if found[2] == "MB" {
		unit = megabyte(gb)
	}
	n, ok := new(big.Rat).SetString(found[1])
	if !ok || len(found[1]) > 20 {
		p.wrong("%q is not a volume. Write it like \"1 GB\" or \"500 MB\".", s)
		return 0
	}
	mb := megabyte(gb)
	n.Mul(n, big.NewRat(unit/mb, 1))
	switch {
	case n.Sign() <= 0:
		p.wrong("A volume must be above zero.")
	case !n.IsInt():
		p.wrong("%s is not a whole number of MB; this operator's GB has %d.", s, gb/mb)
	case n.Num().Cmp(big.NewInt(maxVolume/mb)) > 0:
		p.wrong("%s is more data than any line carries.", s)
	default:
		return n.Num().Int64() * mb
	}
	return 0
}

const binaryGB, decimalGB = int64(1 << 30), int64(1_000_000_000)

// megabyte is the MB that belongs to a GB.
func megabyte(gb int64) int64 {
	if gb == binaryGB {
		return 1 << 20
	}
	return gb / 1000
}

// percent is a tax rate: 10, or "8.5". The rate is the first result divided by
// the second.
func (p place) percent() (percent, scale int64) {
	s := p.literal()
	if s == "" {
		return 0, 1
	}
	found := isDecimal.FindStringSubmatch(s)
	if found == nil || len(found[2]) > 2 {
		p.wrong("%q is not a rate. Write it like 10 or \"8.5\", with two decimals at most.", s)
		return 0, 1
	}
	scale = []int64{1, 10, 100}[len(found[2])]
	percent, err := strconv.ParseInt(found[1]+found[2], 10, 64)
	if err != nil || percent > 100*scale {
		p.wrong("A rate is 0 to 100 percent.")
		return 0, 1
	}
	return percent, scale
}

// invoiceNumber is a registration number of the Japanese qualified invoice
// system: T and 13 digits, in whatever width and with whatever hyphens it was
// copied. Companies' numbers have a check digit; whether sole traders' follow
// it was not found, so a wrong one is only doubtful.
func (p place) invoiceNumber() string {
	s := p.literal()
	if s == "" {
		return ""
	}
	number, shape := normalInvoiceNumber(s)
	if !shape {
		p.wrong("%q is not an invoice registration number: T and 13 digits.", s)
		return ""
	}
	if !checkDigitHolds(number) {
		p.doubtful("The check digit of %s does not fit a company's number. Compare it with the register.", number)
	}
	return number
}

func normalInvoiceNumber(s string) (string, bool) {
	s = strings.ToUpper(norm.NFKC.String(s))
	s = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Pd, r) || unicode.IsSpace(r) || r == '\u2212' {
			return -1
		}
		return r
	}, s)
	return s, isInvoiceNumber.MatchString(s)
}

var isInvoiceNumber = regexp.MustCompile(`^T[0-9]{13}$`)

// checkDigitHolds says whether the first digit is 9 less the remainder by 9 of
// the other twelve, every second of which counts double from the right.
func checkDigitHolds(number string) bool {
	sum := 0
	for i, weight := len(number)-1, 1; i >= 2; i, weight = i-1, 3-weight {
		sum += int(number[i]-'0') * weight
	}
	return int(number[1]-'0') == 9-sum%9
}

// dated is a year, a month or a day.
func (p place) dated() string {
	s := p.matching(isDated, "2026, 2026-08 or 2026-08-31")
	if s == "" {
		return ""
	}
	if _, err := time.Parse(time.DateOnly[:len(s)], s); err != nil {
		p.wrong("There is no date %q.", s)
		return ""
	}
	return s
}
