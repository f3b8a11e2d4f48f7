// Package travellers makes up people who travel with a data line, for examining
// advice. Each has a stay, a true demand for every day of it, an end that they
// may have told and may move, and a meter that shows what their plan let through.
//
// It is written to be unlike any tidy model: levels have heavy tails, days are
// skewed and correlated, there are bursts, empty days and sudden changes, stays
// heap at 7, 14, 30 and 90 days. Whoever is examined must not know how these
// people were made, so this package and advice know nothing of each other; a
// test in arch keeps it so. The same seed and number give the same traveller.
//
// Figures come from published ones, named beside each; what no publication says
// is marked as chosen, with the reason. TestPopulationIsPlausible checks that the
// published figures come out again.
//
// Tsuzuku is a program; this package promises nothing to other modules.
package travellers
