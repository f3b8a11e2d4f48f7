package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/user"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/api"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/order"
)

// apiCmd is who may use the API, and what it is.
type apiCmd struct {
	Key      apiKeyCmd      `cmd:"" help:"Make, list and revoke the keys that programs show."`
	Document apiDocumentCmd `cmd:"" help:"Print the description of the API: OpenAPI 3.1 as JSON."`
}

type apiKeyCmd struct {
	New    apiKeyNewCmd    `cmd:"" help:"Make a key. It is printed once and cannot be read again."`
	List   apiKeyListCmd   `cmd:"" help:"List keys, with what they may do and when they were last used."`
	Revoke apiKeyRevokeCmd `cmd:"" help:"End a key at once."`
}

type apiKeyNewCmd struct {
	database
	Name    string      `arg:"" help:"Which program has it."`
	Scope   []api.Scope `required:"" help:"What it may do: read (look), renew (quote, order, pay, cancel), staff (find customers by mail address); several with commas." placeholder:"SCOPE"`
	Account string      `help:"The one customer that it opens; otherwise every one." placeholder:"ACCOUNT"`
	By      string      `help:"Who makes it, for the trail; by default the user's name." placeholder:"NAME"`
	Reason  string      `default:"a key for a program" help:"Why, for the trail."`
}

// Run prints the key, and nothing else, to out.
func (c *apiKeyNewCmd) Run(ctx context.Context, s std) error {
	ids := id.NewSource(time.Now, rand.Reader)
	k, token, err := api.Draft(ids, c.Name, c.Scope, c.Account)
	if err != nil {
		return err
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	k, err = db.Written(ctx, base, func(ctx context.Context, tx db.Tx) (api.Key, error) {
		return api.Add(ctx, tx, ids, k, order.Act{Staff: by(c.By), Reason: c.Reason})
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	fmt.Fprintf(s.err, "%s for %s. Keep it now: it cannot be printed again.\n", k.ID, k.Name)
	_, err = fmt.Fprintln(s.out, token)
	return err
}

// by is who acts: as they say, or as the machine knows them.
func by(said string) string {
	if u, err := user.Current(); said == "" && err == nil {
		return u.Username
	}
	return said
}

type apiKeyListCmd struct{ database }

// Run prints a line for each key, newest first.
func (c *apiKeyListCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	all, err := db.Seen(ctx, base, api.Keys)
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "key\tname\tscopes\taccount\tmade\tby\tlast used\tstate")
	for _, k := range all {
		state, account, used := "works", "every one", "never"
		if !k.RevokedAt.IsZero() {
			state = "revoked " + k.RevokedAt.Format(time.RFC3339)
		}
		if k.Account != "" {
			account = k.Account
		}
		if !k.UsedAt.IsZero() {
			used = k.UsedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, k.Name, api.ScopeList(k.Scopes), account, k.CreatedAt.Format(time.RFC3339), k.CreatedBy, used, state)
	}
	return out.Flush()
}

type apiKeyRevokeCmd struct {
	database
	Key    string `arg:"" help:"As tsuzuku api key list prints it."`
	By     string `help:"Who revokes it, for the trail; by default the user's name." placeholder:"NAME"`
	Reason string `default:"not needed any more" help:"Why, for the trail."`
}

// Run says that the key is gone.
func (c *apiKeyRevokeCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	ids := id.NewSource(time.Now, rand.Reader)
	err = base.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return api.Revoke(ctx, tx, ids, c.Key, order.Act{Staff: by(c.By), Reason: c.Reason})
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s is revoked\n", c.Key)
	return err
}

type apiDocumentCmd struct{}

// Run prints the document.
func (c *apiDocumentCmd) Run(s std) error {
	_, err := s.out.Write(api.Document)
	return err
}
