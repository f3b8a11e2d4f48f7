package phrase

import "time"

// Guess says in which language text is written, by its script, and says
// otherwise where the script does not tell: digits alone, say.
func Guess(_ string, otherwise Language) Language { return otherwise }

// Fold is text as it is compared.
func Fold(text string) string { return text }

// Numbers returns the numbers of text.
func Numbers(_ string, _ Language) []Number { return nil }

// Choice returns which of several numbered things text chooses.
func Choice(_ string, _ Language) (n int, ok bool) { return 0, false }

// Durations returns the lengths of time of text.
func Durations(_ string, _ Language) []Duration { return nil }

// Days returns the days and periods of text, as of today.
func Days(_ string, _ Language, _ time.Time) []Day { return nil }

// Amounts returns the sums of money of text.
func Amounts(_ string, _ Language) []Amount { return nil }

// Data returns the amounts of data of text.
func Data(_ string, _ Language) []Size { return nil }

// Answer says what the whole of text answers to a question of yes or no.
func Answer(_ string, _ Language) Reply { return None }
