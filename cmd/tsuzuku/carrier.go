package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier"
)

// carrierCmd is about operators: what they say of themselves, and those without an
// adapter of their own, which are servers that speak our contract, and people.
type carrierCmd struct {
	Health       carrierHealthCmd   `cmd:"" help:"Ask each operator one cheap question now: whether it answers, knows us, and how long it takes. Ends with 1 if one is not well."`
	Balance      carrierBalanceCmd  `cmd:"" help:"Ask each operator what is left of your money. Ends with 1 if one is low or does not answer."`
	Alarms       carrierAlarmsCmd   `cmd:"" help:"Print what the running shop found of operators and is so still: low balances, packages that were withdrawn, prices that changed. Ends with 1 if there is anything, for a warning by cron."`
	Packages     carrierPackagesCmd `cmd:"" help:"Print everything that operators sell you, and at which price."`
	Conform      conformCmd         `cmd:"" help:"Play the contract of a remote operator against its server, and say what it breaks. Ends with 1 on any breach. The line is really extended, and new ones are made where asked for."`
	Capabilities capabilitiesCmd    `cmd:"" help:"Print what a remote operator says it can do, for --remote-capabilities."`
	Work         workCmd            `cmd:"" help:"What staff do by hand at operators without an API."`
}

// remoteServer is which server a command is about.
type remoteServer struct {
	URL string     `name:"url" required:"" help:"The server's address." placeholder:"URL"`
	Key app.Secret `required:"" help:"The key shared with it, whsec_…" placeholder:"SECRET"`
}

func (r remoteServer) server() app.RemoteServer { return app.RemoteServer{URL: r.URL, Key: r.Key} }

// fromHere is where commands meet the world.
func fromHere() app.Env { return app.Env{Now: time.Now, Random: rand.Reader} }

type conformCmd struct {
	remoteServer
	Line         string `required:"" help:"Identifier of a line to try it with, which can be extended at least seven times." placeholder:"ID"`
	ICCID        string `name:"iccid" help:"Its ICCID." placeholder:"ICCID"`
	Package      string `required:"" help:"A package that fits the line." placeholder:"CODE"`
	Days         int    `help:"For a package that is sold by the day: how many are ordered, 1 to 364."`
	NewPackage   string `help:"A package that comes with a new line, of which some four are made. Unset: that is not examined." placeholder:"CODE"`
	NewDays      int    `help:"For such a package that is sold by the day: how many are ordered, 1 to 364."`
	EndedLine    string `help:"Identifier of a line past its end." placeholder:"ID"`
	Capabilities string `help:"File to compare what the server says with." type:"existingfile" placeholder:"FILE"`
}

// Run prints a line for each demand of the contract.
func (c *conformCmd) Run(ctx context.Context, s std) error {
	report, err := c.server().Examine(ctx, fromHere(), app.Examination{
		Line: carrier.Profile{ID: c.Line, ICCID: c.ICCID}, Ended: carrier.Profile{ID: c.EndedLine}, Package: c.Package, Days: c.Days,
		NewPackage: c.NewPackage, NewDays: c.NewDays, File: c.Capabilities,
	})
	if err != nil {
		return err
	}
	if err := report.Print(s.out); err != nil {
		return err
	}
	if report.Breaches() > 0 {
		return quietExit(1)
	}
	return nil
}

type capabilitiesCmd struct{ remoteServer }

// Run prints the document.
func (c *capabilitiesCmd) Run(ctx context.Context, s std) error {
	able, err := c.server().Capabilities(ctx, fromHere())
	if err != nil {
		return err
	}
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(able)
}
