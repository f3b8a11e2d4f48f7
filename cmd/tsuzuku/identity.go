package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/identity"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/seal"
)

// identityCmd is where staff check who customers are until there is a console.
type identityCmd struct {
	List    identityListCmd    `cmd:"" help:"List the checks that wait for a decision, the longest waiting first. No names: only show has them."`
	Show    identityShowCmd    `cmd:"" help:"Print what a customer gave, and write the photos to files; kept in the trail."`
	Approve identityApproveCmd `cmd:"" help:"The customer is who they say: they can buy, and are told."`
	Refuse  identityRefuseCmd  `cmd:"" help:"They must give it again, and are told why and what to do."`
}

type identityListCmd struct {
	database
	Waiting bool `help:"End with 1 if any check waits, for a reminder by cron."`
	All     bool `help:"Those that are decided and erased too, the newest first."`
	Limit   int  `default:"200" help:"How many at most, from 1 to 1000."`
}

// Run prints a table; nothing where there is nothing.
func (c *identityListCmd) Run(ctx context.Context, s std) error {
	if c.Limit < 1 || c.Limit > identity.MostListed {
		return fault.New(fault.Invalid, "--limit: give a number from 1 to %d, not %d", identity.MostListed, c.Limit)
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	list := identity.Waiting
	if c.All {
		list = identity.Newest
	}
	all, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) ([]identity.Check, error) { return list(ctx, tx, c.Limit) })
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	waits := false
	for i, one := range all {
		if i == 0 {
			fmt.Fprintln(w, "CHECK\tSTATE\tPLAN\tTIMES\tGIVEN\tDECIDED\tBY\tREASON\tERASED AT")
		}
		waits = waits || one.State == identity.Given
		at := one.DueAt
		if one.State == identity.Erased {
			at = one.ErasedAt
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\n", one.ID, one.State, one.Plan, one.Sends, stampOr(one.GivenAt, "-"), stampOr(one.DecidedAt, "-"),
			cmp.Or(one.Staff, "-"), cmp.Or(string(one.Reason), "-"), stampOr(at, "-"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if c.Waiting && waits {
		return quietExit(1)
	}
	return nil
}

// identityAct is what every act of staff with a check needs.
type identityAct struct {
	database
	Check string `arg:"" help:"The check, idc_…"`
	Staff string `help:"Who you are; by default the user's name." placeholder:"NAME"`
}

// do acts on a check, in one transaction with its line in the trail.
func (c *identityAct) do(ctx context.Context, action, why string, act func(ctx context.Context, tx db.Tx, ids *id.Source, k identity.Key, who string) (identity.Check, error)) (one identity.Check, err error) {
	k, err := identity.KeyOf(c.Check)
	if err != nil {
		return one, err
	}
	who := c.Staff
	if u, err := user.Current(); who == "" && err == nil {
		who = u.Username
	}
	base, err := c.open(ctx)
	if err != nil {
		return one, err
	}
	ids := id.NewSource(time.Now, rand.Reader)
	one, err = db.Written(ctx, base, func(ctx context.Context, tx db.Tx) (identity.Check, error) {
		one, err := act(ctx, tx, ids, k, who)
		if err != nil {
			return one, err
		}
		var b db.Batch
		if err := order.AddTrail(&b, tx, ids, k.Account, order.Act{Staff: who, Reason: why}, action, k.ID); err != nil {
			return one, err
		}
		return one, tx.Batch(ctx, &b)
	})
	return one, errors.Join(err, base.Close())
}

type identityShowCmd struct {
	identityAct
	Why    string `default:"to decide" help:"Why you look, for the trail." placeholder:"TEXT"`
	Photos string `type:"existingdir" help:"Write the photos into this folder, for you alone. Erase them when you have decided." placeholder:"DIR"`

	Secret       app.Secret   `required:"" help:"The secret of the shop." placeholder:"SECRET"`
	FormerSecret []app.Secret `help:"Secrets that the shop had before." placeholder:"SECRET"`
}

// Run prints plain text, times in UTC. What it opens stands in the trail before it is
// printed.
func (c *identityShowCmd) Run(ctx context.Context, s std) error {
	former := make([]string, len(c.FormerSecret))
	for i, f := range c.FormerSecret {
		former[i] = string(f)
	}
	box := seal.New(identity.Purpose, string(c.Secret), former, nil)
	var papers identity.Papers
	var found bool
	photos := map[identity.PhotoKind]identity.Picture{}
	one, err := c.do(ctx, "look at identity", c.Why, func(ctx context.Context, tx db.Tx, _ *id.Source, k identity.Key, _ string) (identity.Check, error) {
		one, err := identity.Get(ctx, tx, k)
		if err != nil {
			return one, err
		}
		if papers, found, err = one.Papers(box); err != nil {
			return one, err
		}
		if c.Photos == "" {
			return one, nil
		}
		all, err := identity.PhotosOf(ctx, tx, k)
		for _, p := range all {
			if photos[p.Kind], err = identity.GetPhoto(ctx, tx, box, k, p.Kind); err != nil {
				return one, err
			}
		}
		return one, err
	})
	if err != nil {
		return err
	}
	if err := printCheck(s.out, one, papers, found); err != nil {
		return err
	}
	for _, kind := range identity.Photos {
		if photos[kind] == nil {
			continue
		}
		name := filepath.Join(c.Photos, fmt.Sprintf("%s-%s.jpg", one.ID, kind))
		if err := writeNew(name, photos[kind]); err != nil {
			return err
		}
		fmt.Fprintln(s.out, "written:", name)
	}
	return nil
}

// writeNew writes a file that only its owner can read, and none that is there already:
// not even a link that leads elsewhere.
func writeNew(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // staff choose the folder
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

func printCheck(out io.Writer, c identity.Check, p identity.Papers, found bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, for plan %s\naccount %s\ngiven %d times, last %s\n", c.ID, c.State, c.Plan, c.Account, c.Sends, stampOr(c.GivenAt, "never"))
	if !c.DecidedAt.IsZero() {
		fmt.Fprintf(&b, "decided %s by %s %s\n", c.DecidedAt.Format(time.RFC3339), c.Staff, c.Reason)
	}
	if !found {
		b.WriteString("\nNothing is kept.\n")
	} else {
		for _, of := range [][2]string{
			{"name", p.Name},
			{"nationality", p.Nationality},
			{"born", p.Born},
			{"document", string(p.Document)},
			{"number", p.Number},
			{"valid until", p.Expires},
			{"stays at", cmp.Or(p.Stay, "-")},
		} {
			fmt.Fprintf(&b, "%-12s %s\n", of[0], oneLine(of[1]))
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// decide decides a check by the rules of the catalogue that is applied.
func (c *identityAct) decide(ctx context.Context, s std, action, why string, refuse identity.Reason) error {
	one, err := c.do(ctx, action, why, func(ctx context.Context, tx db.Tx, ids *id.Source, k identity.Key, who string) (identity.Check, error) {
		cat, err := catalogue.Current(ctx, tx)
		if err != nil {
			return identity.Check{}, err
		}
		return identity.Decide(ctx, tx, ids, cat, k, identity.Decision{Staff: who, Refuse: refuse})
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.out, "%s, erased %s\n", one.State, one.DueAt.Format(time.RFC3339))
	return err
}

type identityApproveCmd struct {
	identityAct
	Why string `default:"compared with the photos" help:"How you know, for the trail; the customer does not see it." placeholder:"TEXT"`
}

// Run prints the state that the check is in now, and when it is erased; the running
// shop sends the letter.
func (c *identityApproveCmd) Run(ctx context.Context, s std) error {
	return c.decide(ctx, s, "approve identity", c.Why, "")
}

type identityRefuseCmd struct {
	identityAct
	Reason string `required:"" enum:"unreadable,cut_off,differs,expired,document,face,other" help:"Why, as the customer is told: ${enum}." placeholder:"WORD"`
	Why    string `help:"More, for the trail; the customer does not see it." placeholder:"TEXT"`
}

// Run prints the state that the check is in now, and when it is erased.
func (c *identityRefuseCmd) Run(ctx context.Context, s std) error {
	return c.decide(ctx, s, "refuse identity", cmp.Or(c.Why, c.Reason), identity.Reason(c.Reason))
}
