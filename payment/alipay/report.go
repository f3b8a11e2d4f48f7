package alipay

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/payment"
)

const (
	// billsAt is when the bills of the day before are made "in general": nine in
	// the morning (alipay.data.dataservice.bill.downloadurl.query, bill_date).
	billsAt = 9 * time.Hour

	// quietAfter is when a bill that Alipay says there is none of means that
	// nothing happened that day. Before that it may only be late.
	quietAfter = 24 * time.Hour

	// keptFor is how long bills can be asked for. Alipay names a first day and no
	// last one; this is a margin of ours.
	keptFor = 5 * 365 * 24 * time.Hour
)

// ReportFacts implements [payment.Reporter].
func (*Adapter) ReportFacts() payment.ReportFacts {
	return payment.ReportFacts{Zone: china, ReadyAfter: billsAt, KeptFor: keptFor}
}

// billing is the business part of the question for a bill.
type billing struct {
	Type string `json:"bill_type"`
	Date string `json:"bill_date"`
}

// The two bills of a day: what was traded, and how the balance changed. The
// first has our references and the fees, the second everything else.
const (
	tradeBill   = "trade"
	balanceBill = "signcustomer"
)

// Report implements [payment.Reporter]. A bill is signed by nobody: its address
// is, and the file comes from there over TLS.
func (a *Adapter) Report(ctx context.Context, day payment.Day, page string) (payment.ReportPage, error) {
	if page != "" {
		return payment.ReportPage{}, badReport("a page that there is not")
	}
	if a.now().Before(day.Next().Start(china)) {
		return payment.ReportPage{}, fmt.Errorf("alipay: report: %w: the day is not over in China", payment.ErrNotReady)
	}
	trades, err := a.bill(ctx, tradeBill, day)
	if err != nil {
		return payment.ReportPage{}, err
	}
	var changes [][]byte
	if !a.tradesOnly {
		if changes, err = a.bill(ctx, balanceBill, day); err != nil {
			return payment.ReportPage{}, err
		}
	}
	moved, why := readTrades(trades, a.seller, day)
	if why == "" {
		var others []payment.Movement
		others, why = readChanges(changes, a.seller, day)
		moved = append(moved, others...)
	}
	if why != "" {
		return payment.ReportPage{}, badReport(why)
	}
	return payment.ReportPage{Movements: moved, Whole: true}, nil
}

func badReport(why string) error {
	return fmt.Errorf("alipay: report: %w: %w", payment.ErrBadReport, fault.New(fault.Internal, "%s", why))
}

// bill asks for one bill of a day and returns its texts, in GBK; none where
// nothing happened.
func (a *Adapter) bill(ctx context.Context, kind string, day payment.Day) ([][]byte, error) {
	address, err := a.billAddress(ctx, kind, day)
	if err != nil || address == "" {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, badReport("an address that is none")
	}
	got, err := a.client.Do(ctx, request)
	switch {
	case err != nil:
		return nil, fmt.Errorf("alipay: report: %w: %w", payment.ErrNotSent, err)
	case got.Status != http.StatusOK:
		return nil, fmt.Errorf("alipay: report: %w: status %d for the file", payment.ErrNotSent, got.Status)
	}
	texts, why := unzip(got.Body)
	if why != "" {
		return nil, badReport(why)
	}
	return texts, nil
}

// billAddress asks where a bill can be had; "" where Alipay says that there is
// none, long enough after the day. It may say so without a signature, as it does
// with most refusals: a quiet day believed of a stranger costs questions, no money.
func (a *Adapter) billAddress(ctx context.Context, kind string, day payment.Day) (string, error) {
	got, err := a.read(ctx, "alipay.data.dataservice.bill.downloadurl.query", billing{kind, string(day)})
	if no, ok := errors.AsType[coded](err); ok && noBill(string(no)) {
		if a.now().Before(a.ReportFacts().ReadyAt(day).Add(quietAfter)) {
			return "", fmt.Errorf("alipay: report: %w: %w", payment.ErrNotReady, no)
		}
		return "", nil
	}
	if err != nil {
		return "", err
	}
	var said struct {
		Address string `json:"bill_download_url"`
	}
	if got.no != "" || json.Unmarshal(got.body, &said) != nil {
		return "", badReport("an answer without an address")
	}
	u, err := url.Parse(said.Address)
	home, _ := url.Parse(a.gateway)
	switch {
	case err != nil || u.Host == "" || u.User != nil:
		return "", badReport("an address that is none")
	case u.Host == home.Host && u.Scheme == home.Scheme:
	case u.Scheme == "http":
		u.Scheme = "https" // some of Alipay's answers name the old one
	case u.Scheme != "https":
		return "", badReport("an address that is none")
	}
	return u.String(), nil
}

// noBill reports whether Alipay's codes say that there is no such bill; its pages
// spell them in two ways.
func noBill(code string) bool {
	code = strings.ToLower(code)
	return strings.Contains(code, "bill_not_exist") || strings.Contains(code, "no_bill_data")
}

const (
	// maxFiles and maxText bound what is unpacked: a bill has two files, and
	// 64 MiB are some 200,000 rows.
	maxFiles = 8
	maxText  = 64 << 20
)

// unzip unpacks a bill.
func unzip(body []byte) (texts [][]byte, why string) {
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	if err != nil {
		return nil, "a file that is no ZIP, or half of one"
	}
	if len(z.File) > maxFiles {
		return nil, "a ZIP with too many files"
	}
	left := int64(maxText)
	for _, f := range z.File {
		if f.FileInfo().IsDir() {
			continue
		}
		r, err := f.Open()
		if err != nil {
			return nil, "a ZIP that cannot be read"
		}
		text, err := io.ReadAll(io.LimitReader(r, left+1)) // its end proves the checksum
		_ = r.Close()                                      // only read from
		if err != nil {
			return nil, "a ZIP whose contents are damaged"
		}
		if left -= int64(len(text)); left < 0 {
			return nil, fmt.Sprintf("a ZIP with more than %d bytes", maxText)
		}
		texts = append(texts, text)
	}
	return texts, ""
}
