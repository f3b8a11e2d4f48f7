package esimgosim

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bundle is something that is sold.
type Bundle struct {
	Name      string // case matters: esim_1GB_7D_JP_V2
	Title     string // the description; empty: made from the name
	MB        int64  // a GB is 1000
	Days      int
	Unlimited bool
	Price     int64  // cents
	Country   string // ISO 3166-1; empty: JP
	Provider  string // underlying; a bundle fits eSIMs of its own provider
	Speed     []string
}

type bundle struct {
	Bundle
	withdrawn bool
}

// AddBundle puts a bundle into the catalogue. It panics if the name is taken.
func (s *Sim) AddBundle(b Bundle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bundle(b.Name) != nil {
		panic("esimgosim: the bundle " + b.Name + " is there already")
	}
	b.Country = cmp.Or(b.Country, "JP")
	b.Title = cmp.Or(b.Title, "eSIM, "+strings.ReplaceAll(strings.TrimPrefix(b.Name, "esim_"), "_", ", "))
	s.bundles = append(s.bundles, &bundle{Bundle: b})
}

// ChangePrice gives a bundle another price, in cents, from now on. It panics if
// there is no such bundle.
func (s *Sim) ChangePrice(name string, cents int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustBundle(name).Price = cents
}

// Withdraw takes a bundle out of the catalogue; ordering it is refused. It
// panics if there is no such bundle.
func (s *Sim) Withdraw(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustBundle(name).withdrawn = true
}

func (s *Sim) bundle(name string) *bundle {
	for _, b := range s.bundles {
		if b.Name == name {
			return b
		}
	}
	return nil
}

func (s *Sim) mustBundle(name string) *bundle {
	b := s.bundle(name)
	if b == nil {
		panic("esimgosim: no bundle " + name)
	}
	return b
}

// row is a bundle as the catalogue has it [3.2].
func (s *Sim) row(b *bundle) object {
	mb := b.MB
	if b.Unlimited {
		mb, _ = strconv.ParseInt(s.pick(s.cfg.Manners.Unlimited, "0", "-1"), 10, 64)
	}
	return object{
		"name": b.Name, "description": b.Title, "groups": []string{"Standard"},
		"countries":  []object{{"name": b.Country, "region": "Asia", "iso": b.Country}},
		"dataAmount": mb, "duration": b.Days, "speed": b.Speed, "autostart": true, "unlimited": b.Unlimited,
		"roamingEnabled": []object{}, "price": decimal(b.Price), "billingType": "FixedCost",
	}
}

// listBundles serves GET catalogue.
func (s *Sim) listBundles(q *request) *answer {
	query := q.r.URL.Query()
	rows := []object{}
	for _, b := range s.bundles {
		if b.withdrawn || !strings.Contains(strings.ToLower(b.Title), strings.ToLower(query.Get("description"))) {
			continue
		}
		if given := query.Get("countries"); given != "" && !slices.Contains(strings.Split(given, ","), b.Country) {
			continue
		}
		rows = append(rows, s.row(b))
	}
	return paged(q, "bundles", rows, 50)
}

// getBundle serves GET catalogue/{name}.
func (s *Sim) getBundle(q *request) *answer {
	b := s.bundle(q.name)
	if b == nil || b.withdrawn {
		return no(http.StatusBadRequest, "bundle not found")
	}
	return said(http.StatusOK, s.row(b))
}

const perPageMax = 100

// paged is one page of a list, counted from 1.
func paged(q *request, key string, rows []object, perPage int) *answer {
	page := 1
	for name, to := range map[string]*int{"page": &page, "perPage": &perPage} {
		if given := q.r.URL.Query().Get(name); given != "" {
			n, err := strconv.Atoi(given)
			if err != nil || n < 1 {
				return no(http.StatusBadRequest, name+" is invalid")
			}
			*to = n
		}
	}
	perPage = min(perPage, perPageMax)
	from := min(len(rows), min(page-1, len(rows))*perPage)
	return said(http.StatusOK, object{
		key: rows[from:min(len(rows), from+perPage)], "pageCount": (len(rows) + perPage - 1) / perPage, "rows": len(rows), "pageSize": perPage,
	})
}

// decimal is an amount of cents as a JSON number, without zeros that say
// nothing, as JavaScript prints it.
func decimal(cents int64) json.Number {
	sign := ""
	if cents < 0 {
		sign, cents = "-", -cents
	}
	text := strconv.FormatInt(cents/100, 10)
	if rest := cents % 100; rest != 0 {
		text += "." + strings.TrimRight(strconv.FormatInt(100+rest, 10)[1:], "0")
	}
	return json.Number(sign + text)
}

// entry is one movement of the balance, in cents.
type entry struct {
	at     time.Time
	amount int64
}

// balanceAt is the balance at an instant.
func (s *Sim) balanceAt(at time.Time) int64 {
	var sum int64
	for _, e := range s.ledger {
		if !e.at.After(at) {
			sum += e.amount
		}
	}
	return sum
}

func (s *Sim) post(amount int64) { s.ledger = append(s.ledger, entry{s.now, amount}) }

// organisation serves GET organisation [A].
func (s *Sim) organisation(q *request) *answer {
	return said(http.StatusOK, object{"organisations": []object{{
		"name": "Seller", "apiKey": s.cfg.APIKey, "groups": []string{"Standard"}, "callbackUrl": s.cfg.Webhook,
		"currency": s.cfg.Currency, "balance": decimal(s.balanceAt(q.asOf)), "businessType": "Reseller", "users": []object{},
	}}})
}

// listInventory serves GET inventory.
func (s *Sim) listInventory(*request) *answer {
	rows := []object{}
	for _, b := range s.bundles {
		if n := s.inventory[b.Name]; n > 0 {
			rows = append(rows, object{
				"name": b.Name, "desc": b.Title, "countries": []string{b.Country}, "data": b.MB, "duration": b.Days,
				"available": []object{{"id": 1, "total": n, "remaining": n}},
			})
		}
	}
	return said(http.StatusOK, object{"bundles": rows})
}
