package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/support"
)

// Staff see what waits, read it with its files, answer, and end it.
func TestStaffAnswerCases(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.db")
	tsuzuku := func(args ...string) (string, int) {
		var out bytes.Buffer
		code := run(append(args, "--database", file), &out, &out)
		return out.String(), code
	}
	if out, code := tsuzuku("migrate"); code != 0 {
		t.Fatal(out)
	}
	if out, code := tsuzuku("case", "list", "--waiting"); code != 0 || out != "" {
		t.Errorf("%d %q", code, out)
	}
	base, err := database{file}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids := id.NewSource(time.Now, rand.Reader)
	c, err := db.Written(t.Context(), base, func(ctx context.Context, tx db.Tx) (support.Case, error) {
		a, err := account.Create(ctx, tx, ids, account.New{Email: "aiko@example.com", Language: locale.Ja})
		if err != nil {
			return support.Case{}, err
		}
		return support.Ask(ctx, tx, ids, support.Question{Account: a.ID, Topic: "slow", Said: support.Said{
			Key: "k", Text: "It is slow.\x1b[2J\nSince noon.", Files: []support.File{{Name: "speed.pdf", Content: []byte("%PDF-1.7 a report")}},
		}})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := base.Close(); err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		args string
		code int
		says string
	}{
		{"case list --waiting", 1, "customer:slow"},
		{"case show " + c.ID, 0, "Since noon.\n  [file 1: speed.pdf, application/pdf, 17 bytes]"},
		{"case show " + c.ID + " --file 1", 0, "%PDF-1.7 a report"},
		{"case show " + c.ID + " --file 2", 1, "There is no such file."},
		{"case show cs_none", 1, "There is no such"},
		{"case answer " + c.ID, 2, "--text"},
		{"case answer " + c.ID + " --staff mika --text Restart", 0, "open"},
		{"case list --waiting", 0, ""},
		{"case list", 0, "customer"},
		{"case close " + c.ID + " --staff mika --why solved", 0, "closed"},
		{"case close " + c.ID + " --staff mika --why again", 1, "is closed already"},
		{"case list", 0, ""},
		{"case list --all", 0, c.ID},
	} {
		out, code := tsuzuku(strings.Fields(one.args)...)
		if code != one.code || !strings.Contains(out, one.says) || one.says == "" && out != "" {
			t.Errorf("%s: %d %q", one.args, code, out)
		}
		if strings.Contains(out, "\x1b") {
			t.Errorf("%s steers the terminal", one.args)
		}
	}
}
