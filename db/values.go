package db

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tsuzuku/tsuzuku/fault"
)

// argument reduces a to nil, int64, string, bool or []byte.
func argument(a any) (any, error) {
	switch v := a.(type) {
	case nil, int64, bool:
		return v, nil
	case string:
		return a, text(v) // not v: to box it anew costs more than to look at it
	case int:
		return int64(v), nil
	case []byte:
		if v == nil {
			return nil, nil
		}
		return a, nil
	case Instant:
		return v.Value()
	case time.Time:
		return nil, errors.New("wrap a time with db.At")
	}
	v := reflect.ValueOf(a)
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, nil
	}
	if valuer, ok := a.(driver.Valuer); ok {
		value, err := valuer.Value()
		if err != nil {
			return nil, err
		}
		return argument(value)
	}
	return reduced(v)
}

func reduced(v reflect.Value) (any, error) {
	switch {
	case v.Kind() == reflect.Pointer:
		return argument(v.Elem().Interface())
	case v.Kind() == reflect.String:
		return v.String(), text(v.String())
	case v.Kind() == reflect.Bool:
		return v.Bool(), nil
	case v.CanInt():
		return v.Int(), nil
	case v.CanUint() && v.Uint() <= math.MaxInt64:
		return int64(v.Uint()), nil
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return argument(v.Bytes())
	}
	return nil, fmt.Errorf("%s cannot be stored", v.Type())
}

// text fails for what PostgreSQL cannot store and SQLite would.
func text(s string) error {
	if !utf8.ValidString(s) || strings.IndexByte(s, 0) >= 0 {
		return fault.Because(fault.Invalid, "text_unstorable",
			"This text contains characters that cannot be stored. Please type it again.", nil)
	}
	return nil
}

// destinations turns pointers to types based on string, int64, bool and []byte
// into pointers to these, in place, since the drivers differ in what they know.
func destinations(dest []any) []any {
	for i, d := range dest {
		switch d.(type) {
		case *string, *int64, *int, *bool, *[]byte, sql.Scanner:
			continue
		}
		v := reflect.ValueOf(d)
		if v.Kind() != reflect.Pointer || v.IsNil() {
			continue // the driver complains
		}
		for _, basic := range basics {
			if v.CanConvert(basic) {
				dest[i] = v.Convert(basic).Interface() //nolint:gosec // i is an index of dest
				break
			}
		}
	}
	return dest
}

var basics = []reflect.Type{
	reflect.TypeFor[*string](), reflect.TypeFor[*int64](), reflect.TypeFor[*int](), reflect.TypeFor[*bool](), reflect.TypeFor[*[]byte](),
}

// assign gives a variable, one of [destinations], what SQLite's driver read.
func assign(dest, value any) error {
	if s, ok := dest.(sql.Scanner); ok {
		return s.Scan(value)
	}
	switch v := value.(type) {
	case string:
		switch d := dest.(type) {
		case *string:
			*d = v
			return nil
		case *[]byte:
			*d = []byte(v)
			return nil
		}
	case int64:
		switch d := dest.(type) {
		case *int64:
			*d = v
			return nil
		case *int:
			*d = int(v)
			return nil
		case *bool:
			*d = v != 0
			return nil
		}
	case []byte:
		switch d := dest.(type) {
		case *string:
			*d = string(v)
			return nil
		case *[]byte:
			*d = v
			return nil
		}
	case nil:
		if d, ok := dest.(*[]byte); ok {
			*d = nil
			return nil
		}
	}
	return assignOther(dest, value)
}

// assignOther is [assign] for whole numbers of other sizes, and for a variable that is a
// pointer itself: nil for NULL.
func assignOther(dest, value any) error {
	p := reflect.ValueOf(dest)
	if p.Kind() != reflect.Pointer || p.IsNil() {
		return fmt.Errorf("%T does not fit %T", value, dest)
	}
	v := p.Elem()
	n, whole := value.(int64)
	switch {
	case whole && v.CanInt() && !v.OverflowInt(n):
		v.SetInt(n)
	case whole && v.CanUint() && n >= 0 && !v.OverflowUint(uint64(n)):
		v.SetUint(uint64(n))
	case v.Kind() != reflect.Pointer:
		return fmt.Errorf("%T does not fit %T", value, dest)
	case value == nil:
		v.SetZero()
	default:
		fresh := reflect.New(v.Type().Elem())
		v.Set(fresh)
		return assign(destinations([]any{fresh.Interface()})[0], value)
	}
	return nil
}
