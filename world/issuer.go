package world

import (
	"crypto/rand"
	"net/http"

	"github.com/tsuzuku/tsuzuku/account/openid/openidsim"
	"github.com/tsuzuku/tsuzuku/outbound/outboundsim"
)

// The town's OpenID provider, as the house is told of it. They open nothing else.
const (
	Issuer       = "kaisha"
	IssuerTitle  = "Kaisha Inc."
	IssuerClient = "simulated-openid-client"
	IssuerSecret = "simulated-openid-client-secret"
)

// addIssuer lets people of the town sign in at a company.
func (s *Strangers) addIssuer(f founding) {
	s.Issuer = openidsim.New(openidsim.Config{
		Issuer: f.url + "/sim/" + Issuer, Title: IssuerTitle, Client: IssuerClient, Secret: IssuerSecret, Now: f.now, Random: rand.Reader,
		Redirects: []string{f.url + "/sign-in/with/" + Issuer + "/back"},
		People: []openidsim.Person{
			{Subject: "1001", Name: "Nao, who is new to the shop", Email: "nao@kaisha.example", Verified: true},
			{Subject: "1002", Name: "The shop's customer", Email: Traveller, Verified: true},
			{Subject: "1003", Name: "Somebody whose mail the company does not know"},
		},
	})
	s.wires["issuer "+Issuer] = &outboundsim.Wire{Stranger: s.Issuer, Choose: func(r *http.Request) outboundsim.Fault {
		if s.Issuer.Loses(r) {
			return outboundsim.LoseAnswer
		}
		return outboundsim.None
	}}
}

// lying are the buttons of the town's issuer.
func lying() (all []trouble) {
	for _, l := range []struct {
		lie  openidsim.Lie
		says string
	}{
		{openidsim.WrongNonce, "says who signed in for another question"},
		{openidsim.Expired, "gives a token that is over"},
		{openidsim.WrongAudience, "gives a token for another shop"},
		{openidsim.Unsigned, "gives a token that nobody signed"},
		{openidsim.OtherKey, "signs with a key that it has not published"},
		{openidsim.MixUp, "sends the browser back in another issuer's name"},
		{openidsim.NoAnswer, "takes the code, and its answer is lost"},
	} {
		all = append(all, trouble{"issuer-" + string(l.lie), "Signing in elsewhere: the company " + l.says, func(s *Strangers) { s.Issuer.Misbehave(l.lie) }})
	}
	return all
}
