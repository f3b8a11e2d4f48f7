package radius

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/line"
)

// Find says in which attribute the number of a card is, and what number it is.
type Find struct {
	Kind      line.NumberKind
	Attribute string // a key of [Attributes]
}

// vendor3GPP is the 3GPP's number as a vendor, and the type of its IMSI (3GPP TS
// 29.061, 16.4.7).
const (
	vendor3GPP      = 10415
	imsi3GPP   kind = 1
)

// attributes are where a card's number can be found.
var attributes = map[string]func(packet) []byte{
	"3GPP-IMSI":                func(p packet) []byte { return p.vendor(vendor3GPP, imsi3GPP) },
	"User-Name":                func(p packet) []byte { return p.get(userName) },
	"Calling-Station-Id":       func(p packet) []byte { return p.get(callingStationID) },
	"Class":                    func(p packet) []byte { return p.get(class) },
	"Chargeable-User-Identity": func(p packet) []byte { return p.get(chargeableUser) },
}

// ParseFind reads "imsi=3GPP-IMSI".
func ParseFind(s string) (Find, error) {
	number, attribute, _ := strings.Cut(s, "=")
	f := Find{line.NumberKind(number), attribute}
	switch f.Kind {
	case line.IMSI, line.MSISDN, line.ICCID:
	default:
		return f, fmt.Errorf("%q: the number is imsi, msisdn or iccid", s)
	}
	if attributes[attribute] == nil {
		return f, fmt.Errorf("%q: the attribute is 3GPP-IMSI, User-Name, Calling-Station-Id, Class or Chargeable-User-Identity", s)
	}
	return f, nil
}

// digits are how long a number may be.
var digits = map[line.NumberKind][2]int{line.IMSI: {6, 15}, line.MSISDN: {5, 15}, line.ICCID: {18, 20}}

// in reads the number of a card from a packet: what stands before an @, without what
// people write between digits.
func (f Find) in(p packet) (n line.CardNumber, ok bool) {
	text, _, _ := strings.Cut(string(attributes[f.Attribute](p)), "@")
	value := strings.NewReplacer(" ", "", "-", "", "+", "", "\x00", "").Replace(text)
	limits := digits[f.Kind]
	if len(value) < limits[0] || len(value) > limits[1] || strings.Trim(value, "0123456789") != "" {
		return n, false
	}
	return line.CardNumber{Kind: f.Kind, Value: value}, true
}

// status is what a report is about (RFC 2866, 5.1).
type status uint32

const (
	starts  status = 1
	stops   status = 2
	interim status = 3
	on      status = 7
	off     status = 8
)

// report is a request as we understand it.
type report struct {
	restarts bool // the gateway began anew, or ended
	none     bool // it is about nothing that we count
	number   line.CardNumber
	count    line.Count
	gateway  string
	at       time.Time
}

// mostDelay is how long a gateway can have tried to send a report.
const mostDelay = 7 * 24 * time.Hour

// read understands a request that came at an instant from an address. ok is false for
// one that lacks what a report must have.
func read(p packet, find []Find, from netip.Addr, now time.Time) (r report, ok bool) {
	what, ok := p.number(acctStatusType)
	if !ok {
		return r, false
	}
	r.gateway, r.at = gatewayOf(p, from), countedAt(p, now)
	switch status(what) {
	case on, off:
		r.restarts = true
		return r, true
	case starts, stops, interim:
	default:
		r.none = true // a tunnel's, or a failure
		return r, true
	}
	session := p.get(acctSessionID)
	found := false
	for _, f := range find {
		if r.number, found = f.in(p); found {
			break
		}
	}
	if len(session) == 0 || !found {
		return r, false
	}
	lasted, _ := p.number(acctSessionTime)
	r.count = line.Count{
		Gateway: r.gateway, Session: readable(session), Begins: status(what) == starts, Stops: status(what) == stops,
		At: r.at, Lasted: time.Duration(lasted) * time.Second,
		Down: p.octets(acctOutputOctets, acctOutputGigawords), Up: p.octets(acctInputOctets, acctInputGigawords),
	}
	if r.count.Begins {
		r.count.Lasted = 0
	}
	return r, true
}

// octets is a counter of 64 bits: its upper half counts how often the lower one began
// anew (RFC 2869, 5.1). What does not fit is more than any line can use.
func (p packet) octets(low, high kind) int64 {
	l, _ := p.number(low)
	h, _ := p.number(high)
	if h > 1<<30 {
		return -1
	}
	return int64(h)<<32 | int64(l)
}

// gatewayOf names what counts: by what it calls itself, its own address, or the one
// that the request came from.
func gatewayOf(p packet, from netip.Addr) string {
	if v := p.get(nasIdentifier); len(v) > 0 {
		return readable(v)
	}
	for _, k := range []kind{nasIPAddress, nasIPv6Address} {
		if a, ok := netip.AddrFromSlice(p.get(k)); ok {
			return a.String()
		}
	}
	return from.String()
}

// countedAt is when a report was made: as its gateway says, or as long before it came as
// the gateway tried to send it. It is never in the future: a clock that runs ahead must
// not shut out what comes later.
func countedAt(p packet, now time.Time) time.Time {
	at := now
	if t, ok := p.number(eventTimestamp); ok && t > 0 {
		at = time.Unix(int64(t), 0).UTC()
	} else if d, ok := p.number(acctDelayTime); ok {
		at = now.Add(-min(time.Duration(d)*time.Second, mostDelay))
	}
	if at.After(now) {
		return now
	}
	return at
}

// readable is a name as it can be stored and shown: text, or else its digits in base 16.
func readable(v []byte) string {
	for _, c := range v {
		if c < ' ' || c > '~' {
			return "0x" + hex.EncodeToString(v)
		}
	}
	return string(v)
}
