package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"modernc.org/libc"
	"modernc.org/libc/sys/types"
	lib "modernc.org/sqlite/lib"
)

// This file talks to the SQLite library itself: on the way through database/sql a
// small statement takes seven times as long, most of it for a goroutine that waits for
// the context's end, and for names and types of columns that nobody asks for. What
// is not done often, such as migrations, goes through database/sql and the driver.

// handle is one connection of the library's. One goroutine at a time uses it.
type handle struct {
	tls  *libc.TLS
	db   uintptr // sqlite3*
	out  uintptr // where the library writes a pointer
	stop atomic.Pointer[atomic.Bool]
	ends *guard // nil: nobody guards its transactions
}

// handles are those that are open, for what the library calls back with.
var handles sync.Map // uintptr: *handle

// stopEvery is after how many steps of SQLite's machine a statement looks whether it
// shall go on.
const stopEvery = 1000

// openHandle opens a connection as the driver would open the same DSN.
func openHandle(dsn string) (*handle, error) {
	_, query, _ := strings.Cut(dsn, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, err
	}
	h := &handle{tls: libc.NewTLS()}
	h.out = libc.Xcalloc(h.tls, 1, types.Size_t(unsafe.Sizeof(h.db)))
	name, err := libc.CString(dsn)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(h.tls, name)
	const flags = lib.SQLITE_OPEN_READWRITE | lib.SQLITE_OPEN_CREATE | lib.SQLITE_OPEN_NOMUTEX | lib.SQLITE_OPEN_URI | lib.SQLITE_OPEN_EXRESCODE
	code := lib.Xsqlite3_open_v2(h.tls, name, h.out, flags, 0)
	h.db = h.pointer()
	if code != lib.SQLITE_OK {
		return nil, errors.Join(h.failure(code), h.close())
	}
	handles.Store(h.db, h)
	lib.Xsqlite3_progress_handler(h.tls, h.db, stopEvery, callback(stopped), h.db)
	if options.Get("_dqs") == "0" {
		h.standardQuotes()
	}
	for _, pragma := range options["_pragma"] {
		if err := h.command("PRAGMA " + pragma); err != nil {
			return nil, errors.Join(err, h.close())
		}
	}
	return h, nil
}

// callback is a function of this package as the library calls it. It must be declared,
// and no closure.
func callback[F any](f F) uintptr {
	return *(*uintptr)(unsafe.Pointer(&struct{ f F }{f})) //nolint:gosec // how the translated C keeps pointers to functions
}

// pointer is what the library wrote to h.out.
func (h *handle) pointer() uintptr {
	b := libc.GoBytes(h.out, int(unsafe.Sizeof(h.db)))
	if len(b) == 4 {
		return uintptr(binary.NativeEndian.Uint32(b))
	}
	return uintptr(binary.NativeEndian.Uint64(b))
}

// standardQuotes lets nothing in double quotes be a text.
func (h *handle) standardQuotes() {
	for _, option := range []int32{lib.SQLITE_DBCONFIG_DQS_DDL, lib.SQLITE_DBCONFIG_DQS_DML} {
		args := libc.NewVaList(int32(0), uintptr(0))
		lib.Xsqlite3_db_config(h.tls, h.db, option, args)
		libc.Xfree(h.tls, args)
	}
}

// stopped is asked by the library while a statement runs.
func stopped(_ *libc.TLS, db uintptr) int32 {
	if h, ok := handles.Load(db); ok {
		if stop := h.(*handle).stop.Load(); stop != nil && stop.Load() {
			return 1
		}
	}
	return 0
}

// until lets statements stop when ctx ends, until the function that it returns is
// called.
func (h *handle) until(ctx context.Context) (release func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	stop := &atomic.Bool{} // of this span: what comes late stops nobody else
	h.stop.Store(stop)
	done := context.AfterFunc(ctx, func() { stop.Store(true) })
	return func() {
		done()
		h.stop.Store(nil)
	}
}

// guard lets g see how transactions end, and refuse commits.
func (h *handle) guard(g *guard) {
	h.ends = g
	lib.Xsqlite3_commit_hook(h.tls, h.db, callback(committing), h.db)
	lib.Xsqlite3_rollback_hook(h.tls, h.db, callback(rolledBack), h.db)
}

func committing(_ *libc.TLS, db uintptr) int32 {
	if h, ok := handles.Load(db); ok && h.(*handle).ends.committing {
		return 0
	}
	return 1 // SQLite rolls back instead
}

func rolledBack(_ *libc.TLS, db uintptr) {
	if h, ok := handles.Load(db); ok {
		h.(*handle).ends.ended = true
	}
}

// close lets go of the connection. Closing again does nothing.
func (h *handle) close() (err error) {
	if h.tls == nil {
		return nil
	}
	handles.Delete(h.db)
	if code := lib.Xsqlite3_close_v2(h.tls, h.db); code != lib.SQLITE_OK {
		err = h.failure(code)
	}
	libc.Xfree(h.tls, h.out)
	h.tls.Close()
	h.tls, h.db = nil, 0
	return err
}

// libraryError is what the library answered.
type libraryError struct {
	code int // extended
	text string
}

func (e *libraryError) Error() string { return e.text }

// failure puts an answer of the library into words.
func (h *handle) failure(code int32) error {
	text := libc.GoString(lib.Xsqlite3_errstr(h.tls, code))
	if h.db != 0 {
		if more := libc.GoString(lib.Xsqlite3_errmsg(h.tls, h.db)); more != text {
			text += ": " + more
		}
	}
	return &libraryError{int(code), fmt.Sprintf("%s (%d)", text, code)}
}

var errHandleClosed = errors.New("db: the connection is closed")

// command prepares and runs a statement that is not run again.
func (h *handle) command(query string) error {
	p, err := h.prepare(query)
	if err != nil {
		return err
	}
	defer p.Close()
	_, err = p.exec(context.Background(), nil)
	return err
}

// program is a prepared statement.
type program struct {
	h    *handle
	stmt uintptr // sqlite3_stmt*
	text uintptr // what the parameters' texts are copied to, …
	room int     // … and how much fits
}

// prepare compiles one statement.
func (h *handle) prepare(query string) (*program, error) {
	if h.tls == nil {
		return nil, errHandleClosed
	}
	text, err := libc.CString(query)
	if err != nil {
		return nil, err
	}
	defer libc.Xfree(h.tls, text)
	if code := lib.Xsqlite3_prepare_v3(h.tls, h.db, text, int32(len(query)+1), lib.SQLITE_PREPARE_PERSISTENT, h.out, 0); code != lib.SQLITE_OK {
		return nil, h.failure(code)
	}
	p := &program{h: h, stmt: h.pointer()}
	if p.stmt == 0 {
		return nil, errors.New("db: there is no statement in it")
	}
	return p, nil
}

// Close lets go of the statement.
func (p *program) Close() {
	if p.h.tls == nil {
		return // it went with its connection
	}
	lib.Xsqlite3_finalize(p.h.tls, p.stmt) // its answer is that of the last step
	if p.room > 0 {
		libc.Xfree(p.h.tls, p.text)
	}
}

// bind gives the statement its arguments, of which order says which stands where:
// nil, int64, bool, string and []byte.
func (p *program) bind(args []any) error {
	h := p.h
	if err := p.reserve(args); err != nil {
		return err
	}
	at := 0
	copied := func(n int) (dst []byte, from uintptr) {
		from = p.text + uintptr(at)
		at += n
		return libc.GoBytes(from, n), from
	}
	for i, a := range args {
		var code int32
		n := int32(i + 1)
		switch v := a.(type) {
		case nil:
			code = lib.Xsqlite3_bind_null(h.tls, p.stmt, n)
		case int64:
			code = lib.Xsqlite3_bind_int64(h.tls, p.stmt, n, v)
		case bool:
			bit := int64(0)
			if v {
				bit = 1
			}
			code = lib.Xsqlite3_bind_int64(h.tls, p.stmt, n, bit)
		case string:
			dst, from := copied(len(v))
			copy(dst, v)
			code = lib.Xsqlite3_bind_text(h.tls, p.stmt, n, from, int32(len(v)), 0)
		case []byte:
			dst, from := copied(len(v))
			copy(dst, v)
			code = lib.Xsqlite3_bind_blob(h.tls, p.stmt, n, from, int32(len(v)), 0)
		default:
			return fmt.Errorf("db: %T cannot be given to SQLite", a)
		}
		if code != lib.SQLITE_OK {
			return h.failure(code)
		}
	}
	return nil
}

// reserve makes room for the texts of args. What was bound before is not read again.
func (p *program) reserve(args []any) error {
	need := 1 // an empty text has a place, too: none would be NULL
	for _, a := range args {
		switch v := a.(type) {
		case string:
			need += len(v)
		case []byte:
			need += len(v)
		}
	}
	if need > math.MaxInt32 {
		return &libraryError{lib.SQLITE_TOOBIG, "db: the arguments are too long"}
	}
	if need <= p.room {
		return nil
	}
	if p.room > 0 {
		libc.Xfree(p.h.tls, p.text)
	}
	p.room = max(2*need, 256)
	p.text = libc.Xmalloc(p.h.tls, types.Size_t(p.room))
	if p.text == 0 {
		p.room = 0
		return &libraryError{lib.SQLITE_NOMEM, "db: out of memory"}
	}
	return nil
}

// step goes to the next row; more is false where there is none.
func (p *program) step(ctx context.Context) (more bool, err error) {
	switch code := lib.Xsqlite3_step(p.h.tls, p.stmt); code {
	case lib.SQLITE_ROW:
		return true, nil
	case lib.SQLITE_DONE:
		return false, nil
	default:
		err = p.h.failure(code)
		if code == lib.SQLITE_INTERRUPT && ctx.Err() != nil {
			err = ctx.Err()
		}
		return false, err
	}
}

// reset makes the statement ready to run again.
func (p *program) reset() {
	if p.h.tls != nil {
		lib.Xsqlite3_reset(p.h.tls, p.stmt) // its answer is that of the last step
	}
}

// exec runs the statement to its end and says how many rows it changed.
func (p *program) exec(ctx context.Context, args []any) (rows int64, err error) {
	if p.h.tls == nil {
		return 0, errHandleClosed
	}
	defer p.reset()
	if err := p.bind(args); err != nil {
		return 0, err
	}
	for more := true; more; {
		if more, err = p.step(ctx); err != nil {
			return 0, err
		}
	}
	return lib.Xsqlite3_changes64(p.h.tls, p.h.db), nil
}

// query runs the statement to its first row.
func (p *program) query(ctx context.Context, args []any) (*programRows, error) {
	if p.h.tls == nil {
		return nil, errHandleClosed
	}
	if err := p.bind(args); err != nil {
		p.reset()
		return nil, err
	}
	more, err := p.step(ctx)
	if err != nil {
		p.reset()
		return nil, err
	}
	return &programRows{program: p, ctx: ctx, first: true, more: more}, nil
}

// programRows is the result of a query.
type programRows struct {
	program *program
	ctx     context.Context //nolint:containedctx // of the query, whose result this is
	first   bool            // the first row was gone to and not yet given
	more    bool
	err     error
}

// Next goes to the next row.
func (r *programRows) Next() bool {
	if r.first {
		r.first = false
	} else if r.more {
		if r.program.h.tls == nil {
			r.more, r.err = false, errHandleClosed
		} else {
			r.more, r.err = r.program.step(r.ctx)
		}
	}
	return r.more
}

// Err is why there was no next row, if not because there is none.
func (r *programRows) Err() error { return r.err }

// Scan copies the row.
func (r *programRows) Scan(dest ...any) error {
	p := r.program
	if n := int(lib.Xsqlite3_data_count(p.h.tls, p.stmt)); n != len(dest) {
		return fmt.Errorf("db: the row has %d columns, and %d are wanted", n, len(dest))
	}
	for i, d := range dest {
		if err := p.scan(int32(i), d); err != nil {
			return fmt.Errorf("db: column %d: %w", i+1, err)
		}
	}
	return nil
}

// scan copies one column to where d points.
func (p *program) scan(column int32, d any) error {
	tls, stmt := p.h.tls, p.stmt
	kind := lib.Xsqlite3_column_type(tls, stmt, column)
	switch d := d.(type) {
	case *string:
		if kind != lib.SQLITE_NULL {
			*d = p.textOf(column)
			return nil
		}
	case *int64:
		if kind == lib.SQLITE_INTEGER {
			*d = lib.Xsqlite3_column_int64(tls, stmt, column)
			return nil
		}
	case *int:
		if kind == lib.SQLITE_INTEGER {
			*d = int(lib.Xsqlite3_column_int64(tls, stmt, column))
			return nil
		}
	case *bool:
		if kind == lib.SQLITE_INTEGER {
			*d = lib.Xsqlite3_column_int64(tls, stmt, column) != 0
			return nil
		}
	case *[]byte:
		*d = nil
		if kind != lib.SQLITE_NULL {
			*d = p.bytesOf(column)
		}
		return nil
	case sql.Scanner:
		return d.Scan(p.value(kind, column))
	}
	if v := reflect.ValueOf(d); v.Kind() == reflect.Pointer && v.Elem().Kind() == reflect.Pointer {
		return p.scanNullable(kind, column, v.Elem())
	}
	return assign(d, p.value(kind, column))
}

// scanNullable copies one column into a pointer of the caller's, which is nil for NULL.
func (p *program) scanNullable(kind, column int32, to reflect.Value) error {
	if kind == lib.SQLITE_NULL {
		to.SetZero()
		return nil
	}
	fresh := reflect.New(to.Type().Elem())
	if err := p.scan(column, destination(fresh.Interface())); err != nil {
		return err
	}
	to.Set(fresh)
	return nil
}

// value is a column as drivers have it.
func (p *program) value(kind, column int32) driver.Value {
	switch kind {
	case lib.SQLITE_INTEGER:
		return lib.Xsqlite3_column_int64(p.h.tls, p.stmt, column)
	case lib.SQLITE_FLOAT:
		return lib.Xsqlite3_column_double(p.h.tls, p.stmt, column)
	case lib.SQLITE_TEXT:
		return p.textOf(column)
	case lib.SQLITE_BLOB:
		return p.bytesOf(column)
	}
	return nil
}

func (p *program) textOf(column int32) string {
	from := lib.Xsqlite3_column_text(p.h.tls, p.stmt, column)
	n := int(lib.Xsqlite3_column_bytes(p.h.tls, p.stmt, column))
	if n == 0 {
		return ""
	}
	return string(libc.GoBytes(from, n))
}

func (p *program) bytesOf(column int32) []byte {
	from := lib.Xsqlite3_column_blob(p.h.tls, p.stmt, column)
	n := int(lib.Xsqlite3_column_bytes(p.h.tls, p.stmt, column))
	if n == 0 {
		return nil
	}
	return append([]byte(nil), libc.GoBytes(from, n)...)
}

// assign is for what is not of the column's own type.
func assign(d any, v driver.Value) error {
	text := fmt.Sprint(v)
	switch d := d.(type) {
	case *any:
		*d = v
		return nil
	case *int64, *int:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%T is no whole number", v)
		}
		if to, ok := d.(*int); ok {
			*to = int(n)
		} else {
			*d.(*int64) = n
		}
		return nil
	case *bool:
		b, err := strconv.ParseBool(text)
		*d = b
		return err
	}
	return fmt.Errorf("%T does not go into %T", v, d)
}

// copyTo copies what h sees into another database, some pages at once.
func (h *handle) copyTo(ctx context.Context, dsn string) (err error) {
	to, err := openHandle(dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.close()) }()
	name, err := libc.CString("main")
	if err != nil {
		return err
	}
	defer libc.Xfree(h.tls, name)
	b := lib.Xsqlite3_backup_init(h.tls, to.db, name, h.db, name)
	if b == 0 {
		return to.failure(lib.Xsqlite3_errcode(h.tls, to.db))
	}
	code := int32(lib.SQLITE_OK)
	for code == lib.SQLITE_OK && err == nil {
		if err = ctx.Err(); err == nil {
			code = lib.Xsqlite3_backup_step(h.tls, b, pagesAtOnce)
		}
	}
	lib.Xsqlite3_backup_finish(h.tls, b) // its answer is that of the last step
	if err == nil && code != lib.SQLITE_DONE {
		err = to.failure(code)
	}
	return err
}
