package line

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// CardRow is a row of the list that says which card has which numbers.
type CardRow struct {
	ICCID, IMSI, MSISDN string // digits; IMSI or MSISDN may be empty
}

// MostCardRows is how long such a list may be.
const MostCardRows = 1_000_000

// ReadCardNumbers reads a list in CSV with the columns iccid, imsi and msisdn, the last
// two of which may be missing. It fails with [fault.Invalid] and every row that is wrong,
// up to twenty.
func ReadCardNumbers(r io.Reader) (all []CardRow, err error) {
	in := csv.NewReader(r)
	head, err := in.Read()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The file has no first row that names its columns: iccid, imsi, msisdn.")
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at := func(name string) int { return slices.Index(head, name) }
	if at("iccid") < 0 || at("imsi") < 0 && at("msisdn") < 0 {
		return nil, fault.New(fault.Invalid, "The columns are iccid, and imsi or msisdn or both; these are %s.", strings.Join(head, ", "))
	}
	var wrong []string
	seen := map[string]bool{}
	for len(wrong) < 20 {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "The file is not CSV: %v.", err)
		}
		n, _ := in.FieldPos(0)
		row, why := cardRow(record, at)
		for _, number := range []string{"imsi " + row.IMSI, "msisdn " + row.MSISDN} {
			if why == "" && !strings.HasSuffix(number, " ") && seen[number] {
				why = number + " stands here twice"
			}
			seen[number] = true
		}
		if why != "" {
			wrong = append(wrong, fmt.Sprintf("row %d: %s", n, why))
		}
		if all = append(all, row); len(all) > MostCardRows {
			return nil, fault.New(fault.Invalid, "The file has more than %d rows. Split it.", MostCardRows)
		}
	}
	if len(wrong) > 0 {
		return nil, fault.New(fault.Invalid, "%s", strings.Join(wrong, "; "))
	}
	return all, nil
}

// cardRow reads one row. why is what is wrong with it.
func cardRow(record []string, at func(string) int) (row CardRow, why string) {
	digits := func(name string, least, most int) string {
		if at(name) < 0 || record[at(name)] == "" {
			return ""
		}
		v := strings.TrimPrefix(strings.TrimSpace(record[at(name)]), "+")
		if len(v) < least || len(v) > most || strings.Trim(v, "0123456789") != "" {
			why = name + " has not " + fmt.Sprintf("%d to %d digits", least, most)
		}
		return v
	}
	row.IMSI, row.MSISDN = digits("imsi", 6, 15), digits("msisdn", 5, 15)
	iccid, _, err := ReadICCID(record[at("iccid")])
	if row.ICCID = iccid; err != nil {
		why = fault.Message(err)
	}
	if why == "" && row.IMSI == "" && row.MSISDN == "" {
		why = "no number"
	}
	return row, why
}

// AddCardRow appends what stores a row.
func AddCardRow(b *db.Batch, r CardRow) {
	for _, n := range []CardNumber{{IMSI, r.IMSI}, {MSISDN, r.MSISDN}} {
		if n.Value != "" {
			SetCardNumber(b, n, r.ICCID)
		}
	}
}
