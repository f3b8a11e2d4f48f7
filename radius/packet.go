package radius

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the protocol's own: RFC 2866, 3
	"encoding/binary"
	"errors"
)

// code is what a packet is.
type code byte

// The codes that we hear or say (RFC 2866, 3; RFC 5997).
const (
	accountingRequest  code = 4
	accountingResponse code = 5
	statusServer       code = 12
)

// kind is the type of an attribute.
type kind byte

// The attributes that we read (RFC 2865, 2866, 2869, 4372, 3162).
const (
	userName             kind = 1
	nasIPAddress         kind = 4
	class                kind = 25
	vendorSpecific       kind = 26
	callingStationID     kind = 31
	nasIdentifier        kind = 32
	proxyState           kind = 33
	acctStatusType       kind = 40
	acctDelayTime        kind = 41
	acctInputOctets      kind = 42
	acctOutputOctets     kind = 43
	acctSessionID        kind = 44
	acctSessionTime      kind = 46
	acctInputGigawords   kind = 52
	acctOutputGigawords  kind = 53
	eventTimestamp       kind = 55
	messageAuthenticator kind = 80
	chargeableUser       kind = 89
	nasIPv6Address       kind = 95
)

// attribute is one value of a packet.
type attribute struct {
	kind  kind
	value []byte
}

const (
	headerLen = 20
	maxLen    = 4096
	sumLen    = md5.Size
)

// packet is a packet as it came. Its attributes point into raw.
type packet struct {
	code          code
	id            byte
	authenticator [sumLen]byte
	attributes    []attribute
	raw           []byte // without what stands behind its length
}

var errMalformed = errors.New("radius: not a packet")

// parse reads a packet without believing it. What stands behind its length is
// padding (RFC 2865, 3).
func parse(b []byte) (packet, error) {
	if len(b) < headerLen {
		return packet{}, errMalformed
	}
	n := int(binary.BigEndian.Uint16(b[2:]))
	if n < headerLen || n > maxLen || n > len(b) {
		return packet{}, errMalformed
	}
	p := packet{code: code(b[0]), id: b[1], raw: b[:n]}
	copy(p.authenticator[:], b[4:])
	for rest := b[headerLen:n]; len(rest) > 0; {
		if len(rest) < 2 || rest[1] < 2 || int(rest[1]) > len(rest) {
			return packet{}, errMalformed
		}
		p.attributes = append(p.attributes, attribute{kind(rest[0]), rest[2:rest[1]]})
		rest = rest[rest[1]:]
	}
	return p, nil
}

// get is the first value of a kind; nil where there is none.
func (p packet) get(k kind) []byte {
	for _, a := range p.attributes {
		if a.kind == k {
			return a.value
		}
	}
	return nil
}

// number is a value of four bytes. ok is false for one of another length.
func (p packet) number(k kind) (n uint32, ok bool) {
	v := p.get(k)
	if len(v) != 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// vendor is the first value of a vendor's type; nil where there is none.
func (p packet) vendor(id uint32, of kind) []byte {
	for _, a := range p.attributes {
		if a.kind != vendorSpecific || len(a.value) < 4 || binary.BigEndian.Uint32(a.value) != id {
			continue
		}
		for rest := a.value[4:]; len(rest) >= 2 && rest[1] >= 2 && int(rest[1]) <= len(rest); rest = rest[rest[1]:] {
			if kind(rest[0]) == of {
				return rest[2:rest[1]]
			}
		}
	}
	return nil
}

// genuine reports whether whoever made a request knows the secret. The authenticator
// of an Accounting-Request is a sum over it (RFC 2866, 3); a Status-Server is proved by
// its Message-Authenticator alone, which it must have (RFC 5997, 3). Where an
// Accounting-Request has one, it must be right, too.
func (p packet) genuine(secret []byte) bool {
	switch p.code {
	case accountingRequest:
		sum := sumOf(p.raw, [sumLen]byte{}, secret)
		return hmac.Equal(sum[:], p.authenticator[:]) && (p.get(messageAuthenticator) == nil || p.signed([sumLen]byte{}, secret))
	case statusServer:
		return p.signed(p.authenticator, secret)
	case accountingResponse:
	}
	return false
}

// sumOf is the sum over a packet with an authenticator in its place, and the secret.
func sumOf(raw []byte, authenticator [sumLen]byte, secret []byte) (sum [sumLen]byte) {
	h := md5.New() //nolint:gosec // see above
	h.Write(raw[:4])
	h.Write(authenticator[:])
	h.Write(raw[headerLen:])
	h.Write(secret)
	copy(sum[:], h.Sum(nil))
	return sum
}

// signed reports whether the packet's Message-Authenticator is right: a keyed sum over
// the packet with an authenticator in its place, and zeros in its own (RFC 2869, 5.14).
func (p packet) signed(authenticator [sumLen]byte, secret []byte) bool {
	raw := append([]byte(nil), p.raw...)
	copy(raw[4:headerLen], authenticator[:])
	for at := headerLen; at < len(raw); at += int(raw[at+1]) {
		if kind(raw[at]) != messageAuthenticator || raw[at+1] != 2+sumLen {
			continue
		}
		got := append([]byte(nil), raw[at+2:at+2+sumLen]...)
		clear(raw[at+2 : at+2+sumLen])
		h := hmac.New(md5.New, secret)
		h.Write(raw)
		return hmac.Equal(got, h.Sum(nil))
	}
	return false
}

// answer is the Accounting-Response to a request: with the states of the proxies that
// it came through, as they were, and an authenticator that shows that we know the
// secret (RFC 2866, 4.2).
func (p packet) answer(secret []byte) []byte {
	out := make([]byte, headerLen, maxLen)
	out[0], out[1] = byte(accountingResponse), p.id
	for _, a := range p.attributes {
		if a.kind == proxyState {
			out = append(append(out, byte(a.kind), byte(len(a.value)+2)), a.value...)
		}
	}
	binary.BigEndian.PutUint16(out[2:], uint16(len(out)))
	sum := sumOf(out, p.authenticator, secret)
	copy(out[4:], sum[:])
	return out
}
