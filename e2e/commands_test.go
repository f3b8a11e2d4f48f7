package e2e

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tsuzuku/tsuzuku/db"
)

// The scripts in testdata/script run the built program, as the seller's engineer
// and staff do. They find it as "tsuzuku" and, beside testscript's own commands,
//
//	sql FILE STATEMENT   runs a statement in an SQLite database
//	get URL TEXT         waits until an address answers, and looks for a text
//
// and the variables FREE, FREE2 and TAKEN: addresses on which nobody, or somebody
// else, listens.
func TestCommands(t *testing.T) {
	bin := filepath.Dir(tsuzuku(t))
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			taken, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			env.Defer(func() { _ = taken.Close() })
			free, err := freeAddress()
			free2, err2 := freeAddress()
			if err := errors.Join(err, err2); err != nil {
				return err
			}
			env.Setenv("TAKEN", taken.Addr().String())
			env.Setenv("FREE", free)
			env.Setenv("FREE2", free2)
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"sql": runSQL, "get": runGet},
	})
}

// freeAddress is one on which nobody listens at the moment.
func freeAddress() (string, error) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func runSQL(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sql FILE STATEMENT")
	}
	d, err := db.Open(context.Background(), ts.MkAbs(args[0]), db.Options{})
	ts.Check(err)
	err = d.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.Exec(ctx, args[1])
		return err
	})
	ts.Check(err)
	ts.Check(d.Close())
}

func runGet(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get URL TEXT")
	}
	body, err := await(args[0])
	ts.Check(err)
	if !strings.Contains(body, args[1]) {
		ts.Fatalf("%s does not say %q:\n%s", args[0], args[1], body)
	}
}

// opening is how long a program may take until it answers.
const opening = time.Minute

// await asks an address until it answers with 200.
func await(url string) (body string, err error) {
	eventuallyTrue(func() bool {
		body, err = getOnce(context.Background(), url)
		return err == nil
	})
	return body, err
}

// eventuallyTrue waits for what another process does.
func eventuallyTrue(done func() bool) bool {
	ctx, cancel := context.WithTimeout(context.Background(), opening)
	defer cancel()
	for !done() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}

func getOnce(ctx context.Context, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close() //nolint:errcheck // read to its end
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = &statusError{url, resp.Status}
	}
	return string(body), err
}

type statusError struct{ url, status string }

func (e *statusError) Error() string { return e.url + " answers " + e.status }
