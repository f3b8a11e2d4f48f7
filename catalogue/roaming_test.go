package catalogue

import (
	"reflect"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/money"
)

// A table of roaming prices becomes a part of the file that is read as it was meant, and
// what is wrong in it is told there.
func TestRoamingBlock(t *testing.T) {
	with := func(table string) (*Catalogue, error) {
		block, err := RoamingBlock(strings.NewReader(table))
		if err != nil {
			return nil, err
		}
		file, _, _ := strings.Cut(string(DemoFile()), "\nroaming:\n")
		return Read("with", []byte(file+"\n"+string(block)))
	}
	const head = "note,home,country,currency,per_day,as_of,source,confidence\n"
	c, err := with("\ufeff" + head + `x,"No: 1, ""Tel""",KR,KRW,13200,2026-03,its page,A` + "\n,On,NO,USD,9.90,2026,\"a: b\",B\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Roaming{
		{Home: `No: 1, "Tel"`, Country: "KR", PerDay: money.Of(13200, "KRW"), AsOf: "2026-03", Source: "its page", Confidence: "A"},
		{Home: "On", Country: "NO", PerDay: money.Of(990, "USD"), AsOf: "2026", Source: "a: b", Confidence: "B"},
	}
	if len(c.Roaming) != 2 || !reflect.DeepEqual(c.Roaming[0], want[0]) {
		t.Errorf("%+v", c.Roaming)
	}
	for table, says := range map[string]string{
		"home,country\n": "no column currency",
		head + "x,Tel,KR,KRW,much,2026,a page,A\n": "much",
		head + "x,Tel,KR\n":                        "not CSV",
	} {
		if _, err := with(table); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want something of %q", table, err, says)
		}
	}
}
