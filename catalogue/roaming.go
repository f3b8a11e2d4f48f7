package catalogue

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/tsuzuku/tsuzuku/fault"
)

// roamingColumns are those of a table of roaming prices.
var roamingColumns = []string{"home", "country", "currency", "per_day", "as_of", "source", "confidence"}

// mostRoaming is how many rows such a table may have.
const mostRoaming = 5_000

// RoamingBlock makes the roaming of a catalogue file of a table in CSV, with the columns
// home, country, currency, per_day, as_of, source and confidence; others are left out.
// What it makes is checked where the whole file is. It fails with [fault.Invalid] for what
// is no such table.
func RoamingBlock(table io.Reader) ([]byte, error) {
	in := csv.NewReader(table)
	head, err := in.Read()
	if err != nil {
		return nil, fault.Wrap(fault.Invalid, err, "The file has no first row that names its columns: %s.", strings.Join(roamingColumns, ", "))
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	at := map[string]int{}
	for _, name := range roamingColumns {
		if at[name] = slices.Index(head, name); at[name] < 0 {
			return nil, fault.New(fault.Invalid, "The file has no column %s. It needs: %s.", name, strings.Join(roamingColumns, ", "))
		}
	}
	type row struct {
		Home       string    `yaml:"home"`
		Country    string    `yaml:"country"`
		PerDay     yaml.Node `yaml:"per_day"`
		AsOf       yaml.Node `yaml:"as_of"`
		Source     string    `yaml:"source"`
		Confidence string    `yaml:"confidence"`
	}
	var file struct {
		Roaming []row `yaml:"roaming"`
	}
	plain := func(v string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Value: v} }
	for {
		record, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fault.Wrap(fault.Invalid, err, "The file is not CSV: %v.", err)
		}
		if len(file.Roaming) == mostRoaming {
			return nil, fault.New(fault.Invalid, "The file has more than %d rows.", mostRoaming)
		}
		get := func(name string) string { return strings.TrimSpace(record[at[name]]) }
		file.Roaming = append(file.Roaming, row{
			Home: get("home"), Country: get("country"), AsOf: *plain(get("as_of")), Source: get("source"), Confidence: get("confidence"),
			PerDay: yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{plain(get("currency")), plain(get("per_day"))}},
		})
	}
	return yaml.Marshal(file)
}
