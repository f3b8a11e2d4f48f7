package docs_test

import (
	"go/ast"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"

	"github.com/tsuzuku/tsuzuku/app"
	"github.com/tsuzuku/tsuzuku/audit"
	"github.com/tsuzuku/tsuzuku/carrier/airalo"
	"github.com/tsuzuku/tsuzuku/carrier/carriersim"
	"github.com/tsuzuku/tsuzuku/carrier/cmi"
	"github.com/tsuzuku/tsuzuku/carrier/esimaccess"
	"github.com/tsuzuku/tsuzuku/carrier/esimgo"
	"github.com/tsuzuku/tsuzuku/order"
	"github.com/tsuzuku/tsuzuku/payment/alipay"
	"github.com/tsuzuku/tsuzuku/payment/antom"
	"github.com/tsuzuku/tsuzuku/payment/linepay"
	"github.com/tsuzuku/tsuzuku/payment/paypal"
	"github.com/tsuzuku/tsuzuku/payment/paypay"
	"github.com/tsuzuku/tsuzuku/payment/stripe"
	"github.com/tsuzuku/tsuzuku/payment/wechatpay"
	"github.com/tsuzuku/tsuzuku/renewal"
)

const trouble = "when-things-go-wrong.md"

// The table of the audit has a row for each check, and no others.
func TestEveryCheckHasItsRow(t *testing.T) {
	var documented, known []string
	for _, r := range rows(document(t, trouble), "| check |") {
		if len(r) != 3 || r[1] == "" || r[2] == "" {
			t.Errorf("a row does not say what it means and what to do: %q", r)
		}
		documented = append(documented, code(r[0]))
	}
	for _, c := range audit.Checks {
		known = append(known, c.Name)
	}
	same(t, "checks", documented, known)
}

// Every state of an order has a row, and no others.
func TestEveryStateHasItsRow(t *testing.T) {
	var documented, known []string
	for _, r := range rows(document(t, trouble), "| state |") {
		documented = append(documented, code(r[0]))
	}
	for _, s := range order.States {
		known = append(known, string(s))
	}
	same(t, "states", documented, known)
}

// Every step that waits has a row that says how long, in the words of the program, and
// no others but the two that are not package order's.
func TestEveryDeadlineHasItsRow(t *testing.T) {
	table := rows(document(t, trouble), "| what | step")
	for _, l := range order.Limits {
		if !slices.ContainsFunc(table, func(r []string) bool {
			return len(r) == 4 && r[0] == l.Thing && code(r[1]) == l.Step && r[2] == l.For && r[3] == l.Says
		}) {
			t.Errorf("no row says that %s %s waits for %s until %s", l.Thing, l.Step, l.For, l.Says)
		}
	}
	if len(table) != len(order.Limits)+2 {
		t.Errorf("%d rows, want %d", len(table), len(order.Limits)+2)
	}
}

// Every kind of finding and every sign has its row, and no others.
func TestEveryFindingHasItsRow(t *testing.T) {
	var kinds, documented, signs []string
	for _, k := range audit.Kinds {
		kinds = append(kinds, string(k))
	}
	for _, r := range rows(document(t, trouble), "| kind | repaired") {
		documented = append(documented, code(r[0]))
	}
	same(t, "kinds", documented, kinds)
	documented = nil
	for _, r := range rows(document(t, trouble), "| sign | kind") {
		documented = append(documented, code(r[0])+" "+code(r[1]))
	}
	for name, kind := range audit.Signs() {
		signs = append(signs, name+" "+string(kind))
	}
	same(t, "signs", documented, signs)
}

// The alert rules are YAML, and ask for numbers that there are.
func TestAlertsAskForNumbersThatThereAre(t *testing.T) {
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr string
				For         string            `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			}
		}
	}
	if err := yaml.Unmarshal([]byte(document(t, "alerts.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	source := ""
	for _, name := range []string{"../app/metrics.go", "../app/repairs.go", "../app/requests.go"} {
		source += document(t, name)
	}
	asked := 0
	for _, g := range rules.Groups {
		for _, r := range g.Rules {
			if r.Alert == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
				t.Errorf("a rule that does not say what to do: %+v", r)
			}
			for _, name := range regexp.MustCompile(`tsuzuku_[a-z_]+`).FindAllString(r.Expr, -1) {
				asked++
				if !strings.Contains(source, `Name: "`+name+`"`) {
					t.Errorf("%s asks for %s, which is not counted", r.Alert, name)
				}
			}
		}
	}
	if asked < 3 {
		t.Errorf("only %d numbers are asked for", asked)
	}
}

// Whatever can be the reason of an order or the title of a case is explained.
func TestEveryReasonIsExplained(t *testing.T) {
	text := document(t, trouble)
	var reasons []string
	for _, r := range renewal.Rules {
		reasons = append(reasons, string(r))
	}
	for _, f := range sources(t, "../carrier") {
		reasons = append(reasons, constants(f, "Reason")...)
	}
	before := len(reasons)
	for _, f := range sources(t, "../order") {
		reasons = append(reasons, reasonsIn(f)...)
	}
	if len(reasons) < before+8 {
		t.Fatalf("only %d reasons found in the order's code", len(reasons)-before)
	}
	for _, r := range reasons {
		if !strings.Contains(text, "`"+r+"`") {
			t.Errorf("the reason %q is not explained", r)
		}
	}
}

// reasonsIn are the reasons that are written as literals: handed to the
// functions that hold, give up and open cases, or assigned.
func reasonsIn(f *ast.File) []string {
	var out []string
	word := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	keep := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok {
			if s, err := strconv.Unquote(l.Value); err == nil && word.MatchString(s) {
				out = append(out, s)
			}
		}
	}
	place := map[string]int{"hold": 2, "giveUp": 2, "addGiveUp": 5, "addCase": 4}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if at, ok := place[called(n)]; ok && at < len(n.Args) {
				keep(n.Args[at])
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				name := ""
				switch to := to.(type) {
				case *ast.Ident:
					name = to.Name
				case *ast.SelectorExpr:
					name = to.Sel.Name
				}
				if (name == "Reason" || name == "why") && len(n.Lhs) == len(n.Rhs) {
					keep(n.Rhs[i])
				}
			}
		}
		return true
	})
	return out
}

// The settling times in the table are those of the adapters.
func TestSettlingTimes(t *testing.T) {
	settles := map[string]time.Duration{
		"Airalo":                       airalo.New(airalo.Config{}, nil, nil).Abilities().SettlesWithin,
		"eSIM Go":                      esimgo.New(esimgo.Config{}, nil, nil).Abilities().SettlesWithin,
		"China Mobile International":   cmi.New(cmi.Config{}, nil, nil, nil).Abilities().SettlesWithin,
		"eSIM Access":                  esimaccess.New(esimaccess.Config{}, nil, nil, nil).Abilities().SettlesWithin,
		"Stripe":                       new(stripe.Adapter).Limits().SettlesWithin,
		"PayPal":                       new(paypal.Adapter).Limits().SettlesWithin,
		"LINE Pay":                     new(linepay.Adapter).Limits().SettlesWithin,
		"PayPay":                       new(paypay.Adapter).Limits().SettlesWithin,
		"Alipay":                       new(alipay.Adapter).Limits().SettlesWithin,
		"WeChat Pay":                   new(wechatpay.Adapter).Limits().SettlesWithin,
		"Antom":                        new(antom.Adapter).Limits().SettlesWithin,
		"the demo's operator `simple`": (&carriersim.Sim{}).Abilities().SettlesWithin,
	}
	table := rows(document(t, trouble), "| stranger |")
	if len(table) != len(settles) {
		t.Errorf("%d strangers in the table, want %d", len(table), len(settles))
	}
	for _, r := range table {
		amount, unit, _ := strings.Cut(r[1], " ")
		d, err := time.ParseDuration(amount + unit[:1])
		if want, ok := settles[r[0]]; !ok || err != nil || d != want {
			t.Errorf("%s settles within %q, want %v", r[0], r[1], want)
		}
	}
}

// Every command that a document shows exists, and staff's commands are all shown.
func TestCommandsExist(t *testing.T) {
	known := commandPaths(t)
	if len(known) < 10 {
		t.Fatalf("only %d commands found", len(known))
	}
	shown := regexp.MustCompile("(?m)(?:^    \\$ |`)tsuzuku ([a-z]+)(?: ([a-z-]+))?")
	for _, name := range documents(t) {
		for _, m := range shown.FindAllStringSubmatch(document(t, name), -1) {
			two := m[1] + " " + m[2]
			if !slices.Contains(known, m[1]) && !slices.ContainsFunc(known, func(path string) bool { return path == two || strings.HasPrefix(path, two+" ") }) {
				t.Errorf("%s shows tsuzuku %s %s, which does not exist", name, m[1], m[2])
			}
		}
	}
	for _, path := range known {
		if strings.HasPrefix(path, "order ") && !strings.Contains(document(t, trouble), path) {
			t.Errorf("%s does not mention: tsuzuku %s", trouble, path)
		}
	}
}

// commandPaths reads the commands from the struct tags in cmd/tsuzuku.
func commandPaths(t *testing.T) []string {
	t.Helper()
	types := map[string]*ast.StructType{}
	for _, f := range sources(t, "../cmd/tsuzuku") {
		ast.Inspect(f, func(n ast.Node) bool {
			if s, ok := n.(*ast.TypeSpec); ok {
				if st, ok := s.Type.(*ast.StructType); ok {
					types[s.Name.Name] = st
				}
			}
			return true
		})
	}
	var paths []string
	var walk func(name, before string)
	walk = func(name, before string) {
		leaf := true
		for _, f := range types[name].Fields.List {
			if f.Tag == nil || len(f.Names) != 1 {
				continue
			}
			tag, err := strconv.Unquote(f.Tag.Value)
			if err != nil {
				t.Fatal(err)
			}
			if _, is := reflect.StructTag(tag).Lookup("cmd"); !is {
				continue
			}
			leaf = false
			if _, usual := reflect.StructTag(tag).Lookup("default"); usual {
				paths = append(paths, before) // it need not be named
			}
			if of, ok := f.Type.(*ast.Ident); ok {
				walk(of.Name, strings.TrimSpace(before+" "+dashed(f.Names[0].Name)))
			}
		}
		if leaf {
			paths = append(paths, before)
		}
	}
	walk("commands", "")
	return paths
}

// dashed is a field's name as kong writes it: LookUp is look-up.
func dashed(name string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "$1-$2"))
}

// Every setting that a document names exists, and running.md names every secret.
func TestSettingsExist(t *testing.T) {
	k, err := kong.New(&app.Config{})
	if err != nil {
		t.Fatal(err)
	}
	known := []string{
		"help", "new-package", "by", "why", "staff", "operator-ref", "state", "data", "amount", "provider", "day", "from", "to", "json",
		"key", "line", "iccid", "package", "days", "ended-line", "capabilities", "overdue", "new", "ref", "file", "ends", "as-of", "total", "used",
		"unlimited", "throttled", "rehearse", "data-checksums", "waiting", "all", "text", "close", "live", "carrier", "stored", "watch", "for",
		"profile", "code", "final", "type", "eid", "matching-id",
	} // of single commands
	var secret []string
	for _, f := range k.Model.Flags {
		known = append(known, f.Name)
		if strings.HasSuffix(f.Target.Type().String(), "app.Secret") {
			secret = append(secret, f.Name)
		}
	}
	flag := regexp.MustCompile(`--([a-z][a-z0-9-]+)`)
	others := regexp.MustCompile(`(?m)^    [#$] (useradd|install|systemctl|podman) .*?(\\\n.*)?$`) // their flags are not ours
	for _, name := range documents(t) {
		for _, m := range flag.FindAllStringSubmatch(others.ReplaceAllString(document(t, name), ""), -1) {
			if !slices.Contains(known, m[1]) {
				t.Errorf("%s names --%s, which does not exist", name, m[1])
			}
		}
	}
	for _, name := range secret {
		if !strings.Contains(document(t, "running.md"), "--"+name) {
			t.Errorf("running.md does not say what --%s is", name)
		}
	}
}

// Links between documents lead somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, name := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(document(t, name), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// documents are the files that these tests are about.
func documents(t *testing.T) []string {
	t.Helper()
	guides, err := filepath.Glob("how-to/*.md")
	if err != nil {
		t.Fatal(err)
	}
	operators, err := filepath.Glob("operators/*.md")
	if err != nil {
		t.Fatal(err)
	}
	return append(append(guides, operators...), walk, "backup.md", "carrier-contract.md", "catalogue.md", "manual-operator.md", "payments.md", "running.md", "sms-contract.md", "support.md", trouble)
}

func same(t *testing.T, what string, got, want []string) {
	t.Helper()
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("%s: %q is not documented", what, w)
		}
	}
	for _, g := range got {
		if !slices.Contains(want, g) {
			t.Errorf("%s: %q is documented and does not exist", what, g)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
	}
}
