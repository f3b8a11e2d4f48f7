package account_test

import (
	"context"
	"testing"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// Who came in and who did not stands in rows that nobody changes, under the account that
// it was about or under none, until they are old.
func TestSignInsAreWrittenDown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		h := newHouse(t, env)
		h.door.Cheaply(1)
		h.door.Tally = &account.Tally{}
		h.member(ann, good)
		_, a := h.signIn(ann)
		from := account.Browser{Agent: "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0", Client: "203.0.113.7"}
		_, _, _ = h.door.EnterPassword(t.Context(), ann, better, from)
		_, _, _ = h.door.EnterPassword(t.Context(), "nobody@example.com", better, account.Browser{Client: "not an address <b>"})
		h.Clock.Add(1e9)
		from.Mark = h.door.Mark(a.ID)
		if _, _, err := h.door.EnterPassword(t.Context(), ann, good, from); err != nil {
			t.Fatal(err)
		}
		of := func(id string) []account.SignIn {
			all, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) ([]account.SignIn, error) {
				return account.SignIns(ctx, tx, id, 10)
			})
			if err != nil {
				t.Fatal(err)
			}
			for i := range all {
				all[i].At = all[i].At.UTC()
			}
			return all
		}
		mine := of(a.ID)
		in := account.SignIn{At: env.Clock.Now(), Way: "password", Known: true, Agent: "Firefox (Windows)", Client: "203.0.113.7"}
		if len(mine) != 4 || mine[0] != in {
			t.Errorf("of the account: %+v", mine)
		}
		refused := 0
		for _, s := range mine {
			if s.Reason == "password_wrong" && !s.Known && s.Agent == "Firefox (Windows)" && s.Client == "203.0.113.7" {
				refused++
			}
		}
		if refused != 1 {
			t.Errorf("%d refused, want 1: %+v", refused, mine)
		}
		if nobodys := of(""); len(nobodys) != 1 || nobodys[0].Reason != "password_wrong" || nobodys[0].Client != "" {
			t.Errorf("of nobody: %+v", nobodys)
		}
		for what, want := range map[account.Tallied]int64{{Way: "password", Outcome: "in"}: 1, {Way: "password", Outcome: "refused"}: 2, {Way: "code", Outcome: "in"}: 2} {
			if got := h.door.Tally.Of(what); got != want {
				t.Errorf("%v: counted %d, want %d", what, got, want)
			}
		}
		err := env.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE sign_ins SET reason = '' WHERE account_id = $1`, a.ID)
			return err
		})
		if err == nil {
			t.Error("what happened was changed afterwards")
		}
		h.Clock.Add(account.KeepSignIns + 1e9)
		for range 10 {
			if worked, err := h.door.Step(t.Context()); err != nil || !worked {
				break
			}
		}
		if left := len(of(a.ID)) + len(of("")); left != 0 {
			t.Errorf("%d are kept for ever", left)
		}
	})
}
