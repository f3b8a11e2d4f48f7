package cmisim

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// Package is something that is sold: a plan for a card [3.2.2].
type Package struct {
	ID         string
	Name       string // in English; empty: made from the rest
	MB         int64  // of high speed, in the whole or each day
	Daily      bool   // MB are those of one day
	Period     int    // how many
	PeriodType int    // 0: 24 hours, 1: natural days, 2: natural months, 3: natural years
	Activation int    // 1: a date or first use, 2: first location update, 3: after some data; 0: 2
	Price      int64  // hundredths of the deposit's currency
	MCC        string // empty: 440, Japan
	Packs      []string
}

// Pack is something that refuels an active package.
type Pack struct {
	ID    string
	MB    int64
	Price int64 // hundredths
}

type offer struct {
	Package
	withdrawn bool
	added     time.Time
}

type pack struct {
	Pack
	withdrawn bool
}

// AddPackage puts a package into the catalogue. It panics if its ID is taken or
// one of its packs is unknown.
func (s *Sim) AddPackage(p Package) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance()
	if s.offer(p.ID) != nil {
		panic("cmisim: the package " + p.ID + " is there already")
	}
	for _, id := range p.Packs {
		if s.pack(id) == nil {
			panic("cmisim: no pack " + id)
		}
	}
	each := ""
	if p.Daily {
		each = "/Day"
	}
	p.Name = cmp.Or(p.Name, "Japan "+strconv.FormatInt(p.MB, 10)+"MB"+each+" "+strconv.Itoa(p.Period)+" "+[]string{"x 24h", "Days", "Months", "Years"}[p.PeriodType])
	p.Activation, p.MCC = cmp.Or(p.Activation, 2), cmp.Or(p.MCC, "440")
	s.packages = append(s.packages, &offer{Package: p, added: s.now})
}

// AddPack puts a pack into the catalogue. It panics if its ID is taken.
func (s *Sim) AddPack(p Pack) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pack(p.ID) != nil {
		panic("cmisim: the pack " + p.ID + " is there already")
	}
	s.packs = append(s.packs, &pack{Pack: p})
}

// ChangePrice gives a package or a pack another price, in hundredths. It panics
// if there is no such thing.
func (s *Sim) ChangePrice(id string, price int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch o, p := s.offer(id), s.pack(id); {
	case o != nil:
		o.Price = price
	case p != nil:
		p.Price = price
	default:
		panic("cmisim: nothing is called " + id)
	}
}

// Withdraw stops the sale of a package or a pack: a package's status becomes 2,
// a pack may not be ordered. It panics if there is no such thing.
func (s *Sim) Withdraw(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch o, p := s.offer(id), s.pack(id); {
	case o != nil:
		o.withdrawn = true
	case p != nil:
		p.withdrawn = true
	default:
		panic("cmisim: nothing is called " + id)
	}
}

func (s *Sim) offer(id string) *offer {
	for _, o := range s.packages {
		if o.ID == id {
			return o
		}
	}
	return nil
}

func (s *Sim) pack(id string) *pack {
	for _, p := range s.packs {
		if p.ID == id {
			return p
		}
	}
	return nil
}

// reprice raises what an order is about.
func (s *Sim) reprice(q *request) {
	if q.operation != CreateOrder || json.Unmarshal(q.body, &q.fields) != nil {
		return
	}
	if p := s.pack(q.text("refuelingId")); p != nil && q.text("is_Refuel") == "0" {
		p.Price += max(1, p.Price/10)
	} else if o := s.offer(q.text("dataBundleId")); o != nil {
		o.Price += max(1, o.Price/10)
	}
}

// spoken is a text in the languages that are documented; it is the same in each.
func spoken(text string) []object {
	return []object{
		{"langInfo": object{"language": "zh", "country": "CN"}, "value": text},
		{"langInfo": object{"language": "en", "country": "US"}, "value": text},
	}
}

// listPackages serves the catalogue.
func (s *Sim) listPackages(q *request) *answer {
	mode := q.text("cooperationMode")
	switch {
	case mode == "":
		return no("1000005")
	case mode != "1" && mode != "2":
		return no("1000007")
	}
	rows := []object{}
	for _, o := range s.packages {
		if id := q.text("dataBundleId"); id != "" && id != o.ID {
			continue
		}
		if mcc := q.text("mcc"); mcc != "" && mcc != o.MCC {
			continue
		}
		if q.text("status") == "1" && o.withdrawn {
			continue
		}
		rows = append(rows, s.packageRow(o, mode))
	}
	page, bad := cut(q, rows)
	if bad != nil {
		return bad
	}
	return ok(object{"dataBundles": page})
}

func (s *Sim) packageRow(o *offer, mode string) object {
	status, kind := 1, 1
	if o.withdrawn {
		status = 2
	}
	if o.Daily {
		kind = 2
	}
	refuel := []object{}
	for _, id := range o.Packs {
		p, allowed := s.pack(id), "1"
		if p.withdrawn {
			allowed = "2"
		}
		price := strconv.FormatInt(p.Price, 10)
		refuel = append(refuel, object{
			"refuelingID": p.ID, "nameEN": strconv.FormatInt(p.MB, 10) + "MB add-on", "flowValue": p.MB, "flowUnit": "1",
			"hkd": price, "usd": price, "cny": price, "createTime": stamp(o.added), "isOrderingAllowed": allowed,
		})
	}
	price := []object{{"currencyCode": s.cfg.Currency, "price": strconv.FormatInt(o.Price, 10)}}
	return object{
		"id": o.ID, "name": spoken(o.Name), "desc": spoken(o.Name), "cardPools": object{"pool1": []object{{"mcc": o.MCC}}},
		"status": status, "activationMode": strconv.Itoa(o.Activation), "type": kind, "periodType": o.PeriodType, "period": o.Period,
		"imgurl": "", "priceInfo": price, "originalPriceInfo": price, "refuelingPackage": refuel, "createTime": stamp(o.added),
		"expireTime": stamp(o.added.AddDate(10, 0, 0)), "lastModifyTime": stamp(o.added), "isPromotionalPackage": "0",
		"deductionModel": "1", "cooperationMode": mode,
	}
}

const pageMax = 50 // also what a page has when nothing is said

// cut is the part of a list that a request asks for.
func cut(q *request, rows []object) ([]object, *answer) {
	from, count := 0, pageMax
	for name, to := range map[string]*int{"beginIndex": &from, "count": &count} {
		if given := q.text(name); given != "" {
			n, err := strconv.Atoi(given)
			if err != nil || n < 0 {
				return nil, no("1000007")
			}
			*to = n
		}
	}
	from = min(from, len(rows))
	return slices.Clone(rows[from:min(len(rows), from+min(count, pageMax))]), nil
}

// entry is one movement of the deposit.
type entry struct {
	at     time.Time
	amount int64
}

func (s *Sim) balance() int64 {
	var sum int64
	for _, e := range s.ledger {
		sum += e.amount
	}
	return sum
}

func (s *Sim) post(amount int64) { s.ledger = append(s.ledger, entry{s.now, amount}) }
