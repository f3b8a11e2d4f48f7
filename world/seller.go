package world

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/db"
)

// The seller, who changes the catalogue while customers shop. What a customer has
// been quoted, and what has been ordered, stays as it was.

// catalogues are the shop's in this town: as it opened, with dearer prices, and
// without a plan of which customers have lines.
func catalogues() [][]byte {
	first := catalogue.DemoFile()
	dearer := yenPrice.ReplaceAllFunc(first, func(price []byte) []byte {
		n, _ := strconv.Atoi(string(price[len(inYen):])) // digits
		return []byte(inYen + strconv.Itoa(n+n/10))
	})
	before, plan, _ := strings.Cut(string(first), "\n  - id: "+withdrawn+"\n")
	_, after, _ := strings.Cut(plan, "\n  - id: ")
	return [][]byte{first, dearer, []byte(before + "\n  - id: " + after)}
}

// withdrawn is the plan that the seller sells at times only.
const withdrawn = "kaigan-500"

const inYen = "prices: {JPY: "

var yenPrice = regexp.MustCompile(inYen + "[0-9]+")

// changesMost bounds how often the seller changes the catalogue in one run.
const changesMost = 4

// changes plans when the seller will change the catalogue.
func (s *Simulation) changes() {
	all := catalogues()
	for range s.rand.IntN(changesMost + 1) {
		at := s.epoch.Add(time.Duration(s.rand.Int64N(int64(s.length) + 1)))
		file := all[s.rand.IntN(len(all))]
		s.at(at, func(ctx context.Context) { s.change(ctx, file) })
	}
}

// change is tried once: a seller who loses the connection looks later.
func (s *Simulation) change(ctx context.Context, file []byte) {
	var now *catalogue.Catalogue
	alive, err := s.in(ctx, "a change of the catalogue", func(ctx context.Context, h *House) (err error) {
		now, err = db.Written(ctx, h.DB, func(ctx context.Context, tx db.Tx) (*catalogue.Catalogue, error) {
			c, _, err := catalogue.Apply(ctx, tx, file, "simulation")
			return c, err
		})
		return err
	})
	if alive && err == nil {
		if now.Version != s.cat.Version {
			s.weather.count["catalogue changed"]++
		}
		s.cat = now
		s.log("catalogue version %d", now.Version)
	}
}
