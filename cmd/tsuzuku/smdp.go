package main

import (
	"context"
	"encoding/json"

	"github.com/tsuzuku/tsuzuku/app"
)

// smdpCmd asks the seller's own SM-DP+, for staff. Orders of customers do all of
// it by themselves.
type smdpCmd struct {
	Order   smdpOrderCmd   `cmd:"" help:"DownloadOrder: set a profile aside, and print its ICCID."`
	Confirm smdpConfirmCmd `cmd:"" help:"ConfirmOrder: give it a matching identifier, and print the activation code."`
	Release smdpReleaseCmd `cmd:"" help:"ReleaseProfile: let phones have a profile that was confirmed without."`
	Cancel  smdpCancelCmd  `cmd:"" help:"CancelOrder: take a profile back that no phone has downloaded."`
	Status  smdpStatusCmd  `cmd:"" help:"getProfileStatus: what the SM-DP+ says of a profile, where it has that function."`
}

// smdp is which SM-DP+ a command asks.
type smdp struct {
	SMDP app.SMDP `embed:"" prefix:"smdp-"`
}

func (s smdp) client() (*app.SMDPHand, error) { return app.SMDPClient(s.SMDP, fromHere()) }

// printed writes what came of a command.
func printed(s std, v any) error {
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

type smdpOrderCmd struct {
	smdp
	ICCID string `name:"iccid" help:"Which profile. Without, the SM-DP+ chooses one of the type." placeholder:"ICCID"`
	Type  string `help:"Of which profile type." placeholder:"TYPE"`
	EID   string `name:"eid" help:"The one phone that may have it." placeholder:"EID"`
}

// Run prints the ICCID.
func (c *smdpOrderCmd) Run(ctx context.Context, s std) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	iccid, err := client.DownloadOrder(ctx, app.SMDPWish{ICCID: c.ICCID, ProfileType: c.Type, EID: c.EID})
	if err != nil {
		return err
	}
	return printed(s, map[string]string{"iccid": iccid})
}

type smdpConfirmCmd struct {
	smdp
	ICCID      string `arg:"" help:"The profile that was set aside."`
	Address    string `name:"smdp-address" required:"" help:"The SM-DP+'s name for phones." placeholder:"NAME"`
	MatchingID string `name:"matching-id" help:"Its matching identifier. Without, the SM-DP+ makes one." placeholder:"ID"`
	EID        string `name:"eid" help:"The one phone that may have it." placeholder:"EID"`
	Keep       bool   `help:"Do not release it yet."`
}

// Run prints the activation code, by which anybody may install the profile.
func (c *smdpConfirmCmd) Run(ctx context.Context, s std) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	got, err := client.ConfirmOrder(ctx, app.SMDPConfirmation{ICCID: c.ICCID, MatchingID: c.MatchingID, EID: c.EID, Release: !c.Keep})
	if err != nil {
		return err
	}
	return printed(s, map[string]string{"iccid": c.ICCID, "code": app.ActivationCode(c.Address, got.MatchingID)})
}

type smdpReleaseCmd struct {
	smdp
	ICCID string `arg:"" help:"The profile."`
}

// Run prints nothing but what went wrong.
func (c *smdpReleaseCmd) Run(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return client.ReleaseProfile(ctx, c.ICCID)
}

type smdpCancelCmd struct {
	smdp
	ICCID      string `arg:"" help:"The profile."`
	Final      string `required:"" enum:"Available,Unavailable" help:"Available: it may be ordered again. Unavailable: never." placeholder:"STATE"`
	MatchingID string `name:"matching-id" help:"Only if this is its matching identifier." placeholder:"ID"`
	EID        string `name:"eid" help:"The phone that it was ordered for." placeholder:"EID"`
}

// Run prints nothing but what went wrong.
func (c *smdpCancelCmd) Run(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	return client.CancelOrder(ctx, app.SMDPTaken{ICCID: c.ICCID, MatchingID: c.MatchingID, EID: c.EID, ForEver: c.Final == "Unavailable"})
}

type smdpStatusCmd struct {
	smdp
	ICCID string `arg:"" help:"The profile."`
}

// Run prints what the SM-DP+ says; of the matching identifier only whether there is one.
func (c *smdpStatusCmd) Run(ctx context.Context, s std) error {
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
