package portal

import (
	"cmp"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tsuzuku/tsuzuku/billing"
	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/support"
	"github.com/tsuzuku/tsuzuku/ui"
)

// newCase is where a case is opened; its query may say what about.
const newCase = "/cases/new"

// casesPage is everything cases.html may use.
type casesPage struct {
	ui.Frame
	Cases []caseRow
	Reach reach
}

// caseRow is one case in a list.
type caseRow struct {
	ID, About, Begins string
	Badge             ui.Badge
	At                ui.Moment
}

// casesShown is how many cases are listed.
const casesShown = 50

// casesPage lists the customer's cases.
func (s *Server) casesPage(ctx context.Context, v *visit) (answer, error) {
	all, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) ([]support.Case, error) {
		return support.List(ctx, tx, v.account.ID, "", casesShown)
	})
	if err != nil {
		return answer{}, err
	}
	return show("cases.html", casesPage{Frame: v.frame(v.voice.T("cases.title")), Cases: v.caseRows(all), Reach: v.reach()}), nil
}

func (v *visit) caseRows(all []support.Case) (rows []caseRow) {
	for _, c := range all {
		rows = append(rows, caseRow{c.ID, v.caseAbout(c), c.Subject, v.caseBadge(c), v.voice.Moment(c.UpdatedAt, v.shopZone())})
	}
	return rows
}

// caseAbout says in the customer's words what a case is about.
func (v *visit) caseAbout(c support.Case) string {
	if c.OpenedBy == support.Customer {
		return v.voice.Either("case.topic."+string(c.Topic), "case.topic.other", nil)
	}
	return v.voice.Either("case.opened."+c.Title, "case.opened.other", nil)
}

func (v *visit) caseBadge(c support.Case) ui.Badge {
	switch {
	case c.State == support.Closed:
		return ui.Badge{Tone: ui.Off, Word: v.voice.T("case.closed")}
	case c.Turn == support.Staff:
		return ui.Badge{Tone: ui.Busy, Word: v.voice.T("case.with_us")}
	}
	return ui.Badge{Tone: ui.Good, Word: v.voice.T("case.answered")}
}

// complaint is what is wrong with a message, said at the field that it is in.
type complaint struct{ Error, FileError string }

func (v *visit) complain(err error) complaint {
	said := v.voice.Fault(err)
	if why := reason(err); strings.HasPrefix(why, "case_file") || strings.HasPrefix(why, "uploads_") {
		return complaint{FileError: said}
	}
	return complaint{Error: said}
}

// newCasePage is everything case_new.html may use.
type newCasePage struct {
	ui.Frame
	Key    string // makes the case once
	Topics []ui.Choice
	Text   string
	Line   lineView // that it is about; zero: none
	Order  string   // that it is about
	What   string   // the order is for
	complaint
	FileTip string
}

// aboutCase is what a case is about, as far as it is the customer's.
type aboutCase struct {
	line  line.Line
	order order.Order
}

// newCasePage asks what happened. What it is about comes from where the customer
// was.
func (s *Server) newCasePage(ctx context.Context, v *visit) (answer, error) {
	q := v.r.URL.Query()
	a, err := v.aboutCase(ctx, q.Get("line"), q.Get("order"))
	if err != nil {
		return answer{}, err
	}
	text := ""
	if phone := q.Get("phone"); phone != "" && len(phone) <= maxNext {
		text = v.voice.Say("devices.ask.body", locale.Args{"phone": phone, "place": cmp.Or(q.Get("place"), v.voice.T("devices.sold_in.any"))})
	}
	return show("case_new.html", v.newCase(a, s.Desk.IDs.Secret(12), support.Topic(q.Get("topic")), text)), nil
}

func (v *visit) newCase(a aboutCase, key string, topic support.Topic, text string) newCasePage {
	p := newCasePage{Frame: v.frame(v.voice.T("cases.new")), Key: key, Text: text, Order: a.order.ID, FileTip: v.fileTip()}
	if a.line.ID != "" {
		p.Line = v.lineView(a.line)
	}
	if a.order.ID != "" {
		p.What = v.saleName(v.shop, a.order)
	}
	for _, t := range support.Topics {
		p.Topics = append(p.Topics, ui.Choice{Value: string(t), Name: v.voice.T("case.topic." + string(t)), Chosen: t == topic})
	}
	return p
}

func (v *visit) fileTip() string {
	return v.voice.Say("case.files.tip", locale.Args{"files": support.MostFiles, "mb": support.MostFile >> 20})
}

// aboutCase reads what a case is about. What is somebody else's does not exist.
func (v *visit) aboutCase(ctx context.Context, lineID, orderID string) (a aboutCase, err error) {
	return db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (a aboutCase, err error) {
		if orderID != "" {
			if a.order, err = order.Get(ctx, tx, order.Key{Account: v.account.ID, ID: orderID}); err != nil {
				return a, err
			}
			if a.order.Line != "" && (a.order.Kind != order.NewLine || a.order.State == order.Completed) {
				lineID = a.order.Line
			}
		}
		if lineID != "" {
			a.line, err = line.Get(ctx, tx, v.account.ID, lineID)
		}
		return a, err
	})
}

// openCase opens a case, once for each form.
func (s *Server) openCase(ctx context.Context, v *visit) (answer, error) {
	said, err := v.readSaid()
	if err != nil {
		return answer{}, err
	}
	a, err := v.aboutCase(ctx, v.field("line"), v.field("order"))
	if err != nil {
		return answer{}, err
	}
	topic := support.Topic(v.field("topic"))
	c, err := db.Written(ctx, s.DB, func(ctx context.Context, tx db.Tx) (support.Case, error) {
		return support.Ask(ctx, tx, s.Desk.IDs, support.Question{Account: v.account.ID, Topic: topic, Order: a.order.ID, Line: a.line.ID, Said: said})
	})
	switch kind := fault.KindOf(err); kind {
	case "":
	case fault.Invalid, fault.TooMany:
		p := v.newCase(a, said.Key, topic, said.Text)
		p.complaint = v.complain(err)
		return answer{template: "case_new.html", page: p, status: kind.Status()}, nil
	case fault.Denied, fault.NotFound, fault.Conflict, fault.Unavailable, fault.Internal:
		return answer{}, err
	}
	return goTo("/cases/" + c.ID + "?sent=1"), nil
}

// maxUpload is how long a form with files may be.
const maxUpload = support.MostFiles*support.MostFile + 64<<10

// uploads reports whether the request is a form with files, to a page that takes
// such.
func (v *visit) uploads() bool {
	return (strings.HasPrefix(v.r.Pattern, "POST /cases/") || v.r.Pattern == identityPhoto) && strings.HasPrefix(v.r.Header.Get("Content-Type"), "multipart/form-data")
}

// readSaid reads what a customer wrote, with its files.
func (v *visit) readSaid() (support.Said, error) {
	if !v.uploads() {
		return support.Said{Key: v.field("key"), Text: v.field("text")}, nil
	}
	end, err := v.server.uploading.begin(v.account.ID)
	if err != nil {
		return support.Said{}, err
	}
	defer end()
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxUpload)
	if err := tooLarge(v.r.ParseMultipartForm(maxUpload)); err != nil { //nolint:gosec // bounded by the line above, and in memory: no file is left behind
		return support.Said{}, err
	}
	said, sum := support.Said{Key: v.field("key"), Text: v.field("text")}, 0
	for _, h := range v.r.MultipartForm.File["files"] {
		if h.Filename == "" && h.Size == 0 {
			continue // nothing was chosen
		}
		content, err := contentOf(h)
		if err != nil {
			return said, err
		}
		if said.Files = append(said.Files, support.File{Name: h.Filename, Content: content}); len(said.Files) > support.MostFiles {
			break // too many, which is said where it is kept
		}
		sum += len(content)
	}
	return said, v.room(v.r.Context(), sum)
}

func contentOf(h *multipart.FileHeader) ([]byte, error) {
	f, err := h.Open()
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, support.MostFile+1))
	return content, errors.Join(err, f.Close())
}

// casePage is everything case.html may use.
type casePage struct {
	ui.Frame
	ID       string
	About    string
	Opened   string // by the system: what it means for the customer
	Badge    ui.Badge
	Since    ui.Moment
	Messages []saidRow
	Line     lineView // that it is about; zero: none
	Order    string
	What     string
	Steps    []ui.Step // of the order
	Orders   []orderRow
	Key      string
	Text     string
	complaint
	FileTip string
	Answer  string // what writing does; "" where it is over
	Over    string // instead of a form
}

// saidRow is one message.
type saidRow struct {
	Number int
	Who    string
	Ours   bool // staff wrote it
	Text   string
	At     ui.Moment
	Files  []fileRow
}

// fileRow is one file that came with a message.
type fileRow struct {
	Number     int
	Name, Size string
}

// talk is a case with everything that its page tells.
type talk struct {
	about    aboutCase
	c        support.Case
	messages []support.Message
	live     order.Payment
	billed   time.Time
	orders   pastOrders // of the line, where the case is about no order
}

// casePage shows a case as a conversation.
func (s *Server) casePage(ctx context.Context, v *visit) (answer, error) {
	t, err := v.talk(ctx)
	if err != nil {
		return answer{}, err
	}
	p := v.conversation(t, s.Desk.IDs.Secret(12))
	if v.r.URL.Query().Has("sent") {
		p.Notice = ui.Notice{Tone: ui.Good, Text: v.voice.T("case.sent")}
	}
	return show("case.html", p), nil
}

// caseKey is the case that an address names, if it is the customer's.
func (v *visit) caseKey() (support.Key, error) {
	id := v.r.PathValue("id")
	k, err := v.at(id)
	if err == nil && k.limited() {
		err = errSignIn
	}
	return support.Key{Account: k.account, ID: id}, err
}

func (v *visit) talk(ctx context.Context) (talk, error) {
	k, err := v.caseKey()
	if err != nil {
		return talk{}, err
	}
	t, err := db.Seen(ctx, v.server.DB, func(ctx context.Context, tx db.Tx) (t talk, err error) {
		if t.c, err = support.Get(ctx, tx, k); err != nil {
			return t, err
		}
		if t.messages, err = support.Messages(ctx, tx, k); err != nil || t.c.Order == "" && t.c.Line == "" {
			return t, err
		}
		if t.c.Order == "" {
			t.orders, err = readOrders(ctx, tx, k.Account, t.c.Line, ordersOfLine)
			return t, err
		}
		of := order.Key{Account: k.Account, ID: t.c.Order}
		paid, err := order.Payments(ctx, tx, of)
		if err != nil {
			return t, err
		}
		t.live = told{payments: paid}.live()
		bills, err := billing.OfOrder(ctx, tx, k.Account, t.c.Order)
		for _, b := range bills {
			if b.Kind != billing.CreditNote {
				t.billed = b.IssuedAt
			}
		}
		return t, err
	})
	if err != nil {
		return t, err
	}
	t.about, err = v.aboutCase(ctx, t.c.Line, t.c.Order)
	if fault.KindOf(err) == fault.NotFound {
		err = nil // the conversation outlives its line
	}
	return t, err
}

func (v *visit) conversation(t talk, key string) casePage {
	zone := v.shopZone()
	p := casePage{
		ID: t.c.ID, About: v.caseAbout(t.c), Badge: v.caseBadge(t.c), Since: v.voice.Moment(t.c.CreatedAt, zone), Key: key,
		FileTip: v.fileTip(), Answer: v.voice.T("case.answer"), Orders: v.orderRows(t.orders),
	}
	p.Frame = v.frame(p.About)
	if t.c.OpenedBy == support.System {
		p.Opened = v.voice.T("case.opened.lead")
	}
	for _, m := range t.messages {
		row := saidRow{Number: m.Number, Who: v.voice.T("case.you"), Text: m.Text, At: v.voice.Moment(m.At, zone)}
		if m.Author == support.Staff {
			row.Who, row.Ours = v.frame("").Shop, true
		}
		for _, f := range m.Files {
			row.Files = append(row.Files, fileRow{f.Number, f.Name, locale.Data(v.voice.Lang, int64(f.Bytes), 1e9)})
		}
		p.Messages = append(p.Messages, row)
	}
	if l := t.about.line; l.ID != "" {
		p.Line = v.lineView(l)
	}
	if o := t.about.order; o.ID != "" {
		p.Order, p.What = o.ID, v.saleName(v.shop, o)
		p.Steps = v.voice.Progress(o, t.live, t.billed, placeOf(v.shop, o.Plan).loc).Steps
	}
	switch {
	case t.c.State == support.Open:
	case t.c.Answerable(v.voice.Now):
		p.Answer = v.voice.T("case.reopen")
	default:
		p.Over, p.Answer = v.voice.T("case.over"), ""
	}
	return p
}

// answerCase adds what the customer writes, once for each form.
func (s *Server) answerCase(ctx context.Context, v *visit) (answer, error) {
	k, err := v.caseKey()
	if err != nil {
		return answer{}, err
	}
	said, err := v.readSaid()
	if err != nil {
		return answer{}, err
	}
	_, err = db.Written(ctx, s.DB, func(ctx context.Context, tx db.Tx) (support.Case, error) {
		return support.Reply(ctx, tx, k, said)
	})
	switch kind := fault.KindOf(err); kind {
	case "":
	case fault.Invalid, fault.TooMany, fault.Conflict:
		t, again := v.talk(ctx)
		if again != nil {
			return answer{}, again
		}
		p := v.conversation(t, said.Key)
		p.Text, p.complaint = said.Text, v.complain(err)
		return answer{template: "case.html", page: p, status: kind.Status()}, nil
	case fault.Denied, fault.NotFound, fault.Unavailable, fault.Internal:
		return answer{}, err
	}
	return goTo("/cases/" + k.ID + "?sent=1#last"), nil
}

// caseFile gives a file back to the customer who sent it.
func (s *Server) caseFile(ctx context.Context, v *visit) (answer, error) {
	k, err := v.caseKey()
	if err != nil {
		return answer{}, err
	}
	n, err := strconv.Atoi(v.r.PathValue("n"))
	if err != nil {
		return answer{}, fault.Because(fault.NotFound, "no_such_file", "There is no such file.", nil)
	}
	f, err := db.Seen(ctx, s.DB, func(ctx context.Context, tx db.Tx) (support.File, error) { return support.GetFile(ctx, tx, k, n) })
	return answer{file: &f}, err
}
