package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/tsuzuku/tsuzuku/carrier/remote/remotesim"
	"github.com/tsuzuku/tsuzuku/upstream"
)

const liveShop = `
seller:
  name: Corner Shop
  contact: help@shop.example
  zone: Asia/Tokyo
  address: 1-2-3 Example, Chiyoda-ku, Tokyo 100-0000
  base_currency: JPY
  least_margin_percent: 20
  taxes: [{id: standard, percent: 10}]
operators:
  - {id: tabi, name: Tabi, carrier: tabi, zone: Asia/Tokyo, gb: binary}
networks:
  - {id: docomo, name: NTT DOCOMO, plmns: [440-10], bands: [B1, B19]}
plans:
  - id: japan-5gb
    operator: tabi
    network: docomo
    name: {en: Japan 5 GB, zh-Hans: 日本 5 GB, ja: 日本 5 GB}
    kind: volume
    facts: {tethering: true, five_g: true, address_in: GB, physical_sim: true}
    activation: {start: first_use, deadline: 180d}
    terms:
      - {id: 30d, length: 30x24h, volume: 5 GB, package: JP5, prices: {JPY: 1100, USD: "7.70"}, cost: {USD: "4.50"}}
    policy: {renewable: true, needs: [running], effect: append, data: carried, refund: before_use}
    tax_class: standard
    rules_date: 2026-11-20
    rules_source: the operator
`

// A file, and the catalogue in force, are compared with what the operator sells now:
// what it earns is printed, and only an error ends with 1.
func TestCheckLive(t *testing.T) {
	sim, flags := tabi(t)
	t.Setenv("TSUZUKU_DATABASE", filepath.Join(t.TempDir(), "shop.db"))
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(liveShop), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(code int, args ...string) (string, string) {
		return tell(t, code, append(append([]string{"catalogue", "check", "--live"}, args...), flags...)...)
	}
	out, errOut := check(0, file)
	wants(t, out, "japan-5gb", "7.70 USD", "7.00", "4.50", "2.50", "35.71 %", "operator")
	wants(t, errOut, "note: What costs USD leaves of prices in JPY is not known: no rates were imported", "0 errors, 0 warnings")

	tell(t, 0, "migrate")
	tell(t, 0, append([]string{"catalogue", "apply", file}, flags[:len(flags)-2]...)...)
	sim.Packages[0].Cost = 60_000
	_, errOut = check(0)
	wants(t, errOut, "warning: Plan japan-5gb, term 30d (JP5): costs 6.00 USD, and the catalogue says 4.50 USD.", "leaves less than you want: 1.00 USD of 7.00 USD (14.28 %)")
	sim.Packages[0].Cost = 70_001
	_, errOut = check(1)
	wants(t, errOut, "error: Plan japan-5gb, term 30d (JP5): costs 7.01 USD and is sold at a loss: -0.01 USD of 7.00 USD (-0.01 %).")

	sim.Packages = []remotesim.Package{{Code: "other"}}
	out, _ = check(1, "--json")
	var r upstream.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Findings) == 0 || r.Findings[0].Kind != upstream.Withdrawn || r.Findings[0].Item.Package != "JP5" {
		t.Errorf("%v: %s", err, out)
	}
	_, errOut = tell(t, 1, "catalogue", "check")
	wants(t, errOut, "Name the file to check")
}
