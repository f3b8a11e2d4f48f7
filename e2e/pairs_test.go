package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// pair is that two factors have these values.
type pair struct{ factor, value, other, otherValue int }

// pairsOf are all pairs of a row: for each factor, which of its values it has.
func pairsOf(row []int) (all []pair) {
	for i := range row {
		for j := i + 1; j < len(row); j++ {
			all = append(all, pair{i, row[i], j, row[j]})
		}
	}
	return all
}

// product are all rows that are allowed. sizes are how many values each factor has.
func product(sizes []int, allowed func(row []int) bool) (rows [][]int) {
	row := make([]int, len(sizes))
	var fill func(at int)
	fill = func(at int) {
		if at == len(sizes) {
			if allowed(row) {
				rows = append(rows, slices.Clone(row))
			}
			return
		}
		for row[at] = range sizes[at] {
			fill(at + 1)
		}
	}
	fill(0)
	return rows
}

// pairwise chooses rows in which every pair stands that stands in any row that is
// allowed: always one more of those with the most new pairs. The seed decides among
// equals. The same sizes and seed give the same rows.
func pairwise(seed uint64, sizes []int, allowed func(row []int) bool) (chosen [][]int) {
	rows := product(sizes, allowed)
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	had := map[pair]bool{}
	for {
		best, most := -1, 0
		for i, row := range rows {
			fresh := 0
			for _, p := range pairsOf(row) {
				if !had[p] {
					fresh++
				}
			}
			if fresh > most {
				best, most = i, fresh
			}
		}
		if best < 0 {
			return chosen
		}
		for _, p := range pairsOf(rows[best]) {
			had[p] = true
		}
		chosen = append(chosen, rows[best])
	}
}

// Every pair that may be is in a row, no row is one that may not be, and the same
// seed chooses the same rows, whatever the factors are.
func TestPairwise(t *testing.T) {
	for seed := range uint64(200) {
		dice := rand.New(rand.NewPCG(seed, 1))
		sizes := make([]int, 2+dice.IntN(3))
		for i := range sizes {
			sizes[i] = 1 + dice.IntN(5)
		}
		first, one, other := dice.IntN(len(sizes)-1), dice.IntN(5), dice.IntN(5)
		allowed := func(row []int) bool { return row[first] != one || row[first+1] != other }
		chosen := pairwise(seed, sizes, allowed)
		if again := pairwise(seed, sizes, allowed); fmt.Sprint(again) != fmt.Sprint(chosen) {
			t.Errorf("%v and then %v", chosen, again)
		}
		wantPairs(t, sizes, allowed, chosen)
	}
}

// wantPairs wants every pair that may be to be in a row, and no row that may not be.
func wantPairs(t *testing.T, sizes []int, allowed func([]int) bool, chosen [][]int) {
	t.Helper()
	want, got := map[pair]bool{}, map[pair]bool{}
	for _, row := range product(sizes, allowed) {
		for _, p := range pairsOf(row) {
			want[p] = true
		}
	}
	for _, row := range chosen {
		if !allowed(row) {
			t.Errorf("%v may not be", row)
		}
		for _, p := range pairsOf(row) {
			got[p] = true
		}
	}
	for p := range want {
		if !got[p] {
			t.Errorf("%v: nobody has value %d of factor %d with value %d of factor %d", sizes, p.value, p.factor, p.otherValue, p.other)
		}
	}
}
