package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// shopFile is a shop's database and a folder for files.
type shopFile struct {
	t   *testing.T
	dir string
}

func newShopFile(t *testing.T) *shopFile {
	t.Helper()
	s := &shopFile{t, t.TempDir()}
	s.ok("migrate")
	demo, code := s.plain("catalogue", "demo")
	if code != 0 {
		t.Fatal(demo)
	}
	at := strings.Index(demo, "id: machi-5gb")
	from := at + strings.Index(demo[at:], "new_package: ")
	to := from + strings.IndexAny(demo[from:], ",\n}")
	s.file("catalogue.yaml", strings.Replace(demo[:from]+"from_stock: true"+demo[to:], "id: machi-5gb\n", "id: machi-5gb\n    stock_low: 2\n", 1))
	s.ok("catalogue", "apply", s.path("catalogue.yaml"))
	return s
}

func (s *shopFile) path(name string) string { return filepath.Join(s.dir, name) }

func (s *shopFile) file(name, text string) string {
	s.t.Helper()
	if err := os.WriteFile(s.path(name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	return s.path(name)
}

func (s *shopFile) plain(args ...string) (string, int) {
	var out, log bytes.Buffer
	code := run(args, &out, &log)
	return out.String() + log.String(), code
}

// run is the program on this shop.
func (s *shopFile) run(args ...string) (string, int) {
	args = append(args, "--database", s.path("shop.db"))
	if args[0] == "import" || args[0] == "line" && args[1] == "claim" || args[0] == "stock" && args[1] != "list" {
		args = append(args, "--secret", strings.Repeat("s", 32), "--staff", "mika")
	}
	return s.plain(args...)
}

func (s *shopFile) ok(args ...string) string {
	s.t.Helper()
	out, code := s.run(args...)
	if code != 0 {
		s.t.Fatalf("%v: %d\n%s", args, code, out)
	}
	return out
}

// has fails unless an output says all of it.
func has(t *testing.T, out string, all ...string) {
	t.Helper()
	for _, want := range all {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in:\n%s", want, out)
		}
	}
}

// From the files of an old shop to lines and stock, by commands alone.
func TestImportCommands(t *testing.T) {
	s := newShopFile(t)
	people := s.file("people.csv", "email\naiko@example.com\nnobody\nbo@example.com\n")
	out, code := s.run("import", "check", "customers", people)
	has(t, out, people+":3: email: We cannot send mail", "3 rows, 2 new, 0 there already, 1 with mistakes")
	if code != 1 {
		t.Errorf("check ends with %d", code)
	}
	out, code = s.run("import", "apply", "customers", people)
	has(t, out, "Nothing was imported")
	if code != 1 {
		t.Errorf("apply ends with %d", code)
	}
	has(t, s.ok("import", "check", "customers", s.file("one.csv", "email\naiko@example.com\n")), "1 new")
	has(t, s.ok("import", "apply", "customers", people, "--skip-bad", s.path("rest.csv")), "2 new")
	rest, err := os.ReadFile(s.path("rest.csv"))
	if err != nil || !strings.HasPrefix(string(rest), "email,mistake\nnobody,") {
		t.Errorf("%q %v", rest, err)
	}
	if out, code := s.run("import", "apply", "customers", people, "--skip-bad", s.path("rest.csv")); code == 0 {
		t.Errorf("a file was written over: %s", out)
	}
	torn := s.file("torn.csv", "email\nyuna@example.com\nnobody\n\"mei@example.com\nemi@example.com\n")
	if out, code := s.run("import", "apply", "customers", torn, "--skip-bad", s.path("torn-rest.csv")); code == 0 || !strings.Contains(out, "Nothing was imported") {
		t.Errorf("rows that were swallowed are neither imported nor told: %s", out)
	}
	before := s.file("before.csv", "email,iccid,plan,starts,ends\naiko@example.com,8981100000000000036,machi-5gb,2026-03-01,2026-03-10\n")
	has(t, s.ok("import", "check", "lines", before), "1 new")
	cards := s.file("cards.csv", "iccid,plan,term,claim_code,batch\n8981100000000000010,hinode-visitor-5,5gb-21d,7KQ4-22MD,a\n8981100000000000028,hinode-visitor-5,5gb-21d,7KQ4-22ME,a\n")
	has(t, s.ok("import", "apply", "sims", cards), "2 new")
	has(t, s.ok("import", "apply", "sims", cards), "0 new, 2 there")
	has(t, s.ok("line", "claim", "8981100000000000010", "--email", "aiko@example.com", "--why", "receipt"), "ln_")
	if out, code := s.run("line", "claim", "8981100000000000010", "--email", "bo@example.com", "--why", "receipt"); code == 0 {
		t.Errorf("given twice: %s", out)
	}
	out, code = s.run("stock", "list", "--low")
	has(t, out, "machi-5gb", "LOW (2)")
	if code != 1 {
		t.Errorf("nothing is left, and list ends with %d", code)
	}
	codes := strings.Fields(s.ok("stock", "codes", "--plan", "machi-5gb", "--term", "3d", "--count", "3", "--batch", "market"))
	if len(codes) != 3 || len(codes[0]) != 19 || codes[0] == codes[1] {
		t.Errorf("%v", codes)
	}
	has(t, s.ok("stock", "list"), "market", "hinode-visitor-5")
	has(t, s.ok("stock", "withdraw", "a", "--why", "sent back"), "1 items and 0 codes")
	has(t, s.ok("audit"))
}
