package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/money"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/payment"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay/wechatpaysim"
	"github.com/tsuzuku/tsuzuku/settlement"
	"github.com/tsuzuku/tsuzuku/world"
)

// till is a simulated WeChat Pay on the loopback, with one payment of another
// till of the seller's two days ago: the shop knows nothing of it.
type till struct {
	day         payment.Day
	transaction string
	env         []string
}

func openTill(t *testing.T) till {
	t.Helper()
	var ago atomic.Int64
	clock := func() time.Time { return time.Now().Add(-time.Duration(ago.Load())) }
	k := keys()
	sim := wechatpaysim.New(wechatpaysim.Config{
		MchID: world.WeChatMerchant, AppID: world.WeChatApp, MerchantSerial: world.WeChatSerial, MerchantKey: &k.Ours.PublicKey,
		APIv3Key: world.WeChatKey, PlatformKey: k.Theirs, PublicKeyID: world.WeChatPublicKeyID, Local: true, Now: clock,
	})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	a, err := wechatpay.New(wechatpay.Config{
		MchID: world.WeChatMerchant, AppID: world.WeChatApp, Serial: world.WeChatSerial, PrivateKey: k.PrivatePEM(), APIv3Key: world.WeChatKey,
		PublicKeyID: world.WeChatPublicKeyID, PublicKey: k.PublicPEM(), NotifyURL: "https://till.invalid/hooks", BaseURL: server.URL,
	}, outbound.New(outbound.Options{}), clock, nil)
	if err != nil {
		t.Fatal(err)
	}
	ago.Store(int64(48 * time.Hour))
	at := payment.Attempt{
		Ref: "anothertillanothertill0001", Rail: payment.WeChatPay, Amount: money.Of(1980, "CNY"), Description: "till", ReturnURL: "https://till.invalid/",
		CreatedAt: clock(), ExpiresAt: clock().Add(time.Hour),
	}
	if _, err := a.Start(t.Context(), at); err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Pay(at.Ref); err != nil {
		t.Fatal(err)
	}
	paid, err := a.Query(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	day := payment.DayOf(clock(), time.FixedZone("", 8*60*60))
	ago.Store(0)
	return till{day: day, transaction: paid.MoneyID, env: cleanEnviron(
		"TSUZUKU_DATABASE="+filepath.Join(t.TempDir(), "shop.db"), "TSUZUKU_SECRET=0123456789012345678901234567890123456789",
		"TSUZUKU_WECHATPAY_MCH_ID="+world.WeChatMerchant, "TSUZUKU_WECHATPAY_APP_ID="+world.WeChatApp, "TSUZUKU_WECHATPAY_SERIAL="+world.WeChatSerial,
		"TSUZUKU_WECHATPAY_PRIVATE_KEY="+k.PrivatePEM(), "TSUZUKU_WECHATPAY_API_KEY="+world.WeChatKey,
		"TSUZUKU_WECHATPAY_PUBLIC_KEY_ID="+world.WeChatPublicKeyID, "TSUZUKU_WECHATPAY_PUBLIC_KEY="+k.PublicPEM(), "TSUZUKU_WECHATPAY_URL="+server.URL,
	)}
}

// run runs the program and wants it to end with a code.
func (b till) run(t *testing.T, code int, args ...string) (out, said string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), tsuzuku(t), args...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = b.env, &stdout, &stderr
	err := cmd.Run()
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	if got != code {
		t.Fatalf("%v ended with %d, want %d\n%s%s", args, got, code, stdout.String(), stderr.String())
	}
	return stdout.String(), stderr.String()
}

// The command as staff use it: a difference is shown and makes it end with 1, is
// accepted with a reason, and then everything agrees.
func TestReconcileCommand(t *testing.T) {
	b := openTill(t)
	b.run(t, 0, "migrate")
	reconcile := []string{"payment", "reconcile", "--provider", "wechatpay", "--day", string(b.day)}
	out, said := b.run(t, 1, reconcile...)
	if !strings.Contains(out, "not_here") || !strings.Contains(out, b.transaction) || !strings.Contains(out, "19.80 CNY") || !strings.Contains(said, "movements: 1") {
		t.Errorf("%s%s", out, said)
	}
	out, _ = b.run(t, 1, append(reconcile, "--json")...)
	var r settlement.Report
	if err := json.Unmarshal([]byte(out), &r); err != nil || len(r.Differences) != 1 || r.Differences[0].Kind != settlement.NotHere || !r.Days[0].Whole {
		t.Errorf("%v\n%s", err, out)
	}
	accept := []string{"payment", "accept", "--provider", "wechatpay", "--day", string(b.day), "--staff", "mika", "--why", "the till in the shop"}
	_, said = b.run(t, 1, append(accept, "not_here", "nothing")...)
	if !strings.Contains(said, "There is no such difference") {
		t.Error(said)
	}
	out, _ = b.run(t, 0, append(accept, "not_here", b.transaction)...)
	if !strings.Contains(out, "accepted by mika: the till in the shop") {
		t.Error(out)
	}
	out, said = b.run(t, 0, reconcile...)
	if !strings.Contains(out, "mika") || !strings.Contains(said, "everything agrees") {
		t.Errorf("%s%s", out, said)
	}
	b.run(t, 0, "audit")
}

// What cannot be done is said in a sentence.
func TestReconcileCommandRefuses(t *testing.T) {
	b := openTill(t)
	b.run(t, 0, "migrate")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--provider", "stripe"}, `The provider "stripe" is not configured.`},
		{[]string{"--provider", "wechatpay", "--day", "yesterday"}, "is not a day. Write it as 2026-11-20."},
		{[]string{"--provider", "wechatpay", "--from", "2999-01-01", "--to", "2999-01-02"}, "is not over"},
		{[]string{"--provider", "wechatpay", "--to", string(b.day)}, "Give --from too"},
		{[]string{"--provider", "wechatpay", "--from", "2020-01-01"}, "Take fewer at a time."},
	} {
		if _, said := b.run(t, 1, append([]string{"payment", "reconcile"}, c.args...)...); !strings.Contains(said, c.says) {
			t.Errorf("%v: %s", c.args, said)
		}
	}
	// A day that is not over has no bill yet, and nothing is said to be missing.
	_, said := b.run(t, 1, "payment", "reconcile", "--provider", "wechatpay", "--day", string(payment.DayOf(time.Now(), time.FixedZone("", 8*60*60))))
	if !strings.Contains(said, "could not be read: not there yet") || !strings.Contains(said, "It should be there from") {
		t.Error(said)
	}
}
