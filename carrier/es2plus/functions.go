package es2plus

import (
	"context"

	"github.com/tsuzuku/tsuzuku/carrier"
)

// Wish is which profile a download order is for. ICCID or ProfileType must be given.
type Wish struct {
	Ref         string // ours, for the SM-DP+'s log; may be empty
	ICCID       string // without the padding F
	ProfileType string
	EID         string // the one phone that may have it; empty: any
}

// DownloadOrder sets a profile aside and says which. Nobody can install it yet, so
// that silence is [carrier.ErrNotSent].
func (c *Client) DownloadOrder(ctx context.Context, w Wish) (iccid string, err error) {
	fields := map[string]any{}
	switch {
	case w.ICCID == "" && w.ProfileType == "":
		return "", badRequest("neither an ICCID nor a profile type is named")
	case w.ICCID != "" && !iccids.MatchString(w.ICCID):
		return "", badRequest("an ICCID has 18 to 20 digits")
	case w.EID != "" && !eids.MatchString(w.EID):
		return "", badRequest("an EID has 32 digits")
	}
	if w.ICCID != "" {
		fields["iccid"] = padded(w.ICCID)
	}
	if w.ProfileType != "" {
		fields["profileType"] = w.ProfileType
	}
	if w.EID != "" {
		fields["eid"] = w.EID
	}
	var got struct {
		ICCID string `json:"iccid"`
	}
	if err := c.call(ctx, harmless, "downloadOrder", w.Ref, fields, &got); err != nil {
		return "", err
	}
	iccid, ok := bare(got.ICCID)
	if !ok || w.ICCID != "" && iccid != w.ICCID {
		return "", harmless.silence("downloadOrder: the answer is about %s", carrier.Quote(got.ICCID))
	}
	return iccid, nil
}

// Confirmation is what confirms a download order.
type Confirmation struct {
	Ref          string // ours, for the SM-DP+'s log; may be empty
	ICCID        string // without the padding F
	MatchingID   string // empty: the SM-DP+ makes one
	Confirmation string // a code that the phone asks for; empty: none
	EID          string
	Release      bool // phones may have it now
}

// Confirmed is the answer to a confirmation.
type Confirmed struct {
	MatchingID string
	Address    string // of the SM-DP+ for phones; empty where it does not say
	EID        string
}

// ConfirmOrder gives a profile that is set aside its matching identifier, and with
// Release lets phones have it. See the package's comment on what its refusals prove
// after a silence.
func (c *Client) ConfirmOrder(ctx context.Context, q Confirmation) (Confirmed, error) {
	switch {
	case !iccids.MatchString(q.ICCID):
		return Confirmed{}, badRequest("an ICCID has 18 to 20 digits")
	case q.MatchingID != "" && !matchings.MatchString(q.MatchingID):
		return Confirmed{}, badRequest("a matching identifier has capital letters, digits and hyphens")
	case q.EID != "" && !eids.MatchString(q.EID):
		return Confirmed{}, badRequest("an EID has 32 digits")
	}
	fields := map[string]any{"iccid": padded(q.ICCID), "releaseFlag": q.Release}
	for name, value := range map[string]string{"matchingId": q.MatchingID, "confirmationCode": q.Confirmation, "eid": q.EID} {
		if value != "" {
			fields[name] = value
		}
	}
	var got struct {
		MatchingID string `json:"matchingId"`
		Address    string `json:"smdpAddress"`
		EID        string `json:"eid"`
	}
	if err := c.call(ctx, changes, "confirmOrder", q.Ref, fields, &got); err != nil {
		return Confirmed{}, err
	}
	if got.MatchingID == "" {
		got.MatchingID = q.MatchingID // some say it only where it is theirs
	}
	if q.MatchingID != "" && got.MatchingID != q.MatchingID {
		return Confirmed{}, changes.silence("confirmOrder: %q was asked for, and %q is answered", q.MatchingID, carrier.Clip(got.MatchingID))
	}
	if !matchings.MatchString(got.MatchingID) {
		return Confirmed{}, changes.silence("confirmOrder: %q is no matching identifier", carrier.Clip(got.MatchingID))
	}
	return Confirmed{got.MatchingID, carrier.Clip(got.Address), carrier.Clip(got.EID)}, nil
}

// Taken is an order that is taken back.
type Taken struct {
	ICCID      string
	MatchingID string // empty: not compared
	EID        string // of an order that has one
	ForEver    bool   // the profile cannot be ordered again
}

// CancelOrder takes an order back that no phone has downloaded.
func (c *Client) CancelOrder(ctx context.Context, q Taken) error {
	if !iccids.MatchString(q.ICCID) {
		return badRequest("an ICCID has 18 to 20 digits")
	}
	fields := map[string]any{"iccid": padded(q.ICCID), "finalProfileStatusIndicator": "Available"}
	if q.ForEver {
		fields["finalProfileStatusIndicator"] = "Unavailable"
	}
	for name, value := range map[string]string{"matchingId": q.MatchingID, "eid": q.EID} {
		if value != "" {
			fields[name] = value
		}
	}
	return c.call(ctx, changes, "cancelOrder", "", fields, nil)
}

// ReleaseProfile lets phones have a profile that was confirmed without.
func (c *Client) ReleaseProfile(ctx context.Context, iccid string) error {
	if !iccids.MatchString(iccid) {
		return badRequest("an ICCID has 18 to 20 digits")
	}
	return c.call(ctx, changes, "releaseProfile", "", map[string]any{"iccid": padded(iccid)}, nil)
}

// ProfileStatus is what getProfileStatus says of a profile.
type ProfileStatus struct {
	State      string // in the SM-DP+'s words, in capitals
	MatchingID string // empty: none, or it does not say
	EID        string
}

// ProfileStatus reads a profile, where the SM-DP+ has that function; it is none of
// the specification's. It fails with a *[carrier.Refusal] of LineUnknown for a profile
// that is not in the answer.
func (c *Client) ProfileStatus(ctx context.Context, iccid string) (ProfileStatus, error) {
	var got struct {
		List []struct {
			ICCID string `json:"iccid"`
			State string `json:"state"`
			Token string `json:"acToken"`
			EID   string `json:"eid"`
		} `json:"profileStatusList"`
	}
	if !iccids.MatchString(iccid) {
		return ProfileStatus{}, badRequest("an ICCID has 18 to 20 digits")
	}
	asked := map[string]any{"iccidList": []map[string]string{{"iccid": padded(iccid)}}}
	if err := c.call(ctx, harmless, "getProfileStatus", "", asked, &got); err != nil {
		return ProfileStatus{}, err
	}
	for _, p := range got.List {
		if its, ok := bare(p.ICCID); ok && its == iccid {
			return ProfileStatus{carrier.Clip(p.State), carrier.Clip(p.Token), carrier.Clip(p.EID)}, nil
		}
	}
	return ProfileStatus{}, &carrier.Refusal{Reason: carrier.LineUnknown, Text: "the profile is not in the answer"}
}

// badRequest refuses what would be a bug of ours to send, or a mistake of staff.
func badRequest(why string) error { return &carrier.Refusal{Reason: carrier.BadRequest, Text: why} }
