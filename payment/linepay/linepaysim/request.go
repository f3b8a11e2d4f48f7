package linepaysim

import (
	"encoding/json"
	"strconv"
)

// largest is the amount, in whole units of a currency, above which a request is
// taken for a mistake.
const largest = 10_000_000

// order is what a merchant asks for.
type order struct {
	ref        string // orderId
	amount     int64  // in the smallest unit of the wire
	packages   []pack
	capture    bool
	confirmURL string
	cancelURL  string
}

type pack struct {
	id, name string
	amount   int64
	products []product
}

type product struct {
	id, name, image string
	quantity, price int64
}

// request takes an order and shows the customer the way.
func (s *Sim) request(body []byte) reply {
	o := open(body, false)
	ord := s.readOrder(o)
	o.end()
	if !o.ok() {
		return o.wrong
	}
	if s.byOrder[ord.ref] != nil {
		return plain(sameOrder)
	}
	p := &payment{order: ord, id: s.newID(ofPayment), reserve: s.newReserve(), requestedAt: s.now}
	s.payments = append(s.payments, p)
	s.byID[p.id], s.byOrder[ord.ref], s.byReserve[p.reserve] = p, p, p
	return done(requested{
		PaymentURL: paymentURL{
			Web: s.cfg.PageBase + webPage + "?" + reserveParam + "=" + p.reserve,
			App: s.cfg.PageBase + appPage + p.reserve,
		},
		TransactionID:      p.id,
		PaymentAccessToken: strconv.FormatInt(100_000_000_000+s.rand.Int64N(900_000_000_000), 10),
	})
}

type requested struct {
	PaymentURL         paymentURL `json:"paymentUrl"`
	TransactionID      int64      `json:"transactionId"`
	PaymentAccessToken string     `json:"paymentAccessToken"`
}

type paymentURL struct {
	Web string `json:"web"`
	App string `json:"app"`
}

func (s *Sim) readOrder(o object) order {
	s.readCurrency(o)
	ord := order{ref: o.text("orderId", 100, true)}
	ord.amount, _ = o.amount("amount", s.places, true)
	for _, item := range o.list("packages") {
		ord.packages = append(ord.packages, s.readPackage(item))
	}
	urls := o.object("redirectUrls", true)
	ord.confirmURL, ord.cancelURL = urls.link("confirmUrl"), urls.link("cancelUrl")
	urls.word("confirmUrlType", "CLIENT")
	urls.text("appPackageName", 4000, false)
	urls.end()
	ord.capture = readOptions(o.object("options", false))
	if !o.ok() {
		return ord
	}
	s.weigh(o, ord)
	return ord
}

func (s *Sim) readCurrency(o object) {
	c := o.text("currency", 3, true)
	if o.ok() && c != string(s.cfg.Currency) {
		o.fail(plain(otherCurrency))
	}
}

func (s *Sim) readPackage(o object) pack {
	p := pack{id: o.text("id", 50, true), name: o.text("name", 100, false)}
	p.amount, _ = o.amount("amount", s.places, true)
	for _, item := range o.list("products") {
		v := product{id: item.text("id", 50, false), name: item.text("name", 4000, true), image: item.text("imageUrl", 500, false)}
		v.quantity, _ = item.amount("quantity", 0, true)
		v.price, _ = item.amount("price", s.places, true)
		item.amount("originalPrice", s.places, false)
		item.end()
		if o.ok() && (v.quantity < 1 || v.quantity > largest) {
			item.failAt(item.path+"quantity", "not a quantity")
		}
		p.products = append(p.products, v)
	}
	o.end()
	return p
}

// readOptions reports whether confirm takes the money too.
func readOptions(o object) (capture bool) {
	pay := o.object("payment", false)
	capture = pay.flag("capture", true)
	if pay.word("payType", "NORMAL", "PREAPPROVED") == "PREAPPROVED" {
		o.fail(plain(noPreapproved))
	}
	pay.end()
	display := o.object("display", false)
	display.word("locale", "en", "ja", "ko", "th", "zh_TW", "zh_CN")
	display.flag("checkConfirmUrlBrowser", false)
	display.end()
	extra := o.object("extra", false)
	extra.text("branchName", 200, false)
	extra.text("branchId", 32, false)
	extra.end()
	o.end()
	return capture
}

// weigh wants an amount that can be paid and is the sum of what is bought.
func (s *Sim) weigh(o object, ord order) {
	most := int64(largest)
	for range s.places {
		most *= 10
	}
	if ord.amount == 0 {
		o.fail(plain(tooLittle))
	}
	if ord.amount > most {
		o.fail(plain(tooMuch))
	}
	total := int64(0)
	for _, p := range ord.packages {
		sum := int64(0)
		for _, v := range p.products {
			if v.price > most || sum > most {
				o.fail(plain(badAmount)) // and nothing overflows
				return
			}
			sum += v.price * v.quantity
		}
		if sum != p.amount || sum > most || total > most {
			o.fail(plain(badAmount))
			return
		}
		total += sum
	}
	if total != ord.amount {
		o.fail(plain(badAmount))
	}
}

// shownPackage is a package as confirm and details show it.
type shownPackage struct {
	ID            string         `json:"id"`
	Name          string         `json:"name,omitempty"`
	Amount        json.Number    `json:"amount"`
	UserFeeAmount json.Number    `json:"userFeeAmount"`
	Products      []shownProduct `json:"products"`
}

type shownProduct struct {
	ID       string      `json:"id,omitempty"`
	Name     string      `json:"name"`
	ImageURL string      `json:"imageUrl,omitempty"`
	Quantity int64       `json:"quantity"`
	Price    json.Number `json:"price"`
}

func (s *Sim) shownPackages(ord order) []shownPackage {
	var all []shownPackage
	for _, p := range ord.packages {
		v := shownPackage{ID: p.id, Name: p.name, Amount: s.number(p.amount), UserFeeAmount: "0"}
		for _, x := range p.products {
			v.Products = append(v.Products, shownProduct{x.id, x.name, x.image, x.quantity, s.number(x.price)})
		}
		all = append(all, v)
	}
	return all
}
