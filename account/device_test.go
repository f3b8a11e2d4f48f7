package account_test

import (
	"testing"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
	"github.com/tsuzuku/tsuzuku/seal"
)

// The shop's key is made once, outlives a change of secret while the former one is
// known, and after that too; with a secret that opens nothing there is a new one.
func TestTheKeyOfNotifications(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		drafts := 0
		key := func(secret string, former ...string) string {
			d := &account.Door{DB: env.DB, IDs: id.NewSource(env.Clock.Now, nil), Push: seal.New("notifications", secret, former, nil)}
			text, err := d.PushKey(t.Context(), func() (string, error) { drafts++; return string(rune('a' + drafts)), nil })
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		first := key("one")
		for i, again := range []string{key("one"), key("two", "one"), key("two")} {
			if again != first {
				t.Errorf("%d: the key is %q now, was %q", i, again, first)
			}
		}
		if other := key("three"); other == first || key("three") != other {
			t.Errorf("a secret that opens nothing has the key %q", other)
		}
	})
}
