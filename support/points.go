package support

// Points are where the seller can be reached besides a case. All are optional.
type Points struct {
	Mail      string
	Phone     string // as people write it
	Hours     string // when somebody answers
	Chat      string // an https: address
	Community []Link // groups of travellers, in this order
}

// Link is a name with an https: address.
type Link struct{ Name, To string }
