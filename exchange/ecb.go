package exchange

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/money"
)

// ECB is the name of the European Central Bank as a source.
const ECB = "ECB"

// maxFile bounds what is read: the Bank's whole history is 7 MB of XML.
const maxFile = 32 << 20

// maxDays bounds the days of a file: the Bank's history has some 7,000.
const maxDays = 40_000

// ReadECB reads a file of the European Central Bank's euro foreign exchange
// reference rates, and returns its newest day. The Bank publishes them as
// eurofxref-daily.xml and eurofxref-hist.xml, and zipped as CSV with one column a
// currency; both forms are read, the CSV unzipped. Currencies that we do not
// know, and N/A, are passed over.
//
// It fails with [fault.Invalid], naming the line where it can, for anything else.
func ReadECB(r io.Reader) (Sheet, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		return Sheet{}, err
	case len(data) > maxFile:
		return Sheet{}, fault.New(fault.Invalid, "This file is larger than any of the Central Bank's.")
	case bytes.HasPrefix(data, []byte("PK")):
		return Sheet{}, fault.New(fault.Invalid, "This file is zipped. Unzip it first.")
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		return readXML(data)
	}
	return readCSV(data)
}

// envelope is the Bank's XML: Cube elements in a Cube in a Cube.
type envelope struct {
	Days []struct {
		Day   string `xml:"time,attr"`
		Rates []struct {
			Currency string `xml:"currency,attr"`
			Rate     string `xml:"rate,attr"`
		} `xml:"Cube"`
	} `xml:"Cube>Cube"`
}

func readXML(data []byte) (Sheet, error) {
	var e envelope
	if err := xml.Unmarshal(data, &e); err != nil {
		return Sheet{}, fault.Wrap(fault.Invalid, err, "This is not the Central Bank's XML. Fetch the file again.")
	}
	if len(e.Days) > maxDays {
		return Sheet{}, fault.New(fault.Invalid, "This file has more days than the Central Bank has published.")
	}
	s := Sheet{Source: ECB, Base: "EUR"}
	for _, d := range e.Days {
		if d.Day <= s.Day {
			continue
		}
		units := map[money.Currency]Units{}
		for _, r := range d.Rates {
			if err := add(units, r.Currency, r.Rate); err != nil {
				return Sheet{}, err
			}
		}
		s.Day, s.Units = d.Day, units
	}
	return s.checked()
}

func readCSV(data []byte) (Sheet, error) {
	r := csv.NewReader(bytes.NewReader(data))
	r.FieldsPerRecord, r.TrimLeadingSpace, r.ReuseRecord = -1, true, true
	head, err := r.Read()
	if err != nil || len(head) < 2 || !strings.EqualFold(strings.TrimSpace(head[0]), "date") {
		return Sheet{}, fault.New(fault.Invalid, "This is not the Central Bank's CSV: its first line is Date and then currencies.")
	}
	currencies := append([]string(nil), head[1:]...)
	s := Sheet{Source: ECB, Base: "EUR"}
	for range maxDays {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return s.checked()
		}
		if err != nil {
			return Sheet{}, fault.Wrap(fault.Invalid, err, "This is not the Central Bank's CSV. Fetch the file again.")
		}
		line, _ := r.FieldPos(0)
		day, err := dayOf(row[0])
		if err != nil {
			return Sheet{}, fault.Wrap(fault.Invalid, err, "Line %d: %q is not a day like 2026-11-27.", line, clip(row[0]))
		}
		if day <= s.Day {
			continue
		}
		units := map[money.Currency]Units{}
		for i, c := range currencies {
			if i+1 >= len(row) {
				return Sheet{}, fault.New(fault.Invalid, "Line %d ends after %d of %d columns.", line, len(row), len(head))
			}
			if err := add(units, c, row[i+1]); err != nil {
				return Sheet{}, err
			}
		}
		s.Day, s.Units = day, units
	}
	return Sheet{}, fault.New(fault.Invalid, "This file has more days than the Central Bank has published.")
}

// dayOf reads a day as the history writes it, and as the daily file does.
func dayOf(s string) (string, error) {
	s = strings.TrimSpace(s)
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		t, err = time.Parse("2 January 2006", s)
	}
	return t.Format(time.DateOnly), err
}

var isRate = regexp.MustCompile(`^([0-9]{1,9})(?:\.([0-9]{1,8}))?$`)

// add notes one rate. The Bank's CSV has an empty column at the end of each line.
func add(units map[money.Currency]Units, currency, rate string) error {
	c, rate := money.Currency(strings.TrimSpace(currency)), strings.TrimSpace(rate)
	if c.Validate() != nil || c == money.Points || rate == "" || rate == "N/A" {
		return nil
	}
	found := isRate.FindStringSubmatch(rate)
	if found == nil {
		return fault.New(fault.Invalid, "The rate of %s, %q, is not a number.", c, clip(rate))
	}
	n, err := strconv.ParseInt(found[1]+found[2], 10, 64)
	if err != nil || n == 0 {
		return fault.New(fault.Invalid, "The rate of %s, %q, is out of range.", c, rate)
	}
	if _, twice := units[c]; twice {
		return fault.New(fault.Invalid, "There are two rates of %s for one day.", c)
	}
	d := int64(1)
	for range found[2] {
		d *= 10
	}
	units[c] = Units{n, d}
	return nil
}

func (s Sheet) checked() (Sheet, error) {
	if _, err := time.Parse(time.DateOnly, s.Day); err != nil || len(s.Units) == 0 {
		return Sheet{}, fault.New(fault.Invalid, "There are no rates in this file. Fetch it again.")
	}
	return s, nil
}

// clip bounds what a message repeats of a stranger's file.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 40)], "?") }
