package db_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tsuzuku/tsuzuku/db"
)

// The gain of grouped commits: ten small rows a write, durable, with as many
// clients as can be waiting at the same time. group=1 is a COMMIT for each.
func BenchmarkWrite(b *testing.B) {
	for _, clients := range []int{1, 8, 64} {
		for _, group := range []int{1, 100} {
			b.Run(fmt.Sprintf("clients=%d/group=%d", clients, group), func(b *testing.B) {
				benchmarkWrite(b, clients, group)
			})
		}
	}
}

func benchmarkWrite(b *testing.B, clients, group int) {
	var commits atomic.Int64
	d := openSQLite(b, db.Options{Observe: func(p db.Point) {
		if p == db.AfterCommit {
			commits.Add(1)
		}
	}})
	db.SetGroupMax(d, group)
	write(b, d, `CREATE TABLE t (account TEXT, id INTEGER, body TEXT, at INTEGER, PRIMARY KEY (account, id)) STRICT, WITHOUT ROWID`)
	var next, failed atomic.Int64
	var all sync.WaitGroup
	todo := int64(b.N)
	commits.Store(0)
	b.ResetTimer()
	for range clients {
		all.Go(func() {
			for i := next.Add(1); i <= todo; i = next.Add(1) {
				if d.Write(context.Background(), tenRows(i)) != nil {
					failed.Add(1)
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	if failed.Load() > 0 {
		b.Fatalf("%d writes failed", failed.Load())
	}
	b.ReportMetric(float64(todo)/b.Elapsed().Seconds(), "writes/s")
	b.ReportMetric(float64(todo)/float64(commits.Load()), "writes/commit")
}

func tenRows(i int64) func(context.Context, db.Tx) error {
	return func(ctx context.Context, tx db.Tx) error {
		for k := range int64(10) {
			_, err := tx.Exec(ctx, `INSERT INTO t (account, id, body, at) VALUES ($1, $2, $3, $4)`,
				fmt.Sprint("ac_", i*7919%100003), i*10+k, "a line of some sixty characters, as the rows of an order have", db.At(tx.Now()))
			if err != nil {
				return err
			}
		}
		return nil
	}
}
