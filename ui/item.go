package ui

import (
	"strings"

	"github.com/tsuzuku/tsuzuku/fault"
	"github.com/tsuzuku/tsuzuku/renewal"
)

// maxItem bounds what [ItemOf] looks at.
const maxItem = 200

// ValueOf writes an item as a form sends it.
func ValueOf(i renewal.Item) string { return string(i.Kind) + "/" + i.Plan + "/" + i.ID }

// ItemOf reads what [ValueOf] wrote. It fails with [fault.Invalid] for what
// cannot be an item; whether there is such an item is for the catalogue to say.
func ItemOf(value string) (renewal.Item, error) {
	parts := strings.Split(value, "/")
	if len(value) > maxItem || len(parts) != 3 || parts[1] == "" || parts[2] == "" {
		return renewal.Item{}, unknownItem()
	}
	item := renewal.Item{Kind: renewal.Kind(parts[0]), Plan: parts[1], ID: parts[2]}
	if item.Kind != renewal.Term && item.Kind != renewal.Pack && item.Kind != renewal.NewLine {
		return renewal.Item{}, unknownItem()
	}
	return item, nil
}

func unknownItem() error {
	return fault.Because(fault.Invalid, "no_such_item", "This offer does not exist. Choose one from the list.", nil)
}
