package calendar

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zone rules for machines without any

	"github.com/tsuzuku/tsuzuku/fault"
)

// Zone is the IANA name of a time zone, such as "Asia/Tokyo". The zero value
// names none; use "UTC".
type Zone string

// UTC is the zone without rules.
const UTC Zone = "UTC"

// locations remembers what [Zone.Location] read: rules do not change while the
// program runs. It holds one *time.Location for each name that exists.
var locations sync.Map

// LoadZone checks that a zone exists. It fails with [fault.Invalid].
func LoadZone(name string) (Zone, error) {
	z := Zone(name)
	_, err := z.Location()
	if err != nil {
		return "", err
	}
	return z, nil
}

// Location returns the rules of z. It fails with [fault.Invalid] when there is
// no such zone.
func (z Zone) Location() (*time.Location, error) {
	if known, ok := locations.Load(z); ok {
		return known.(*time.Location), nil
	}
	if !z.plausible() {
		return nil, z.unknown(nil)
	}
	loc, err := time.LoadLocation(string(z))
	if err != nil {
		return nil, z.unknown(err)
	}
	known, _ := locations.LoadOrStore(z, loc)
	return known.(*time.Location), nil
}

// plausible refuses what [time.LoadLocation] accepts although it is no name of
// a zone: nothing, the machine's own zone, and the copies that some systems
// keep beside the zones, of which right/ counts leap seconds.
func (z Zone) plausible() bool {
	switch string(z) {
	case "", "Local", "localtime", "posixrules":
		return false
	}
	return !strings.HasPrefix(string(z), "posix/") && !strings.HasPrefix(string(z), "right/")
}

func (z Zone) unknown(cause error) error {
	err := fault.Because(fault.Invalid, "unknown_zone",
		"There is no time zone "+`"`+string(z)+`"`+". Use a name from the IANA list, such as Asia/Tokyo.",
		map[string]string{"zone": string(z)})
	err.Err = cause
	return err
}
