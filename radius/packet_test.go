package radius

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/line"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The answer's authenticator is made as in the example of RFC 2865, 7.1: the sum over
// its answer to user nemo, with the request's authenticator and the secret xyzzy5461.
func TestAuthenticatorOfTheStandard(t *testing.T) {
	request := unhex(t, "0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a")
	reply := unhex(t, `02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2
		06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03`)
	sum := sumOf(reply, [sumLen]byte(request), []byte("xyzzy5461"))
	if !bytes.Equal(sum[:], reply[4:20]) {
		t.Errorf("%x, want %x", sum, reply[4:20])
	}
}

// sent is what radclient 3.2.1 of FreeRADIUS sent with this secret, an
// Interim-Update with gigawords and a Message-Authenticator.
const (
	secret = "sixteen letters!"
	sent   = `04b8009c45a4a2fcc7db541fcafc65176d29c1b1011834343031303132333435363738393040
		74726176656c20077067772d310406c00002072806000000032c12304130423043304430303030
		303031372e0600000e102a060001e2402b063b9aca003506000000011a17000028af0111343430
		313031323334353637383930370669a55fa05012669c310b41d7130e5b03e39cf30ab44721040102`
)

// A packet of another hand is believed with its secret and with no other, nor with any
// bit changed, and read.
func TestPacketOfAnotherHand(t *testing.T) {
	raw := unhex(t, sent)
	p, err := parse(append(raw, "padding"...))
	if err != nil || !p.genuine([]byte(secret)) || p.genuine([]byte("sixteen letters?")) {
		t.Fatalf("%v, genuine: %t", err, p.genuine([]byte(secret)))
	}
	for i := range raw {
		changed := bytes.Clone(raw)
		changed[i] ^= 4
		if p, err := parse(changed); i != 1 && err == nil && p.genuine([]byte(secret)) {
			t.Errorf("byte %d was changed, and it was believed", i)
		}
	}
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	got, ok := read(p, []Find{{line.IMSI, "3GPP-IMSI"}}, netip.Addr{}, at.Add(time.Hour))
	want := line.Count{
		Gateway: "pgw-1", Session: "0A0B0C0D00000017", At: at, Lasted: time.Hour, Down: 1<<32 + 1_000_000_000, Up: 123456,
	}
	if diff := cmp.Diff(want, got.count); !ok || diff != "" || got.number != (line.CardNumber{Kind: line.IMSI, Value: "440101234567890"}) {
		t.Errorf("%t %v (-want +got):\n%s", ok, got.number, diff)
	}
	if got, ok := read(p, []Find{{line.ICCID, "Class"}, {line.IMSI, "User-Name"}}, netip.Addr{}, at); !ok || got.number.Value != "440101234567890" {
		t.Errorf("by the user's name: %t %v", ok, got.number)
	}
	reply := p.answer([]byte(secret))
	if sum := sumOf(reply, p.authenticator, []byte(secret)); !bytes.Equal(sum[:], reply[4:20]) || !bytes.HasSuffix(reply, []byte{33, 4, 1, 2}) {
		t.Errorf("the answer: %x", reply)
	}
}

// A wrong Message-Authenticator is not believed, although whoever made it knows the secret.
func TestWrongMessageAuthenticator(t *testing.T) {
	raw := unhex(t, sent)
	at := bytes.Index(raw, []byte{80, 18})
	raw[at+2] ^= 1
	sum := sumOf(raw, [sumLen]byte{}, []byte(secret))
	copy(raw[4:], sum[:])
	if p, err := parse(raw); err != nil || p.genuine([]byte(secret)) {
		t.Errorf("it was believed: %v", err)
	}
}

// When a report was made is what its clock says, or how long it was under way, and never
// in the future.
func TestWhenItWasCounted(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	stamp := func(t time.Time) []byte { return number(uint32(t.Unix())) }
	for name, c := range map[string]struct {
		p    packet
		want time.Time
	}{
		"nothing is said":      {packet{}, now},
		"the gateway's clock":  {packet{attributes: []attribute{{eventTimestamp, stamp(now.Add(-time.Hour))}, {acctDelayTime, number(9)}}}, now.Add(-time.Hour)},
		"a clock that is fast": {packet{attributes: []attribute{{eventTimestamp, stamp(now.Add(time.Hour))}}}, now},
		"under way":            {packet{attributes: []attribute{{acctDelayTime, number(90)}}}, now.Add(-90 * time.Second)},
		"for ever":             {packet{attributes: []attribute{{acctDelayTime, number(1 << 31)}}}, now.Add(-mostDelay)},
	} {
		if got := countedAt(c.p, now); !got.Equal(c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func number(n uint32) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }

// Nothing that a stranger sends breaks the reader, and what it read, it would read again.
func FuzzPacket(f *testing.F) {
	f.Add(unhex(f, sent))
	f.Add(unhex(f, `0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23 50 12 5a 66 5e 2e 1e 84 11 f3 e2 43 82 20 97 c8 4f a3`))
	find := []Find{{line.IMSI, "3GPP-IMSI"}, {line.MSISDN, "Calling-Station-Id"}, {line.ICCID, "Class"}}
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err != nil {
			return
		}
		_ = p.genuine([]byte(secret))
		if r, ok := read(p, find, netip.Addr{}, now); ok && !r.none && !r.restarts {
			if r.count.At.After(now) || r.count.Session == "" || len(r.number.Value) < 5 {
				t.Errorf("%+v", r)
			}
		}
		if again, err := parse(p.answer([]byte(secret))); err != nil || again.id != p.id {
			t.Errorf("the answer cannot be read: %v", err)
		}
	})
}

// The Status-Server of RFC 5997, 6.1, is believed: with secret xyzzy5461.
func TestStatusServerOfTheStandard(t *testing.T) {
	p, err := parse(unhex(t, `0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23 50 12 5a 66 5e 2e 1e 84 11 f3 e2 43 82 20 97 c8 4f a3`))
	if err != nil || !p.genuine([]byte("xyzzy5461")) || p.genuine([]byte("xyzzy5462")) {
		t.Errorf("%v, %t", err, p.genuine([]byte("xyzzy5461")))
	}
}
