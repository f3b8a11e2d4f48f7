package advice

// Series forecasts horizon values of any numeric series that repeats itself
// every season values (1: it does not), as quantiles at [Levels]. It fails with
// [fault.Invalid] for fewer than two values, values that are no numbers, a
// horizon or a season below 1.
func Series(values []float64, season, horizon int) ([][7]float64, error) {
	return series(values, season, horizon)
}
