package account

import (
	_ "embed" // the texts
	"errors"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/locale"
)

//go:embed texts.yaml
var texts []byte

// book is read once, when the program starts, and never changes.
var book = locale.MustBook(texts)

// Texts are the sentences for the reasons of this package's errors, by reason.
func Texts() *locale.Book { return book }

// because returns an error whose English message is the book's.
func because(k fault.Kind, reason string, args map[string]string) *fault.Error {
	values := locale.Args{}
	for name, value := range args {
		values[name] = value
	}
	return fault.Because(k, reason, book.Say(locale.En, reason, values), args)
}

// reasonOf is the reason of an error; "" where there is none.
func reasonOf(err error) string {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f.Reason
	}
	return ""
}
