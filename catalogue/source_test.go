package catalogue

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sourced is the demo catalogue with a second operator for machi-5gb, which must be
// able to do all that the plan's policy promises.
func sourced(operator string) []byte {
	file := strings.Replace(string(DemoFile()), "operators:\n",
		"operators:\n  - {id: yamabiko, name: Yamabiko Mobile, carrier: second, zone: Asia/Tokyo, gb: binary}\n", 1)
	head, plan, _ := strings.Cut(file, "id: machi-5gb\n")
	sources := "    sources:\n      - operator: " + operator + "\n        terms:\n          - {id: 3d, package: Y3, new_package: NEW-Y3, cost: {USD: 6}, new_cost: {USD: 7}}\n"
	for _, term := range []string{"5d", "7d", "10d", "15d", "30d"} {
		sources += "          - {id: " + term + ", package: Y" + term + "}\n"
	}
	return []byte(head + "id: machi-5gb\n" + strings.Replace(plan, "    policy: ", sources+"    policy: ", 1))
}

// A plan is the same from each of its operators, but for whom it is ordered from, as
// what, and at which cost.
func TestAPlanFromEachOfItsOperators(t *testing.T) {
	c, err := Read("sourced", sourced("yamabiko"))
	if err != nil {
		t.Fatal(err)
	}
	plan, _ := c.Plan("machi-5gb")
	if diff := cmp.Diff([]string{"kazemachi", "yamabiko"}, plan.Operators()); diff != "" {
		t.Error(diff)
	}
	for _, same := range []string{"", "kazemachi"} {
		if from, ok := plan.From(same); !ok || !cmp.Equal(from, plan) {
			t.Errorf("from %q it is another plan", same)
		}
	}
	if _, ok := plan.From("nanyo"); ok {
		t.Error("an operator that is none of the plan's feeds it")
	}
	from, ok := plan.From("yamabiko")
	first := from.Terms[0]
	if !ok || from.Operator != "yamabiko" || first.Package != "Y3" || first.NewPackage != "NEW-Y3" || first.Cost.Minor != 600 || first.NewCost.Minor != 700 {
		t.Errorf("%s: %+v", from.Operator, first)
	}
	if len(from.Sold()) != 1 || plan.Terms[0].Package == "Y3" {
		t.Errorf("%d terms with a new eSIM, and the plan itself was changed to %s", len(from.Sold()), plan.Terms[0].Package)
	}
	for i := range from.Terms {
		from.Terms[i].Package, from.Terms[i].NewPackage, from.Terms[i].Cost, from.Terms[i].NewCost =
			plan.Terms[i].Package, plan.Terms[i].NewPackage, plan.Terms[i].Cost, plan.Terms[i].NewCost
	}
	from.Operator = plan.Operator
	if diff := cmp.Diff(plan, from); diff != "" {
		t.Error(diff)
	}
}

// A source that cannot do what the plan promises is refused, at its place.
func TestASourceKeepsThePromises(t *testing.T) {
	for want, change := range map[string]func(*Able){
		"": func(*Able) {},
		"promises append, which the adapter second of operator \"yamabiko\"": func(a *Able) { a.Extend = false },
		"The adapter second of operator \"yamabiko\" extends only lines in":  func(a *Able) { a.ActiveOnly = true },
	} {
		second := everything()
		change(&second)
		_, _, err := CheckWith("sourced", sourced("yamabiko"), map[string]Able{
			"simple": everything(), "second": second, "esimaccess": everything(), "airalo": everything(), "esimgo": everything(), "cmi": everything(),
		})
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
