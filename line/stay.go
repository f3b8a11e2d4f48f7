package line

import (
	"context"
	"errors"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
)

// TellStay keeps until which day the customer needs the line: the last one, by
// the operator's calendar. 0 forgets it.
func TellStay(ctx context.Context, tx db.Tx, account, id string, last Day) error {
	if last == 0 {
		_, err := tx.Exec(ctx, `DELETE FROM stays WHERE account_id = $1 AND line_id = $2`, account, id)
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO stays (account_id, line_id, last_day, told_at) VALUES ($1,$2,$3,$4)
		ON CONFLICT (account_id, line_id) DO UPDATE SET last_day = excluded.last_day, told_at = excluded.told_at`,
		account, id, int64(last), db.At(tx.Now()))
	return err
}

// Stay is until which day the customer needs the line; 0: they have not said.
func Stay(ctx context.Context, tx db.Tx, account, id string) (last Day, err error) {
	err = tx.QueryRow(ctx, `SELECT last_day FROM stays WHERE account_id = $1 AND line_id = $2`, account, id).Scan(&last)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return last, err
}

// longestStay is how far ahead a day can be told.
const longestStay = 730

// ReadLastDay reads until which day somebody says that they need a line,
// YYYY-MM-DD. "" is 0: not told. ok is false for what is no day, lies before
// today, or two years ahead.
func ReadLastDay(text string, now time.Time, loc *time.Location) (last Day, ok bool) {
	if text == "" {
		return 0, true
	}
	at, err := time.ParseInLocation(time.DateOnly, text, loc)
	if err != nil {
		return 0, false
	}
	day, today := DayOf(at, loc), DayOf(now, loc)
	return day, day >= today && day <= today+longestStay
}
