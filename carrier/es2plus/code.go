package es2plus

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"regexp"
	"strings"
)

// leastSecret is how long the secret of matching identifiers must be.
const leastSecret = 32

// matchingID is the identifier of an order: 125 bits that nobody else can know, in
// the alphabet of the specification, and the same whenever it is made.
func matchingID(secret, ref string) string {
	mac := hmac.New(sha256.New, []byte("tsuzuku es2+ matching identifiers "+secret))
	mac.Write([]byte(ref))
	letters := base32.StdEncoding.EncodeToString(mac.Sum(nil))
	var parts []string
	for i := range 5 {
		parts = append(parts, letters[i*5:i*5+5])
	}
	return strings.Join(parts, "-")
}

var (
	matchings = regexp.MustCompile(`^[0-9A-Z-]{1,100}$`)
	iccids    = regexp.MustCompile(`^[0-9]{18,20}$`)
	eids      = regexp.MustCompile(`^[0-9]{32}$`)
	oids      = regexp.MustCompile(`^[0-2](\.[0-9]{1,20}){1,30}$`)
	versions  = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$`)
)

// ActivationCode is what a phone installs a profile with (SGP.22, 4.1). It has no
// confirmation code: whoever has the code has bought the line.
func ActivationCode(address, matching string) string { return "LPA:1$" + address + "$" + matching }

// padded is an ICCID as it travels: an F fills the last half of a byte.
func padded(iccid string) string {
	if len(iccid)%2 == 1 {
		return iccid + "F"
	}
	return iccid
}

// bare is an ICCID that came, and whether it is one.
func bare(iccid string) (string, bool) {
	digits := strings.TrimRight(strings.TrimSpace(iccid), "Ff")
	return digits, iccids.MatchString(digits) && len(iccid) < 40
}
