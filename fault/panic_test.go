package fault

import (
	"errors"
	"strings"
	"testing"
)

// A panic becomes an error that says what and where, and no value.
func TestPanicked(t *testing.T) {
	catch := func(f func()) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = Panicked(p)
			}
		}()
		f()
		return nil
	}
	before := Panics()
	var nothing map[string]int
	for says, f := range map[string]func(){
		"assignment to entry in nil map": func() { nothing["secret"] = 1 },
		"string":                         func() { panic("a secret") },
		"*errors.errorString":            func() { panic(errors.New("a secret")) },
	} {
		err := catch(f)
		if KindOf(err) != Internal || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "TestPanicked") || strings.Contains(err.Error(), "a secret") {
			t.Errorf("%s: %v", says, err)
		}
	}
	if got := Panics() - before; got != 3 {
		t.Errorf("%d were counted", got)
	}
}
