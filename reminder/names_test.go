package reminder_test

import (
	"strings"
	"testing"

	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/reminder"
	"github.com/tsuzuku/tsuzuku/renewal"
)

func TestTextsAreComplete(t *testing.T) {
	if err := reminder.Texts.Check(); err != nil {
		t.Error(err)
	}
}

// Every term and pack on sale has a name in every language, without a hole in it.
func TestEverythingOnSaleHasAName(t *testing.T) {
	for _, p := range catalogue.Demo().Plans {
		var items []renewal.Item
		for _, term := range p.Terms {
			items = append(items, renewal.Item{Kind: renewal.Term, Plan: p.ID, ID: term.ID})
		}
		for _, k := range p.Packs {
			items = append(items, renewal.Item{Kind: renewal.Pack, Plan: p.ID, ID: k.ID})
		}
		for _, i := range items {
			for _, l := range locale.All {
				if name := reminder.ItemName(l, p, 1e9, i); name == "" || name == i.ID || strings.ContainsAny(name, "[]{}") {
					t.Errorf("%s in %s: %q", i, l, name)
				}
			}
		}
	}
}

func TestItemNames(t *testing.T) {
	for _, tt := range []struct {
		plan, id, en, zh, ja string
		kind                 renewal.Kind
	}{
		{"machi-5gb", "3d", "3 days", "3天", "3日間", renewal.Term},
		{"asagao-pass", "1d", "1 day", "1天", "1日間", renewal.Term},
		{"tsubame-free", "7x24h", "7 × 24 hours", "7×24小时", "7×24時間", renewal.Term},
		{"tsukimi-20", "20gb-1mo", "20 GB for 1 month", "20 GB（1个月）", "20 GB（1か月）", renewal.Term},
		{"yokocho-base", "1gb", "1 GB more", "加1 GB", "データ追加 1 GB", renewal.Pack},
		{"machi-5gb", "no-such-term", "no-such-term", "no-such-term", "no-such-term", renewal.Term},
	} {
		p, _ := catalogue.Demo().Plan(tt.plan)
		op, _ := catalogue.Demo().Operator(p.Operator)
		for l, want := range map[locale.Language]string{locale.En: tt.en, locale.ZhHans: tt.zh, locale.Ja: tt.ja} {
			if got := reminder.ItemName(l, p, op.GB, renewal.Item{Kind: tt.kind, Plan: tt.plan, ID: tt.id}); got != want {
				t.Errorf("%s %s in %s: %q, want %q", tt.plan, tt.id, l, got, want)
			}
		}
	}
}
