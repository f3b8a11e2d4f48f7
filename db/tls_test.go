package db

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// A database across a network is spoken to in plain text only by who says so.
func TestConnectionsDoNotFallBack(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for url, refused := range map[string]bool{
		"postgres://u:p@db.example/shop":                                   true,
		"postgres://u:p@db.example/shop?sslmode=prefer":                    true,
		"postgres://u:p@db.example/shop?sslmode=allow":                     true,
		"postgres://u:p@10.0.0.5:5433/shop":                                true,
		"postgres://u:p@127.0.0.1,db.example/shop":                         true,
		"postgres://u:p@[2001:db8::1]/shop":                                true,
		"postgres://u:p@db.example/shop?sslmode=require":                   false,
		"postgres://u:p@db.example/shop?sslmode=verify-full":               false,
		"postgres://u:p@db.example/shop?sslmode=disable":                   false,
		"postgres://u:p@localhost/shop":                                    false,
		"postgres://u:p@127.0.0.1:5433/shop":                               false,
		"postgres://u:p@[::1]/shop":                                        false,
		"postgres:///shop?host=/var/run/postgresql&user=u":                 false,
		"postgres://u:p@localhost,127.0.0.1/shop?target_session_attrs=any": false,
	} {
		c, err := pgx.ParseConfig(url)
		if err != nil {
			t.Fatal(url, err)
		}
		if got := fallsBack(c); (got != "") != refused {
			t.Errorf("%s: %q", url, got)
		}
	}
	_, err := openPostgres(t.Context(), "postgres://u:hidden@db.invalid/shop")
	if err == nil || !strings.Contains(err.Error(), "sslmode=verify-full") || strings.Contains(err.Error(), "hidden") {
		t.Errorf("opened without a word on encryption: %v", err)
	}
}

// An address without a password takes it from a file, as libpq's programs do: it need not
// stand in a flag or a variable. docs/running.md says so.
func TestPasswordsComeFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pgpass")
	if err := os.WriteFile(file, []byte("db.example:5432:shop:u:from the file\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PGPASSWORD", "")
	t.Setenv("PGPASSFILE", file)
	c, err := pgx.ParseConfig("postgres://u@db.example/shop?sslmode=require")
	if err != nil || c.Password != "from the file" {
		t.Errorf("%q %v", c.Password, err)
	}
}
