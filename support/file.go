package support

import (
	"bytes"
	"context"
	"errors"
	"image"
	_ "image/jpeg" // to see that a picture is one
	_ "image/png"  // likewise
	"net/http"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/db"
	"github.com/tsuzuku/tsuzuku/fault"
)

// What a customer may send, at most.
const (
	MostFiles    = 3         // with one message
	MostFile     = 5 << 20   // bytes of one
	mostFilesDay = 12        // in 24 hours, in all cases
	mostKept     = 200 << 20 // bytes of all files of a customer
	mostFileName = 100       // characters
)

// Kinds of files are what a customer may send; what a file is its content says.
var kinds = []string{"image/jpeg", "image/png", "application/pdf"}

// File is a picture or document that a customer sent.
type File struct {
	Number  int // 1, 2, 3 … in its case
	Message int // with which it came
	Name    string
	Kind    string // image/jpeg, image/png or application/pdf
	Bytes   int
	Content []byte
	At      time.Time
}

// check fails with [fault.Invalid] unless f may be kept, and completes it.
func (f *File) check() error {
	if len(f.Content) == 0 || len(f.Content) > MostFile {
		return fault.Because(fault.Invalid, "case_file_size", "A file is empty or larger than 5 MB. Please send a smaller one.", nil)
	}
	f.Kind, f.Bytes = http.DetectContentType(f.Content), len(f.Content)
	good := slices.Contains(kinds, f.Kind)
	if good && strings.HasPrefix(f.Kind, "image/") {
		_, _, err := image.DecodeConfig(bytes.NewReader(f.Content))
		good = err == nil
	}
	if !good {
		return fault.Because(fault.Invalid, "case_file_kind", "Only pictures (JPEG, PNG) and PDF files can be sent.", nil)
	}
	f.Name = fileName(f.Name, f.Kind)
	return nil
}

// fileName is a name that says what a file is, and nothing else: no folder, no
// sign that a file system or a header minds, and the ending of its kind.
func fileName(name, kind string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || strings.ContainsRune(`<>:"/|?*;%`, r) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(strings.TrimSuffix(name, path.Ext(name)), ". ")
	if runes := []rune(name); len(runes) > mostFileName {
		name = string(runes[:mostFileName])
	}
	if name == "" || !utf8.ValidString(name) {
		name = "file"
	}
	switch kind {
	case "image/jpeg":
		return name + ".jpg"
	case "image/png":
		return name + ".png"
	}
	return name + ".pdf"
}

// keep stores the files that came with the last message of c.
func keep(ctx context.Context, tx db.Tx, c Case, files []File) error {
	if len(files) == 0 {
		return nil
	}
	var today, kept int64
	if err := tx.QueryRow(ctx, `
		SELECT COUNT(CASE WHEN at > $2 THEN 1 END), CAST(COALESCE(SUM(bytes), 0) AS bigint) FROM case_files WHERE account_id = $1`,
		c.Account, db.At(tx.Now().Add(-24*time.Hour))).Scan(&today, &kept); err != nil {
		return err
	}
	for _, f := range files {
		kept += int64(len(f.Content))
	}
	if kept > mostKept {
		return fault.Because(fault.TooMany, "case_files_full", "We keep as many of your files as we can. Please describe the rest in words.", nil)
	}
	if today+int64(len(files)) > mostFilesDay {
		return fault.Because(fault.TooMany, "case_files_day", "You have sent many files today. Please describe the rest in words, or wait until tomorrow.", nil)
	}
	for i, f := range files {
		if _, err := tx.Exec(ctx, `INSERT INTO case_files (account_id, case_id, number, message, name, kind, bytes, content, at) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9)`,
			c.Account, c.ID, c.Files-len(files)+i+1, c.Messages, f.Name, f.Kind, f.Bytes, f.Content, db.At(tx.Now())); err != nil {
			return err
		}
	}
	return nil
}

// Files are those of a case, without content.
func Files(ctx context.Context, tx db.Tx, k Key) (all []File, err error) {
	rows, err := tx.Query(ctx, `SELECT number, message, name, kind, bytes, at FROM case_files WHERE account_id = $1 AND case_id = $2 ORDER BY number`, k.Account, k.ID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var f File
		var at db.Instant
		if err := rows.Scan(&f.Number, &f.Message, &f.Name, &f.Kind, &f.Bytes, &at); err != nil {
			return nil, err
		}
		f.At = at.Time
		all = append(all, f)
	}
	return all, rows.Err()
}

// GetFile reads one file with its content. It fails with [fault.NotFound].
func GetFile(ctx context.Context, tx db.Tx, k Key, number int) (File, error) {
	f := File{Number: number}
	var at db.Instant
	err := tx.QueryRow(ctx, `SELECT message, name, kind, bytes, content, at FROM case_files WHERE account_id = $1 AND case_id = $2 AND number = $3`,
		k.Account, k.ID, number).Scan(&f.Message, &f.Name, &f.Kind, &f.Bytes, &f.Content, &at)
	f.At = at.Time
	if errors.Is(err, db.ErrNoRows) {
		return f, fault.Because(fault.NotFound, "no_such_file", "There is no such file.", nil)
	}
	return f, err
}
