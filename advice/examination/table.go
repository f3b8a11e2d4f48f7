package examination

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// JSON prints the report for programs.
func (r *Report) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(r)
}

// table is columns for people. The first mistake of writing is kept.
type table struct {
	*tabwriter.Writer
	out io.Writer
}

func newTable(w io.Writer) table {
	return table{tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight), w}
}

func (t table) row(format string, args ...any) { fmt.Fprintf(t, format+"\t\n", args...) }

// heading ends the columns so far and begins new ones.
func (t table) heading(format string, args ...any) {
	_ = t.Flush() // the last Flush tells
	fmt.Fprintf(t.out, "\n"+format+"\n\n", args...)
}

// Table prints the report for people.
func (r *Report) Table(w io.Writer) error {
	t := newTable(w)
	r.summary(t)
	r.Forecast.print(t)
	printBuyers(t, fmt.Sprintf("Cost of the rest of the trip, %d trips; regret against the clairvoyant", r.Users), r.Buyers)
	r.printBuckets(t)
	if r.LongStays != nil {
		printBuyers(t, fmt.Sprintf("Long stays (60 days and more), %d trips", r.LongStays.Trips), r.LongStays.Buyers)
		r.LongStays.Forecast.print(t)
	}
	if r.Packs != nil {
		printBuyers(t, fmt.Sprintf("Packs: a volume is low or used up, in a shop that sells packs; %d trips", r.Packs.Trips), r.Packs.Buyers)
	}
	if len(r.Sensitivity) > 0 {
		t.heading("If people use more while they need not count")
		t.row("more\tadvice\tbest simple\t")
		for _, s := range r.Sensitivity {
			t.row("%+.0f %%\t%s\t%s\t%s", 100*s.More, percent(s.Regret), percent(s.Best), s.Simple)
		}
	}
	return t.Flush()
}

func (r *Report) summary(t table) {
	t.heading("Seed %d, %d trips; fitted on %d until %s, calibrated on %d until %s", r.Seed, r.Users,
		r.Split.Fitted, r.Split.FittedUntil, r.Split.Calibrated, r.Split.CalibratedUntil)
	t.row("\treached\t95 %% interval\twanted")
	t.row("coverage of 50 %% ranges\t%s\t%s\t48.5-51.5", percent(r.Cover50), ci(r.Forecast.Cover50CI))
	t.row("coverage of 80 %% ranges\t%s\t%s\t78.5-81.5", percent(r.Cover80), ci(r.Forecast.Cover80CI))
	t.row("coverage of 95 %% ranges\t%s\t%s\t93.5-96.5", percent(r.Cover95), ci(r.Forecast.Cover95CI))
	t.row("mean regret\t%s\t%s\t≤ 20", percent(r.Regret), ci(r.RegretCI))
	for _, b := range r.Buckets {
		switch b.Name {
		case endTold:
			t.row("mean regret, end told\t%s\t%s\t≤ 13", percent(b.Regret), ci(b.RegretCI))
		case noHistory:
			t.row("mean regret, no history\t%s\t%s\t≤ 28", percent(b.Regret), ci(b.RegretCI))
		}
	}
	if len(r.Buyers) > 0 {
		t.row("90 of 100 regret less than\t%s\t%s\t≤ 40", percent(r.P90), ci(r.Buyers[0].P90CI))
	}
	if r.GapFrom != "" {
		t.row("gap closed, from %s\t%s\t%s\t≥ 80", r.GapFrom, percent(r.Gap), ci(r.GapCI))
		t.row("gap closed to an oracle that does not know the end\t%s\t%s\t", percent(r.GapBlind), ci(r.GapBlindCI))
	}
	t.row("advice flips with one more day\t%s\t\t≤ 10", known(r.Flips))
	t.row("farthest group from the mean regret\t%s\t\t≤ 3", percent(r.Fairness))
}

func (f *ForecastReport) print(t table) {
	t.heading("Forecast of the need, %d trips (mean %.2f GB; nothing was wanted of %s %%)", f.Trips, f.MeanNeed, percent(f.Nothing))
	t.row("range\tcovered\tby chance\tmean width GB")
	t.row("50\t%s\t%s\t%.2f", percent(f.Cover50), percent(f.Inside.Cover50), f.Width50)
	t.row("80\t%s\t%s\t%.2f", percent(f.Cover80), percent(f.Inside.Cover80), f.Width80)
	t.row("95\t%s\t%s\t%.2f", percent(f.Cover95), percent(f.Inside.Cover95), f.Width95)
	t.heading("Scaled pinball loss %.4f (own mean %.4f, segment mean %.4f, TSB with a normal range %.4f), CRPS %.4f", f.Pinball, f.OwnMean, f.Segment, f.TSB, f.CRPS)
	t.heading("Last day: log score %.3f, Brier 3/7/14 days %.4f/%.4f/%.4f; the day 3 GB run out: 80 %% ranges cover %s, whether they do: Brier %.4f",
		f.EndLog, f.Brier3, f.Brier7, f.Brier14, percent(f.RunsOut80), f.Lasts)
	t.row("PIT\t<2.5\t-10\t-25\t-50\t-75\t-90\t-97.5\t>97.5")
	line := "came"
	for _, p := range f.PIT {
		line += "\t" + percent(p)
	}
	t.row("%s", line)
	line = "right"
	for _, p := range f.Flat {
		line += "\t" + percent(p)
	}
	t.row("%s", line)
}

func printBuyers(t table, title string, all []BuyerReport) {
	t.heading("%s", title)
	t.row("buyer\tcost\tregret\t95 %% interval\tmedian\tp90\twithin 2 %%\tpurchases\toutage\tslow\tpaid\twasted\tadvice less this\t95 %% interval")
	for _, b := range all {
		t.row("%s\t%.0f\t%s\t%s\t%s\t%s\t%s\t%.2f\t%.2f\t%.2f\t%.0f\t%.0f\t%.0f\t%.0f … %.0f", b.Name, b.MeanCost, percent(b.Regret), ci(b.RegretCI),
			percent(b.Median), percent(b.P90), percent(b.Within2), b.Purchases, b.Outage, b.Slow, b.Paid, b.Wasted, b.Versus, b.VersusCI[0], b.VersusCI[1])
	}
}

func (r *Report) printBuckets(t table) {
	t.heading("Buckets; the last column is the simple buyer that comes nearest, and the advice's cost less its")
	t.row("bucket\ttrips\t50\t80\t95\tmiss\tallowed\tpinball\tregret\t95 %% interval\tp90\toracle blind\tseeing\tnearest\tless\t95 %% interval")
	for _, b := range r.Buckets {
		near := b.nearest()
		t.row("%s: %s\t%d\t%s\t%s\t%s\t%s\t%s\t%.3f\t%s\t%s\t%s\t%s\t%s\t%s\t%.0f\t%.0f … %.0f", b.Dimension, b.Name, b.Trips,
			percent(b.Cover50), percent(b.Cover80), percent(b.Cover95), percent(b.Miss), percent(b.Allowed), b.Pinball,
			percent(b.Regret), ci(b.RegretCI), percent(b.P90), known(b.Blind), known(b.Oracle), near.Name, near.Versus, near.VersusCI[0], near.VersusCI[1])
	}
}

// nearest is the simple buyer whose cost is nearest to the advice's.
func (b *Bucket) nearest() BuyerReport {
	best := BuyerReport{}
	for _, r := range b.Buyers[1:] {
		if best.Name == "" || r.MeanCost < best.MeanCost {
			best = r
		}
	}
	return best
}

func percent(share float64) string { return fmt.Sprintf("%.1f", 100*share) }

// known is a share, or that there is nothing to say it from.
func known(share *float64) string {
	if share == nil {
		return "-"
	}
	return percent(*share)
}

func ci(x [2]float64) string { return percent(x[0]) + "-" + percent(x[1]) }
