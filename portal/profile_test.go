package portal

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/line"
	"github.com/tsuzuku/tsuzuku/locale"
)

// A line's page says what its phone did with the eSIM, in every language, and of one
// that was deleted that nothing is lost by it and what to do. It says nothing where
// nobody told.
func TestProfileOnTheLinesPage(t *testing.T) {
	w := newTown(t)
	b := w.browser(locale.En)
	b.signIn("aiko@example.com")
	for language, words := range map[locale.Language][3]string{
		locale.En:     {"On the phone", "switched off", "does not end this line"},
		locale.ZhHans: {"手机上的 eSIM", "已停用", "并不会终止"},
		locale.ZhHant: {"手機上的 eSIM", "已停用", "並不會終止"},
		locale.Ja:     {"スマートフォンの eSIM", "オフ", "終了しません"},
		locale.Ko:     {"휴대폰의 eSIM", "꺼져", "종료되지 않으며"},
	} {
		w.write(func(ctx context.Context, tx db.Tx) error {
			_, err := tx.Exec(ctx, `UPDATE accounts SET language = $2 WHERE account_id = $1`, w.aiko.ID, string(language))
			return err
		})
		page := w.lines["fresh"]
		w.tell(page, line.ProfileInstalled, -time.Hour)
		has(t, b.see("/lines/"+page).html, words[0])
		w.tell(page, line.ProfileDisabled, -time.Minute)
		if html := b.see("/lines/" + page).html; !strings.Contains(html, words[1]) || strings.Contains(html, words[2]) {
			t.Errorf("%s: switched off: %s", language, html)
		}
		w.tell(page, line.ProfileDeleted, 0)
		has(t, b.see("/lines/"+page).html, words[0], words[2])
		w.tell(page, "", 0)
		if html := b.see("/lines/" + page).html; strings.Contains(html, words[0]) {
			t.Errorf("%s: somebody told something", language)
		}
	}
}

// tell is what a phone did with a line of aiko's, so long ago; "": nobody told.
func (w *town) tell(page string, s line.ProfileState, ago time.Duration) {
	w.t.Helper()
	w.write(func(ctx context.Context, tx db.Tx) error {
		if s == "" {
			_, err := tx.Exec(ctx, `DELETE FROM line_profiles WHERE account_id = $1`, w.aiko.ID)
			return err
		}
		_, err := line.TellProfile(ctx, tx, w.aiko.ID, page, s, tx.Now().Add(ago))
		return err
	})
}
