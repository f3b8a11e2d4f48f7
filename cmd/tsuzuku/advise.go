package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tsuzuku/tsuzuku/advice"
	"github.com/tsuzuku/tsuzuku/advice/examination"
)

// adviseCmd is what there is to know about advice.
type adviseCmd struct {
	Line     adviseLineCmd     `cmd:"" default:"withargs" help:"Print what a line's customer is advised, and why (tsuzuku advise --line LINE)."`
	Evaluate adviseEvaluateCmd `cmd:"" help:"Examine the advice: with made-up travellers, or with your own history."`
	Series   adviseSeriesCmd   `cmd:"" help:"Forecast any series of numbers, as quantiles."`
	Models   adviseModelsCmd   `cmd:"" help:"List what was learnt from finished trips, and what is in force."`
	Rollback adviseRollbackCmd `cmd:"" help:"Put an earlier model in force again; 0 is the program's own."`
}

type adviseEvaluateCmd struct {
	Users int    `default:"8000" help:"How many made-up trips are examined."`
	Seed  uint64 `default:"1" help:"Of the made-up travellers and of the intervals."`
	JSON  bool   `name:"json" help:"Print one JSON object instead of tables."`
	CSV   string `name:"csv" type:"existingfile" help:"Your own history instead: line, day, bytes, throttled, segment (group/purpose/use), end told." placeholder:"FILE"`
}

// Run prints the report.
func (c *adviseEvaluateCmd) Run(ctx context.Context, s std) error {
	r, err := c.evaluate(ctx, s)
	if err != nil {
		return err
	}
	if c.JSON {
		return r.JSON(s.out)
	}
	return r.Table(s.out)
}

func (c *adviseEvaluateCmd) evaluate(ctx context.Context, s std) (*examination.Report, error) {
	o := examination.Options{Users: c.Users, Seed: c.Seed, Progress: s.err}
	if c.CSV == "" {
		return examination.Synthetic(ctx, o)
	}
	file, err := os.Open(c.CSV)
	if err != nil {
		return nil, err
	}
	o.Today = advice.DateOf(time.Now(), time.UTC)
	r, mistakes, err := examination.OwnHistory(ctx, bufio.NewReader(file), o)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	return r, printMistakes(s.err, mistakes)
}

type adviseSeriesCmd struct {
	CSV     string `name:"csv" required:"" type:"existingfile" help:"A series a line (name, values …, as in the M4 competition), or id,index,value." placeholder:"FILE"`
	Horizon int    `required:"" help:"How many steps to forecast, at most 1000." placeholder:"STEPS"`
	Season  int    `default:"1" help:"After how many steps the series repeats itself; 1: it does not. Of a series that is not two seasons long it counts as 1." placeholder:"STEPS"`
}

// Run prints a line for each series and step, with a column for each quantile.
// What is wrong with single series is said, and the others are forecast.
func (c *adviseSeriesCmd) Run(s std) error {
	file, err := os.Open(c.CSV)
	if err != nil {
		return err
	}
	all, mistakes, err := examination.ReadSeries(bufio.NewReader(file))
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	out := bufio.NewWriter(s.out)
	more, err := examination.WriteQuantiles(out, all, c.Season, c.Horizon)
	if err = errors.Join(err, out.Flush()); err != nil {
		return err
	}
	return printMistakes(s.err, append(mistakes, more...))
}

// printMistakes says what is wrong, row by row; without mistakes it is nil.
func printMistakes(w io.Writer, mistakes []examination.Mistake) error {
	if len(mistakes) == 0 {
		return nil
	}
	for _, m := range mistakes {
		fmt.Fprintln(w, m)
	}
	if len(mistakes) == 1 {
		return errors.New("one mistake")
	}
	return fmt.Errorf("%d mistakes", len(mistakes))
}
