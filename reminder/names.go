package reminder

import (
	_ "embed" // for the texts

	"github.com/tsuzuku/tsuzuku/calendar"
	"github.com/tsuzuku/tsuzuku/catalogue"
	"github.com/tsuzuku/tsuzuku/locale"
	"github.com/tsuzuku/tsuzuku/renewal"
)

//go:embed texts.yaml
var textsFile []byte

var texts = locale.MustBook(textsFile)

// offerName is "Machi Unlimited 5 GB a day, 3 days".
func offerName(l locale.Language, p catalogue.Plan, gb int64, i renewal.Item) string {
	return texts.Say(l, "offer", locale.Args{"plan": p.NameIn(l), "item": itemName(l, p, gb, i)})
}

// itemName is "3 days", "10 GB for 30 days", "1 GB more"; the item's key where
// the plan does not have it.
func itemName(l locale.Language, p catalogue.Plan, gb int64, i renewal.Item) string {
	if k, ok := p.Pack(i.ID); ok && i.Kind == renewal.Pack {
		if k.FullSpeed {
			return texts.Say(l, "pack.speed", nil)
		}
		return texts.Say(l, "pack.volume", locale.Args{"volume": locale.Data(l, k.Volume, gb)})
	}
	t, ok := p.Term(i.ID)
	switch {
	case !ok:
		return i.ID
	case t.Volume > 0:
		return texts.Say(l, "term.volume", locale.Args{"volume": locale.Data(l, t.Volume, gb), "length": lengthName(l, t.Length)})
	}
	return lengthName(l, t.Length)
}

func lengthName(l locale.Language, n calendar.Length) string {
	return texts.Say(l, "length."+string(n.Unit), locale.Args{"n": n.N})
}
