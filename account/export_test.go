package account

import (
	"context"

	"github.com/tsuzuku/tsuzuku/db"
)

// AskIn is [Door.AskCode] within a transaction of the caller's.
func (d *Door) AskIn(ctx context.Context, tx db.Tx, email string) (string, error) {
	return d.ask(ctx, tx, d.prepareAsk(email, "en", Browser{Client: "192.0.2.1"}))
}

// Cheaply makes the door hash with less work than it should; passes makes the
// parameters differ.
func (d *Door) Cheaply(passes uint32) { d.cheap = argon{memory: 64, passes: passes, lanes: 1} }

// PHC hashes a password with todaysArgon's kind of work, and Fits compares it.
func PHC(ctx context.Context, memory, passes uint32, lanes uint8, password, salt string) (string, error) {
	return argon{memory, passes, lanes}.hash(ctx, []byte(password), []byte(salt))
}

// Fits reads a PHC string and compares a password with it.
func Fits(ctx context.Context, phc, password string) (fits, readable bool) {
	p, ok := readPHC(phc)
	if !ok {
		return false, false
	}
	fits, err := p.fits(ctx, []byte(password))
	return fits && err == nil, true
}

var (
	Describe     = describe
	Network      = network
	GoodPassword = goodPassword
)

// Occupy takes all that hash passwords, until release.
func Occupy() (release func()) {
	for range hashersAtOnce {
		hashers <- struct{}{}
	}
	return func() {
		for range hashersAtOnce {
			<-hashers
		}
	}
}
