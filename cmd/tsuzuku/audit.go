package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tsuzuku/tsuzuku/audit"
)

// auditCmd asks the promises as queries.
type auditCmd struct{ database }

// auditReport is what the command prints as JSON.
type auditReport struct {
	Checks     int               `json:"checks"`
	Violations []audit.Violation `json:"violations"`
}

// Run prints one JSON object, each violation for people, and ends with 1 if
// there was any.
func (c *auditCmd) Run(ctx context.Context, s std) error {
	base, err := c.open(ctx)
	if err != nil {
		return err
	}
	found, err := audit.Run(ctx, base)
	if err = errors.Join(err, base.Close()); err != nil {
		return err
	}
	for _, v := range found {
		fmt.Fprintln(s.err, v)
	}
	if found == nil {
		found = []audit.Violation{}
	}
	if err := json.NewEncoder(s.out).Encode(auditReport{len(audit.Checks), found}); err != nil {
		return err
	}
	if len(found) > 0 {
		return quietExit(1)
	}
	fmt.Fprintf(s.err, "%d checks, nothing found\n", len(audit.Checks))
	return nil
}
