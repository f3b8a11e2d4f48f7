package wechatpay

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1" //nolint:gosec // it is what WeChat Pay tells of a bill, in a signed answer
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/payment"
)

// china is the zone of the days and times of bills: UTC+8, without summer time.
var china = time.FixedZone("UTC+8", 8*60*60)

const (
	// billsAt is when the bills of the day before should be asked for: after ten
	// in the morning (/doc/v3/merchant/4012810614 and /4012760535).
	billsAt = 10 * time.Hour

	// keptFor is how long bills can be asked for: three months, same pages.
	keptFor = 90 * 24 * time.Hour
)

// ReportFacts implements [payment.Reporter].
func (*Adapter) ReportFacts() payment.ReportFacts {
	return payment.ReportFacts{Zone: china, ReadyAfter: billsAt, KeptFor: keptFor}
}

// Report implements [payment.Reporter]: the bill of trades has what customers
// paid and got back under our references, the bill of funds what was really
// taken for it, and everything else.
//
// WeChat Pay signs the answer that says where a file is and what its digest is,
// not the file itself (/doc/v3/merchant/4012810615).
func (a *Adapter) Report(ctx context.Context, day payment.Day, page string) (payment.ReportPage, error) {
	if page != "" {
		return payment.ReportPage{}, badReport("a page that there is not")
	}
	if a.now().Before(day.Next().Start(china)) {
		return payment.ReportPage{}, fmt.Errorf("wechatpay: report: %w: the day is not over in China", payment.ErrNotReady)
	}
	trades, err := a.bill(ctx, "/v3/bill/tradebill?bill_date="+string(day)+"&bill_type=ALL&tar_type=GZIP", day)
	if err != nil {
		return payment.ReportPage{}, err
	}
	funds, err := a.bill(ctx, "/v3/bill/fundflowbill?bill_date="+string(day)+"&account_type=BASIC&tar_type=GZIP", day)
	if err != nil {
		return payment.ReportPage{}, err
	}
	flows, why := readFunds(funds, day)
	var moved []payment.Movement
	if why == "" {
		moved, why = readTrades(trades, a.config.MchID, day, flows)
	}
	if why != "" {
		return payment.ReportPage{}, badReport(why)
	}
	return payment.ReportPage{Movements: append(moved, flows.rest()...), Whole: true}, nil
}

func badReport(why string) error {
	return fmt.Errorf("wechatpay: report: %w: %w", payment.ErrBadReport, fault.New(fault.Internal, "%s", why))
}

// bill asks for one bill and returns its text; "" where nothing happened that day.
func (a *Adapter) bill(ctx context.Context, uri string, day payment.Day) (string, error) {
	got, f := a.do(ctx, http.MethodGet, uri, nil)
	switch {
	case f != nil:
		return "", f.unread("report")
	case is(got.no, "NOSTATEMENTEXIST") && !a.now().Before(a.ReportFacts().ReadyAt(day)):
		return "", nil // no trade that day
	case is(got.no, "NOSTATEMENTEXIST", "STATEMENTCREATING"):
		return "", fmt.Errorf("wechatpay: report: %w: %s", payment.ErrNotReady, got.no)
	case got.no != "":
		return "", refused("report", got.no)
	}
	var said struct {
		HashType string `json:"hash_type"`
		Hash     string `json:"hash_value"`
		Address  string `json:"download_url"`
	}
	if json.Unmarshal(got.body, &said) != nil || said.HashType != "SHA1" || said.Hash == "" {
		return "", badReport("an answer without an address and a digest")
	}
	packed, err := a.file(ctx, said.Address)
	if err != nil {
		return "", err
	}
	text, why := unpack(packed)
	if why != "" {
		return "", badReport(why)
	}
	// The digest is that of the bill before it was packed.
	sum := sha1.Sum(text) //nolint:gosec // see the import
	if !strings.EqualFold(hex.EncodeToString(sum[:]), said.Hash) {
		return "", badReport("a file whose digest is not the one that was announced")
	}
	return string(text), nil
}

// file fetches a bill. The request is signed, the answer is not.
func (a *Adapter) file(ctx context.Context, address string) ([]byte, error) {
	u, err := url.Parse(address)
	home, _ := url.Parse(a.base)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != home.Scheme || u.Host != home.Host) {
		return nil, badReport("an address that is none")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, badReport("an address that is none")
	}
	auth, err := a.authorization(http.MethodGet, r.URL.RequestURI(), nil)
	if err != nil {
		return nil, fmt.Errorf("wechatpay: report: %w: %w", payment.ErrNotSent, err)
	}
	r.Header.Set("Authorization", auth)
	r.Header.Set("User-Agent", "Tsuzuku")
	got, err := a.client.Do(ctx, r)
	if err == nil && got.Status != http.StatusOK {
		err = fmt.Errorf("status %d for the file", got.Status)
	}
	if err != nil {
		return nil, fmt.Errorf("wechatpay: report: %w: %w", payment.ErrNotSent, err)
	}
	return got.Body, nil
}

// maxText bounds what is unpacked: 64 MiB are some 200,000 rows.
const maxText = 64 << 20

// unpack takes a bill out of its GZIP. One that was unpacked on the way is taken
// as it is: the digest decides.
func unpack(body []byte) (text []byte, why string) {
	if !bytes.HasPrefix(body, []byte{0x1f, 0x8b}) {
		return body, ""
	}
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, "a GZIP that cannot be read"
	}
	text, err = io.ReadAll(io.LimitReader(z, maxText+1)) // its end proves the checksum
	switch {
	case err != nil:
		return nil, "a GZIP that is cut or damaged"
	case len(text) > maxText:
		return nil, fmt.Sprintf("a GZIP with more than %d bytes", maxText)
	}
	return text, ""
}
