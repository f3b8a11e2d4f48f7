package catalogue

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/money"
)

// Every mistake of a broken file is reported at once, on its own line, and
// nothing else is. The files say themselves what is wrong with each line.
func TestReadReportsEveryMistakeOnItsLine(t *testing.T) {
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no broken files", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, err = Read(filepath.Base(file), data)
			mistakes, ok := errors.AsType[Mistakes](err)
			if !ok {
				t.Fatalf("Read gives %v; want mistakes", err)
			}
			for i, line := range strings.Split(string(data), "\n") {
				compareLine(t, i+1, expected(line), mistakes)
			}
		})
	}
}

// expected are the parts of the messages that a line announces.
func expected(line string) []string {
	_, announced, found := strings.Cut(line, "# ! ")
	if !found {
		return nil
	}
	return strings.Split(announced, " | ")
}

func compareLine(t *testing.T, line int, want []string, mistakes Mistakes) {
	t.Helper()
	var got Mistakes
	for _, m := range mistakes {
		if m.Line == line {
			got = append(got, m)
		}
	}
	matched := len(got) == len(want)
	for _, w := range want {
		found := false
		for _, m := range got {
			found = found || strings.Contains(m.Message, w)
		}
		matched = matched && found
	}
	if !matched {
		t.Errorf("line %d: want %q, got\n%s", line, want, got)
	}
}

// What is wrong with the whole file, or is not YAML, has a line as well.
func TestReadRefusesWhatIsNoCatalogue(t *testing.T) {
	tests := []struct {
		name, file, message string
		line                int
	}{
		{"empty", "", "The file is empty.", 1},
		{"only a comment", "# nothing\n", "The file is empty.", 1},
		{"only null", "\n\n~\n", "The file is empty.", 3},
		{"a list", "- a\n", "There should be a block of keys and values here, not a list.", 1},
		{"unclosed bracket", "seller:\n  name: [a\nplans: []\n", "This is not YAML", 2},
		{"wrong indent", "a: 1\nb:\n  - x\n y: 2\n", "This is not YAML", 4},
		{"tab", "seller:\n\tname: a\n", "This is not YAML", 2},
		{"colon lost", "a: 1\nb: 2\nc 2\nd: 3\n", "This is not YAML", 3},
		{"two documents", "seller: {}\n---\nplans: []\n", "more than one YAML document", 1},
		{"UTF-16", "\xff\xfes\x00", "The file is not UTF-8 text.", 1},
		{"not UTF-8", "seller: \xff", "The file is not UTF-8 text.", 1},
		{"too large", strings.Repeat("#", maxFile+1), "larger than 4 MB", 1},
		{"self-reference", "seller: &a\n  name: *a\n", "Aliases (*a)", 2},
		{"null byte", "seller: \x00", "This is not YAML", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Read("x.yaml", []byte(tt.file))
			mistakes, _ := errors.AsType[Mistakes](err)
			if c != nil || len(mistakes) == 0 {
				t.Fatalf("Read = %v, %v; want mistakes", c, err)
			}
			found := false
			for _, m := range mistakes {
				found = found || m.Line == tt.line && strings.Contains(m.Message, tt.message)
			}
			if !found {
				t.Errorf("no %q on line %d in\n%v", tt.message, tt.line, err)
			}
		})
	}
}

// A small file that YAML would make a huge one is refused where it says so.
func TestReadRefusesAliasBombs(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for _, pair := range []string{"ab", "bc", "cd", "de", "ef", "fg", "gh"} {
		bomb += string(pair[1]) + ": &" + string(pair[1]) + " [" + strings.Repeat("*"+string(pair[0])+", ", 9) + "]\n"
	}
	_, err := Read("bomb.yaml", []byte(bomb))
	mistakes, _ := errors.AsType[Mistakes](err)
	aliases := 0
	for _, m := range mistakes {
		if strings.HasPrefix(m.Message, "Aliases (") {
			aliases++
		}
	}
	if aliases != 7*9 {
		t.Errorf("%d aliases refused, want 63:\n%v", aliases, err)
	}
}

// Prices and volumes are read exactly, as the currency and the operator count.
func TestReadIsExact(t *testing.T) {
	file := string(demoFile)
	for old, replacement := range map[string]string{
		`{JPY: 3980, USD: "26.50",`:          `{JPY: 3980, USD: 0.29,`, // 28.999… cents as a float
		"volume: 5 GB\n        package: KAZ": "volume: 4.5 GB\n        package: KAZ",
	} {
		if !strings.Contains(file, old) {
			t.Fatalf("the demo has no %q", old)
		}
		file = strings.Replace(file, old, replacement, 1)
	}
	c, err := Read("demo.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	p, _ := c.Plan("hinode-visitor-5")
	term := p.Terms[0]
	want := []money.Money{{Minor: 3980, Currency: "JPY"}, {Minor: 29, Currency: "USD"}}
	if diff := cmp.Diff(want, term.Prices[:2]); diff != "" {
		t.Errorf("prices (-want +got):\n%s", diff)
	}
	if term.Volume != 9<<29 {
		t.Errorf("4.5 binary GB are %d bytes, want %d", term.Volume, 9<<29)
	}
	if p, _ := c.Plan("tsukimi-20"); p.Terms[0].Volume != 20_000_000_000 {
		t.Errorf("20 decimal GB are %d bytes", p.Terms[0].Volume)
	}
}

// A plan's own fields replace those of the policy it names, and only those.
func TestPlanOverridesItsNamedPolicy(t *testing.T) {
	c := Demo()
	named, _ := c.Plan("tsukimi-20")
	own, _ := c.Plan("tsukimi-3")
	want := named.Policy
	want.ChangeTo = []string{"tsukimi-20", "tsukimi-30"}
	if diff := cmp.Diff(want, own.Policy); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
}

// Invoice numbers are normalised; a failing check digit is only doubtful.
func TestInvoiceNumbers(t *testing.T) {
	file, err := os.Open("testdata/jp_invoice_number_vectors.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // read only
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) < 10 {
		t.Fatal(len(rows), err)
	}
	rows = append(rows, []string{"T7\u22120107 0500\u20130725", "normalise"}) // minus sign, space, dash
	for _, row := range rows[1:] {
		input, want := row[0], row[1]
		t.Run(input, func(t *testing.T) {
			demo := strings.Replace(string(demoFile), "T9000000000000", `"`+input+`"`, 1)
			c, warnings, err := Check("demo.yaml", []byte(demo))
			doubtful := len(warnings) == 1 && strings.Contains(warnings[0].Message, "check digit") && warnings[0].Line > 1
			var ok bool
			switch want {
			case "valid", "valid_check_digit_only":
				ok = err == nil && len(warnings) == 0 && c.Seller.InvoiceNumber == input
			case "normalise":
				ok = err == nil && len(warnings) == 0 && c.Seller.InvoiceNumber == "T7010705000725"
			case "invalid_check_digit":
				ok = err == nil && doubtful && c.Seller.InvoiceNumber == input
			case "invalid_length", "invalid_prefix":
				ok = err != nil && strings.Contains(err.Error(), "registration number")
			default:
				t.Fatalf("unknown expectation %q", want)
			}
			if !ok {
				t.Errorf("want %s; error %v, warnings %v", want, err, warnings)
			}
		})
	}
}

// What is not used is doubtful, and so are a currency that one term lacks and a
// network of which nobody says what its bands carry.
func TestCheckWarns(t *testing.T) {
	file := strings.Replace(string(demoFile), ", KRW: 37200}", "}", 1)
	file = strings.NewReplacer(
		"networks:\n", "networks:\n  - {id: spare, name: Spare, plmns: [440-00], bands: [B1]}\n",
		"policies:\n", "policies:\n  spare: {renewable: false, refund: never}\n",
	).Replace(file)
	_, warnings, err := Check("demo.yaml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`the network "spare"`, `the policy "spare"`, "no price in KRW", "The network has no layers"} {
		if !strings.Contains(warnings.Error(), want) {
			t.Errorf("no warning with %s in\n%s", want, warnings)
		}
	}
	if len(warnings) != 4 {
		t.Errorf("%d warnings, want 4:\n%s", len(warnings), warnings)
	}
}

// Whatever a file contains, reading it ends with a catalogue or with mistakes
// that have lines, and a catalogue that was read can be said and compared.
func FuzzRead(f *testing.F) {
	f.Add([]byte(nil))
	f.Add(demoFile)
	files, err := filepath.Glob("testdata/broken/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("a: &a\n  ? {b: *a}\n  : - *a\n!!binary x: [\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Read("fuzz", data)
		if err == nil {
			for _, p := range c.Plans {
				Sentences(c, p, "ja")
			}
			if changes := Diff(c, c); len(changes) > 0 {
				t.Errorf("differs from itself: %v", changes)
			}
			return
		}
		mistakes, ok := errors.AsType[Mistakes](err)
		if !ok || len(mistakes) == 0 || c != nil {
			t.Fatalf("Read = %v, %v", c, err)
		}
		for _, m := range mistakes {
			if m.Line < 1 || m.Column < 1 || m.Message == "" || !utf8.ValidString(m.Message) {
				t.Errorf("mistake %+v", m)
			}
		}
	})
}
