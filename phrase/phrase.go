// Package phrase reads what people write and say of numbers, days, money, data
// and answers, in Chinese (both scripts), Japanese and English. It knows rules
// and tables and nothing else: no model, no statistics, no clock.
//
// Every function folds its text with [Fold] first, and the [Span] of what it
// found lies in the folded text. What is found never overlaps, and stands in the
// order of the text. No text makes a function panic, and each takes time
// proportional to the length of its text.
//
// Values are exact: there is no floating point. What would not fit is not found:
// twenty digits in a row are an ICCID and no number.
//
// See docs/understanding.md for what is understood and how well.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package phrase

import (
	"time"

	"github.com/tsuzuku/tsuzuku/money"
)

// Language is what somebody writes. It is not one of locale's: simplified and
// traditional Chinese are read by the same rules, and Korean is not read.
// Functions take any other value, also the empty one, for [English].
type Language string

// The languages.
const (
	Chinese  Language = "zh"
	Japanese Language = "ja"
	English  Language = "en"
)

// Span is a stretch of the folded text, in bytes: Fold(text)[s.From:s.To].
type Span struct{ From, To int }

// Number is one number.
type Number struct {
	Span
	Value   Exact
	Ordinal bool // the third; of the last, Value is -1, of the one before it -2
}

// Duration is a length of time as it was said: its parts are to be added, and
// are not converted into each other, except that a week is seven days, half a
// month is 15 days, half a year is six months and half a day twelve hours.
type Duration struct {
	Span
	Years, Months, Days, Hours, Minutes, Seconds int

	// Nights is how many of the Days were said as nights: who stays two nights
	// leaves on the third day.
	Nights int

	More bool // "more than": 二十多天, 10日以上
}

// Day is one day, or a period by its last day. Of several readings it is the
// one that lies ahead, today included.
type Day struct {
	Span
	Date      time.Time // the day, or the last day of a period; midnight UTC
	First     time.Time // the first day of a period; Date, where it is one day
	Until     bool      // "until Friday", 到周五: said as an end
	From      bool      // "from Friday", 从周五: said as a beginning
	Ambiguous bool      // might mean Other, or (10日 alone) no day at all
	Other     time.Time // the second reading, zero where there is none
}

// Amount is a sum of money.
type Amount struct {
	Span
	Value    Exact            // in the major unit: 12.5 dollars
	Currency money.Currency   // "" where several are called so
	Maybe    []money.Currency // those that it might be, where Currency is ""
}

// Size is an amount of data.
type Size struct {
	Span
	Value     Exact
	Unit      Unit // "" where Unlimited
	Unlimited bool
	Daily     bool // "3GB a day"
}

// Unit is a unit of data.
type Unit string

// The units of data. How many bytes a gigabyte has is said by the catalogue.
const (
	KB Unit = "KB"
	MB Unit = "MB"
	GB Unit = "GB"
	TB Unit = "TB"
)

// Reply is what a whole utterance answers to a question of yes or no.
type Reply string

// The replies. Only [Yes] lets anything happen, and only an utterance that is
// nothing but a yes is one.
const (
	Yes    Reply = "yes"
	No     Reply = "no"
	Unsure Reply = "unsure" // hesitates, sets a condition, says both, or asks back
	None   Reply = ""       // does not answer the question
)
