package db

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// Instant is a time as it is stored: microseconds since 1970 UTC, as an
// integer on both engines. The zero Instant is NULL.
type Instant struct{ time.Time }

// At wraps t for an argument.
func At(t time.Time) Instant { return Instant{t} }

// Value implements [driver.Valuer].
func (i Instant) Value() (driver.Value, error) {
	if i.IsZero() {
		return nil, nil
	}
	return i.UnixMicro(), nil
}

// Scan implements [database/sql.Scanner].
func (i *Instant) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		i.Time = time.Time{}
	case int64:
		i.Time = time.UnixMicro(v).UTC()
	default:
		return fmt.Errorf("db: %T is not an instant", src)
	}
	return nil
}
