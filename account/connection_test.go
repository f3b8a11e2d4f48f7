package account_test

import (
	"context"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

var atKaisha = account.Identity{Issuer: "kaisha", Address: "https://kaisha.example", Subject: "1001", Email: "Ann@Example.com", Verified: true, Name: "Ann"}

// One person of an issuer opens one account: the one that was made for them, or the one
// whose owner connected them; the same name at another issuer is somebody else; after
// the account is closed they begin anew.
func TestConnections(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		enter := func(who account.Identity) (account.Account, error) {
			_, a, err := h.door.EnterIdentity(t.Context(), who, "ja", account.Browser{})
			return a, err
		}
		first, err := enter(atKaisha)
		if err != nil || first.Name != "Ann" || first.State != account.Active || first.Language != "ja" {
			t.Fatalf("%+v, %v", first, err)
		}
		if again, err := enter(atKaisha); err != nil || again.ID != first.ID {
			t.Errorf("again: %+v, %v", again, err)
		}
		other := atKaisha
		other.Address = "https://another.example"
		_, err = enter(other)
		want(t, err, fault.Denied, "connection_unproven")
		other.Verified, other.Email = false, "new@example.com"
		_, err = enter(other)
		want(t, err, fault.Denied, "connection_unproven")

		token, a := h.signIn(bob)
		s, _, err := h.door.Who(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		want(t, h.door.Connect(t.Context(), s, atKaisha, "Kaisha"), fault.Conflict, "connected_elsewhere")
		if err := h.door.Connect(t.Context(), s, other, "Other"); err != nil {
			t.Fatal(err)
		}
		if err := h.door.Connect(t.Context(), s, other, "Other"); err != nil {
			t.Errorf("twice: %v", err)
		}
		if got, err := enter(other); err != nil || got.ID != a.ID {
			t.Errorf("connected: %+v, %v", got, err)
		}
		entered, _, err := h.door.EnterIdentity(t.Context(), other, "en", account.Browser{})
		if err != nil {
			t.Fatal(err)
		}
		weak, _, err := h.door.Who(t.Context(), entered)
		if err != nil || weak.Fresh(h.Clock.Now()) {
			t.Errorf("an issuer's session counts as fresh: %+v, %v", weak, err)
		}
		want(t, h.door.Connect(t.Context(), weak, atKaisha, "Kaisha"), fault.Denied, "sign_in_again")

		id := h.connections(a.ID)[0].ID
		title := func(string) string { return "Other" }
		write(h, `DELETE FROM addresses WHERE account_id = '`+a.ID+`'`)
		want(t, h.door.Disconnect(t.Context(), s, id, title), fault.Conflict, "last_way")
		write(h, `INSERT INTO addresses (account_id, id, channel, value, verified_at, created_at) VALUES ('`+a.ID+`', 'ad_x', 'email', 'bob@example.com', 1, 1)`)
		if err := h.door.Disconnect(t.Context(), s, id, title); err != nil {
			t.Fatal(err)
		}
		_, err = enter(other)
		want(t, err, fault.Denied, "connection_unproven")

		write(h, `UPDATE accounts SET state = 'closing', closes_at = 1 WHERE account_id = '`+first.ID+`'`)
		err = env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := account.EraseClosed(ctx, tx, first.ID, tx.Now())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if n := count(h, `SELECT count(*) FROM connections`) + count(h, `SELECT count(*) FROM sign_ins WHERE account_id = '`+first.ID+`'`); n != 0 {
			t.Errorf("%d rows outlive the account", n)
		}
		h.Clock.Add(time.Hour)
		if anew, err := enter(atKaisha); err != nil || anew.ID == first.ID {
			t.Errorf("after closing: %+v, %v", anew, err)
		}
	})
}

func (h *house) connections(of string) []account.Connection {
	h.Helper()
	all, err := db.Seen(h.Context(), h.DB, func(ctx context.Context, tx db.Tx) ([]account.Connection, error) {
		return account.Connections(ctx, tx, of)
	})
	if err != nil || len(all) == 0 {
		h.Fatal(all, err)
	}
	return all
}

func write(h *house, statement string) {
	h.Helper()
	err := h.DB.Write(h.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, statement)
		return err
	})
	if err != nil {
		h.Fatal(err)
	}
}
