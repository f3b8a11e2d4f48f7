package phrase

// Choice returns which of several numbered things text chooses.
func Choice(_ string, _ Language) (n int, ok bool) { return 0, false }

// Amounts returns the sums of money of text.
func Amounts(_ string, _ Language) []Amount { return nil }

// Data returns the amounts of data of text.
func Data(_ string, _ Language) []Size { return nil }

// Answer says what the whole of text answers to a question of yes or no.
func Answer(_ string, _ Language) Reply { return None }
