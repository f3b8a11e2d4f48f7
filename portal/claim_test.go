package portal

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/seal"
	"github.com/tsuzuku/tsuzuku/stock"
)

// stocked lets a town keep codes, and puts cards into stock.
func (w *town) stocked(cards map[string]string) {
	w.t.Helper()
	w.server.Desk.Codes = seal.New("codes", "the secret of these tests", nil, nil)
	w.write(func(ctx context.Context, tx db.Tx) error {
		var b db.Batch
		for iccid, code := range cards {
			stock.Add(&b, stock.Item{
				ICCID: iccid, Kind: stock.SIM, Operator: "kazemachi", ProfileID: "card-" + iccid, Plan: "hinode-visitor-5", Term: "5gb-21d", Batch: "a",
			}.Claimable(w.server.Desk.Codes, code), tx.Now())
		}
		return tx.Batch(ctx, &b)
	})
}

// A card is added by its number and code; what is wrong is told without telling what
// there is, and guessing ends.
func TestClaimingACard(t *testing.T) {
	const iccid, other = "8981100000000000010", "8981100000000000028"
	w := newTown(t)
	w.stocked(map[string]string{iccid: "7KQ4-22MD", other: "ABCD-1234"})
	b := w.browser(locale.En)
	if p := b.get("/claim"); p.status != http.StatusSeeOther || p.to != "/sign-in?next=%2Fclaim" {
		t.Errorf("nobody claims: %d to %q", p.status, p.to)
	}
	b.signIn("aiko@example.com")
	has(t, b.see("/").html, `href="/claim"`, `href="/redeem"`)
	has(t, b.see("/claim").html, "Add a SIM card that you have", "I have no code")
	if p := b.do("POST", "/claim", url.Values{"iccid": {"8981100000000000011"}, "code": {"x"}}); p.status != http.StatusUnprocessableEntity {
		t.Errorf("a mistyped number: %d", p.status)
	} else {
		has(t, p.html, "The last digit does not match the others", `value="8981100000000000011"`)
	}
	has(t, b.do("POST", "/claim", url.Values{"iccid": {"12345"}, "code": {"x"}}).html, "begins with 89; compare it with the card")
	to := b.post("/claim", url.Values{"iccid": {"89 8110 0000 0000 00010"}, "code": {"7kq4 22md"}})
	has(t, b.see(to).html, "Hinode Visitor 5 GB", "…0010", "Not started")
	thief := w.browser(locale.En).signIn("other@example.com")
	refused := ""
	for _, try := range [][2]string{{iccid, "7KQ4-22MD"}, {other, "7KQ4-22MD"}, {"8981100000000000036", "7KQ4-22MD"}} {
		p := thief.do("POST", "/claim", url.Values{"iccid": {try[0]}, "code": {try[1]}})
		text := strings.ReplaceAll(p.html, try[0], "NUMBER")
		if p.status != http.StatusUnprocessableEntity || refused != "" && text != refused {
			t.Errorf("%v is told otherwise: %d", try, p.status)
		}
		refused = text
	}
	has(t, refused, "do not belong together")
	has(t, thief.do("POST", "/claim/ask", url.Values{"iccid": {other}, "words": {"from a friend"}}).html, "We have received your question")
	for range 20 {
		thief.do("POST", "/claim", url.Values{"iccid": {other}, "code": {"guess"}})
	}
	has(t, thief.do("POST", "/claim", url.Values{"iccid": {other}, "code": {"ABCD-1234"}}).html, "tried too often")
}

// From a code to the eSIM, once.
func TestRedeeming(t *testing.T) {
	w := newTown(t)
	w.stocked(nil)
	codes, err := w.server.Desk.MakeCodes(t.Context(), stock.Code{Plan: "machi-5gb", Term: "3d", Batch: "market"}, 2, order.Act{Staff: "mika", Reason: "for the market"})
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser(locale.En)
	has(t, b.see("/redeem").html, "Sign in first", "/sign-in?next=%2Fredeem")
	b.signIn("aiko@example.com")
	has(t, b.do("POST", "/redeem", url.Values{"code": {"0000-1111-2222-3333"}}).html, "cannot be redeemed")
	to := b.post("/redeem", url.Values{"code": {codes[0]}})
	if _, err := w.server.Desk.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	has(t, b.see(to).html, "Your new eSIM is ready to install", "Redeemed code")
	has(t, b.see(b.installing(to)).html, `<svg class="code"`, "LPA:1$")
	if again := b.post("/redeem", url.Values{"code": {codes[0]}}); again != to {
		t.Errorf("again: %s", again)
	}
	other := w.browser(locale.En).signIn("other@example.com")
	has(t, other.do("POST", "/redeem", url.Values{"code": {codes[0]}}).html, "cannot be redeemed")
}

// Lines that have ended and can be fed are offered before new ones.
func TestEndedLinesAreOfferedFirst(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	if strings.Contains(b.see("/plans").html, "Use this eSIM again") {
		t.Error("offered to nobody")
	}
	has(t, b.signIn("aiko@example.com").see("/plans").html, "Use this eSIM again", "Old card", "/lines/"+w.lines["grace"]+"/renew")
}
