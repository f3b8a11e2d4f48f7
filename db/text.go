package db

import (
	"database/sql/driver"
	"fmt"
)

// Text is a text column that may be NULL: the empty Text is NULL. It is for
// columns under a unique key, where many rows have nothing to say.
type Text string

// Value implements [driver.Valuer].
func (t Text) Value() (driver.Value, error) {
	if t == "" {
		return nil, nil
	}
	return string(t), nil
}

// Scan implements [database/sql.Scanner].
func (t *Text) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*t = ""
	case string:
		*t = Text(v)
	case []byte:
		*t = Text(v)
	default:
		return fmt.Errorf("db: %T is not text", src)
	}
	return nil
}
