package remote

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/tsuzuku/tsuzuku/carrier"
	"github.com/tsuzuku/tsuzuku/outbound"
	"github.com/tsuzuku/tsuzuku/signed"
)

// Bed is what a server is examined with. The line is really extended.
type Bed struct {
	URL     string
	Keys    []string
	Line    carrier.Profile
	Package string
	Days    int             // of a package that is sold by the day, at most 364; else 0
	Ended   carrier.Profile // a line past its end; zero: that is not examined

	// NewPackage comes with a new line, of which some are really made, and taken back
	// where the server does that, for NewDays where it is sold by the day; empty: that
	// is not examined.
	NewPackage string
	NewDays    int

	// Expect is the file that the shop goes by; nil: whatever the server says.
	Expect *Capabilities

	Client func(perSecond int) *outbound.Client
	Now    func() time.Time
	Nonce  func() string // 32 hexadecimal digits, never the same twice

	// Patience is how long a look-up may take to tell what became of a lost
	// request, before that counts as a breach; 0: 30 s.
	Patience time.Duration
}

// Outcome is what came of one check.
type Outcome string

// The outcomes.
const (
	Kept    Outcome = "ok"
	Breach  Outcome = "BREACH"
	Skipped Outcome = "skipped"
)

// Finding is one check and what came of it.
type Finding struct {
	Says    string // what the contract wants
	Outcome Outcome
	Seen    string // why it is a breach, or was skipped
}

// Report is what an examination found.
type Report []Finding

// Breaches is how many there are.
func (r Report) Breaches() int { return r.count(Breach) }

func (r Report) count(o Outcome) int {
	n := 0
	for _, f := range r {
		if f.Outcome == o {
			n++
		}
	}
	return n
}

// Print writes the report for people.
func (r Report) Print(w io.Writer) error {
	for _, f := range r {
		line := fmt.Sprintf("%-7s  %s", f.Outcome, f.Says)
		if f.Seen != "" {
			line += ": " + f.Seen
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "%d kept, %d broken, %d not examined\n", r.count(Kept), r.Breaches(), r.count(Skipped))
	return err
}

// checks is the table of contents of an examination, in its order.
var checks = []struct {
	says  string
	check func(context.Context, *examiner) error
}{
	{"answers are signed, bound to their request, and of now", checkAnswers},
	{"health is answered, and the clocks agree within a minute", checkHealth},
	{"the capabilities make sense", checkCapabilities},

	{"a request without a signature is turned away", checkNoSignature},
	{"a request with a wrong signature is turned away", checkWrongSignature},
	{"a request that was changed on its way is turned away", checkChanged},
	{"a request from ten minutes ago is turned away", checkOld},
	{"a request from the future is turned away", checkFuture},
	{"a second signature is accepted while a key is changed", checkTwoSignatures},
	{"what is no call is answered with 400", checkNoCall},
	{"members that are not known are ignored", checkUnknownMembers},

	{"a look-up of an unknown ref says absent", checkAbsent},
	{"a status says of when it is", checkStatus},
	{"the package is on the list", checkPackages},
	{"the balance is told or refused", checkBalance},

	{"an unknown line is refused", checkUnknownLine},
	{"an ICCID of another line is refused", checkOtherICCID},
	{"what is no ICCID is refused", checkNoICCID},
	{"an unknown package is refused", checkUnknownPackage},
	{"wrong days are refused", checkDays},
	{"a bad ref is refused", checkRefs},
	{"an ended line is refused as the capabilities say", checkEnded},

	{"an extension acts, and look-up finds it", checkExtends},
	{"the same ref again acts once, and has the same receipt", checkAgain},
	{"the same bytes again act once", checkReplay},
	{"the same ref at the same time acts once", checkAtOnce},
	{"the same ref for something else is refused", checkOtherContents},
	{"silence is settled by look-up", checkSilence},
	{"an extension is taken back, or that is refused", checkCancel},

	{"a new line that cannot be made is refused", checkNewRefused},
	{"a new line is made and found, and can be installed", checkNewLine},
	{"the same ref again makes one line, also at the same time", checkNewAgain},
	{"the ref of a new line for something else is refused", checkNewOther},
	{"silence about a new line is settled", checkNewSilence},

	{"what was not made by its ref is not taken back", checkUnwantedRefused},
	{"a new line is taken back, and that again is the same", checkUnwanted},
	{"silence about taking a new line back is settled", checkUnwantedSilence},
}

// Conform examines a server.
func Conform(ctx context.Context, b Bed) (Report, error) {
	x, err := newExaminer(b)
	if err != nil {
		return nil, err
	}
	var all Report
	for i, c := range checks {
		f := Finding{Says: c.says, Outcome: Kept}
		err := c.check(ctx, x)
		if skip, ok := errors.AsType[skipped](err); ok {
			f.Outcome, f.Seen = Skipped, string(skip)
		} else if err != nil {
			f.Outcome, f.Seen = Breach, carrier.Clip(err.Error())
		}
		all = append(all, f)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
		if i == 0 && errors.Is(err, errNobody) {
			return all, nil // and everything else would say the same
		}
	}
	return all, nil
}

// skipped is why a check was not made.
type skipped string

func (s skipped) Error() string { return string(s) }

// examiner plays the shop, and worse.
type examiner struct {
	Bed
	*Adapter
	able  bool              // the capabilities were read
	acted carrier.Extension // the newest extension that certainly acted
	one   growth            // what one extension does to the line; zero: not seen

	bought   carrier.Purchase // a new line that was certainly made
	boughtAs carrier.Issued

	n   int
	run string
}

func newExaminer(b Bed) (*examiner, error) {
	if b.Patience == 0 {
		b.Patience = 30 * time.Second
	}
	if err := errors.Join(named(b.Line), sane(carrier.Extension{Ref: "x", Profile: b.Line, Package: b.Package, Days: b.Days})); err != nil {
		return nil, err
	}
	a, err := New(Config{Name: "examined", URL: b.URL, Keys: b.Keys, Capabilities: guess}, b.Client(4), b.Now, b.Nonce)
	if err != nil {
		return nil, err
	}
	return &examiner{Bed: b, Adapter: a, run: b.Nonce()[:12]}, nil
}

// ref is a new one.
func (x *examiner) ref() string {
	x.n++
	return fmt.Sprintf("cf_%s_%d", x.run, x.n)
}

// extension is a new one of the bed's line.
func (x *examiner) extension() carrier.Extension {
	return carrier.Extension{Ref: x.ref(), Profile: x.Line, Package: x.Package, Days: x.Days}
}

// raw is a request as it goes out, to be spoilt.
type raw struct {
	id     string
	body   []byte
	header http.Header
}

// signedBy makes a request that is signed with k at an instant.
func (x *examiner) signedBy(k signed.Keys, at time.Time, q any) raw {
	body, err := json.Marshal(q)
	if text, ok := q.(string); ok {
		body, err = []byte(text), nil
	}
	if err != nil {
		panic(err) // questions are plain values
	}
	r := raw{id: "msg_" + x.nonce(), body: body, header: http.Header{}}
	k.Sign(r.header, r.id, at, body)
	return r
}

func (x *examiner) signed(q any) raw { return x.signedBy(x.keys, x.now(), q) }

// post sends a request as it is.
func (x *examiner) post(ctx context.Context, r raw) (outbound.Answer, error) {
	h, err := http.NewRequestWithContext(ctx, http.MethodPost, x.URL, bytesOf(r.body))
	if err != nil {
		return outbound.Answer{}, err
	}
	h.Header = r.header.Clone()
	h.Header.Set("Content-Type", "application/json")
	return x.client.Do(ctx, h)
}

// want sends a request and wants an HTTP status.
func (x *examiner) want(ctx context.Context, r raw, status int) error {
	got, err := x.post(ctx, r)
	switch {
	case err != nil:
		return fmt.Errorf("no answer: %w", err)
	case got.Status != status:
		return fmt.Errorf("answered with HTTP status %d, must be %d", got.Status, status)
	}
	return nil
}

// wantRefused sends a signed request and wants a definite no for one of the reasons.
func (x *examiner) wantRefused(ctx context.Context, what string, q any, reasons ...carrier.Reason) error {
	r := x.signed(q)
	got, err := x.post(ctx, r)
	switch {
	case err != nil:
		return fmt.Errorf("%s: no answer: %w", what, err)
	case got.Status != http.StatusOK:
		return fmt.Errorf("%s: answered with HTTP status %d; a refusal is an answer with 200", what, got.Status)
	}
	if err := x.opened(r.id, got); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	var e envelope
	if err := json.Unmarshal(got.Body, &e); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if e.Outcome != "refused" {
		return fmt.Errorf("%s: the outcome is %q, must be refused", what, e.Outcome)
	}
	for _, reason := range reasons {
		if e.Reason == string(reason) {
			return nil
		}
	}
	return fmt.Errorf("%s: refused for %q, must be one of %q", what, e.Reason, reasons)
}

// unchanged runs what must not act, and looks whether it did.
func (x *examiner) unchanged(ctx context.Context, do func() error) error {
	before, err := x.figures(ctx)
	if err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	after, err := x.figures(ctx)
	if err == nil && after.since(before) != (growth{}) {
		err = fmt.Errorf("the line was extended (%v)", after.since(before))
	}
	return err
}

// figures are what an extension changes about a line.
type figures struct {
	ends  time.Time
	total int64
}

// growth is the difference between figures.
type growth struct {
	longer time.Duration
	more   int64
}

func (g growth) String() string { return fmt.Sprintf("%v longer, %d bytes more", g.longer, g.more) }

func (f figures) since(before figures) growth {
	return growth{f.ends.Sub(before.ends), f.total - before.total}
}

func (x *examiner) figures(ctx context.Context) (figures, error) {
	s, err := x.Status(ctx, x.Line)
	return figures{s.EndsAt, s.Total}, err
}

// anotherKey is one that nobody has.
func (x *examiner) anotherKey() signed.Keys {
	sum := sha256.Sum256([]byte(x.nonce()))
	return signed.Keys{sum[:]}
}
