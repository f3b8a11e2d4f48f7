package device

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

const published = `Osmocom TAC database under CC-BY-SA v3.0 (c) Harald Welte 2016
tac,name,name,contributor,comment,gsmarena,gsmarena,aka
35292511,Apple,A2221,someone,,,,iPhone 11
01020100,Siemens,SL55,someone,"a ""comment""",,,"S30880-S4910,SL56"
`

// Both tables are read in the forms in which they are found.
func TestTablesAreRead(t *testing.T) {
	want := []TAC{
		{TAC: "35292511", Brand: "Apple", Model: "A2221", Codes: []string{"iPhone 11"}},
		{TAC: "01020100", Brand: "Siemens", Model: "SL55", Codes: []string{"S30880-S4910", "SL56"}},
	}
	for name, file := range map[string]string{
		"as published": published,
		"cleaned":      "# a licence\ntac,brand,model,aka\n35292511,Apple,A2221,iPhone 11\n01020100,Siemens,SL55,\"S30880-S4910,SL56\"\n",
		"moved":        "\ufeffaka,model,brand,tac\r\niPhone 11,A2221,Apple,35292511\r\n\"S30880-S4910, SL56\",SL55,Siemens,01020100\r\n",
	} {
		got, skipped, err := ReadOsmocom(strings.NewReader(file))
		if err != nil || len(skipped) > 0 {
			t.Errorf("%s: %v, %v", name, skipped, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	wantSamsung := []TAC{{TAC: "35586788", Brand: "Samsung", Codes: []string{"SM-S918B"}}, {TAC: "35616111", Brand: "Samsung", Codes: []string{"SM-A515F", "SM-A515U"}}}
	for name, file := range map[string]string{
		"with a head": "tac,model_codes\n35586788,SM-S918B\n35616111,SM-A515F|SM-A515U\n",
		"without":     "35586788,SM-S918B\n35616111,SM-A515F|SM-A515U|SM-A515F\n",
		"named model": "TAC,Model\n35586788, SM-S918B\n35616111,\"SM-A515F | SM-A515U\"\n",
	} {
		got, skipped, err := ReadSamsung(strings.NewReader(file))
		if err != nil || len(skipped) > 0 {
			t.Errorf("%s: %v, %v", name, skipped, err)
		}
		if diff := cmp.Diff(wantSamsung, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// A row that is wrong is skipped and named; a file that is something else is
// refused.
func TestTablesRefuse(t *testing.T) {
	got, skipped, err := ReadSamsung(strings.NewReader("tac,model_codes\n35586788,SM-S918B\n3558678,SM-1\n35586789,\n35586788,SM-2\n35586790,SM-3\n35586791,SM-4\n"))
	if err != nil || len(got) != 3 || len(got[0].Codes) != 2 || len(skipped) != 2 || skipped[0].Line != 3 {
		t.Errorf("%v, %v, %v", got, skipped, err)
	}
	once, skipped, err := ReadOsmocom(strings.NewReader("tac,brand,model,aka\n35292511,Apple,A2221,\n35292511,Apple,A2223,\n01020100,Siemens,SL55,\n"))
	if err != nil || len(once) != 2 || len(skipped) != 1 || once[0].Model != "A2221" {
		t.Errorf("a TAC with two names: %v, %v, %v", once, skipped, err)
	}
	for name, file := range map[string]string{
		"nothing": "", "a page": "<html><body>404</body></html>", "a zip": "PK\x03\x04\x00", "another table": "name,price\nx,1\n", "only a head": "tac,brand,model,aka\n",
		"not UTF-8": "tac,brand,model,aka\n35292511,Ap\xe9,X,\n", "no TACs": "tac,brand,model,aka\nx,Apple,A,\ny,Apple,B,\n",
	} {
		if got, _, err := ReadOsmocom(strings.NewReader(file)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Osmocom, %s: %v, %v", name, got, err)
		}
		if got, _, err := ReadSamsung(strings.NewReader(strings.ReplaceAll(file, "brand,model,aka", "model_codes"))); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Samsung, %s: %v, %v", name, got, err)
		}
	}
	for name, file := range map[string]string{"whole": "tac,brand,model,aka\n35292511,Apple,A2221,\n", "as published": "# CC BY-SA 3.0\ntac,name,name,contributor,comment,gsmarena,gsmarena,aka\n35292511,Apple,A2221,x,,,,\n"} {
		if got, _, err := ReadSamsung(strings.NewReader(file)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("the phones of everybody are Samsung's, %s: %v, %v", name, got, err)
		}
	}
	for name, file := range map[string]string{
		"no code": "brand,model,code\nKite,One,\n", "twice": "brand,model,code\nKite,One,K1\nKite,One,K1\n", "esim": "brand,model,code,esim\nKite,One,K1,maybe\n",
		"bands": "brand,model,code,bands\nKite,One,K1,b19x\n", "country": "brand,model,code,sold_in\nKite,One,K1,Japan\n", "lock": "brand,model,code,lock\nKite,One,K1,yes\n",
		"no head": "Kite,One,K1\n", "empty": "brand,model,code\n",
	} {
		if got, err := ReadOwn(strings.NewReader(file)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("own, %s: %v, %v", name, got, err)
		}
	}
}

// The tables that tests may read are read whole.
func TestSharedTablesAreRead(t *testing.T) {
	got, skipped, err := ReadOsmocom(shared(t, "local/cc-by-sa/tac_osmocom.csv"))
	if err != nil || len(got) < 22_000 || len(skipped) > 100 {
		t.Errorf("Osmocom: %d, %d skipped, %v", len(got), len(skipped), err)
	}
	got, skipped, err = ReadSamsung(shared(t, "local/tac_samsung_models.csv"))
	if err != nil || len(got) < 8_390 || len(skipped) > 10 {
		t.Errorf("Samsung: %d, %d skipped, %v", len(got), len(skipped), err)
	}
}

// An IMEI leads through the imported tables to a version, to several of one
// model, to several models, or to a name; a new import takes the place of the old.
func TestIMEIsLeadToPhones(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		write := func(f func(context.Context, db.Tx) (bool, error)) bool {
			t.Helper()
			changed, err := db.Written(t.Context(), env.DB, f)
			if err != nil {
				t.Fatal(err)
			}
			return changed
		}
		load := func(source Source, rows []TAC) bool {
			t.Helper()
			return write(func(ctx context.Context, tx db.Tx) (bool, error) { return ImportTACs(ctx, tx, source, rows, "test") })
		}
		ask := func(tac string) Found {
			t.Helper()
			f, err := db.Seen(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (Found, error) {
				return Builtin().Resolve(ctx, tx, Query{Kind: ByIMEI, TAC: tac})
			})
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		if f := ask("35292511"); f.Phone.Model != nil || f.Phone.Called() != "" {
			t.Errorf("with nothing imported: %+v", f)
		}
		osmocom := []TAC{
			{TAC: "35292511", Brand: "Apple", Model: "A2221", Codes: []string{"iPhone 11"}},
			{TAC: "35727609", Brand: "Apple", Model: "iPhone XS Max 256GB"},
			{TAC: "01020100", Brand: "Siemens", Model: "SL55"},
			{TAC: "35586788", Brand: "Samsung", Model: "wrong"},
		}
		samsung := []TAC{
			{TAC: "35586788", Brand: "Samsung", Codes: []string{"SM-S918B"}},
			{TAC: "35000001", Brand: "Samsung", Codes: []string{"SM-G991U", "SM-G991U1"}},
			{TAC: "35000002", Brand: "Samsung", Codes: []string{"SM-S901B", "SM-S906B"}},
			{TAC: "35000003", Brand: "Samsung", Codes: []string{"SM-X1", "SM-X2"}},
		}
		if !load(Osmocom, osmocom) || !load(Samsung, samsung) || load(Samsung, samsung) {
			t.Error("what changed is not what was new")
		}
		for tac, want := range map[string]string{
			"35292511": "Apple iPhone 11 A2221 true", "35727609": "Apple iPhone XS Max A1921|A2102|A2104|A2101 false", "01020100": "Siemens SL55  false",
			"35586788": "Samsung Galaxy S23 Ultra SM-S918B true", "35000001": "Samsung Galaxy S21 SM-G991U|SM-G991U1 false",
			"35000003": "Samsung SM-X1, SM-X2  false", "99999999": "  false",
		} {
			f := ask(tac)
			var codes []string
			for _, v := range f.Phone.Possible {
				codes = append(codes, v.Code)
			}
			if got := f.Phone.Called() + " " + strings.Join(codes, "|") + map[bool]string{true: " true", false: " false"}[f.Phone.Exact]; got != want {
				t.Errorf("%s: %q, want %q", tac, got, want)
			}
		}
		if f := ask("35000002"); f.Phone.Model != nil || len(f.Candidates) != 2 {
			t.Errorf("two models: %+v", f)
		}
		if !load(Samsung, samsung[1:]) {
			t.Error("a shorter table changes nothing")
		}
		if f := ask("35586788"); f.Phone.Called() != "Samsung wrong" {
			t.Errorf("after the row is gone: %q", f.Phone.Called())
		}
	})
}

// The seller's own versions are found with the program's, on the shelf too, and
// go when the list no longer has them.
func TestOwnVersionsAreKept(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, env dbtest.Env) {
		shelf := &Shelf{}
		now := func() *List {
			t.Helper()
			l, err := db.Seen(t.Context(), env.DB, shelf.Current)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		load := func(file string) error {
			rows, err := ReadOwn(strings.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			_, err = db.Written(t.Context(), env.DB, func(ctx context.Context, tx db.Tx) (bool, error) { return ImportOwn(ctx, tx, rows, "test") })
			return err
		}
		if now() != Builtin() {
			t.Error("with nothing imported the list is not the program's own")
		}
		const kite = "brand,model,code,aka,sold_in,esim,lock,bands,source\nKite,One,K1-A,Kite 1|風箏,JP|US,yes,risk,1 3 n78,kite.example 2026-10\n"
		if err := load(kite + "Samsung,Galaxy S23,SM-S911B,,,,,1 3 19 n78,a box\n"); err != nil {
			t.Fatal(err)
		}
		l := now()
		f := l.Search(Query{Text: "風箏"})
		if f.Phone.Called() != "Kite One" {
			t.Fatalf("%+v", f)
		}
		want := Version{Code: "K1-A", SoldIn: []string{"JP", "US"}, ESIM: ESIMYes, LockRisk: true, Bands: Bands{Names: []string{"B1", "B3", "n78"}, FiveG: true}}
		if diff := cmp.Diff(want, f.Phone.Model.Versions[0]); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		s23, _ := l.Model("samsung-galaxy-s23")
		p, _ := l.WithCode(s23, "SM-S911B")
		if p.has("B19") != Has || p.Possible[0].ESIM != ESIMYes {
			t.Errorf("what the seller adds is not beside what the program knows: %+v", p)
		}
		if own, _ := Builtin().Model("samsung-galaxy-s23"); own == s23 {
			t.Error("the program's own list was changed")
		}
		if now() != l {
			t.Error("the shelf reads what has not changed")
		}
		if err := load(kite); err != nil {
			t.Fatal(err)
		}
		if s23, _ = now().Model("samsung-galaxy-s23"); s23 == nil || len(s23.Versions[0].Bands.Names) > 0 {
			t.Error("an old row is still there")
		}
	})
}

// Bands are written as they are read.
func TestBandsAreWrittenAsRead(t *testing.T) {
	for _, text := range []string{"", "1 19", "1 19 no5g", "1 n78", "n78"} {
		if got := parseBands(text).String(); got != text {
			t.Errorf("%q becomes %q", text, got)
		}
	}
}

// No file makes the importers panic or store what an engine would refuse.
func FuzzTables(f *testing.F) {
	f.Add(published)
	f.Add("tac,model_codes\n35586788,SM-S918B|SM-S918U\n")
	f.Add("35586788,\"SM\n-S918B\"\n")
	f.Add("brand,model,code,bands\nKite,One,K1,1 19 n78\n")
	if seeds, err := filepath.Glob("data/*.csv"); err == nil {
		for _, name := range seeds {
			if text, err := os.ReadFile(name); err == nil {
				f.Add(string(text[:min(len(text), 2000)]))
			}
		}
	}
	f.Fuzz(func(t *testing.T, file string) {
		for _, read := range []func(string) ([]TAC, error){
			func(s string) ([]TAC, error) { rows, _, err := ReadOsmocom(strings.NewReader(s)); return rows, err },
			func(s string) ([]TAC, error) { rows, _, err := ReadSamsung(strings.NewReader(s)); return rows, err },
		} {
			rows, err := read(file)
			if err != nil && (fault.KindOf(err) != fault.Invalid || len(rows) > 0) {
				t.Fatalf("%v with %d rows", err, len(rows))
			}
			for _, r := range rows {
				if !isTAC.MatchString(r.TAC) || r.Brand == "" || r.Model == "" && len(r.Codes) == 0 || strings.ContainsAny(r.Brand+r.Model, "\x00\n") {
					t.Fatalf("%+v", r)
				}
				_ = Builtin().Named(r)
			}
		}
		if rows, err := ReadOwn(strings.NewReader(file)); err == nil {
			if _, err := Builtin().With(rows); err != nil {
				t.Skip("refused by the list")
			}
		}
	})
}
