package backup

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// tool is the path of one of PostgreSQL's programs.
func tool(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil || len(found) == 0 {
		return "", fault.New(fault.Invalid, "The program %s is not on this machine, and a backup of PostgreSQL needs it. "+
			"Install PostgreSQL's client of the server's version or newer (on Debian: apt-get install postgresql-client), or put it into PATH.", name)
	}
	slices.Sort(found)
	return found[len(found)-1], nil
}

// libpq is an address as PostgreSQL's own programs take it. The password goes
// into the environment: arguments are seen by everybody on the machine.
func libpq(address string) (arg, password string, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", "", fault.New(fault.Invalid, "The database URL cannot be read. Write it as postgres://user:password@host:5432/name, with special characters escaped as %%40.")
	}
	if u.User != nil {
		password, _ = u.User.Password()
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	if p := query.Get("password"); p != "" {
		password = p
	}
	for key := range query {
		if key == "password" || strings.HasPrefix(key, "pool_") || strings.HasSuffix(key, "_cache_capacity") || key == "default_query_exec_mode" {
			query.Del(key) // ours, and not libpq's
		}
	}
	u.RawQuery = query.Encode()
	return u.String(), password, nil
}

// runTool runs one of PostgreSQL's programs against an address.
func runTool(ctx context.Context, address, name string, args ...string) error {
	path, err := tool(name)
	if err != nil {
		return err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...) //nolint:gosec // a program of PostgreSQL's, by name
	cmd.Stderr = &said
	cmd.Env = os.Environ()
	if address != "" {
		arg, password, err := libpq(address)
		if err != nil {
			return err
		}
		cmd.Args = append(cmd.Args, "--dbname="+arg, "--no-password")
		if password != "" {
			cmd.Env = append(cmd.Env, "PGPASSWORD="+password)
		}
	}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		text := strings.TrimSpace(said.String())
		if strings.Contains(text, "server version mismatch") {
			return fault.Wrap(fault.Invalid, err, "%s is older than the server. Install PostgreSQL's client of the server's version or newer, and put it first into PATH. It said: %s", path, text)
		}
		return fault.Wrap(fault.Unavailable, err, "%s failed. It said: %s", name, text)
	}
	return nil
}

// dump writes what look sees with pg_dump, which takes the same snapshot.
func dump(ctx context.Context, d *db.DB, address, file string, look func(context.Context, db.Tx) error) error {
	if _, err := tool("pg_dump"); err != nil {
		return err
	}
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint:gosec // a scratch directory of ours
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return d.Exported(ctx, func(ctx context.Context, tx db.Tx, snapshot string) error {
		if err := look(ctx, tx); err != nil {
			return err
		}
		return runTool(ctx, address, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--snapshot="+snapshot, "--file="+file)
	})
}

// load puts a dump into an empty database, all of it or nothing.
func load(ctx context.Context, address, data string) error {
	return runTool(ctx, address, "pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", data)
}

// readThrough lets pg_restore read all of a dump.
func readThrough(ctx context.Context, data string) error {
	return runTool(ctx, "", "pg_restore", "--file="+os.DevNull, data)
}

// errMayNot says that the user may not create databases.
var errMayNot = errors.New("backup: this user may not create databases")

// dropWithin is how long removing a scratch database may take, also when the
// caller has left.
const dropWithin = 30 * time.Second

// sideBySide creates an empty database on the same server.
func sideBySide(ctx context.Context, address string) (beside string, drop func() error, err error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, fault.New(fault.Invalid, "The database URL cannot be read.")
	}
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", nil, fault.Wrap(fault.Unavailable, err, "PostgreSQL cannot be reached. Check that it runs and that the database URL is right.")
	}
	defer c.Close(context.WithoutCancel(ctx)) //nolint:errcheck // it did what it was for
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	name := "tsuzuku_trial_" + hex.EncodeToString(b[:])
	if _, err := c.Exec(ctx, "CREATE DATABASE "+name+" TEMPLATE template0"); err != nil {
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "42501" {
			return "", nil, errMayNot
		}
		return "", nil, fmt.Errorf("create a database for the trial: %w", err)
	}
	u.Path = "/" + name
	return u.String(), func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), dropWithin)
		defer cancel()
		c, err := pgx.Connect(ctx, address)
		if err != nil {
			return err
		}
		defer c.Close(ctx) //nolint:errcheck // it did what it was for
		_, err = c.Exec(ctx, "DROP DATABASE "+name)
		return err
	}, nil
}

// restorePostgres loads a dump into a database without tables.
func restorePostgres(ctx context.Context, address, data string, r *Report) error {
	if err := emptyPostgres(ctx, address); err != nil {
		return err
	}
	if err := load(ctx, address, data); err != nil {
		return err
	}
	return inspect(ctx, address, r.Facts, nil, r)
}

// emptyPostgres refuses a database that has tables.
func emptyPostgres(ctx context.Context, address string) (err error) {
	d, err := db.Open(ctx, address, db.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	tables, err := db.Seen(ctx, d, d.Tables)
	if err != nil {
		return err
	}
	if len(tables) > 0 {
		return fault.New(fault.Conflict, "The database has %d tables already, and a restore never writes over one. Create an empty database and name that.", len(tables))
	}
	return nil
}
