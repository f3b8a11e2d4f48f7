package main

import (
	"context"
	"encoding/json"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/carrier/es2plus"
)

// es2plusCmd asks the seller's own SM-DP+, for staff. Orders of customers do all of
// it by themselves.
type es2plusCmd struct {
	Order   es2plusOrderCmd   `cmd:"" help:"DownloadOrder: set a profile aside, and print its ICCID."`
	Confirm es2plusConfirmCmd `cmd:"" help:"ConfirmOrder: give it a matching identifier, and print the activation code."`
	Release es2plusReleaseCmd `cmd:"" help:"ReleaseProfile: let phones have a profile that was confirmed without."`
	Cancel  es2plusCancelCmd  `cmd:"" help:"CancelOrder: take a profile back that no phone has downloaded."`
	Status  es2plusStatusCmd  `cmd:"" help:"getProfileStatus: what the SM-DP+ says of a profile, where it has that function."`
}

// smdp is which SM-DP+ a command asks.
type smdp struct {
	SMDP app.SMDP `embed:"" prefix:"es2plus-"`
}

func (s smdp) client() (*es2plus.Client, error) { return app.SMDPClient(s.SMDP, fromHere()) }

// printed writes what came of a command.
func printed(s std, v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type es2plusOrderCmd struct {
	smdp
	ICCID string `name:"iccid" help:"Which profile. Without, the SM-DP+ chooses one of the type." placeholder:"ICCID"`
	Type  string `help:"Of which profile type." placeholder:"TYPE"`
	EID   string `name:"eid" help:"The one phone that may have it." placeholder:"EID"`
}

// Run prints the ICCID.
func (c *es2plusOrderCmd) Run(ctx context.Context, s std) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	iccid, err := client.DownloadOrder(ctx, es2plus.Wish{ICCID: c.ICCID, ProfileType: c.Type, EID: c.EID})
	if err != nil {
		return err
	}
	return printed(s, map[string]string{"iccid": iccid})
}

type es2plusConfirmCmd struct {
	smdp
	ICCID      string `arg:"" help:"The profile that was set aside."`
	Address    string `name:"es2plus-address" required:"" help:"The SM-DP+'s name for phones." placeholder:"NAME"`
	MatchingID string `name:"matching-id" help:"Its matching identifier. Without, the SM-DP+ makes one." placeholder:"ID"`
	EID        string `name:"eid" help:"The one phone that may have it." placeholder:"EID"`
	Keep       bool   `help:"Do not release it yet."`
}

// Run prints the activation code, by which anybody may install the profile.
func (c *es2plusConfirmCmd) Run(ctx context.Context, s std) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	got, err := client.ConfirmOrder(ctx, es2plus.Confirmation{ICCID: c.ICCID, MatchingID: c.MatchingID, EID: c.EID, Release: !c.Keep})
	if err != nil {
		return err
	}
	return printed(s, map[string]string{"iccid": c.ICCID, "code": es2plus.ActivationCode(c.Address, got.MatchingID)})
}

type es2plusReleaseCmd struct {
	smdp
	ICCID string `arg:"" help:"The profile."`
}

// Run prints nothing but what went wrong.
func (c *es2plusReleaseCmd) Run(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return client.ReleaseProfile(ctx, c.ICCID)
}

type es2plusCancelCmd struct {
	smdp
	ICCID      string `arg:"" help:"The profile."`
	Final      string `required:"" enum:"Available,Unavailable" help:"Available: it may be ordered again. Unavailable: never." placeholder:"STATE"`
	MatchingID string `name:"matching-id" help:"Only if this is its matching identifier." placeholder:"ID"`
	EID        string `name:"eid" help:"The phone that it was ordered for." placeholder:"EID"`
}

// Run prints nothing but what went wrong.
func (c *es2plusCancelCmd) Run(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return client.CancelOrder(ctx, es2plus.Taken{ICCID: c.ICCID, MatchingID: c.MatchingID, EID: c.EID, ForEver: c.Final == "Unavailable"})
}

type es2plusStatusCmd struct {
	smdp
	ICCID string `arg:"" help:"The profile."`
}

// Run prints what the SM-DP+ says; of the matching identifier only whether there is one.
func (c *es2plusStatusCmd) Run(ctx context.Context, s std) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	got, err := client.ProfileStatus(ctx, c.ICCID)
	if err != nil {
		return err
	}
	return printed(s, map[string]any{"iccid": c.ICCID, "state": got.State, "eid": got.EID, "matching_id": got.MatchingID != ""})
}
