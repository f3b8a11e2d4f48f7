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
	"strings"
	"text/tabwriter"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/id"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/support"
)

// caseCmd is where staff talk with customers until there is a console.
type caseCmd struct {
	List   caseListCmd   `cmd:"" help:"List open cases, the longest untouched first."`
	Show   caseShowCmd   `cmd:"" help:"Print a case with its evidence and everything that was said, or one file that came with it."`
	Answer caseAnswerCmd `cmd:"" help:"Write to the customer, by mail and on their page."`
	Close  caseCloseCmd  `cmd:"" help:"End a case without a word more; the customer can open it again for 30 days by an answer."`
}

type caseListCmd struct {
	database
	Waiting bool `help:"Only what waits for staff; ends with 1 if there is any, for a reminder by cron."`
	All     bool `help:"Closed ones too, the newest first."`
	Limit   int  `default:"200" help:"How many at most, from 1 to 1000."`
}

// Run prints a table; nothing where there is nothing.
func (c *caseListCmd) Run(ctx context.Context, s std) error {
	if c.Limit < 1 || c.Limit > support.MostListed {
		return fault.New(fault.Invalid, "--limit: give a number from 1 to %d, not %d", support.MostListed, c.Limit)
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	list := support.OpenOnes
	if c.All {
		list = support.Newest
	}
	all, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) ([]support.Case, error) { return list(ctx, tx, c.Limit) })
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	shown := 0
	for _, one := range all {
		if c.Waiting && (one.State != support.Open || one.Turn != support.Staff) {
			continue
		}
		if shown++; shown == 1 {
			fmt.Fprintln(w, "CASE\tSTATE\tTURN\tABOUT\tORDER\tLINE\tMESSAGES\tFILES\tSINCE\tLAST\tBEGINS")
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%d\t%s\t%s\t%s\n", one.ID, one.State, one.Turn, about(one), cmp.Or(one.Order, "-"), cmp.Or(one.Line, "-"),
			one.Messages, one.Files, one.CreatedAt.Format(time.DateOnly), one.UpdatedAt.Format(time.RFC3339), oneLine(one.Subject))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if c.Waiting && shown > 0 {
		return quietExit(1)
	}
	return nil
}

// about says in a word why a case was opened, and by whom.
func about(c support.Case) string {
	if c.OpenedBy == support.Customer {
		return "customer:" + string(c.Topic)
	}
	return c.Title
}

// oneLine keeps what a customer wrote from moving the terminal.
func oneLine(s string) string { return strings.ReplaceAll(printable(s), "\n", " ") }

// printable is text without signs that steer a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
}

type caseShowCmd struct {
	database
	Case string `arg:"" help:"The case, cs_…"`
	File int    `help:"Print this file's bytes instead." placeholder:"NUMBER"`
}

// Run prints plain text, times in UTC; or a file's bytes.
func (c *caseShowCmd) Run(ctx context.Context, s std) error {
	k, err := support.KeyOf(c.Case)
	if err != nil {
		return err
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	if c.File != 0 {
		f, err := db.Seen(ctx, base, func(ctx context.Context, tx db.Tx) (support.File, error) { return support.GetFile(ctx, tx, k, c.File) })
		if err = errors.Join(err, base.Close()); err != nil {
			return err
		}
		_, err = s.out.Write(f.Content)
		return err
	}
	var one support.Case
	var said []support.Message
	err = base.Read(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if one, err = support.Get(ctx, tx, k); err != nil {
			return err
		}
		said, err = support.Messages(ctx, tx, k)
		return err
	})
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	return printCase(s.out, one, said)
}

func printCase(out io.Writer, c support.Case, said []support.Message) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %s's turn\nabout %s, since %s\n", c.ID, c.State, c.Turn, about(c), c.CreatedAt.Format(time.RFC3339))
	for _, of := range [][2]string{{"order", c.Order}, {"line", c.Line}, {"account", c.Account}} {
		if of[1] != "" {
			fmt.Fprintf(&b, "%s %s\n", of[0], of[1])
		}
	}
	if c.Evidence != "" {
		fmt.Fprintf(&b, "\nevidence: %s\n", printable(c.Evidence))
	}
	for _, m := range said {
		fmt.Fprintf(&b, "\n%s, %s\n", m.At.Format(time.RFC3339), cmp.Or(m.Staff, string(m.Author)))
		for line := range strings.SplitSeq(printable(m.Text), "\n") {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		for _, f := range m.Files {
			fmt.Fprintf(&b, "  [file %d: %s, %s, %d bytes]\n", f.Number, f.Name, f.Kind, f.Bytes)
		}
	}
	if c.Order != "" {
		fmt.Fprintf(&b, "\nMore: tsuzuku order show %s\n", c.Order)
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// caseAct is what every act of staff in a case needs.
type caseAct struct {
	database
	Case  string `arg:"" help:"The case, cs_…"`
	Staff string `help:"Who you are; by default the user's name." placeholder:"NAME"`
}

// do acts in a case, in one transaction with its line in the trail, and prints the
// state that the case is in now.
func (c *caseAct) do(ctx context.Context, s std, action, why string, act func(context.Context, db.Tx, *id.Source, support.Key, string) (support.Case, error)) error {
	k, err := support.KeyOf(c.Case)
	if err != nil {
		return err
	}
	who := c.Staff
	if u, err := user.Current(); who == "" && err == nil {
		who = u.Username
	}
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	ids := id.NewSource(time.Now, rand.Reader)
	one, err := db.Written(ctx, base, func(ctx context.Context, tx db.Tx) (support.Case, error) {
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
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.out, one.State)
	return err
}

// undecided fails for a case of the system's whose order still waits for a person:
// closing it would leave the order with nobody.
func undecided(ctx context.Context, tx db.Tx, k support.Key) error {
	c, err := support.Get(ctx, tx, k)
	if err != nil || c.OpenedBy != support.System || c.Order == "" {
		return err
	}
	o, err := order.Get(ctx, tx, order.Key{Account: k.Account, ID: c.Order})
	if err == nil && o.State == order.Held {
		err = fault.New(fault.Conflict, "Order %s still waits for a decision. Decide it first with: tsuzuku order look-up, confirm or refund", o.ID)
	}
	return err
}

type caseAnswerCmd struct {
	caseAct
	Text  string `help:"What you write, in the customer's language." placeholder:"TEXT" xor:"text" required:""`
	From  string `type:"existingfile" help:"A file with what you write, instead of --text." placeholder:"FILE" xor:"text" required:""`
	Close bool   `help:"End the case with it."`
}

// Run prints the state that the case is in now; the running shop sends the letter.
func (c *caseAnswerCmd) Run(ctx context.Context, s std) error {
	text := c.Text
	if c.From != "" {
		b, err := os.ReadFile(c.From)
		if err != nil {
			return err
		}
		text = string(b)
	}
	return c.do(ctx, s, "answer case", "answered the customer", func(ctx context.Context, tx db.Tx, ids *id.Source, k support.Key, who string) (support.Case, error) {
		if c.Close {
			if err := undecided(ctx, tx, k); err != nil {
				return support.Case{}, err
			}
		}
		return support.Answer(ctx, tx, ids, k, who, text, c.Close)
	})
}

type caseCloseCmd struct {
	caseAct
	Why string `required:"" help:"Why, for the trail; the customer does not see it." placeholder:"TEXT"`
}

// Run prints the state that the case is in now.
func (c *caseCloseCmd) Run(ctx context.Context, s std) error {
	return c.do(ctx, s, "close case", c.Why, func(ctx context.Context, tx db.Tx, ids *id.Source, k support.Key, _ string) (support.Case, error) {
		if err := undecided(ctx, tx, k); err != nil {
			return support.Case{}, err
		}
		return support.Close(ctx, tx, ids, k)
	})
}
