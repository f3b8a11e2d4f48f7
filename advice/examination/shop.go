package examination

import (
	_ "embed"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/tsuzuku/tsuzuku/advice"
)

//go:embed shop.csv
var shopFile string

const gb = 1_000_000_000

// store is an invented seller at the market's prices: what is on sale, and how
// often each is chosen by people without advice (chosen too; what is popular on
// the market's pages comes first).
type store struct {
	advice.Shop
	choice []float64
}

// The stores of the examination: with terms alone, and with packs too.
var (
	terms     = sync.OnceValue(func() *store { return mustOpen(false) })
	withPacks = sync.OnceValue(func() *store { return mustOpen(true) })
)

func mustOpen(packs bool) *store {
	s, err := readStore(shopFile, packs)
	if err != nil {
		panic(err) // an embedded file; a test reads it
	}
	return s
}

func readStore(file string, packs bool) (*store, error) {
	rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
	if err != nil {
		return nil, err
	}
	s := &store{Shop: advice.Shop{
		Version: "examination",
		Costs:   advice.YenCosts().For(advice.Balanced),
		Rules:   advice.Rules{Mode: advice.Queue, WhenEmpty: advice.Replace},
	}}
	for _, row := range rows[1:] {
		var n [6]float64 // days, volume, cap, kbps, price, chosen by
		for i := range n {
			if row[2+i] == "" {
				continue
			}
			if n[i], err = strconv.ParseFloat(row[2+i], 64); err != nil {
				return nil, fmt.Errorf("shop.csv: %s: %w", row[0], err)
			}
		}
		o := advice.Offer{
			ID: row[0], Kind: advice.Kind(row[1]), Days: int(n[0]), Price: int64(n[4]),
			Service: advice.Service{Volume: int64(n[1] * gb), DailyCap: int64(n[2] * gb), ThrottleKbps: int(n[3])},
		}
		if o.Kind == advice.Pack && !packs {
			continue
		}
		s.Offers = append(s.Offers, o)
		s.choice = append(s.choice, n[5])
	}
	return s, s.Validate()
}

// find is the offer with an id.
func (s *store) find(id string) int {
	for i, o := range s.Offers {
		if o.ID == id {
			return i
		}
	}
	panic("no offer " + id)
}

// unlimited reports whether a service has no volume: it may become slow for the
// rest of a day, but is never used up.
func unlimited(s advice.Service) bool { return s.Volume == 0 }
