package account_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

const origin = "https://shop.example"

// gadget is an authenticator in a browser, as honest as its owner.
type gadget struct {
	t       *testing.T
	key     *ecdsa.PrivateKey
	id      []byte
	user    []byte
	counter uint32
	origin  string // where its browser is
	host    string // for whom it makes and shows passkeys
	flags   byte   // user present, user verified
}

func newGadget(t *testing.T) *gadget {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return &gadget{t: t, key: key, id: []byte("credential of the tests"), origin: origin, host: "shop.example", flags: 0x05}
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// A few forms of CBOR, RFC 8949.
func head(major byte, n int) []byte {
	if n < 24 {
		return []byte{major<<5 | byte(n)}
	}
	return binary.BigEndian.AppendUint16([]byte{major<<5 | 25}, uint16(n))
}
func octets(b []byte) []byte { return append(head(2, len(b)), b...) }
func text(s string) []byte   { return append(head(3, len(s)), s...) }

func (g *gadget) client(kind, challenge string) []byte {
	b, _ := json.Marshal(map[string]any{"type": kind, "challenge": challenge, "origin": g.origin, "crossOrigin": false})
	return b
}

func (g *gadget) data(flags byte) []byte {
	host := sha256.Sum256([]byte(g.host))
	return binary.BigEndian.AppendUint32(append(host[:], flags), g.counter)
}

// make answers a ceremony that asks for a new passkey.
func (g *gadget) make(c account.Ceremony) []byte {
	var o struct {
		Challenge string
		User      struct{ ID string }
	}
	if err := json.Unmarshal([]byte(c.Options), &o); err != nil {
		g.t.Fatal(err)
	}
	g.user, _ = base64.RawURLEncoding.DecodeString(o.User.ID)
	public := slices.Concat(head(5, 5), []byte{1, 2, 3, 0x26, 0x20, 1, 0x21}, octets(g.key.X.FillBytes(make([]byte, 32))),
		[]byte{0x22}, octets(g.key.Y.FillBytes(make([]byte, 32))))
	data := slices.Concat(g.data(g.flags|0x40), make([]byte, 16), binary.BigEndian.AppendUint16(nil, uint16(len(g.id))), g.id, public)
	object := slices.Concat(head(5, 3), text("fmt"), text("none"), text("attStmt"), head(5, 0), text("authData"), octets(data))
	return g.response(map[string]any{"clientDataJSON": b64(g.client("webauthn.create", o.Challenge)), "attestationObject": b64(object)})
}

// show answers a ceremony that asks who it is.
func (g *gadget) show(c account.Ceremony) []byte {
	var o struct{ Challenge string }
	if err := json.Unmarshal([]byte(c.Options), &o); err != nil {
		g.t.Fatal(err)
	}
	g.counter++
	client, data := g.client("webauthn.get", o.Challenge), g.data(g.flags)
	hash := sha256.Sum256(client)
	sum := sha256.Sum256(append(slices.Clone(data), hash[:]...))
	signature, err := ecdsa.SignASN1(rand.Reader, g.key, sum[:])
	if err != nil {
		g.t.Fatal(err)
	}
	return g.response(map[string]any{
		"clientDataJSON": b64(client), "authenticatorData": b64(data), "signature": b64(signature), "userHandle": b64(g.user),
	})
}

func (g *gadget) response(r map[string]any) []byte {
	b, err := json.Marshal(map[string]any{
		"id": b64(g.id), "rawId": b64(g.id), "type": "public-key", "response": r, "clientExtensionResults": map[string]any{},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	return b
}

// owner is somebody who has just signed in, at a door that offers passkeys.
func (h *house) owner(email string) account.Session {
	h.Helper()
	h.door.Origin = origin
	token, _ := h.signIn(email)
	s, _, err := h.door.Who(h.Context(), token)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func (h *house) begin(s account.Session) account.Ceremony {
	h.Helper()
	c, ok, err := h.door.BeginPasskey(h.Context(), s, "Kumo")
	if err != nil || !ok {
		h.Fatal(ok, err)
	}
	return c
}

func (h *house) entry() account.Ceremony {
	h.Helper()
	c, ok, err := h.door.BeginEntry()
	if err != nil || !ok {
		h.Fatal(ok, err)
	}
	return c
}

func (h *house) show(c account.Ceremony, response []byte) (string, error) {
	token, _, err := h.door.EnterPasskey(h.Context(), c.Ticket, response, account.Browser{Client: "192.0.2.1"})
	return token, err
}

// A passkey is added, opens its account and no other, is listed with its use, and
// is removed; the owner is told.
func TestPasskey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		s, g := h.owner(ann), newGadget(t)
		c := h.begin(s)
		made := g.make(c)
		if err := h.door.AddPasskey(t.Context(), s, c.Ticket, " My\nphone ", made); err != nil {
			t.Fatal(err)
		}
		if got := h.last(ann); got != "A passkey was added" {
			t.Errorf("the owner was told %q", got)
		}
		want(t, h.door.AddPasskey(t.Context(), s, c.Ticket, "", made), fault.Denied, "passkey_unusable")
		env.Clock.Add(time.Hour)
		e := h.entry()
		token, err := h.show(e, g.show(e))
		if err != nil {
			t.Fatal(err)
		}
		in, _, err := h.door.Who(t.Context(), token)
		if err != nil || in.Account != s.Account || in.Way != "passkey" || in.NeedsPassword(env.Clock.Now()) {
			t.Errorf("in: %+v, %v", in, err)
		}
		all, err := h.door.Passkeys(t.Context(), s.Account)
		if err != nil || len(all) != 1 || all[0].Name != "My phone" || !all[0].UsedAt.Equal(env.Clock.Now()) {
			t.Errorf("%+v, %v", all, err)
		}
		want(t, h.door.RemovePasskey(t.Context(), s, all[0].ID), fault.Denied, "sign_in_again")
		stranger := h.owner(bob)
		if err := h.door.RemovePasskey(t.Context(), stranger, all[0].ID); err != nil {
			t.Fatal(err)
		}
		e = h.entry()
		if _, err := h.show(e, g.show(e)); err != nil {
			t.Errorf("a stranger has removed it: %v", err)
		}
		if err := h.door.RemovePasskey(t.Context(), in, all[0].ID); err != nil {
			t.Fatal(err)
		}
		if got := h.last(ann); got != "A passkey was removed" {
			t.Errorf("the owner was told %q", got)
		}
		e = h.entry()
		_, err = h.show(e, g.show(e))
		want(t, err, fault.Denied, "passkey_wrong")
	})
}

// What is not the right answer opens nothing, and the right one still does.
func TestWrongPasskeys(t *testing.T) {
	env := dbtest.SQLite(t)
	h := newHouse(t, env)
	s, g := h.owner(ann), newGadget(t)
	c := h.begin(s)
	if err := h.door.AddPasskey(t.Context(), s, c.Ticket, "", g.make(c)); err != nil {
		t.Fatal(err)
	}
	refused := func(why string, c account.Ceremony, response []byte) {
		t.Helper()
		if token, err := h.show(c, response); token != "" || reason(err) != "passkey_wrong" {
			t.Errorf("%s: %q, %v", why, token, err)
		}
	}
	altered := func(change func(*gadget)) []byte {
		other := *g
		change(&other)
		e := h.entry()
		response := other.show(e)
		refused("altered", e, response)
		return response
	}
	altered(func(g *gadget) { g.origin = "https://evil.example" })
	altered(func(g *gadget) { g.origin = "http://shop.example" })
	altered(func(g *gadget) { g.host = "evil.example" })
	altered(func(g *gadget) { g.flags = 0x01 }) // nobody was verified
	altered(func(g *gadget) { g.flags = 0x04 })
	altered(func(g *gadget) { g.user = []byte(h.owner(bob).Account) })
	altered(func(g *gadget) { g.user = nil })
	altered(func(g *gadget) { g.user = []byte{0xff, 0} })
	altered(func(g *gadget) { g.user = []byte("ac_'; --") })
	altered(func(g *gadget) { g.id = []byte("another credential") })
	altered(func(g *gadget) { g.key = newGadget(t).key })

	e := h.entry()
	right := g.show(e)
	refused("another challenge", h.entry(), right)
	refused("a ticket for adding", h.begin(s), right)
	refused("no ticket", account.Ceremony{}, right)
	refused("no answer", e, nil)
	refused("not JSON", e, []byte("{"))
	env.Clock.Add(15 * time.Minute)
	refused("too late", e, right)
	e = h.entry()
	right = g.show(e)
	if _, err := h.show(e, right); err != nil {
		t.Fatal(err)
	}
	refused("said again", e, right)

	clone := *g
	for _, one := range []*gadget{g, &clone} {
		e := h.entry()
		response := one.show(e)
		if one == g {
			if _, err := h.show(e, response); err != nil {
				t.Fatal(err)
			}
			continue
		}
		refused("a clone, whose counter is behind", e, response)
	}
	env.Clock.Add(2 * time.Hour)
	for range 60 {
		refused("guessing", e, nil)
	}
	_, err := h.show(h.entry(), nil)
	want(t, err, fault.TooMany, "too_many_entries")
}

// A passkey is added only by who has just signed in, in the browser that asked,
// from the shop's own address, with the person verified.
func TestAddingIsGuarded(t *testing.T) {
	env := dbtest.SQLite(t)
	h := newHouse(t, env)
	s, stranger := h.owner(ann), h.owner(bob)
	add := func(s account.Session, c account.Ceremony, response []byte, why string) {
		t.Helper()
		want(t, h.door.AddPasskey(t.Context(), s, c.Ticket, "", response), fault.Denied, why)
	}
	c := h.begin(s)
	add(stranger, c, newGadget(t).make(c), "passkey_unusable")
	second := h.owner(ann)
	add(second, c, newGadget(t).make(c), "passkey_unusable")
	add(s, h.begin(s), newGadget(t).make(c), "passkey_unusable")
	add(s, h.entry(), newGadget(t).make(c), "passkey_unusable")
	for _, change := range []func(*gadget){
		func(g *gadget) { g.origin = "https://evil.example" }, func(g *gadget) { g.host = "evil.example" }, func(g *gadget) { g.flags = 0x01 },
	} {
		g := newGadget(t)
		change(g)
		add(s, c, g.make(c), "passkey_unusable")
	}
	env.Clock.Add(16 * time.Minute)
	add(s, c, newGadget(t).make(c), "sign_in_again")
	if n := count(h, `SELECT count(*) FROM passkeys`); n != 0 {
		t.Errorf("%d passkeys", n)
	}
}

// Where a browser would make none, none is offered.
func TestWherePasskeysAre(t *testing.T) {
	h := newHouse(t, dbtest.SQLite(t))
	for at, offered := range map[string]bool{
		"https://shop.example": true, "https://shop.example:8443": true, "http://localhost:8080": true,
		"http://shop.example": false, "https://192.0.2.1": false, "http://127.0.0.1:8080": false, "https://[2001:db8::1]": false, "": false,
	} {
		h.door.Origin = at
		if _, ok, err := h.door.BeginEntry(); ok != offered || err != nil {
			t.Errorf("%q: %v, %v", at, ok, err)
		}
	}
}
