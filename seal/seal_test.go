package seal_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tsuzuku/tsuzuku/seal"
)

// Whatever is sealed opens again, where it was put and nowhere else, looks
// different each time, and does not show.
func TestSealAndOpen(t *testing.T) {
	b := seal.New("tools", "the shop's secret", nil, nil)
	rapid.Check(t, func(t *rapid.T) {
		text, place, other := rapid.String().Draw(t, "text"), rapid.String().Draw(t, "place"), rapid.String().Draw(t, "other")
		one, err := b.Seal(text, place)
		if err != nil {
			t.Fatal(err)
		}
		two, _ := b.Seal(text, place)
		if one == two {
			t.Fatal("sealed twice, it looks the same")
		}
		if len(text) > 4 && strings.Contains(one, text) {
			t.Fatalf("%q shows in %q", text, one)
		}
		if got, stale, err := b.Open(one, place); err != nil || stale || got != text {
			t.Fatalf("Open = %q, %t, %v; want %q", got, stale, err, text)
		}
		if _, _, err := b.Open(one, other); other != place && !errors.Is(err, seal.ErrOpen) {
			t.Fatalf("opened for %q, sealed for %q", other, place)
		}
	})
}

// Another secret opens it only while the former one is given, and says so;
// another purpose never does.
func TestChangedSecret(t *testing.T) {
	sealed, err := seal.New("tools", "first", nil, nil).Seal("pm_1", "row")
	if err != nil {
		t.Fatal(err)
	}
	if got, stale, err := seal.New("tools", "second", []string{"first"}, nil).Open(sealed, "row"); got != "pm_1" || !stale || err != nil {
		t.Errorf("with the former secret: %q, %t, %v", got, stale, err)
	}
	for name, b := range map[string]*seal.Box{
		"another secret": seal.New("tools", "second", nil, nil), "another purpose": seal.New("codes", "first", nil, nil),
	} {
		if _, _, err := b.Open(sealed, "row"); !errors.Is(err, seal.ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What was changed does not open, and nothing makes Open panic.
func TestForgery(t *testing.T) {
	b := seal.New("tools", "secret", nil, nil)
	good, err := b.Seal("pm_1", "row")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		bad := []byte(good)
		i := rapid.IntRange(0, len(bad)-2).Draw(t, "at") // the last character has bits that count for nothing
		bad[i] = rapid.Byte().Draw(t, "byte")
		if got, _, err := b.Open(string(bad), "row"); string(bad) != good && err == nil {
			t.Fatalf("opened %q as %q", bad, got)
		}
		_, _, _ = b.Open(rapid.String().Draw(t, "anything"), "row")
	})
}

// Marks are equal for equal things only.
func TestMark(t *testing.T) {
	b := seal.New("tools", "secret", nil, nil)
	one := b.Mark("fingerprint", "stripe")
	if one != b.Mark("fingerprint", "stripe") {
		t.Error("the same thing has two marks")
	}
	for _, other := range []string{
		b.Mark("fingerprinT", "stripe"), b.Mark("fingerprint", "strip"), b.Mark("print", "stripe finger"),
		seal.New("tools", "other", nil, nil).Mark("fingerprint", "stripe"),
	} {
		if other == one {
			t.Error("two things have one mark")
		}
	}
}
