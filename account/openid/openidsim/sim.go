// Package openidsim is an OpenID provider with people who sign in at it, by the
// published specifications: OpenID Connect Core 1.0 and Discovery 1.0, RFC 6749, RFC
// 7636 and RFC 9207. It takes nothing that they do not allow, and lies on request. It
// shares nothing with those who ask it.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package openidsim

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// Person is somebody who can sign in.
type Person struct {
	Subject, Name, Email string
	Verified             bool // the provider has seen that they read their mail
}

// Lie is how the provider misbehaves, once.
type Lie string

// The lies.
const (
	Honest        Lie = ""
	WrongNonce    Lie = "wrong_nonce"    // the token is for another question
	NoNonce       Lie = "no_nonce"       // the token is for no question
	Expired       Lie = "expired"        // the token is over
	FromTheFuture Lie = "future"         // the token is issued an hour from now
	WrongAudience Lie = "wrong_audience" // the token is for another client
	TwoAudiences  Lie = "two_audiences"  // the token is for another client, too
	WrongParty    Lie = "wrong_party"    // the token was given to another client
	WrongIssuer   Lie = "wrong_issuer"   // the token is another issuer's
	NobodyNamed   Lie = "nobody"         // the token names nobody
	Unsigned      Lie = "unsigned"       // alg none
	OtherKey      Lie = "other_key"      // signed with a key that is not published
	PublicAsMAC   Lie = "public_as_mac"  // alg HS256, with what is public as its key
	Changed       Lie = "changed"        // changed after it was signed
	NoToken       Lie = "no_token"       // the answer to the code has no ID token
	MixUp         Lie = "mix_up"         // the browser brings another issuer's name (RFC 9207)
	NoName        Lie = "no_name"        // the browser brings no issuer's name, though it was promised
	OtherState    Lie = "other_state"    // the browser brings another state
	NoAnswer      Lie = "no_answer"      // the code is taken, and the answer is lost
	Broken        Lie = "broken"         // the code is answered with 500
)

// Lies are all of them but Honest, for tests that try each.
var Lies = []Lie{
	WrongNonce, NoNonce, Expired, FromTheFuture, WrongAudience, TwoAudiences, WrongParty, WrongIssuer, NobodyNamed, Unsigned, OtherKey,
	PublicAsMAC, Changed, NoToken, MixUp, NoName, OtherState, NoAnswer, Broken,
}

// Config is what a provider is made from.
type Config struct {
	Issuer    string // where it is reached, without a slash at its end
	Title     string
	Client    string
	Secret    string
	Redirects []string // where it may send browsers back to, exactly
	People    []Person
	Now       func() time.Time
	Random    io.Reader
	Algorithm string // ES256 where empty; RS256 or HS256
	FormOnly  bool   // the client's secret is taken in the form alone
}

// Sim is the provider. It is safe for concurrent use.
type Sim struct {
	c     Config
	keys  keys
	other keys

	mu    sync.Mutex
	lie   Lie
	away  bool
	loses bool
	codes map[string]grant
}

// grant is what somebody agreed to.
type grant struct {
	person          Person
	redirect, nonce string
	challenge       string
	until           time.Time
	lie             Lie
}

// New returns a provider at which nobody has signed in. It panics without random bytes.
func New(c Config) *Sim {
	if c.Algorithm == "" {
		c.Algorithm = "ES256"
	}
	return &Sim{c: c, keys: newKeys(c.Algorithm, c.Secret, c.Random), other: newKeys(c.Algorithm, "another secret", c.Random), codes: map[string]grant{}}
}

// Misbehave lets the next person's sign-in be told wrongly.
func (s *Sim) Misbehave(l Lie) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lie = l
}

// Away lets nobody reach the provider, or everybody again.
func (s *Sim) Away(away bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.away = away
}

// Loses reports whether the answer to this request gets lost on the wire.
func (s *Sim) Loses(r *http.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.loses || !strings.HasSuffix(r.URL.Path, "/token") {
		return false
	}
	s.loses = false
	return true
}

// ServeHTTP implements [http.Handler]: the paths are below the issuer's.
func (s *Sim) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	away := s.away
	s.mu.Unlock()
	if away {
		http.Error(w, "out of order", http.StatusServiceUnavailable)
		return
	}
	base, _ := url.Parse(s.c.Issuer) // it was made with one
	switch r.Method + " " + strings.TrimPrefix(r.URL.Path, base.Path) {
	case "GET /.well-known/openid-configuration":
		s.describe(w)
	case "GET /keys":
		reply(w, http.StatusOK, map[string]any{"keys": s.keys.public()})
	case "GET /authorize":
		s.ask(w, r)
	case "POST /authorize":
		s.agree(w, r)
	case "POST /token":
		s.token(w, r)
	default:
		http.NotFound(w, r)
	}
}

func (s *Sim) describe(w http.ResponseWriter) {
	methods := []string{"client_secret_basic", "client_secret_post"}
	if s.c.FormOnly {
		methods = methods[1:]
	}
	reply(w, http.StatusOK, map[string]any{
		"issuer": s.c.Issuer, "authorization_endpoint": s.c.Issuer + "/authorize", "token_endpoint": s.c.Issuer + "/token",
		"jwks_uri": s.c.Issuer + "/keys", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
		"id_token_signing_alg_values_supported": []string{s.c.Algorithm}, "code_challenge_methods_supported": []string{"S256"},
		"token_endpoint_auth_methods_supported": methods, "authorization_response_iss_parameter_supported": true,
	})
}

// wrongAsk says what is wrong with a request before the browser may be sent back, and
// wrongWish what is wrong with one that may.
func (s *Sim) wrongAsk(q url.Values) string {
	switch {
	case q.Get("client_id") != s.c.Client:
		return "nobody knows this client"
	case !slices.Contains(s.c.Redirects, q.Get("redirect_uri")):
		return "this client has no such redirect_uri"
	}
	return ""
}

func wrongWish(q url.Values) string {
	switch {
	case q.Get("response_type") != "code":
		return "unsupported_response_type"
	case !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		return "invalid_scope"
	case q.Get("code_challenge_method") != "S256" || len(q.Get("code_challenge")) != 43 || q.Get("state") == "" || q.Get("nonce") == "":
		return "invalid_request"
	}
	return ""
}

var page = template.Must(template.New("").Parse(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>{{.Title}}</title>
<h1>{{.Title}}</h1><p>A simulated service. Who are you?</p><form method="post">
{{range .Query}}<input type="hidden" name="{{.Name}}" value="{{.Value}}">{{end}}
{{range .People}}<p><button name="person" value="{{.Subject}}">{{.Name}}{{with .Email}} ({{.}}){{end}}</button></p>{{end}}
<p><button name="person" value="">Do not sign in</button></p></form></html>`))

type hidden struct{ Name, Value string }

func (s *Sim) ask(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if wrong := s.wrongAsk(q); wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	if wrong := wrongWish(q); wrong != "" {
		s.back(w, r, q, url.Values{"error": {wrong}}, Honest)
		return
	}
	var kept []hidden
	for _, name := range []string{"client_id", "redirect_uri", "response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method"} {
		kept = append(kept, hidden{name, q.Get(name)})
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_ = page.Execute(w, map[string]any{"Title": s.c.Title, "Query": kept, "People": s.c.People}) // who left does not see it
}

// agree is a person who has chosen.
func (s *Sim) agree(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		http.Error(w, "a form that cannot be read", http.StatusBadRequest)
		return
	}
	all := r.PostForm
	if wrong := s.wrongAsk(all); wrong != "" {
		http.Error(w, wrong, http.StatusBadRequest)
		return
	}
	if wrong := wrongWish(all); wrong != "" {
		s.back(w, r, all, url.Values{"error": {wrong}}, Honest)
		return
	}
	i := slices.IndexFunc(s.c.People, func(p Person) bool { return p.Subject == all.Get("person") })
	if i < 0 {
		s.back(w, r, all, url.Values{"error": {"access_denied"}}, Honest)
		return
	}
	code := s.random(24)
	s.mu.Lock()
	g := grant{s.c.People[i], all.Get("redirect_uri"), all.Get("nonce"), all.Get("code_challenge"), s.c.Now().Add(time.Minute), s.lie}
	s.lie, s.loses = Honest, g.lie == NoAnswer
	s.codes[code] = g
	s.mu.Unlock()
	s.back(w, r, all, url.Values{"code": {code}}, g.lie)
}

// back sends the browser back.
func (s *Sim) back(w http.ResponseWriter, r *http.Request, q, say url.Values, l Lie) {
	say.Set("state", q.Get("state"))
	say.Set("iss", s.c.Issuer)
	switch l { //nolint:exhaustive // the others lie elsewhere
	case MixUp:
		say.Set("iss", "https://another.example")
	case NoName:
		say.Del("iss")
	case OtherState:
		say.Set("state", s.random(32))
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+say.Encode(), http.StatusSeeOther)
}

// token takes a code, once.
func (s *Sim) token(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, why string) { reply(w, status, map[string]string{"error": why}) }
	client, secret, basic := r.BasicAuth()
	if s.c.FormOnly || !basic {
		client, secret = url.QueryEscape(r.PostFormValue("client_id")), url.QueryEscape(r.PostFormValue("client_secret"))
	}
	if basic && s.c.FormOnly || client != url.QueryEscape(s.c.Client) || subtle.ConstantTimeCompare([]byte(secret), []byte(url.QueryEscape(s.c.Secret))) != 1 {
		fail(http.StatusUnauthorized, "invalid_client")
		return
	}
	code := r.PostFormValue("code")
	s.mu.Lock()
	g, ok := s.codes[code]
	delete(s.codes, code)
	s.mu.Unlock()
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	switch {
	case r.PostFormValue("grant_type") != "authorization_code":
		fail(http.StatusBadRequest, "unsupported_grant_type")
		return
	case !ok, s.c.Now().After(g.until), g.redirect != r.PostFormValue("redirect_uri"),
		g.challenge != base64.RawURLEncoding.EncodeToString(sum[:]), len(r.PostFormValue("code_verifier")) < 43:
		fail(http.StatusBadRequest, "invalid_grant")
		return
	}
	answer := map[string]any{"access_token": s.random(24), "token_type": "Bearer", "expires_in": 3600, "id_token": s.sign(g)}
	switch g.lie { //nolint:exhaustive // the others lie in the token, or have lied
	case Broken:
		w.WriteHeader(http.StatusInternalServerError)
		return
	case NoToken:
		delete(answer, "id_token")
	}
	reply(w, http.StatusOK, answer)
}

// sign is the ID token, as true as it is to be.
func (s *Sim) sign(g grant) string {
	now := s.c.Now()
	claims := map[string]any{
		"iss": s.c.Issuer, "sub": g.person.Subject, "aud": s.c.Client, "nonce": g.nonce,
		"iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(), "name": g.person.Name,
	}
	if g.person.Email != "" {
		claims["email"], claims["email_verified"] = g.person.Email, g.person.Verified
	}
	k, alg := s.keys, s.c.Algorithm
	switch g.lie { //nolint:exhaustive // the others lie elsewhere
	case WrongNonce:
		claims["nonce"] = s.random(32)
	case NoNonce:
		delete(claims, "nonce")
	case Expired:
		claims["iat"], claims["exp"] = now.Add(-time.Hour).Unix(), now.Add(-2*time.Minute).Unix()
	case FromTheFuture:
		claims["iat"], claims["exp"] = now.Add(time.Hour).Unix(), now.Add(2*time.Hour).Unix()
	case WrongAudience:
		claims["aud"] = "another-client"
	case TwoAudiences:
		claims["aud"], claims["azp"] = []string{s.c.Client, "another-client"}, s.c.Client
	case WrongParty:
		claims["azp"] = "another-client"
	case WrongIssuer:
		claims["iss"] = "https://another.example"
	case NobodyNamed:
		claims["sub"] = ""
	case OtherKey:
		k = s.other
		k.id = s.keys.id
	case Unsigned:
		return join(map[string]string{"alg": "none"}, claims) + "."
	case PublicAsMAC:
		public, err := json.Marshal(s.keys.public())
		if err != nil {
			panic(err)
		}
		k, alg = newKeys("HS256", string(public), nil), "HS256"
	}
	token := k.sign(alg, claims)
	if g.lie == Changed {
		head, rest, _ := strings.Cut(token, ".")
		_, signature, _ := strings.Cut(rest, ".")
		claims["sub"] = "somebody else"
		return head + "." + encode(claims) + "." + signature
	}
	return token
}

func (s *Sim) random(n int) string {
	b := make([]byte, n)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := io.ReadFull(s.c.Random, b); err != nil {
		panic(fmt.Sprint("openidsim: no random bytes: ", err))
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who left does not see it
}
