package db_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// ruleSince is the migration that brought the floor: those before it are behind every
// program that knows of one.
const ruleSince = 33

// A migration that could break a program of the version before says so: it raises the
// floor to itself. Others only add, so that programs of both versions may work side by side.
func TestMigrationsOnlyAddOrRaiseTheFloor(t *testing.T) {
	for _, engine := range []string{"sqlite", "postgres"} {
		files, err := filepath.Glob("migrations/" + engine + "/*.sql")
		if err != nil || len(files) == 0 {
			t.Fatal(files, err)
		}
		for _, f := range files {
			number, err := strconv.Atoi(strings.TrimLeft(filepath.Base(f)[:5], "0"))
			if err != nil {
				t.Fatalf("%s: %v", f, err)
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if took := takesAway(string(text)); number > ruleSince && len(took) > 0 && !strings.Contains(string(text), fmt.Sprintf("UPDATE schema_floor SET oldest = %d;", number)) {
				t.Errorf("%s: programs of the version before may not know what to do after %q: raise the floor, or do it in steps (CONTRIBUTING.md)", f, took)
			}
		}
	}
}

func TestTakesAway(t *testing.T) {
	for sql, want := range map[string]bool{
		"CREATE TABLE new (id text NOT NULL);\nCREATE UNIQUE INDEX new_id ON new (id);\nCREATE TRIGGER new_stays BEFORE UPDATE ON new BEGIN SELECT 1; END;": false,
		"ALTER TABLE old ADD COLUMN a text;\nALTER TABLE old ADD COLUMN b bigint NOT NULL DEFAULT 0;":                                                       false,
		"-- DROP TABLE old;\nCREATE INDEX old_a ON old (a);":                                                                                                false,
		"DROP VIEW seen;\nCREATE VIEW seen AS SELECT a, b FROM old;":                                                                                        false,
		"DROP INDEX old_a;\nUPDATE old SET b = 1;":                                                                                                          false,
		"DROP VIEW seen;": true,
		"ALTER TABLE old ADD COLUMN c text NOT NULL;":                   true,
		"ALTER TABLE old DROP COLUMN a;":                                true,
		"ALTER TABLE old RENAME COLUMN a TO b;":                         true,
		"DROP TABLE old;":                                               true,
		"CREATE UNIQUE INDEX old_a ON old (a);":                         true,
		"CREATE TRIGGER old_stays BEFORE UPDATE ON old BEGIN SELECT 1;": true,
		"ALTER TABLE old ALTER COLUMN a SET NOT NULL;":                  true,
		"ALTER TABLE old ADD CONSTRAINT old_c CHECK (a > 0);":           true,
	} {
		if got := takesAway(sql); (len(got) > 0) != want {
			t.Errorf("%s\ntakes away %q", sql, got)
		}
	}
}

var (
	comment  = regexp.MustCompile(`--[^\n]*`)
	made     = regexp.MustCompile(`CREATE TABLE (\w+)`)
	seenView = regexp.MustCompile(`CREATE VIEW (\w+)`)
	dropped  = regexp.MustCompile(`^DROP VIEW (\w+)$`)
	added    = regexp.MustCompile(`^ALTER TABLE \w+ ADD COLUMN (.*)$`)
	bound    = regexp.MustCompile(`^CREATE (?:UNIQUE INDEX|TRIGGER)\b.* ON (\w+)`)
	harmless = regexp.MustCompile(`^(?:CREATE TABLE|CREATE INDEX|CREATE VIEW|CREATE (?:OR REPLACE )?FUNCTION|DROP INDEX|INSERT|UPDATE)\b`)
	opening  = regexp.MustCompile(`^(?:CREATE|ALTER|DROP|INSERT|UPDATE|DELETE)\b`)
)

// takesAway are the statements of a migration after which a program that does not know
// of it might fail: rows that it writes are refused, or what it reads is gone.
func takesAway(sql string) (all []string) {
	sql = comment.ReplaceAllString(sql, "")
	tables, views := names(made, sql), names(seenView, sql)
	for s := range strings.SplitSeq(sql, ";") {
		s = strings.Join(strings.Fields(s), " ")
		if !opening.MatchString(s) || harmless.MatchString(s) {
			continue // the body of a trigger or function is judged by where it is put
		}
		if m := added.FindStringSubmatch(s); m != nil && (!strings.Contains(m[1], "NOT NULL") || strings.Contains(m[1], "DEFAULT")) {
			continue
		}
		if m := bound.FindStringSubmatch(s); m != nil && tables[m[1]] {
			continue
		}
		if m := dropped.FindStringSubmatch(s); m != nil && views[m[1]] {
			continue
		}
		all = append(all, s)
	}
	return all
}

func names(of *regexp.Regexp, sql string) map[string]bool {
	all := map[string]bool{}
	for _, m := range of.FindAllStringSubmatch(sql, -1) {
		all[m[1]] = true
	}
	return all
}
