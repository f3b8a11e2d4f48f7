package catalogue

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/money"
)

// A difference is told in the words of the file, once, and where it is.
func TestDiffInWords(t *testing.T) {
	file := string(demoFile)
	edit := func(old, replacement string) {
		t.Helper()
		if !strings.Contains(file, old) {
			t.Fatalf("the demo has no %q", old)
		}
		file = strings.Replace(file, old, replacement, 1)
	}
	edit("{JPY: 3980,", "{JPY: 4080,")
	edit("    cap: 300 MB\n", "    cap: 1.5 GB\n")
	edit("    grace: 60d\n", "    grace: 30d\n")
	edit("{id: export, percent: 0}", `{id: export, percent: "8.5"}`)
	start, end := strings.Index(file, "  - id: fuji-quarter\n"), strings.Index(file, "  - id: yokocho-base\n")
	fuji := file[start:end]
	file = strings.Replace(file, fuji, strings.Replace(fuji, "id: fuji-quarter", "id: fuji-new", 1), 1)
	edit("      - id: 1gb-today\n", "      - id: 1gb-now\n")
	next, err := Read("next", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"tax class export: percent: 0 → 8.5",
		"plan hinode-visitor-5, term 5gb-21d: price in JPY: 3980 → 4080",
		"plan shirakaba-steady: cap: 300 MB → 1.5 GB",
		"plan shirakaba-steady: policy, grace: 60d → 30d",
		"plan fuji-new: added",
		"plan ichiba-1gb, pack 1gb-now: added",
		"plan fuji-quarter: removed",
		"plan ichiba-1gb, pack 1gb-today: removed",
	}
	var got []string
	for _, c := range Diff(Demo(), next) {
		got = append(got, c.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

// Nothing differs from itself.
func TestDiffOfTheSameIsEmpty(t *testing.T) {
	if changes := Diff(Demo(), Demo()); len(changes) > 0 {
		t.Errorf("%v", changes)
	}
}

// Whatever field of a catalogue changes, Diff tells.
func TestDiffSeesEveryField(t *testing.T) {
	old, next := Demo(), Demo()
	for _, c := range []*Catalogue{old, next} {
		c.Plans = slices.DeleteFunc(c.Plans, func(p Plan) bool { // two of them have every list of a policy
			return p.ID != "tsukimi-30" && p.ID != "kaisha-month"
		})
	}
	fields := 0
	changeEach(reflect.ValueOf(next).Elem(), "Catalogue", func(path string) {
		if path == "Catalogue.Version" || strings.HasPrefix(path, "Catalogue.AppliedAt") {
			return
		}
		fields++
		if len(Diff(old, next)) == 0 {
			t.Errorf("%s changed and Diff is empty", path)
		}
	})
	if fields < 150 {
		t.Errorf("only %d values were changed", fields)
	}
	if diff := cmp.Diff(old, next); diff != "" {
		t.Fatalf("the test did not undo its changes:\n%s", diff)
	}
}

// changeEach changes one value after another in v, calls seen, and changes it
// back.
func changeEach(v reflect.Value, path string, seen func(path string)) {
	if l, ok := v.Interface().(calendar.Length); ok {
		v.Set(reflect.ValueOf(calendar.Length{N: l.N + 1, Unit: calendar.Month}))
		seen(path)
		v.Set(reflect.ValueOf(l))
		return
	}
	switch was := v.Interface().(type) {
	case time.Time:
		return
	case map[locale.Language]string:
		forgetEach(was, path, seen)
		return
	case map[money.Currency]int64:
		forgetEach(was, path, seen)
		return
	}
	if v.Kind() == reflect.Struct {
		for i := range v.NumField() {
			changeEach(v.Field(i), path+"."+v.Type().Field(i).Name, seen)
		}
		return
	}
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			changeEach(v.Index(i), path+"[]", seen)
		}
		return
	}
	was := reflect.ValueOf(v.Interface())
	change(v)
	seen(path)
	v.Set(was)
}

func forgetEach[K ~string, V any](m map[K]V, path string, seen func(path string)) {
	for k, v := range maps.Clone(m) {
		delete(m, k)
		seen(path + " without " + string(k))
		m[k] = v
	}
}

func change(v reflect.Value) {
	_, isCurrency := v.Interface().(money.Currency)
	if isCurrency {
		v.SetString("EUR")
	} else if v.Kind() == reflect.String {
		v.SetString(v.String() + "x")
	} else if v.Kind() == reflect.Bool {
		v.SetBool(!v.Bool())
	} else {
		v.SetInt(v.Int() + 1<<30)
	}
}
