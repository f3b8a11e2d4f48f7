package reminder

// What the tests of this package look at from outside.
var (
	Texts    = texts
	ItemName = itemName
)
