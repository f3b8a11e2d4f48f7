package app

import (
	"context"
	"testing"

	"github.com/tsuzuku/tsuzuku/internal/dbtest"
)

// Work that is rung for is begun now, and not when the loop would look again.
func TestWorkIsBegunWhenItIsRungFor(t *testing.T) {
	env := dbtest.SQLite(t)
	a := &App{DB: env.DB}
	ctx, stop := context.WithCancel(t.Context())
	begun := make(chan struct{})
	s := Step{Name: "test", Rung: "bell", Do: func(context.Context) (bool, error) {
		select {
		case begun <- struct{}{}:
		case <-ctx.Done():
		}
		return false, nil
	}}
	ended := make(chan struct{})
	go func() { defer close(ended); a.work(ctx, []Step{s}, 1<<62) }()
	<-begun
	for range 3 {
		a.DB.Ring("bell")
		<-begun
	}
	stop()
	<-ended
}
