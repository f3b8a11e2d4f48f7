package app

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/id"
)

// Operators without an adapter are configured whole or not at all, under names of
// their own, and can do what their file says.
func TestOperatorsWithoutAnAdapter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tabi.json")
	document := `{"contract":1,"modes":["extend"],"after_end_seconds":86400,"active_only":false,"per_day":true,"cancel":false,
		"usage_delay_seconds":60,"settles_within_seconds":900,"calls_per_second":5}`
	if err := os.WriteFile(file, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	key := Secret("whsec_" + strings.Repeat("QUJD", 8))
	whole := func(name string) Remote {
		return Remote{
			URL: map[string]string{name: "https://operator.example/x"}, Key: map[string]Secret{name: key + " " + key},
			Capabilities: map[string]string{name: file},
		}
	}
	env := Env{Now: time.Now, Random: bytes.NewReader(make([]byte, 1<<16)), Log: slog.New(slog.DiscardHandler)}
	build := func(c Config) (Adapters, error) { return Real(c, env, id.NewSource(env.Now, env.Random)) }

	a, err := build(Config{Remote: whole("tabi"), Manual: Manual{Within: 12 * time.Hour}})
	if err != nil {
		t.Fatal(err)
	}
	tabi, hand := a.Carriers["tabi"], a.Carriers["manual"]
	if tabi == nil || tabi.Name() != "tabi" || tabi.Abilities().AfterEnd != 24*time.Hour || a.CarrierHooks["tabi"] != remoteHook {
		t.Errorf("tabi: %+v, hooks %v", tabi, a.CarrierHooks)
	}
	if hand == nil || hand.Abilities().SettlesWithin != 12*time.Hour || a.CarrierHooks["manual"] != "" {
		t.Errorf("by hand: %+v", hand)
	}
	for _, name := range []string{"manual", "esimaccess", "simple", "Tabi", "a-b"} {
		if _, err := build(Config{Remote: whole(name)}); err == nil {
			t.Errorf("a remote operator may be called %q", name)
		}
	}
	if _, err := build(Config{Manual: Manual{Within: time.Minute}}); err == nil {
		t.Error("staff have a minute")
	}
	missing := whole("tabi")
	delete(missing.Key, "tabi")
	if err := missing.check(); err == nil || !strings.Contains(err.Error(), "--remote-key tabi=") {
		t.Errorf("without a key: %v", err)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(document, "900", "60", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := build(Config{Remote: whole("tabi")}); err == nil || !strings.Contains(err.Error(), "settles_within_seconds") {
		t.Errorf("a file that settles too soon: %v", err)
	}
}
