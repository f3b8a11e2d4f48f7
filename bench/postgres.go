package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tsuzuku/tsuzuku/fault"
)

// postgresStart is how long a new server may take to accept a connection.
const postgresStart = 30 * time.Second

// keeper runs a server until its standard input ends, which it does however this
// process ends, and removes its files. The server has PostgreSQL's own settings:
// every commit is on the disk when it is answered.
const keeper = `
"$1/postgres" -D "$2" -k "$2" -c listen_addresses= >"$2/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
rm -rf "$2"`

// StartPostgres makes a server in a temporary directory, with an empty database; stop
// ends it and removes its files. Root may not run one;
// it then runs as the user postgres.
func StartPostgres(ctx context.Context) (address string, stop func() error, err error) {
	bin, err := postgresFolder()
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "tsuzuku-bench-")
	if err != nil {
		return "", nil, fmt.Errorf("bench: %w", err)
	}
	address, stop, err = runPostgres(ctx, bin, dir)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return address, stop, nil
}

func runPostgres(ctx context.Context, bin, dir string) (address string, stop func() error, err error) {
	who, err := postgresUser(dir)
	if err != nil {
		return "", nil, err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", dir, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C") //nolint:gosec // a path that we found
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("bench: initdb: %w: %s", err, out)
	}
	server := exec.Command("/bin/sh", "-c", keeper, "keeper", bin, dir) //nolint:gosec,noctx // a path that we found; it outlives ctx to remove its files
	server.SysProcAttr, server.Dir = who, "/"
	pipe, err := server.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() error { return errors.Join(pipe.Close(), server.Wait()) }
	address = "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	if err := awaitPostgres(ctx, address); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log")) //nolint:gosec // our own directory
		return "", nil, errors.Join(fmt.Errorf("bench: PostgreSQL did not start: %w: %s", err, log), stop())
	}
	return address, stop, nil
}

func awaitPostgres(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, postgresStart)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, address)
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// postgresFolder is where the newest server's programs are.
func postgresFolder() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	for version := 30; version > 12; version-- {
		dir := filepath.Join("/usr/lib/postgresql", strconv.Itoa(version), "bin")
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", fault.New(fault.Invalid, "PostgreSQL is not installed here. Install it, or name an empty database with --database.")
}

// postgresUser gives dir to the user postgres if this is root; otherwise it is nil.
func postgresUser(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("bench: root may not run PostgreSQL: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, int(uid), int(gid)); err != nil {
		return nil, err
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}
