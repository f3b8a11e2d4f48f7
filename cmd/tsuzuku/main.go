// Command tsuzuku is the whole product in one binary: the server, its demo, and
// the tools of the seller's engineer and staff.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/tsuzuku/tsuzuku/fault"
)

// commands is everything that tsuzuku can do.
type commands struct {
	Serve         serveCmd         `cmd:"" help:"Run the shop."`
	Demo          demoCmd          `cmd:"" help:"Run a shop with simulated operators, payments and mail, in a browser."`
	Migrate       migrateCmd       `cmd:"" help:"Bring the database to this version."`
	Backup        backupCmd        `cmd:"" help:"Copy the whole database into one file, while the shop runs, and prove the copy."`
	Restore       restoreCmd       `cmd:"" help:"Put a backup into an empty database."`
	Catalogue     catalogueCmd     `cmd:"" help:"Check, compare and apply the catalogue file."`
	Device        deviceCmd        `cmd:"" help:"Which phone takes which line, and why not."`
	Import        importCmd        `cmd:"" help:"Bring in stock, customers, their lines and balances by CSV."`
	Stock         stockCmd         `cmd:"" help:"Cards, eSIMs and codes that are nobody's yet."`
	Line          lineCmd          `cmd:"" help:"Give a card to its owner."`
	Rates         ratesCmd         `cmd:"" help:"Import and print the rates of exchange that prices are converted with."`
	Order         orderCmd         `cmd:"" help:"Look at orders, and decide those that wait for a person."`
	Case          caseCmd          `cmd:"" help:"Talk with customers about what went wrong."`
	Account       accountCmd       `cmd:"" help:"Look at who came into accounts, and who did not."`
	Identity      identityCmd      `cmd:"" help:"Check who customers are, for plans that ask for it."`
	Payment       paymentCmd       `cmd:"" help:"What there is to know about ways to pay."`
	Carrier       carrierCmd       `cmd:"" help:"Operators: how they are, what is left with them, what they sell; servers that speak our contract; work by hand."`
	SMDP          smdpCmd          `cmd:"" name:"smdp" help:"Ask your own SM-DP+ by hand: order, confirm, release and cancel profiles."`
	Radius        radiusCmd        `cmd:"" help:"Gateways that count what lines use: which card has which number, and what was counted of a line."`
	Notifications notificationsCmd `cmd:"" help:"Show what came to our webhooks and was refused: forged, unreadable, too long."`
	API           apiCmd           `cmd:"" name:"api" help:"Keys for programs, and the description of the API."`
	Audit         auditCmd         `cmd:"" help:"Ask the database whether every promise was kept."`
	Simulate      simulateCmd      `cmd:"" help:"Run a town of customers, providers and operators around the real code, and audit what came of it."`
	Advise        adviseCmd        `cmd:"" help:"Examine the advice that travellers get."`
	BOM           bomCmd           `cmd:"" name:"bom" help:"Print the modules that this program is made of, as a CycloneDX bill of materials."`
	Bench         benchCmd         `cmd:"" help:"Measure."`
}

// std is where a command prints: results to out, people to log.
type std struct {
	out io.Writer
	err io.Writer
}

// quietExit ends the program with a code and without another word: what there
// was to say has been said.
type quietExit int

func (q quietExit) Error() string { return fmt.Sprintf("exit %d", int(q)) }

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run is the program without its process, for tests.
func run(args []string, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c commands
	code := -1
	parser, err := kong.New(&c,
		kong.Name("tsuzuku"), kong.Description("Sells prepaid travel data lines, and keeps them going."),
		kong.UsageOnError(), kong.Writers(out, errOut), kong.Exit(func(n int) { code = n }),
		kong.DefaultEnvars("TSUZUKU"), kong.Configuration(kong.JSON, "/etc/tsuzuku.json", "tsuzuku.json"),
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(std{out, errOut}),
	)
	if err != nil {
		fmt.Fprintln(errOut, "tsuzuku:", err)
		return 2
	}
	k, err := parser.Parse(args)
	if code >= 0 {
		return code // --help
	}
	if err != nil {
		fmt.Fprintln(errOut, "tsuzuku:", err)
		return 2
	}
	return report(k.Run(), errOut)
}

// report says what went wrong, in a sentence, and returns the exit code.
func report(err error, errOut io.Writer) int {
	if q, ok := errors.AsType[quietExit](err); ok {
		return int(q)
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(errOut, "tsuzuku:", err)
	if e, ok := errors.AsType[*fault.Error](err); ok {
		for field, message := range e.Fields {
			fmt.Fprintf(errOut, "  %s: %s\n", field, message)
		}
	}
	return 1
}

// logger writes for people on the error stream. Its instants are in UTC, as the
// database's are, whatever the machine's zone.
func logger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if at, ok := a.Value.Any().(time.Time); ok && len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Time(a.Key, at.UTC())
		}
		return a
	}}))
}
