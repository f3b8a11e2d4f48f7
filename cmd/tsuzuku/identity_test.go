package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/account"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/seal"
)

// Staff see what waits without a name, open it with the secret, and decide; whoever
// looked and decided stands in the trail, and photos are for them alone.
func TestStaffCheckIdentities(t *testing.T) {
	dir := t.TempDir()
	file, photos := filepath.Join(dir, "shop.db"), filepath.Join(dir, "photos")
	if err := os.Mkdir(photos, 0o700); err != nil {
		t.Fatal(err)
	}
	const secret = "a secret of the tests, long enough"
	tsuzuku := func(args ...string) (string, int) {
		var out bytes.Buffer
		code := run(append(args, "--database", file), &out, &out)
		return out.String(), code
	}
	if out, code := tsuzuku("migrate"); code != 0 {
		t.Fatal(out)
	}
	base, err := database{file}.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ids, box := id.NewSource(time.Now, rand.Reader), seal.New(identity.Purpose, secret, nil, nil)
	c, err := db.Written(t.Context(), base, func(ctx context.Context, tx db.Tx) (c identity.Check, err error) {
		if _, _, err := catalogue.Apply(ctx, tx, catalogue.DemoFile(), "test"); err != nil {
			return c, err
		}
		a, err := account.Create(ctx, tx, ids, account.New{Email: "aiko@example.com"})
		if err != nil {
			return c, err
		}
		c, err = identity.Write(ctx, tx, box, ids, a.ID, "kaisha-month", identity.Papers{
			Name: "Aiko\x1b[2J Tanaka", Nationality: "TW", Born: "1990-02-28", Document: "passport", Number: "XK1234567", Expires: time.Now().AddDate(5, 0, 0).Format(time.DateOnly),
		})
		for _, kind := range identity.Photos {
			if err == nil {
				_, err = identity.AddPhoto(ctx, tx, box, c.Key(), kind, identity.Picture("the "+kind))
			}
		}
		if err != nil {
			return c, err
		}
		return identity.Send(ctx, tx, box, c.Key())
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		args string
		code int
		says string
	}{
		{"identity list --waiting", 1, "kaisha-month"},
		{"identity show " + c.ID, 2, "secret"},
		{"identity show " + c.ID + " --secret wrong-wrong-wrong-wrong-wrong-wrong", 1, "cannot be opened"},
		{"identity show " + c.ID + " --staff mika --secret-file", 0, "XK1234567"},
		{"identity show " + c.ID + " --staff mika --secret-file --photos " + photos, 0, "-face.jpg"},
		{"identity show " + c.ID + " --staff mika --secret-file --photos " + photos, 1, "exists"},
		{"identity show idc_none --secret-file", 1, "There is no such"},
		{"identity refuse " + c.ID, 2, "--reason"},
		{"identity refuse " + c.ID + " --reason ugly", 2, "must be one of"},
		{"identity refuse " + c.ID + " --staff mika --reason cut_off", 0, "refused, erased"},
		{"identity approve " + c.ID + " --staff mika", 1, "nothing to decide"},
		{"identity list", 0, ""},
		{"identity list --all", 0, "cut_off"},
	} {
		key := filepath.Join(dir, "secret")
		if err := os.WriteFile(key, []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
		out, code := tsuzuku(strings.Fields(strings.ReplaceAll(one.args, "--secret-file", "--secret @"+key))...)
		if code != one.code || !strings.Contains(out, one.says) || one.says == "" && out != "" {
			t.Errorf("%s: %d %q", one.args, code, out)
		}
		if strings.Contains(out, "\x1b") || strings.Contains(out, secret) || strings.Contains(one.args, "list") && strings.Contains(out, "Aiko") {
			t.Errorf("%s says too much: %q", one.args, out)
		}
	}
	info, err := os.Stat(filepath.Join(photos, c.ID+"-face.jpg"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	var trail []string
	err = base.Read(t.Context(), func(ctx context.Context, tx db.Tx) error {
		rows, err := tx.Query(ctx, `SELECT staff, action FROM trail WHERE account_id = $1 AND subject = $2 ORDER BY at, id`, c.Account, c.ID)
		if err != nil {
			return err
		}
		defer rows.Close() //nolint:errcheck // a test
		for rows.Next() {
			var staff, action string
			if err := rows.Scan(&staff, &action); err != nil {
				return err
			}
			trail = append(trail, staff+" "+action)
		}
		return rows.Err()
	})
	want := "mika look at identity,mika look at identity,mika look at identity,mika refuse identity"
	if got := strings.Join(trail, ","); err != nil || got != want {
		t.Errorf("the trail has %q, %v", got, err)
	}
	if err := base.Close(); err != nil {
		t.Fatal(err)
	}
}
