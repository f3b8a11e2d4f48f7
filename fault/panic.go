package fault

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"
)

var panics atomic.Int64

// Panics is how many panics were caught since the process began.
func Panics() int64 { return panics.Load() }

// Panicked makes an error of what recover returned, and counts it. Its text is for the
// log: what went wrong where the runtime says it, else its type alone, since a value may
// hold what must stand in no log; and where it happened, without arguments' values.
// It is to be called by the deferred function itself.
func Panicked(p any) error {
	panics.Add(1)
	what := fmt.Sprintf("%T", p)
	if e, ok := p.(runtime.Error); ok {
		what = e.Error()
	}
	return &Error{Kind: Internal, Reason: "panic", Message: "panic: " + what, Err: stack(debug.Stack())}
}

// stack is where a panic happened.
type stack string

// Error is the stack as the runtime writes it.
func (s stack) Error() string { return string(s) }
