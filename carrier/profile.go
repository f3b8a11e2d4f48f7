package carrier

import (
	"net/http"
	"time"
)

// ProfileState is what a phone last did with an eSIM's profile. The values are
// stored; do not rename.
type ProfileState string

// The states of a profile on its phone.
const (
	ProfileInstalled ProfileState = "installed" // and not switched on yet
	ProfileEnabled   ProfileState = "enabled"
	ProfileDisabled  ProfileState = "disabled"
	ProfileDeleted   ProfileState = "deleted"
)

// ProfileEvent is what a notification says of a profile. Unlike a [Doorbell] it is
// a fact: nobody can be asked whether a phone has a profile, so that its sender must
// have proved who it is before it is read. It never moves money, and never ends
// service.
type ProfileEvent struct {
	EventID string // the same for one that comes twice
	Kind    string // the operator's words
	ICCID   string // 19 or 20 digits, without the padding F
	State   ProfileState
	At      time.Time // when the phone did it, by the sender's clock
}

// ProfileTeller is a [Carrier] whose operator tells what phones do with profiles.
type ProfileTeller interface {
	Carrier

	// ProfileEvent reads a notification. State is empty where it tells of a step that
	// leaves the profile as it was, or of one that failed. One that cannot be read is
	// a *Refusal with BadRequest.
	ProfileEvent(h http.Header, body []byte) (ProfileEvent, error)
}
