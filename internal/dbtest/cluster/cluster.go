// Package cluster starts a PostgreSQL server for tests that is thrown away
// afterwards, and that ends by itself when the process that started it does.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNotInstalled is returned by [Start] on a machine without PostgreSQL.
var ErrNotInstalled = errors.New("PostgreSQL is not installed: no initdb in PATH or /usr/lib/postgresql/*/bin")

// startLimit is how long a server may take to accept its first connection.
const startLimit = 30 * time.Second

// keeper runs the server until its own standard input ends: that is, until the
// process that started it closes the pipe or dies, however it dies.
const keeper = `
"$1/postgres" -D "$2" -k "$2" -c listen_addresses= -c fsync=off \
	-c full_page_writes=off -c max_connections=200 -c max_wal_size=4GB -c autovacuum=off \
	>"$2/log" 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -QUIT $server
wait $server
rm -rf "$2"`

// Cluster is a running server.
type Cluster struct {
	URL string // of the database postgres, as a superuser, over a Unix socket

	pipe io.Closer
	cmd  *exec.Cmd
}

// Start makes a server in a temporary directory and waits until it accepts
// connections. Root may call it, though root may not run PostgreSQL: the server
// then runs as the user postgres, or nobody.
func Start(ctx context.Context) (*Cluster, error) {
	bin, err := Binaries()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tsuzuku-pg-")
	if err != nil {
		return nil, err
	}
	c, err := start(ctx, bin, dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// Stop ends the server and removes its data.
func (c *Cluster) Stop() error {
	return errors.Join(c.pipe.Close(), c.cmd.Wait())
}

func start(ctx context.Context, bin, dir string) (*Cluster, error) {
	who, err := Unprivileged(dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", dir, "-U", "postgres",
		"-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
	initdb.SysProcAttr, initdb.Dir = who, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	// Not CommandContext: the keeper must outlive ctx to clean up.
	cmd := exec.Command("/bin/sh", "-c", keeper, "keeper", bin, dir)
	cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Setpgid: true}, "/" // Ctrl-C is for us; it then hears from the pipe
	if who != nil {
		cmd.SysProcAttr.Credential = who.Credential
	}
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &Cluster{URL: "postgres://postgres@/postgres?host=" + url.QueryEscape(dir), pipe: pipe, cmd: cmd}
	if err := c.await(ctx); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, errors.Join(fmt.Errorf("postgres did not start: %w: %s", err, log), c.Stop())
	}
	return c, nil
}

func (c *Cluster) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		conn, err := pgx.Connect(ctx, c.URL)
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

// Binaries returns the directory of the newest installed server, or
// [ErrNotInstalled].
func Binaries() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", ErrNotInstalled
	}
	slices.SortFunc(found, func(a, b string) int { return version(a) - version(b) })
	return filepath.Dir(found[len(found)-1]), nil
}

func version(path string) int {
	n, _ := strconv.Atoi(strings.Split(path, "/")[4])
	return n
}

// Unprivileged gives dir to someone who may run PostgreSQL. It is nil if the
// caller may do so itself.
func Unprivileged(dir string) (*syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return nil, fmt.Errorf("root may not run PostgreSQL, and no other user was found: %w", err)
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
