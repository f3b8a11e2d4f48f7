package id

import (
	"crypto/rand"
	"errors"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/fault"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

// Whatever belongs to an account says so, and its account is found again.
func TestAccountOf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		when := time.UnixMilli(rapid.Int64Range(0, 1<<50-1).Draw(t, "ms"))
		s := NewSource(at(when), rand.Reader)
		account := s.Account()
		prefix := rapid.StringMatching(`[a-z]{2,4}`).Draw(t, "prefix")
		made := s.Under(prefix, account)
		if !strings.HasPrefix(made, prefix+"_") {
			t.Fatalf("%q does not begin with %q", made, prefix)
		}
		if got, err := AccountOf(made); err != nil || got != account {
			t.Fatalf("AccountOf(%q) = %q, %v; want %q", made, got, err, account)
		}
	})
}

func TestWhatIsNoIDIsNotFound(t *testing.T) {
	s := NewSource(at(noon), rand.Reader)
	account := s.Account()
	good := s.Under("ord", account)
	body := strings.TrimPrefix(good, "ord_")
	for name, bad := range map[string]string{
		"nothing":              "",
		"a prefix":             "ord_",
		"no prefix":            "_" + body,
		"no underscore":        body,
		"an account":           account,
		"of no account":        s.Free("evt"),
		"one letter short":     good[:len(good)-1],
		"one letter more":      good + "0",
		"capitals":             strings.ToUpper(good),
		"a letter left out":    "ord_" + body[:33] + "l",
		"another letter":       "ord_u" + body[1:],
		"a space after":        good + " ",
		"a space for a letter": "ord_" + body[:33] + " ",
		"two prefixes":         "x_" + good,
		"a quote":              "ord_'" + body[1:],
		"not ASCII":            "ord_" + body[:32] + "é",
		"a zero byte":          "ord_" + body[:33] + "\x00",
	} {
		if got, err := AccountOf(bad); fault.KindOf(err) != fault.NotFound || got != "" {
			t.Errorf("%s: AccountOf(%q) = %q, %v; want it not found", name, bad, got, err)
		}
	}
}

// Later identifiers of one account sort after earlier ones, as text, and so do
// accounts and free identifiers.
func TestIDsSortByAge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMilli(rapid.Int64Range(0, 1<<49).Draw(t, "ms"))
		s := NewSource(func() time.Time { return now }, rand.Reader)
		account := s.Account()
		var orders, accounts, free []string
		for _, ms := range rapid.SliceOfN(rapid.Int64Range(1, 1<<40), 2, 20).Draw(t, "steps") {
			now = now.Add(time.Duration(ms) * time.Millisecond)
			orders = append(orders, s.Under("ord", account))
			accounts = append(accounts, s.Account())
			free = append(free, s.Free("evt"))
		}
		for _, ids := range [][]string{orders, accounts, free} {
			if !slices.IsSorted(ids) {
				t.Fatalf("not in the order of their making: %v", ids)
			}
		}
	})
}

// Many at once, in one millisecond, for one account: all different. So few of them have
// the same 30 random bits once in 80,000 runs. Run with -race this also shows that a
// Source may be shared.
func TestSourceIsSharedSafely(t *testing.T) {
	s := NewSource(at(noon), mathrand.NewChaCha8([32]byte{1})) // not safe for concurrent use by itself
	account := s.Account()
	var workers sync.WaitGroup
	made := make([][]string, 8)
	for w := range made {
		workers.Go(func() {
			for range 20 {
				made[w] = append(made[w], s.Under("ord", account), s.Account(), s.Free("evt"), s.Secret(16))
			}
		})
	}
	workers.Wait()
	all := slices.Concat(made...)
	slices.Sort(all)
	if n := len(slices.Compact(slices.Clone(all))); n != len(all) {
		t.Errorf("of %d identifiers %d are different", len(all), n)
	}
}

// The same clock and the same random bytes make the same identifiers: the
// simulated town depends on it. The texts are what is stored; they must not
// change.
func TestIDsAreReproducible(t *testing.T) {
	s := NewSource(at(noon), strings.NewReader(strings.Repeat("\x00\x01\x1f\x20\xff", 20)))
	account := s.Account()
	got := []string{account, s.Under("ln", account), s.Free("evt"), s.Secret(6)}
	want := []string{
		"ac_01kjq6psg001z0z01z", "ln_01kjq6psg001z0z01z01kjq6psg00z01z0", "evt_01kjq6psg0z01z0z01", "HyD_AAEf",
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("made %q, want %q", got[i], want[i])
		}
	}
}

// A secret has all its random bytes in it and can stand in an address.
func TestSecret(t *testing.T) {
	s := NewSource(at(noon), rand.Reader)
	for n := range 40 {
		secret := s.Secret(n)
		if want := (n*8 + 5) / 6; len(secret) != want {
			t.Errorf("Secret(%d) has %d characters, want %d", n, len(secret), want)
		}
		if strings.Trim(secret, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
			t.Errorf("Secret(%d) = %q cannot stand in an address", n, secret)
		}
		if len(s.Bytes(n)) != n {
			t.Errorf("Bytes(%d) has another length", n)
		}
	}
}

func TestPanicsOnBugs(t *testing.T) {
	good := NewSource(at(noon), rand.Reader)
	dry := NewSource(at(noon), iotest.ErrReader(errors.New("no entropy")))
	short := NewSource(at(noon), strings.NewReader("abc"))
	for name, call := range map[string]func(){
		"under no account":       func() { good.Under("ord", "") },
		"under an order":         func() { good.Under("ord", good.Under("ord", good.Account())) },
		"under half an account":  func() { good.Under("ord", "ac_01k9x2m4t7") },
		"without random bytes":   func() { dry.Account() },
		"with too few of them":   func() { short.Account() },
		"a secret without bytes": func() { dry.Secret(16) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			call()
		})
	}
}
