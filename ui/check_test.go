package ui

import "testing"

func TestTextsAreCompleteAndWellFormed(t *testing.T) {
	if err := texts.Check(); err != nil {
		t.Error(err)
	}
}
