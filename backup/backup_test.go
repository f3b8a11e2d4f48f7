package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// fill puts n rows into the directory, and a balanced transfer for each into the
// ledger.
func fill(t *testing.T, d *db.DB, n int) {
	t.Helper()
	err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		for i := range n {
			b.Row(`INSERT INTO directory (kind, value, account_id, id) VALUES ($1, $2, $3, $4)`, "test", fmt.Sprintf("%d", i), "acc_1", "x")
			b.Row(`INSERT INTO transfers (account_id, subject, step, n, from_book, to_book, minor, currency, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
				"acc_1", fmt.Sprintf("s%d", i), "opening", 0, "opening", "fees", int64(i+1), "JPY", db.At(tx.Now()))
		}
		return tx.Batch(ctx, &b)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// elsewhere is an empty place on the same engine.
func elsewhere(t *testing.T, env dbtest.Env) string {
	t.Helper()
	if env.DB.Engine() == db.SQLite {
		return filepath.Join(t.TempDir(), "new.db")
	}
	url, drop, err := sideBySide(t.Context(), env.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return url
}

func made(t *testing.T, env dbtest.Env, to string) Report {
	t.Helper()
	r, err := Make(t.Context(), env.DB, env.URL, to, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What was backed up is restored: every row, the sums, the schema, on both
// engines; and only its owner may read it.
func TestRestoredIsWhatWasBackedUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		fill(t, env.DB, 100)
		dir := t.TempDir()
		r := made(t, env, dir)
		if info, err := os.Stat(r.File); err != nil || info.Mode().Perm() != 0o600 || info.Size() != r.Bytes || r.File != filepath.Join(dir, "tsuzuku-20260302T030000Z.backup") {
			t.Errorf("%v %v, %+v", info, err, r)
		}
		if r.Facts.Rows["directory"] != 100 || len(r.Facts.Books) != 1 || r.Facts.Books[0].Minor != 5050 || !r.Audited || len(r.Notes) != 0 {
			t.Errorf("%+v", r)
		}
		url := elsewhere(t, env)
		back, err := Restore(t.Context(), r.File, url)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r.Facts, back.Facts); diff != "" || !back.Audited {
			t.Errorf("audited %v, %s", back.Audited, diff)
		}
		d, err := db.Open(t.Context(), url, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close() //nolint:errcheck // it only read
		if _, err := d.CheckSchema(t.Context()); err != nil {
			t.Error(err)
		}
		if left, err := filepath.Glob(filepath.Join(dir, ".*")); err != nil || left != nil {
			t.Errorf("left behind: %v %v", left, err)
		}
		if _, err := Restore(t.Context(), r.File, url); fault.KindOf(err) != fault.Conflict {
			t.Errorf("restored over data: %v", err)
		}
	})
}

// Neither a backup nor a restore takes the place of a file, nor leaves anything
// when it refuses; a log beside the target would be taken for the new file's own.
func TestNothingIsWrittenOver(t *testing.T) {
	env := dbtest.SQLite(t)
	r := made(t, env, filepath.Join(t.TempDir(), "a.backup"))
	for name, to := range map[string]string{
		"the same name": r.File, "a directory that is not there": filepath.Join(t.TempDir(), "no") + "/",
	} {
		if _, err := Make(t.Context(), env.DB, env.URL, to, Options{}); fault.KindOf(err) != fault.Conflict && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, beside := range []string{"", "-wal", "-journal"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "shop.db"+beside), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Restore(t.Context(), r.File, filepath.Join(dir, "shop.db"))
		if files, _ := os.ReadDir(dir); fault.KindOf(err) != fault.Conflict || len(files) != 1 {
			t.Errorf("beside shop.db%s: %v, %v", beside, err, files)
		}
	}
}

// A file that somebody else makes while the backup is being made is theirs.
func TestNameTakenMeanwhile(t *testing.T) {
	env := dbtest.SQLite(t)
	file := filepath.Join(t.TempDir(), "a.backup")
	_, err := Make(t.Context(), env.DB, env.URL, file, Options{Observe: func() {
		if err := os.WriteFile(file, []byte("theirs"), 0o600); err != nil {
			t.Error(err)
		}
	}})
	if text, _ := os.ReadFile(file); fault.KindOf(err) != fault.Conflict || string(text) != "theirs" {
		t.Errorf("%v, %q", err, text)
	}
}

// Whatever is cut off or changed, wherever: it is refused in words, or it does
// not matter because the very same database comes out.
func TestSpoiltBackups(t *testing.T) {
	env := dbtest.SQLite(t)
	fill(t, env.DB, 100)
	r := made(t, env, filepath.Join(t.TempDir(), "a.backup"))
	whole, err := os.ReadFile(r.File)
	if err != nil {
		t.Fatal(err)
	}
	try := func(what string, text []byte) (refused bool) {
		t.Helper()
		dir := t.TempDir()
		file := filepath.Join(dir, "b.backup")
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		facts, _, err := unpack(file, dir)
		if err != nil && (fault.KindOf(err) != fault.Invalid || !strings.Contains(fault.Message(err), "Tsuzuku")) {
			t.Errorf("%s: no words: %v", what, err)
		}
		if err == nil && !cmp.Equal(facts, r.Facts) {
			t.Errorf("%s: other facts", what)
		}
		return err != nil
	}
	for n := range 20 {
		if size := len(whole) * n / 20; !try(fmt.Sprint("cut at ", size), whole[:size]) {
			t.Errorf("cut at %d: taken", size)
		}
	}
	if !try("the last byte is missing", whole[:len(whole)-1]) {
		t.Error("the last byte is missing: taken")
	}
	taken := 0
	for n := range 60 {
		at := len(whole) * n / 60
		flipped := append([]byte(nil), whole...)
		flipped[at] ^= 1 << (n % 8)
		if !try(fmt.Sprint("flipped at ", at), flipped) {
			taken++
		}
	}
	if taken > 6 {
		t.Errorf("%d of 60 flips were not noticed", taken) // a date in the archive's directory may
	}
	target := filepath.Join(t.TempDir(), "new.db")
	file := filepath.Join(t.TempDir(), "c.backup")
	whole[len(whole)/3] ^= 4
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), file, target); fault.KindOf(err) != fault.Invalid {
		t.Errorf("restored: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(target)); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// setVersion makes the schema look like another program's.
func setVersion(t *testing.T, d *db.DB, query string) {
	t.Helper()
	err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, query)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// An older schema is backed up and restored, and not audited; a newer one is
// refused by a restore; an engine that is another, too.
func TestOtherSchemas(t *testing.T) {
	older := dbtest.SQLite(t)
	setVersion(t, older.DB, `DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)`)
	r := made(t, older, t.TempDir())
	if back, err := Restore(t.Context(), r.File, filepath.Join(t.TempDir(), "new.db")); err != nil || back.Audited || r.Audited || back.Facts.Books != nil {
		t.Errorf("%v, %+v", err, back)
	}
	newer := dbtest.SQLite(t)
	setVersion(t, newer.DB, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, true)`)
	r = made(t, newer, t.TempDir())
	if _, err := Restore(t.Context(), r.File, filepath.Join(t.TempDir(), "new.db")); err == nil || !strings.Contains(err.Error(), "newer version of Tsuzuku") {
		t.Errorf("%v", err)
	}
	if _, err := Restore(t.Context(), r.File, "postgres://nobody@127.0.0.1:1/x"); err == nil || !strings.Contains(err.Error(), "same engine") {
		t.Errorf("%v", err)
	}
}

// A rehearsal changes the copy alone; what fails there is said.
func TestRehearse(t *testing.T) {
	env := dbtest.SQLite(t)
	fill(t, env.DB, 10)
	if r, err := Rehearse(t.Context(), env.DB, env.URL); err != nil || r.From != r.To || r.After.Rows["directory"] != 10 || len(r.Violations) != 0 {
		t.Errorf("%v, %+v", err, r)
	}
	setVersion(t, env.DB, `DELETE FROM goose_db_version WHERE version_id > 14`)
	if _, err := Rehearse(t.Context(), env.DB, env.URL); err == nil || !strings.Contains(err.Error(), "already exists") {
		t.Errorf("a migration that cannot succeed: %v", err)
	}
	version, err := db.Seen(t.Context(), env.DB, env.DB.Version)
	if err != nil || version != 14 {
		t.Errorf("the database itself is at %d, %v", version, err)
	}
}

// roleVariable makes this test binary a backup that is killed, or that has no
// room.
const roleVariable = "TSUZUKU_BACKUP_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	os.Exit(child(role))
}

// child backs up the database that its arguments name.
func child(role string) int {
	ctx := context.Background()
	d, err := db.Open(ctx, os.Getenv("TSUZUKU_BACKUP_FROM"), db.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	o := Options{}
	switch role {
	case "killed":
		o.Observe = func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }
	case "full":
		signal.Ignore(syscall.SIGXFSZ)
		limit := syscall.Rlimit{Cur: 200 << 10, Max: 200 << 10}
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 2
		}
	}
	if _, err := Make(ctx, d, os.Getenv("TSUZUKU_BACKUP_FROM"), os.Getenv("TSUZUKU_BACKUP_TO"), o); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func inChild(t *testing.T, role, from, to string) (said string, err error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "TSUZUKU_BACKUP_FROM="+from, "TSUZUKU_BACKUP_TO="+to)
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// A backup that is killed when all is written but the name leaves no file of that
// name, and the next one is not disturbed by what it left.
func TestKilledBeforeItHasItsName(t *testing.T) {
	env := dbtest.SQLite(t)
	fill(t, env.DB, 10)
	file := filepath.Join(t.TempDir(), "a.backup")
	said, err := inChild(t, "killed", env.URL, file)
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("not killed: %v\n%s", err, said)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(file), dirPrefix+"*")); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	if r := made(t, env, file); r.Facts.Rows["directory"] != 10 {
		t.Errorf("%+v", r)
	}
}

// A disk that is full is said so, and leaves nothing.
func TestFullDisk(t *testing.T) {
	env := dbtest.SQLite(t)
	dir := t.TempDir()
	said, err := inChild(t, "full", env.URL, filepath.Join(dir, "a.backup"))
	if _, failed := errors.AsType[*exec.ExitError](err); !failed || !strings.Contains(said, "full or broken") {
		t.Errorf("%v: %s", err, said)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// What PostgreSQL's own programs are told holds no password and nothing that
// they do not know.
func TestLibpq(t *testing.T) {
	arg, password, err := libpq("postgres://shop:pass%2Fword@db.example:5433/shop?pool_max_conns=4&sslmode=require&statement_cache_capacity=1")
	if err != nil || password != "pass/word" || arg != "postgres://shop@db.example:5433/shop?sslmode=require" {
		t.Errorf("%q %q %v", arg, password, err)
	}
}
