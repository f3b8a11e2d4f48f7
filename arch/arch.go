// Package arch keeps the architecture: which package may import which, that
// every table that grows with customers is keyed by account, that every SQL
// text works on both engines, and a few habits that a linter cannot see. It has
// only tests.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package arch

// layers lists the packages from the bottom to the top. A package may import
// every package of the layers above its own line in this list (that is, listed
// before it), and its parent folder. A folder within a folder that is listed is
// a room of its own; others belong to their parent. See ARCHITECTURE.md.
var layers = []string{
	// words
	"fault", "money", "calendar", "id", "seal", "locale", "metrics", "phone", "luhn", "phrase", "db", "signed", "outbound",
	// things
	"message", "catalogue", "exchange", "account", "line", "stock", "ledger", "loyalty", "billing", "device", "support", "identity", "trail",
	// strangers
	"payment", "carrier", "calls", "language",
	// the story
	"renewal", "order",
	// those who read it
	"intake", "advice", "advice/travellers", "advice/examination", "reminder", "assistant", "leaving", "settlement", "upstream", "audit", "backup",
	// doors
	"ui", "portal", "console", "api", "tmf", "mcp", "hooks", "radius",
	// top
	"world", "bench", "app", "cmd/tsuzuku",
}

// adapters are the folders whose children are adapters of a port: a child
// imports words, its port and nothing else of the house.
var adapters = []string{"message", "account", "payment", "carrier", "language"}

// words end here: what an adapter may import besides its port.
const lastWord = "outbound"

// apart are rooms that know nothing of each other, in either direction, nor do
// their tests: who is examined and who makes up the people for it.
var apart = [][2]string{{"advice", "advice/travellers"}}
