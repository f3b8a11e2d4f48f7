package main

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment"
)

// The list says until when each dispute must be answered, and whether that is over;
// what is owed of each; and what is owed in all.
func TestListDisputes(t *testing.T) {
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	yen := func(n int64) money.Money { return money.Of(n, "JPY") }
	all := []order.Dispute{
		{Order: "ord_1", Provider: "stripe", ProviderID: "dp_1", State: payment.DisputeOpen, Amount: yen(1980), Owed: 1980, Reason: "fraudulent", AnswerBy: now, OpenedAt: now.AddDate(0, 0, -7)},
		{Order: "ord_2", Provider: "paypal", ProviderID: "PP-D-2", State: payment.DisputeOpen, Amount: yen(700), Owed: 700, Paid: 200, AnswerBy: now.Add(time.Hour), OpenedAt: now},
		{Order: "ord_3", Provider: "stripe", State: payment.DisputeAsked, Amount: money.Of(1250, "USD"), OpenedAt: now},
		{Order: "ord_4", Provider: "stripe", ProviderID: "dp_4", State: payment.DisputeLost, Amount: yen(300), Owed: 300, AnswerBy: now.AddDate(0, 0, -1), OpenedAt: now},
	}
	var out bytes.Buffer
	if err := listDisputes(&out, all, now, true); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for i, want := range [][]string{
		{"ANSWER BY", "OWED", "DISPUTE"},
		{"2026-03-02T12:00:00Z (over)", "open", yen(1980).String(), "ord_1", "dp_1", "fraudulent", "2026-02-23"},
		{"2026-03-02T13:00:00Z  ", "open", yen(700).String(), yen(500).String(), "PP-D-2"},
		{"-  ", "asked", money.Of(1250, "USD").String(), "ord_3", "stripe"},
		{"-  ", "lost", yen(300).String(), "ord_4"},
		{"owed: " + yen(2780).String()},
		{"--limit"},
	} {
		for _, part := range want {
			if i >= len(lines) || !strings.Contains(lines[i], part) {
				t.Errorf("line %d lacks %q:\n%s", i, part, out.String())
			}
		}
	}
	if len(lines) != 7 {
		t.Errorf("%d lines:\n%s", len(lines), out.String())
	}
}

// The command lists what the database has, and refuses what it cannot do.
func TestDisputesCommand(t *testing.T) {
	file := database{filepath.Join(t.TempDir(), "shop.db")}
	var out bytes.Buffer
	if err := (&orderDisputesCmd{database: file, Limit: 10}).Run(t.Context(), std{&out, &out}); err == nil || !strings.Contains(err.Error(), "tsuzuku migrate") {
		t.Errorf("of a database that was not migrated: %v", err)
	}
	if err := (&migrateCmd{database: file}).Run(t.Context(), std{&out, &out}); err != nil {
		t.Fatal(err)
	}
	d, err := file.open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		for _, q := range []string{
			`INSERT INTO payments (account_id, id, order_id, ref, rail, provider, minor, currency, state, live, expires_at, created_at, updated_at)
				VALUES ('a', 'py_1', 'ord_1', 'r', 'card', 'stripe', 500, 'JPY', 'paid', false, 1, 1, 1)`,
			`INSERT INTO disputes (account_id, id, order_id, payment_id, provider, provider_id, state, reason, minor, currency, wallet_minor, owed_minor, moves, evidence, answer_by, opened_at, as_of)
				VALUES ('a', 'dp_1', 'ord_1', 'py_1', 'stripe', 'dp_x', 'open', 'fraudulent', 500, 'JPY', 0, 500, 1, '', 1, 1, 1)`,
		} {
			if _, err := tx.Exec(ctx, q); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if err := (&orderDisputesCmd{database: file, Limit: 1}).Run(t.Context(), std{&out, &out}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"dp_x", "ord_1", "(over)", "larger --limit"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not listed:\n%s", want, out.String())
		}
	}
	for _, limit := range []int{0, -1, 1001} {
		if err := (&orderDisputesCmd{database: file, Limit: limit}).Run(t.Context(), std{&out, &out}); err == nil {
			t.Errorf("--limit %d is taken", limit)
		}
	}
}
